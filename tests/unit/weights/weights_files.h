/* SPDX-License-Identifier: Apache-2.0 */
/* Small weight files for the tests, put together byte by byte, and hashes of sets. */
#ifndef AFN_WEIGHTS_FILES_H
#define AFN_WEIGHTS_FILES_H

#include "afn_test.h"
#include "io/io.h"
#include "weights/weights.h"

/* Append a string literal that may contain zero bytes. */
#define ADD(b, literal) afn_buf_add(b, literal, sizeof(literal) - 1)

static inline void add_le(afn_buf *b, uint64_t v, int bytes)
{
    for (int i = 0; i < bytes; i++) {
        const uint8_t byte = (uint8_t)(v >> (8 * i));
        afn_buf_add(b, &byte, 1);
    }
}

static inline void add_text(afn_buf *b, const char *s)
{
    ADD(b, "X");
    add_le(b, strlen(s), 4);
    afn_buf_str(b, s);
}

static inline void add_int(afn_buf *b, int64_t v)
{
    ADD(b, "\x8a\x08");
    add_le(b, (uint64_t)v, 8);
}

static inline void add_ints(afn_buf *b, const int64_t *v, int n)
{
    ADD(b, "(");
    for (int i = 0; i < n; i++) add_int(b, v[i]);
    ADD(b, "t");
}

/* _rebuild_tensor_v2 over storage `key` of `count` floats. */
static inline void add_tensor(afn_buf *b, const char *key, int64_t count,
                              int64_t offset, const afn_shape *shape,
                              const int64_t *stride)
{
    ADD(b, "ctorch._utils\n_rebuild_tensor_v2\n((");
    add_text(b, "storage");
    ADD(b, "ctorch\nFloatStorage\n");
    add_text(b, key);
    add_text(b, "cpu");
    add_int(b, count);
    ADD(b, "tQ");
    add_int(b, offset);
    add_ints(b, shape->dim, shape->rank);
    add_ints(b, stride, shape->rank);
    ADD(b, "\x89}tR");
}

/* The three pickles that open a legacy stream. */
static inline void add_legacy_head(afn_buf *b)
{
    ADD(b, "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.");
    ADD(b, "\x80\x02M\xe9\x03.");
    ADD(b, "\x80\x02}(");
    add_text(b, "little_endian");
    ADD(b, "\x88u.");
}

/* A zip .pth whose data.pkl and data/0 are given; other entries may be added. */
static inline void write_zip(const char *path, const afn_buf *pickle, const void *data,
                             size_t bytes, const char *extra, const char *text)
{
    afn_out *out;
    afn_zip_out *zip;
    assert_ok(afn_out_open(&out, path));
    assert_ok(afn_zip_out_new(&zip, out));
    assert_ok(afn_zip_out_add(zip, "root/data.pkl", 64, pickle->data, pickle->size));
    if (data) assert_ok(afn_zip_out_add(zip, "root/data/0", 64, data, bytes));
    if (extra) assert_ok(afn_zip_out_add(zip, extra, 1, text, strlen(text)));
    assert_ok(afn_zip_out_finish(zip));
    afn_zip_out_free(zip);
    assert_ok(afn_out_commit(out));
}

static const uint64_t hash_start = 0xcbf29ce484222325u;

static inline uint64_t hash_more(uint64_t h, const uint8_t *p, size_t n) /* FNV-1a */
{
    for (size_t i = 0; i < n; i++) h = (h ^ p[i]) * 0x100000001b3u;
    return h;
}

/* Over the contiguous bytes of all tensors, in order. */
static inline uint64_t hash_of_set(const afn_weights *w)
{
    uint64_t h = hash_start;
    for (size_t i = 0; i < afn_weights_count(w); i++) {
        const afn_weight *t = afn_weights_get(w, i);
        const size_t n = (size_t)afn_shape_count(&t->shape) * afn_dtype_bytes(t->dtype);
        uint8_t *bytes = malloc(n + 1);
        assert_non_null(bytes);
        assert_ok(afn_weights_read_raw(w, t, bytes, n));
        h = hash_more(h, bytes, n);
        free(bytes);
    }
    return h;
}

static inline void assert_values(const afn_weights *w, const char *name, const float *v,
                                 size_t n)
{
    float got[64];
    const afn_weight *t = afn_weights_find(w, name);
    assert_true(n <= AFN_COUNT(got));
    assert_non_null(t);
    assert_ok(afn_weights_read_f32(w, t, got, n));
    for (size_t i = 0; i < n; i++) assert_true(got[i] == v[i]);
}

#endif
