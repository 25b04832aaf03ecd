/* SPDX-License-Identifier: Apache-2.0 */
/* Complete tar files as PyTorch 0.1 wrote them, and damaged ones. */
#include "weights_files.h"

static void add_member(afn_buf *tar, const char *name, const afn_buf *bytes)
{
    char header[512] = { 0 };
    snprintf(header, 100, "%s", name);
    snprintf(header + 124, 12, "%011zo", bytes->size);
    memcpy(header + 257,
           "ustar\0"
           "00",
           8);
    header[156] = '0';
    afn_buf_add(tar, header, sizeof header);
    afn_buf_add(tar, bytes->data, bytes->size);
    while (tar->size % 512) ADD(tar, "\0");
}

/* Storage 7 of six floats, and 8, a part of it: elements 2 to 5. */
static void add_storages(afn_buf *b, uint64_t count)
{
    static const float values[6] = { 0, 1, 2, 3, 4, 5 };
    ADD(b, "\x80\x02K\1.");
    ADD(b, "\x80\x02K\7X\3\0\0\0cpuctorch\nFloatStorage\n\x87.");
    add_le(b, count, 8);
    afn_buf_add(b, values, sizeof values);
    ADD(b, "\x80\x02]((K\x08K\7K\2K\4te.");
}

static void add_one(afn_buf *b, int key, int storage, int offset,
                    const afn_shape *shape, const int64_t *stride)
{
    ADD(b, "\x80\x02K");
    add_le(b, (uint64_t)key, 1);
    ADD(b, "K");
    add_le(b, (uint64_t)storage, 1);
    ADD(b, "ctorch\nFloatTensor\n\x87.");
    add_le(b, (uint64_t)shape->rank, 4);
    add_le(b, 0x5A5A5A5A, 4); /* the four bytes of nothing */
    for (int i = 0; i < shape->rank; i++) add_le(b, (uint64_t)shape->dim[i], 8);
    for (int i = 0; i < shape->rank; i++) add_le(b, (uint64_t)stride[i], 8);
    add_le(b, (uint64_t)offset, 8);
}

static void build(afn_buf *tar, uint64_t count, int offset, const char *order)
{
    afn_buf sys_info = { 0 }, object = { 0 }, tensors = { 0 }, storages = { 0 };
    ADD(&sys_info, "\x80\x02}X\x0d\0\0\0little_endian\x88s.");
    ADD(&object,
        "\x80\x02"
        "ccollections\nOrderedDict\n)R(X\1\0\0\0aX\2\0\0\00011Q"
        "X\1\0\0\0bctorch.nn.parameter\nParameter\n)\x81(X\2\0\0\00012QNN\x88\x89"
        "tbu.");
    ADD(&tensors, "\x80\x02K\2.");
    add_one(&tensors, 11, 7, 0, &(afn_shape){ 2, { 2, 3 } }, (int64_t[]){ 1, 2 });
    add_one(&tensors, 12, 8, offset, &(afn_shape){ 1, { 2 } }, (int64_t[]){ 1 });
    add_storages(&storages, count);
    for (; *order; order++) {
        if (*order == 'i') add_member(tar, "sys_info", &sys_info);
        if (*order == 'p') add_member(tar, "pickle", &object);
        if (*order == 't') add_member(tar, "./tensors", &tensors);
        if (*order == 's') add_member(tar, "storages", &storages);
    }
    for (int i = 0; i < 1024; i++) ADD(tar, "\0");
    afn_buf_free(&sys_info);
    afn_buf_free(&object);
    afn_buf_free(&tensors);
    afn_buf_free(&storages);
}

static void a_complete_file_is_read_in_any_order_of_members(void **state)
{
    (void)state;
    static const char *const order[] = { "ipts", "stp", "ptsi" };
    for (size_t i = 0; i < AFN_COUNT(order); i++) {
        afn_buf tar = { 0 };
        afn_weights *w;
        build(&tar, 6, 1, order[i]);
        assert_ok(afn_weights_open_memory(&w, tar.data, tar.size));
        assert_string_equal(afn_weights_format(w), "torch-tar");
        assert_int_equal(afn_weights_count(w), 2);
        assert_values(w, "a", (const float[]){ 0, 2, 4, 1, 3, 5 }, 6);
        assert_values(w, "b", (const float[]){ 3, 4 }, 2);
        afn_weights_free(w);
        afn_buf_free(&tar);
    }
}

static void assert_refused(afn_buf *tar, const char *message)
{
    afn_weights *w;
    assert_fails(AFN_EFORMAT, message,
                 afn_weights_open_memory(&w, tar->data, tar->size));
    assert_null(w);
    afn_buf_free(tar);
}

static void damage_is_reported_where_it_is(void **state)
{
    (void)state;
    afn_buf tar = { 0 };
    build(&tar, 6, 1, "pt");
    assert_refused(&tar, "tar archive without storages, tensors and pickle");
    build(&tar, 600, 1, "ipts");
    assert_refused(&tar, "storage 0: ends at byte");
    build(&tar, UINT64_MAX, 1, "ipts");
    assert_refused(&tar, "storage 0: claims -1 elements");
    build(&tar, 6, 3, "ipts");
    assert_refused(&tar, "tensor 1: reaches outside its storage of 4 elements");
    build(&tar, 6, 1, "ipts");
    tar.data[124] = 'x';
    assert_refused(&tar, "tar header at byte 0: size is not a number");
}

static void a_file_cut_anywhere_is_refused(void **state)
{
    (void)state;
    afn_buf tar = { 0 };
    build(&tar, 6, 1, "ipts");
    for (size_t n = 512; n < tar.size - 1024 - 512; n += 37) {
        afn_weights *w;
        char *cut = malloc(n);
        assert_non_null(cut);
        memcpy(cut, tar.data, n);
        assert_int_equal(afn_weights_open_memory(&w, cut, n), AFN_EFORMAT);
        free(cut);
    }
    afn_buf_free(&tar);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_complete_file_is_read_in_any_order_of_members),
        cmocka_unit_test(damage_is_reported_where_it_is),
        cmocka_unit_test(a_file_cut_anywhere_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
