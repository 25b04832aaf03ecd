/* SPDX-License-Identifier: Apache-2.0 */
/* Keys that do not fit, as afn_model_open() reports them. */
#include "model_case.h"

#include "weights/weights.h"

/* What to do to a network's state dict before it is written. */
typedef struct change {
    const char *drop[4];   /* names to leave out */
    const char *add[5];    /* names to add */
    const char *reshape;   /* name to give the shape (7) */
    bool scalar_as_vector; /* counters get the shape (1) */
    bool drop_counters;
} change;

static bool listed(const char *const *list, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (list[i] && strcmp(list[i], name) == 0) return true;
    return false;
}

static void add_changed(afn_weights *w, const afn_model *m, int i, const change *c)
{
    static const float seven[7];
    const afn_param *p = afn_graph_param(afn_model__graph(m), i);
    const afn_params *v = afn_model__params(m);
    afn_shape shape = p->shape;
    const void *values =
        afn_params_f32(v, i) ? (void *)afn_params_f32(v, i) : afn_params_i64(v, i);
    if (listed(c->drop, AFN_COUNT(c->drop), p->name)) return;
    if (c->drop_counters && p->dtype == AFN_I64) return;
    if (c->scalar_as_vector && p->dtype == AFN_I64) shape = AFN_SHAPE(1);
    if (c->reshape && strcmp(c->reshape, p->name) == 0) {
        shape = AFN_SHAPE(7);
        values = seven;
    }
    assert_ok(afn_weights_add(w, p->name, p->dtype, &shape, values));
}

/* Writes the state dict of m with the change; returns the path. */
static const char *write_changed(const afn_model *m, change c)
{
    const char *path = file_in("match", "changed.pth");
    const float one = 1;
    afn_weights *w;
    assert_ok(afn_weights_new(&w));
    for (int i = 0; i < afn_model_n_params(m); i++) add_changed(w, m, i, &c);
    for (size_t i = 0; i < AFN_COUNT(c.add) && c.add[i]; i++)
        assert_ok(afn_weights_add(w, c.add[i], AFN_F32, &AFN_SHAPE(1), &one));
    assert_ok(afn_weights_save(w, path));
    afn_weights_free(w);
    return path;
}

/* Opening the changed file as `arch` fails with exactly this after the path. */
static void expect(const char *made, const char *arch, change c, const char *text)
{
    afn_model *m = new_model(made, 2), *back;
    char want[2048];
    const char *path = write_changed(m, c);
    snprintf(want, sizeof want, "%s: %s", path, text);
    const afn_status st = afn_model_open(&back, arch, path);
    assert_null(back);
    assert_int_equal(st, arch ? AFN_ESHAPE : AFN_EFORMAT);
    assert_string_equal(afn_error_message(), want);
    afn_model_free(m);
}

static void missing_keys_are_counted_and_named(void **state)
{
    (void)state;
    expect(SMALL, SMALL, (change){ .drop = { "features.3.squeeze.bias" } },
           "not squeezenet1_1: 1 missing (features.3.squeeze.bias)");
    expect(SMALL, SMALL,
           (change){ .drop = { "features.0.bias", "features.3.squeeze.bias",
                               "features.3.squeeze.weight",
                               "features.4.squeeze.weight" } },
           "not squeezenet1_1: 4 missing (features.0.bias, features.3.squeeze.weight, "
           "features.3.squeeze.bias, ...)");
}

static void unexpected_keys_are_counted_and_named(void **state)
{
    (void)state;
    expect(SMALL, SMALL, (change){ .add = { "a", "b.c", "d" } },
           "not squeezenet1_1: 3 unexpected (a, b.c, d)");
    expect(SMALL, SMALL, (change){ .add = { "a", "b", "c", "d", "e" } },
           "not squeezenet1_1: 5 unexpected (a, b, c, ...)");
}

static void misshapen_keys_are_counted_and_named(void **state)
{
    (void)state;
    expect(SMALL, SMALL, (change){ .reshape = "features.3.squeeze.bias" },
           "not squeezenet1_1: 1 misshapen (features.3.squeeze.bias is (7), "
           "squeezenet1_1 needs (16))");
}

static void all_kinds_come_in_one_line(void **state)
{
    (void)state;
    expect(SMALL, SMALL,
           (change){ .drop = { "features.0.bias" },
                     .add = { "x" },
                     .reshape = "features.3.squeeze.bias" },
           "not squeezenet1_1: 1 missing (features.0.bias), 1 unexpected (x), 1 "
           "misshapen (features.3.squeeze.bias is (7), squeezenet1_1 needs (16))");
}

static void a_head_that_is_missing_or_odd_is_named(void **state)
{
    (void)state;
    expect(SMALL, SMALL, (change){ .drop = { "classifier.1.weight" } },
           "not squeezenet1_1: 1 missing (classifier.1.weight), 1 misshapen "
           "(classifier.1.bias is (2), squeezenet1_1 needs (1000))");
    expect(SMALL, SMALL, (change){ .reshape = "classifier.1.weight" },
           "not squeezenet1_1: 2 misshapen (classifier.1.weight is (7), squeezenet1_1 "
           "needs (7,512,1,1); classifier.1.bias is (2), squeezenet1_1 needs (7))");
}

static void the_architecture_that_fits_is_named(void **state)
{
    (void)state;
    afn_model *m = new_model("mobilenet_v2", 2), *back;
    const char *path = write_changed(m, (change){ 0 });
    assert_fails(AFN_ESHAPE,
                 ": not squeezenet1_1: ", afn_model_open(&back, SMALL, path));
    assert_non_null(strstr(afn_error_message(), ", its keys fit mobilenet_v2"));
    assert_null(back);
    afn_model_free(m);
}

static void a_plain_file_without_an_architecture_gets_a_hint(void **state)
{
    (void)state;
    expect(SMALL, NULL, (change){ 0 },
           "does not name its architecture; its keys fit squeezenet1_1");
    expect(SMALL, NULL, (change){ .add = { "x" } }, "does not name its architecture");
}

static void counters_may_be_missing_or_have_one_dimension(void **state)
{
    (void)state;
    afn_model *m = new_model("mobilenet_v2", 2), *back;
    const int i =
        afn_graph_find_param(afn_model__graph(m), "features.0.1.num_batches_tracked");
    *afn_params_i64(afn_model__params(m), i) = 77;

    const char *path = write_changed(m, (change){ .scalar_as_vector = true });
    assert_ok(afn_model_open(&back, "mobilenet_v2", path));
    assert_same_values(m, back);
    afn_model_free(back);

    path = write_changed(m, (change){ .drop_counters = true });
    assert_ok(afn_model_open(&back, "mobilenet_v2", path));
    assert_int_equal(*afn_params_i64(afn_model__params(back), i), 0);
    afn_model_free(back);
    afn_model_free(m);
}

static void a_failing_allocation_while_comparing_is_reported(void **state)
{
    (void)state;
    afn_model *m = new_model(SMALL, 2), *back;
    const char *path = write_changed(m, (change){ .add = { "x" } });
    int64_t k = 1;
    /* Each of the first, then fewer: most build networks that the file might fit. */
    for (;; k += 1 + k / 32) {
        afn_alloc_fail_at(k);
        const afn_status st = afn_model_open(&back, SMALL, path);
        afn_alloc_fail_at(0);
        assert_null(back);
        if (st == AFN_ESHAPE) break;
        assert_int_equal(st, AFN_ENOMEM);
    }
    assert_true(k > 50);
    afn_model_free(m);
}

static int remove_all(void **state)
{
    (void)state;
    remove_files("match");
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(missing_keys_are_counted_and_named),
        cmocka_unit_test(unexpected_keys_are_counted_and_named),
        cmocka_unit_test(misshapen_keys_are_counted_and_named),
        cmocka_unit_test(all_kinds_come_in_one_line),
        cmocka_unit_test(a_head_that_is_missing_or_odd_is_named),
        cmocka_unit_test(the_architecture_that_fits_is_named),
        cmocka_unit_test(a_plain_file_without_an_architecture_gets_a_hint),
        cmocka_unit_test(counters_may_be_missing_or_have_one_dimension),
        cmocka_unit_test(a_failing_allocation_while_comparing_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, remove_all);
}
