/* SPDX-License-Identifier: Apache-2.0 */
/* A set put together by hand, through both writers and back, and with every allocation
 * failing in turn. */
#include "weights_files.h"

static const float weight[6] = { 1, -2, 3.5f, 4, 5, 6 };
static const int64_t tracked = 123456789012345;
static const uint16_t halves[3] = { 0x3C00, 0xC000, 0x7BFF }; /* 1, -2, 65504 */

static afn_status fill(afn_weights **out)
{
    afn_status st = AFN_OK;
    afn_weights *w = NULL;
    const afn_shape scalar = { 0 };
    *out = NULL;
    AFN_TRY(afn_weights_new(&w));
    AFN_TRY(afn_weights_add(w, "bn.num_batches_tracked", AFN_I64, &scalar, &tracked));
    AFN_TRY(afn_weights_add(w, "half", AFN_F16, &(afn_shape){ 1, { 3 } }, halves));
    AFN_TRY(
        afn_weights_add(w, "fc.weight", AFN_F32, &(afn_shape){ 2, { 2, 3 } }, weight));
    AFN_TRY(afn_weights_add(w, "none", AFN_F32, &(afn_shape){ 2, { 0, 3 } }, NULL));
    AFN_TRY(afn_weights_add(w, "flag", AFN_BOOL, &(afn_shape){ 1, { 1 } }, "\1"));
    AFN_TRY(
        afn_weights_set_metadata(w, "classes", "[\"a\\b\", \"gr\xC3\xBC\xC3\x9F\"]"));
    AFN_TRY(afn_weights_set_metadata(w, "x", "1"));
    AFN_TRY(afn_weights_set_metadata(w, "x", "line\n2"));
    *out = w;
    w = NULL;
done:
    afn_weights_free(w);
    return st;
}

static void assert_same_as_filled(const afn_weights *w)
{
    int64_t n;
    float half[3];
    static const char *const order[] = { "bn.num_batches_tracked", "half", "fc.weight",
                                         "none", "flag" };
    assert_int_equal(afn_weights_count(w), AFN_COUNT(order));
    for (size_t i = 0; i < AFN_COUNT(order); i++)
        assert_string_equal(afn_weights_get(w, i)->name, order[i]);
    assert_values(w, "fc.weight", weight, 6);
    assert_ok(afn_weights_read_i64(w, afn_weights_get(w, 0), &n, 1));
    assert_true(n == tracked);
    assert_ok(afn_weights_read_f32(w, afn_weights_find(w, "half"), half, 3));
    assert_true(half[0] == 1 && half[1] == -2 && half[2] == 65504);
    assert_int_equal(afn_weights_find(w, "none")->shape.dim[1], 3);
    assert_int_equal(afn_weights_find(w, "flag")->dtype, AFN_BOOL);
    assert_int_equal(afn_weights_metadata_count(w), 2);
    assert_string_equal(afn_weights_metadata(w, "classes"),
                        "[\"a\\b\", \"gr\xC3\xBC\xC3\x9F\"]");
    assert_string_equal(afn_weights_metadata(w, "x"), "line\n2");
    assert_null(afn_weights_metadata(w, "y"));
}

static void round_trip(const char *name, const char *format)
{
    afn_weights *w, *again;
    char path[1100];
    snprintf(path, sizeof path, "%s/%s", test_dir("set"), name);
    assert_ok(fill(&w));
    assert_string_equal(afn_weights_format(w), "memory");
    assert_ok(afn_weights_save(w, path));
    assert_ok(afn_weights_open(&again, path));
    assert_string_equal(afn_weights_format(again), format);
    assert_same_as_filled(again);
    afn_weights_free(again);
    afn_weights_free(w);
}

static void a_set_saved_as_pth_reads_back_the_same(void **state)
{
    (void)state;
    round_trip("a.pth", "torch-zip");
    round_trip("a.PT", "torch-zip");
}

static void a_set_saved_as_safetensors_reads_back_the_same(void **state)
{
    (void)state;
    round_trip("a.safetensors", "safetensors");
}

static void an_empty_set_reads_back_empty(void **state)
{
    (void)state;
    static const char *const name[] = { "empty.pth", "empty.safetensors" };
    for (size_t i = 0; i < AFN_COUNT(name); i++) {
        afn_weights *w;
        char path[1100];
        snprintf(path, sizeof path, "%s/%s", test_dir("set"), name[i]);
        assert_ok(afn_weights_new(&w));
        assert_ok(afn_weights_save(w, path));
        afn_weights_free(w);
        assert_ok(afn_weights_open(&w, path));
        assert_int_equal(afn_weights_count(w), 0);
        afn_weights_free(w);
    }
}

static void tensors_in_files_are_aligned(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        size_t align;
    } file[] = { { "al.pth", 64 }, { "al.safetensors", 4 } };
    for (size_t i = 0; i < AFN_COUNT(file); i++) {
        afn_weights *w;
        uint8_t *bytes;
        size_t size, at = 0;
        char path[1100];
        snprintf(path, sizeof path, "%s/%s", test_dir("set"), file[i].name);
        assert_ok(fill(&w));
        assert_ok(afn_weights_save(w, path));
        assert_ok(afn_file_read(&bytes, &size, path));
        while (at + sizeof weight <= size &&
               memcmp(bytes + at, weight, sizeof weight) != 0)
            at++;
        assert_true(at + sizeof weight <= size);
        assert_int_equal(at % file[i].align, 0);
        afn_free(bytes);
        afn_weights_free(w);
    }
}

static void the_same_set_gives_the_same_bytes(void **state)
{
    (void)state;
    afn_weights *w;
    uint8_t *a, *b;
    size_t na, nb;
    char path[1100];
    snprintf(path, sizeof path, "%s/same.pth", test_dir("set"));
    assert_ok(fill(&w));
    assert_ok(afn_weights_save(w, path));
    assert_ok(afn_file_read(&a, &na, path));
    assert_ok(afn_weights_save(w, path));
    assert_ok(afn_file_read(&b, &nb, path));
    assert_int_equal(na, nb);
    assert_memory_equal(a, b, na);
    afn_free(a);
    afn_free(b);
    afn_weights_free(w);
}

static void a_name_can_be_added_once(void **state)
{
    (void)state;
    afn_weights *w;
    assert_ok(fill(&w));
    assert_fails(AFN_EINVAL, "half: this name is taken",
                 afn_weights_add(w, "half", AFN_F16, &(afn_shape){ 1, { 3 } }, halves));
    assert_fails(AFN_EINVAL, "impossible shape",
                 afn_weights_add(w, "big", AFN_F16, &(afn_shape){ 2, { INT64_MAX, 3 } },
                                 halves));
    assert_fails(
        AFN_EINVAL, "rank is 9",
        afn_weights_add(w, "deep", AFN_F16, &(afn_shape){ .rank = 9 }, halves));
    assert_int_equal(afn_weights_count(w), 5);
    afn_weights_free(w);
}

static void reading_checks_the_room(void **state)
{
    (void)state;
    afn_weights *w;
    float out[6];
    int64_t number;
    assert_ok(fill(&w));
    const afn_weight *t = afn_weights_find(w, "fc.weight");
    assert_fails(AFN_ESHAPE, "fc.weight: has 6 values, room for 5",
                 afn_weights_read_f32(w, t, out, 5));
    assert_fails(AFN_ESHAPE, "fc.weight", afn_weights_read_raw(w, t, out, 23));
    assert_fails(AFN_ESHAPE, "fc.weight", afn_weights_read_raw(w, t, out, 20));
    assert_fails(AFN_EUNSUPPORTED, "half: float16 values",
                 afn_weights_read_i64(w, afn_weights_find(w, "half"), &number, 3));
    assert_ok(afn_weights_read_f32(w, afn_weights_find(w, "none"), NULL, 0));
    afn_weights_free(w);
}

static void many_names_are_all_found(void **state)
{
    (void)state;
    afn_weights *w;
    char name[32];
    assert_ok(afn_weights_new(&w));
    const afn_shape one = { 1, { 1 } };
    for (int i = 0; i < 1000; i++) {
        const float v = (float)i;
        snprintf(name, sizeof name, "layer.%d", i);
        assert_ok(afn_weights_add(w, name, AFN_F32, &one, &v));
    }
    for (int i = 0; i < 1000; i++) {
        const float v = (float)i;
        snprintf(name, sizeof name, "layer.%d", i);
        assert_values(w, name, &v, 1);
    }
    assert_null(afn_weights_find(w, "layer.1000"));
    assert_null(afn_weights_get(w, 1000));
    afn_weights_free(w);
}

/* Run fn with the k-th allocation failing, for every k until it succeeds. */
static void for_every_failing_allocation(afn_status (*fn)(const char *),
                                         const char *path)
{
    for (int64_t k = 1;; k++) {
        assert_true(k < 10000);
        afn_alloc_fail_at(k);
        const afn_status st = fn(path);
        afn_alloc_fail_at(0);
        if (st == AFN_OK) break;
        if (st != AFN_ENOMEM)
            fail_msg("allocation %lld: %s (%s)", (long long)k, afn_error_message(),
                     afn_status_name(st));
    }
}

static afn_status open_and_free(const char *path)
{
    afn_weights *w = (afn_weights *)&w;
    const afn_status st = afn_weights_open(&w, path);
    if (st != AFN_OK) assert_null(w);
    afn_weights_free(w);
    return st;
}

static afn_status fill_and_save(const char *path)
{
    afn_weights *w;
    afn_status st = fill(&w);
    if (st == AFN_OK) st = afn_weights_save(w, path);
    afn_weights_free(w);
    return st;
}

static void no_failing_allocation_leaks_or_crashes(void **state)
{
    (void)state;
    static const char *const name[] = { "fault.pth", "fault.safetensors" };
    static const char *const corpus[] = {
        "weights_zip/deflated.pth", "weights_zip/param.pth",
        "legacy/views.pth",         "legacy/tar.pth",
        "legacy/param.pth",         "safetensors/two.safetensors",
    };
    char path[1100];
    for (size_t i = 0; i < AFN_COUNT(name); i++) {
        snprintf(path, sizeof path, "%s/%s", test_dir("set"), name[i]);
        for_every_failing_allocation(fill_and_save, path);
        for_every_failing_allocation(open_and_free, path);
    }
    for (size_t i = 0; i < AFN_COUNT(corpus); i++) {
        snprintf(path, sizeof path, "%s/fuzz/corpus/%s", getenv("AFN_SOURCE_DIR"),
                 corpus[i]);
        for_every_failing_allocation(open_and_free, path);
    }
}

static void a_save_that_fails_leaves_the_old_file(void **state)
{
    (void)state;
    afn_weights *w;
    char path[1100];
    snprintf(path, sizeof path, "%s/old.pth", test_dir("set"));
    assert_ok(fill_and_save(path));
    for (int64_t k = 1; k < 200; k++) {
        afn_alloc_fail_at(k);
        (void)fill_and_save(path);
        afn_alloc_fail_at(0);
        assert_ok(afn_weights_open(&w, path));
        assert_same_as_filled(w);
        afn_weights_free(w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_set_saved_as_pth_reads_back_the_same),
        cmocka_unit_test(a_set_saved_as_safetensors_reads_back_the_same),
        cmocka_unit_test(an_empty_set_reads_back_empty),
        cmocka_unit_test(tensors_in_files_are_aligned),
        cmocka_unit_test(the_same_set_gives_the_same_bytes),
        cmocka_unit_test(a_name_can_be_added_once),
        cmocka_unit_test(reading_checks_the_room),
        cmocka_unit_test(many_names_are_all_found),
        cmocka_unit_test(no_failing_allocation_leaks_or_crashes),
        cmocka_unit_test(a_save_that_fails_leaves_the_old_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
