/* SPDX-License-Identifier: Apache-2.0 */
#include "model_case.h"

#include <sys/stat.h>

static int remove_all(void **state)
{
    (void)state;
    remove_files("save");
    return 0;
}

static void round_trip(const char *arch, const char *file)
{
    afn_model *m = new_model(arch, 5), *back;
    const char *path = file_in("save", file);
    /* Counters and odd values survive too. */
    const int last = afn_model_n_params(m) - 1;
    for (int i = 0; i <= last; i++) {
        int64_t *count = afn_params_i64(afn_model__params(m), i);
        if (count) *count = 9007199254740993; /* no float holds it */
    }
    afn_params_f32(afn_model__params(m), last)[0] = -0.0f;
    assert_ok(afn_model_save(m, path));
    assert_ok(afn_model_open(&back, NULL, path));
    assert_same_values(m, back);
    afn_model_free(back);
    assert_ok(afn_model_open(&back, arch, path));
    assert_same_values(m, back);
    afn_model_free(back);
    afn_model_free(m);
}

static void a_saved_pth_opens_with_the_same_bits(void **state)
{
    (void)state;
    round_trip(SMALL, "small.pth");
    round_trip("mobilenet_v2", "mobilenet.PTH");
}

static void a_saved_safetensors_opens_with_the_same_bits(void **state)
{
    (void)state;
    round_trip(SMALL, "small.safetensors");
    round_trip("mobilenet_v2", "mobilenet.safetensors");
}

static void tensors_have_torchvisions_names_order_and_types(void **state)
{
    (void)state;
    afn_model *m = new_model("mobilenet_v2", 3);
    afn_weights *w;
    const char *path = file_in("save", "order.pth");
    assert_ok(afn_model_save(m, path));
    assert_ok(afn_weights_open(&w, path));
    assert_int_equal(afn_weights_count(w), afn_model_n_params(m));
    for (int i = 0; i < afn_model_n_params(m); i++) {
        afn_param_info p;
        assert_ok(afn_model_param(m, i, &p));
        const afn_weight *t = afn_weights_get(w, (size_t)i);
        assert_string_equal(t->name, p.name);
        assert_int_equal(t->dtype, p.dtype);
        assert_true(afn_shape_equal(&t->shape, &p.shape));
    }
    assert_int_equal(
        afn_weights_find(w, "features.0.1.num_batches_tracked")->shape.rank, 0);
    assert_int_equal(afn_weights_find(w, "features.0.1.num_batches_tracked")->dtype,
                     AFN_I64);
    afn_weights_free(w);
    afn_model_free(m);
}

static void another_extension_is_refused_and_nothing_appears(void **state)
{
    (void)state;
    afn_model *m = new_model(SMALL, 2);
    const char *path = file_in("save", "model.bin");
    assert_fails(AFN_EINVAL, "unknown extension", afn_model_save(m, path));
    assert_fails(AFN_EINVAL, "model.bin", afn_model_save(m, path));
    assert_false(afn_is_file(path));
    afn_model_free(m);
}

static void a_missing_folder_is_an_error_that_names_the_path(void **state)
{
    (void)state;
    afn_model *m = new_model(SMALL, 2);
    const char *path = file_in("save", "none/model.pth");
    assert_int_not_equal(afn_model_save(m, path), AFN_OK);
    assert_non_null(strstr(afn_error_message(), "none/model.pth"));
    afn_model_free(m);
}

static void a_folder_that_may_not_be_written_is_an_error(void **state)
{
    (void)state;
    /* Root may write anywhere but in /proc. */
    afn_model *m = new_model(SMALL, 2);
    const char *path = "/proc/model.pth";
    char folder[2048];
    if (geteuid() != 0) {
        snprintf(folder, sizeof folder, "%s", file_in("save", "locked"));
        assert_ok(afn_make_dirs(folder));
        assert_int_equal(chmod(folder, 0500), 0);
        path = file_in("save", "locked/model.pth");
    }
    const afn_status st = afn_model_save(m, path);
    assert_true(st == AFN_EIO || st == AFN_ENOTFOUND);
    assert_non_null(strstr(afn_error_message(), "model.pth"));
    assert_false(afn_is_file(path));
    afn_model_free(m);
}

static void saving_replaces_an_older_file(void **state)
{
    (void)state;
    afn_model *a = new_model(SMALL, 2), *b = new_model(SMALL, 3), *back;
    const char *path = file_in("save", "again.pth");
    assert_ok(afn_model_save(a, path));
    assert_ok(afn_model_save(b, path));
    assert_ok(afn_model_open(&back, NULL, path));
    assert_same_values(b, back);
    afn_model_free(back);
    afn_model_free(b);
    afn_model_free(a);
}

/* Runs `work` with one allocation failing, a later one each time, until a run gets
 * through: every one that this folder makes and those of the writers one in 29. */
static void fail_every_allocation(afn_status (*work)(void *), void *user)
{
    int64_t k = 1;
    for (;; k += k < 600 ? 1 : 29) {
        afn_alloc_fail_at(k);
        const afn_status st = work(user);
        afn_alloc_fail_at(0);
        if (st == AFN_OK) break;
        assert_int_equal(st, AFN_ENOMEM);
    }
    assert_true(k > 50);
}

typedef struct save_case {
    const afn_model *model;
    char path[2048];
} save_case;

static afn_status save_it(void *user)
{
    const save_case *c = user;
    return afn_model_save(c->model, c->path);
}

static void every_failing_allocation_of_a_save_is_reported(void **state)
{
    (void)state;
    const char *const name[] = { "a", "b" };
    afn_model *m = new_model(SMALL, 2);
    assert_ok(afn_model_set_class_names(m, name, 2));
    save_case c = { .model = m };
    snprintf(c.path, sizeof c.path, "%s", file_in("save", "alloc.pth"));
    fail_every_allocation(save_it, &c);
    snprintf(c.path, sizeof c.path, "%s", file_in("save", "alloc.safetensors"));
    fail_every_allocation(save_it, &c);
    afn_model_free(m);
}

static afn_status open_it(void *user)
{
    afn_model *m;
    const afn_status st = afn_model_open(&m, NULL, user);
    if (st != AFN_OK) assert_null(m);
    afn_model_free(m);
    return st;
}

static void every_failing_allocation_of_an_open_is_reported(void **state)
{
    (void)state;
    const char *const name[] = { "a", "b" };
    afn_model *m = new_model(SMALL, 2);
    assert_ok(afn_model_set_class_names(m, name, 2));
    char path[2048];
    snprintf(path, sizeof path, "%s", file_in("save", "open.safetensors"));
    assert_ok(afn_model_save(m, path));
    fail_every_allocation(open_it, path);
    snprintf(path, sizeof path, "%s", file_in("save", "open.pth"));
    assert_ok(afn_model_save(m, path));
    fail_every_allocation(open_it, path);
    afn_model_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_saved_pth_opens_with_the_same_bits),
        cmocka_unit_test(a_saved_safetensors_opens_with_the_same_bits),
        cmocka_unit_test(tensors_have_torchvisions_names_order_and_types),
        cmocka_unit_test(another_extension_is_refused_and_nothing_appears),
        cmocka_unit_test(a_missing_folder_is_an_error_that_names_the_path),
        cmocka_unit_test(a_folder_that_may_not_be_written_is_an_error),
        cmocka_unit_test(saving_replaces_an_older_file),
        cmocka_unit_test(every_failing_allocation_of_a_save_is_reported),
        cmocka_unit_test(every_failing_allocation_of_an_open_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, remove_all);
}
