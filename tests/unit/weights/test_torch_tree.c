/* SPDX-License-Identifier: Apache-2.0 */
/* Names, wrappers, views and hostile shapes, in legacy streams of one storage. */
#include "weights_files.h"

static const float values[6] = { 0, 1, 2, 3, 4, 5 };

/* A legacy stream around an object's opcodes, with storage "s" of six floats. */
static void build(afn_buf *b, const char *object, size_t n)
{
    add_legacy_head(b);
    ADD(b, "\x80\x02");
    afn_buf_add(b, object, n);
    ADD(b, ".");
    ADD(b, "\x80\x02]X\1\0\0\0sa.");
    add_le(b, 6, 8);
    afn_buf_add(b, values, sizeof values);
}

static afn_status open_object(afn_weights **w, afn_buf *file, const afn_buf *object)
{
    *file = (afn_buf){ 0 };
    build(file, object->data, object->size);
    assert_ok(afn_buf_finish(object));
    assert_ok(afn_buf_finish(file));
    return afn_weights_open_memory(w, file->data, file->size);
}

static void add_vector(afn_buf *b) /* all six values */
{
    add_tensor(b, "s", 6, 0, &(afn_shape){ 1, { 6 } }, (int64_t[]){ 1 });
}

static void names_are_joined_by_dots_and_positions(void **state)
{
    (void)state;
    static const char *const name[] = { "a.b", "list.0", "list.1.0", "7" };
    afn_buf o = { 0 }, file;
    afn_weights *w;
    ADD(&o, "}(");
    add_text(&o, "a");
    ADD(&o, "}");
    add_text(&o, "b");
    add_vector(&o);
    ADD(&o, "s");
    add_text(&o, "list");
    ADD(&o, "](");
    add_vector(&o);
    ADD(&o, "(");
    add_vector(&o);
    ADD(&o, "Nte");
    ADD(&o, "K\7");
    add_vector(&o);
    ADD(&o, "u");
    assert_ok(open_object(&w, &file, &o));
    assert_int_equal(afn_weights_count(w), AFN_COUNT(name));
    for (size_t i = 0; i < AFN_COUNT(name); i++) assert_values(w, name[i], values, 6);
    afn_weights_free(w);
    afn_buf_free(&file);
    afn_buf_free(&o);
}

static void a_wrapper_is_opened_and_what_lies_beside_it_ignored(void **state)
{
    (void)state;
    static const char *const wrapper[] = { "state_dict", "model_state_dict", "model" };
    for (size_t i = 0; i < AFN_COUNT(wrapper); i++) {
        afn_buf o = { 0 }, file;
        afn_weights *w;
        ADD(&o, "}(");
        add_text(&o, "epoch");
        ADD(&o, "K\3");
        add_text(&o, "optimizer");
        add_vector(&o);
        add_text(&o, wrapper[i]);
        ADD(&o, "}");
        add_text(&o, "module.fc.weight");
        add_vector(&o);
        ADD(&o, "su");
        assert_ok(open_object(&w, &file, &o));
        assert_int_equal(afn_weights_count(w), 1);
        assert_values(w, "fc.weight", values, 6);
        afn_weights_free(w);
        afn_buf_free(&file);
        afn_buf_free(&o);
    }
}

static void a_module_prefix_goes_only_where_all_have_it(void **state)
{
    (void)state;
    afn_buf o = { 0 }, file;
    afn_weights *w;
    ADD(&o, "}(");
    add_text(&o, "module.a");
    add_vector(&o);
    add_text(&o, "b");
    add_vector(&o);
    ADD(&o, "u");
    assert_ok(open_object(&w, &file, &o));
    assert_non_null(afn_weights_find(w, "module.a"));
    afn_weights_free(w);
    afn_buf_free(&file);
    afn_buf_free(&o);
}

static void strides_and_offsets_are_honoured(void **state)
{
    (void)state;
    afn_buf o = { 0 }, file;
    afn_weights *w;
    ADD(&o, "}(");
    add_text(&o, "t"); /* (3,2) of (2,3) turned */
    add_tensor(&o, "s", 6, 0, &(afn_shape){ 2, { 3, 2 } }, (int64_t[]){ 1, 3 });
    add_text(&o, "every_other");
    add_tensor(&o, "s", 6, 1, &(afn_shape){ 1, { 3 } }, (int64_t[]){ 2 });
    add_text(&o, "spread");
    add_tensor(&o, "s", 6, 5, &(afn_shape){ 2, { 2, 2 } }, (int64_t[]){ 0, 0 });
    add_text(&o, "scalar");
    add_tensor(&o, "s", 6, 4, &(afn_shape){ 0, { 0 } }, NULL);
    ADD(&o, "u");
    assert_ok(open_object(&w, &file, &o));
    assert_values(w, "t", (const float[]){ 0, 3, 1, 4, 2, 5 }, 6);
    assert_values(w, "every_other", (const float[]){ 1, 3, 5 }, 3);
    assert_values(w, "spread", (const float[]){ 5, 5, 5, 5 }, 4);
    assert_values(w, "scalar", (const float[]){ 4 }, 1);
    afn_weights_free(w);
    afn_buf_free(&file);
    afn_buf_free(&o);
}

static void views_outside_their_storage_are_refused(void **state)
{
    (void)state;
    static const struct {
        int64_t offset;
        afn_shape shape;
        int64_t stride[2];
        const char *message;
    } row[] = {
        { 0, { 1, { 7 } }, { 1, 0 }, "x: reaches outside its storage of 6 elements" },
        { 1, { 1, { 6 } }, { 1, 0 }, "x: reaches outside" },
        { 7, { 1, { 0 } }, { 1, 0 }, "x: reaches outside" },
        { 0, { 2, { 2, 3 } }, { 4, 1 }, "x: reaches outside" },
        { 0, { 2, { 2, 2 } }, { INT64_MAX, INT64_MAX }, "x: reaches outside" },
        { 0, { 2, { INT64_MAX, 2 } }, { 0, 0 }, "x: impossible shape" },
        { 0,
          { 2, { 1 << 20, 1 << 20 } },
          { 0, 0 },
          "elements spread over a storage of 6" },
        { 0, { 1, { 2 } }, { -1, 0 }, "x: a size or stride is not a natural number" },
        { -1, { 1, { 1 } }, { 1, 0 }, "x: reaches outside" },
    };
    for (size_t i = 0; i < AFN_COUNT(row); i++) {
        afn_buf o = { 0 }, file;
        afn_weights *w;
        ADD(&o, "}");
        add_text(&o, "x");
        add_tensor(&o, "s", 6, row[i].offset, &row[i].shape, row[i].stride);
        ADD(&o, "s");
        assert_fails(AFN_EFORMAT, row[i].message, open_object(&w, &file, &o));
        assert_null(w);
        afn_buf_free(&file);
        afn_buf_free(&o);
    }
}

static void more_dimensions_than_eight_are_refused(void **state)
{
    (void)state;
    afn_buf o = { 0 }, file;
    afn_weights *w;
    ADD(&o, "}");
    add_text(&o, "x");
    ADD(&o, "ctorch._utils\n_rebuild_tensor_v2\n((");
    add_text(&o, "storage");
    ADD(&o, "ctorch\nFloatStorage\nX\1\0\0\0sX\3\0\0\0cpuK\6tQK\0");
    add_ints(&o, (int64_t[9]){ 1, 1, 1, 1, 1, 1, 1, 1, 1 }, 9);
    add_ints(&o, (int64_t[9]){ 1, 1, 1, 1, 1, 1, 1, 1, 1 }, 9);
    ADD(&o, "\x89}tRs");
    assert_fails(AFN_EUNSUPPORTED, "x: 9 dimensions, at most 8",
                 open_object(&w, &file, &o));
    afn_buf_free(&file);
    afn_buf_free(&o);
}

/* Every level holds the one below twice: 2^60 paths in a few hundred bytes. */
static void a_tree_of_shared_nodes_does_not_explode(void **state)
{
    (void)state;
    afn_buf o = { 0 }, file;
    afn_weights *w;
    add_vector(&o);
    ADD(&o, "Nq\1");
    for (int i = 0; i < 60; i++) ADD(&o, "0h\1h\1\x86q\1");
    ADD(&o, "\x86");
    assert_fails(AFN_EFORMAT, "more than 4194304 values", open_object(&w, &file, &o));
    assert_null(w);
    afn_buf_free(&file);
    afn_buf_free(&o);
}

static void a_tree_that_contains_itself_is_refused(void **state)
{
    (void)state;
    afn_buf o = { 0 }, file;
    afn_weights *w;
    add_vector(&o);
    ADD(&o, "]q\1h\1a\x86");
    assert_fails(AFN_EFORMAT, "nested deeper than 64", open_object(&w, &file, &o));
    afn_buf_free(&file);
    afn_buf_free(&o);
}

static void a_name_that_appears_twice_or_is_too_long_is_refused(void **state)
{
    (void)state;
    afn_buf o = { 0 }, file;
    afn_weights *w;
    char longest[1100];
    ADD(&o, "}(");
    add_text(&o, "a.b");
    add_vector(&o);
    add_text(&o, "a");
    ADD(&o, "}");
    add_text(&o, "b");
    add_vector(&o);
    ADD(&o, "su");
    assert_fails(AFN_EFORMAT, "a.b: this name appears twice",
                 open_object(&w, &file, &o));
    afn_buf_free(&file);
    afn_buf_free(&o);

    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = 0;
    ADD(&o, "}");
    add_text(&o, longest);
    add_vector(&o);
    ADD(&o, "s");
    assert_fails(AFN_EFORMAT, "name is longer than 1024 bytes",
                 open_object(&w, &file, &o));
    afn_buf_free(&file);
    afn_buf_free(&o);
}

static void a_code_running_pickle_is_refused_by_name(void **state)
{
    (void)state;
    afn_buf o = { 0 }, file;
    afn_weights *w;
    ADD(&o, "cposix\nsystem\nX\4\0\0\0true\x85R");
    assert_fails(AFN_EUNSUPPORTED, "pickle asks for posix.system at byte 48",
                 open_object(&w, &file, &o));
    assert_null(w);
    afn_buf_free(&file);
    afn_buf_free(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_joined_by_dots_and_positions),
        cmocka_unit_test(a_wrapper_is_opened_and_what_lies_beside_it_ignored),
        cmocka_unit_test(a_module_prefix_goes_only_where_all_have_it),
        cmocka_unit_test(strides_and_offsets_are_honoured),
        cmocka_unit_test(views_outside_their_storage_are_refused),
        cmocka_unit_test(more_dimensions_than_eight_are_refused),
        cmocka_unit_test(a_tree_of_shared_nodes_does_not_explode),
        cmocka_unit_test(a_tree_that_contains_itself_is_refused),
        cmocka_unit_test(a_name_that_appears_twice_or_is_too_long_is_refused),
        cmocka_unit_test(a_code_running_pickle_is_refused_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
