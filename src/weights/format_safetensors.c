/* SPDX-License-Identifier: Apache-2.0 */
/* safetensors: reading and writing.
 *
 *   8 bytes     length n of the header, little-endian
 *   n bytes     JSON: { "NAME": { "dtype": "F32", "shape": [64, 3, 7, 7],
 *               "data_offsets": [begin, end] }, ..., "__metadata__": { text: text } }
 *   the rest    the tensors' bytes; offsets count from here and leave no holes
 *
 * Source: https://github.com/huggingface/safetensors#format */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "weights/set.h"

enum {
    LENGTH_BYTES = 8,
    MOST_HEADER = 100000000, /* the limit of the reference reader */
    HEADER_ALIGN = 8
};

static const char *const type_name[] = {
    [AFN_F32] = "F32", [AFN_F16] = "F16",   [AFN_BF16] = "BF16", [AFN_F64] = "F64",
    [AFN_I64] = "I64", [AFN_I32] = "I32",   [AFN_I16] = "I16",   [AFN_I8] = "I8",
    [AFN_U8] = "U8",   [AFN_BOOL] = "BOOL", [AFN_C64] = "C64",   [AFN_C128] = NULL,
};
static_assert(AFN_COUNT(type_name) == AFN_N_DTYPES, "one name per type");

/* A tensor's bytes, to see that they neither overlap nor leave holes. */
typedef struct span {
    size_t begin, end;
    const char *name;
} span;

typedef struct reader {
    afn_weights *w;
    const uint8_t *data; /* behind the header */
    size_t data_bytes;
    span *span;
    size_t n_spans;
} reader;

static uint64_t header_length(const uint8_t *p)
{
    uint64_t n = 0;
    for (int i = 0; i < LENGTH_BYTES; i++) n |= (uint64_t)p[i] << (8 * i);
    return n;
}

static bool probe(const uint8_t *bytes, size_t size)
{
    return size > LENGTH_BYTES && bytes[LENGTH_BYTES] == '{' &&
           header_length(bytes) <= MOST_HEADER;
}

static afn_status read_dtype(afn_dtype *out, const json_t *value)
{
    const char *name = json_string_value(value);
    if (!name) return afn_fail(AFN_EFORMAT, "dtype is not text");
    for (int i = 0; i < AFN_N_DTYPES; i++) {
        *out = (afn_dtype)i;
        if (type_name[i] && strcmp(type_name[i], name) == 0) return AFN_OK;
    }
    return afn_fail(AFN_EUNSUPPORTED, "values of type %.40s", name);
}

static afn_status read_natural(int64_t *out, const json_t *value, const char *what)
{
    *out = 0;
    if (!json_is_integer(value) || json_integer_value(value) < 0)
        return afn_fail(AFN_EFORMAT, "%s is not a natural number", what);
    *out = json_integer_value(value);
    return AFN_OK;
}

static afn_status read_shape(afn_shape *out, const json_t *value)
{
    if (!json_is_array(value)) return afn_fail(AFN_EFORMAT, "shape is not a list");
    const size_t rank = json_array_size(value);
    if (rank > AFN_MAX_RANK)
        return afn_fail(AFN_EUNSUPPORTED, "%zu dimensions, at most %d are supported",
                        rank, AFN_MAX_RANK);
    out->rank = (int)rank;
    for (size_t i = 0; i < rank; i++) {
        const afn_status st =
            read_natural(&out->dim[i], json_array_get(value, i), "a dimension");
        if (st != AFN_OK) return st;
    }
    return AFN_OK;
}

static afn_status read_span(span *out, const json_t *value, const reader *r)
{
    afn_status st = AFN_OK;
    int64_t begin, end;
    AFN_REQUIRE(json_is_array(value) && json_array_size(value) == 2, AFN_EFORMAT,
                "data_offsets are not two numbers");
    AFN_TRY(read_natural(&begin, json_array_get(value, 0), "an offset"));
    AFN_TRY(read_natural(&end, json_array_get(value, 1), "an offset"));
    AFN_REQUIRE(begin <= end, AFN_EFORMAT, "ends before it begins");
    AFN_REQUIRE((uint64_t)end <= r->data_bytes, AFN_EFORMAT,
                "ends at byte %" PRIu64 ", the file has %zu",
                (uint64_t)(r->data - r->w->bytes) + (uint64_t)end, r->w->size);
    out->begin = (size_t)begin;
    out->end = (size_t)end;
done:
    return st;
}

static afn_status read_tensor(reader *r, const char *name, const json_t *value)
{
    afn_status st = AFN_OK;
    afn_view v = { 0 };
    span s = { .name = name };
    size_t bytes;

    AFN_REQUIRE(json_is_object(value), AFN_EFORMAT, "is not described by an object");
    AFN_TRY(read_dtype(&v.dtype, json_object_get(value, "dtype")));
    AFN_TRY(read_shape(&v.shape, json_object_get(value, "shape")));
    AFN_TRY(read_span(&s, json_object_get(value, "data_offsets"), r));
    const int64_t count = afn_shape_count(&v.shape);
    AFN_REQUIRE(count >= 0 &&
                    afn_mul_size(&bytes, (size_t)count, afn_dtype_bytes(v.dtype)),
                AFN_EFORMAT, "impossible shape");
    AFN_REQUIRE(bytes == s.end - s.begin, AFN_EFORMAT,
                "shape and type need %zu bytes, the offsets give %zu", bytes,
                s.end - s.begin);
    v.data = r->data + s.begin;
    afn_view_contiguous(&v);
    AFN_TRY(afn_weights__add_view(r->w, name, &v));
    r->span[r->n_spans++] = s;
done:
    return st;
}

static int by_begin(const void *a, const void *b)
{
    const span *x = a, *y = b;
    if (x->begin != y->begin) return x->begin < y->begin ? -1 : 1;
    return (x->end > y->end) - (x->end < y->end);
}

/* As in the reference reader, tensors cover the data without overlaps or holes. */
static afn_status check_spans(const reader *r)
{
    size_t end = 0;
    if (r->n_spans) qsort(r->span, r->n_spans, sizeof *r->span, by_begin);
    for (size_t i = 0; i < r->n_spans; i++) {
        const span *s = &r->span[i];
        if (s->begin != end)
            return afn_fail(AFN_EFORMAT, "%s: begins at data byte %zu, %s %zu", s->name,
                            s->begin,
                            s->begin < end ? "inside a tensor that ends at"
                                           : "after a hole that begins at",
                            end);
        end = s->end;
    }
    if (end != r->data_bytes)
        return afn_fail(AFN_EFORMAT, "%zu bytes at the end belong to no tensor",
                        r->data_bytes - end);
    return AFN_OK;
}

static afn_status read_header(reader *r, json_t *header)
{
    afn_status st = AFN_OK;
    const char *name;
    json_t *value;
    AFN_REQUIRE(json_is_object(header), AFN_EFORMAT, "header is not an object");
    r->span = afn_alloc_array(json_object_size(header), sizeof *r->span);
    AFN_REQUIRE(r->span, AFN_ENOMEM, "out of memory");
    json_object_foreach(header, name, value)
    {
        if (strcmp(name, "__metadata__") == 0)
            AFN_TRY(afn_weights__take_metadata(r->w, value));
        else
            AFN_TRY(afn_context(read_tensor(r, name, value), "%s", name));
    }
    AFN_TRY(check_spans(r));
done:
    return st;
}

static afn_status read(afn_weights *w)
{
    afn_status st = AFN_OK;
    json_t *header = NULL;
    reader r = { .w = w };
    const uint64_t n = header_length(w->bytes);
    AFN_REQUIRE(n <= w->size - LENGTH_BYTES, AFN_EFORMAT,
                "header ends at byte %" PRIu64 ", the file has %zu", n + LENGTH_BYTES,
                w->size);
    r.data = w->bytes + LENGTH_BYTES + n;
    r.data_bytes = w->size - LENGTH_BYTES - (size_t)n;
    AFN_TRY(afn_context(afn_json_parse(&header, w->bytes + LENGTH_BYTES, (size_t)n),
                        "header"));
    AFN_TRY(read_header(&r, header));
done:
    afn_free(r.span);
    json_decref(header);
    return st;
}

/* ---- writing ---- */

static void add_tensor(afn_buf *b, const afn_weight *t, uint64_t begin, uint64_t end)
{
    afn_json_add_string(b, t->name);
    afn_buf_fmt(b, ":{\"dtype\":\"%s\",\"shape\":[", type_name[t->dtype]);
    for (int i = 0; i < t->shape.rank; i++)
        afn_buf_fmt(b, "%s%" PRId64, i ? "," : "", t->shape.dim[i]);
    afn_buf_fmt(b, "],\"data_offsets\":[%" PRIu64 ",%" PRIu64 "]}", begin, end);
}

static size_t value_bytes(const afn_weight *t)
{
    return (size_t)afn_shape_count(&t->shape) * afn_dtype_bytes(t->dtype);
}

/* Order of the values: widest elements first, so that every tensor is aligned without
 * holes, which the format forbids; within a width as they were added.  The header keeps
 * the order in which they were added. */
static size_t *value_order(const afn_weights *w)
{
    size_t *order = afn_alloc_array(w->count, sizeof *order), n = 0;
    if (!order) return NULL;
    for (size_t width = 16; width; width /= 2)
        for (size_t i = 0; i < w->count; i++)
            if (afn_dtype_bytes(w->entry[i]->pub.dtype) == width) order[n++] = i;
    return order;
}

/* Where each tensor begins behind the header; NULL where memory ran out. */
static uint64_t *value_offsets(const afn_weights *w, const size_t *order)
{
    uint64_t *begin = afn_alloc_array(w->count, sizeof *begin), at = 0;
    if (!begin) return NULL;
    for (size_t i = 0; i < w->count; i++) {
        begin[order[i]] = at;
        at += value_bytes(&w->entry[order[i]]->pub);
    }
    return begin;
}

static afn_status build_header(afn_buf *b, const afn_weights *w, const uint64_t *begin)
{
    afn_buf_str(b, "{");
    if (w->n_pairs) {
        afn_buf_str(b, "\"__metadata__\":");
        afn_weights__add_metadata_json(b, w);
    }
    for (size_t i = 0; i < w->count; i++) {
        const afn_weight *t = &w->entry[i]->pub;
        if (!type_name[t->dtype])
            return afn_fail(AFN_EUNSUPPORTED, "%s: safetensors has no %s", t->name,
                            afn_dtype_name(t->dtype));
        if (i || w->n_pairs) afn_buf_str(b, ",");
        add_tensor(b, t, begin[i], begin[i] + value_bytes(t));
    }
    afn_buf_str(b, "}");
    while (b->size % HEADER_ALIGN && !b->failed) afn_buf_str(b, " ");
    return afn_buf_finish(b);
}

static afn_status write_values(const afn_weights *w, afn_out *out, size_t i)
{
    afn_status st = AFN_OK;
    const void *values;
    size_t bytes;
    void *owned = NULL;
    AFN_TRY(afn_weights__contiguous(w, i, &values, &bytes, &owned));
    AFN_TRY(afn_out_write(out, values, bytes));
done:
    afn_free(owned);
    return st;
}

static afn_status write(const afn_weights *w, afn_out *out)
{
    afn_status st = AFN_OK;
    afn_buf header = { 0 };
    uint8_t length[LENGTH_BYTES];
    uint64_t *begin = NULL;
    size_t *order = value_order(w);
    if (order) begin = value_offsets(w, order);
    AFN_REQUIRE(begin, AFN_ENOMEM, "out of memory");
    AFN_TRY(build_header(&header, w, begin));
    AFN_REQUIRE(header.size <= MOST_HEADER, AFN_EINVAL,
                "header of %zu bytes is too long", header.size);
    for (int i = 0; i < LENGTH_BYTES; i++)
        length[i] = (uint8_t)(header.size >> (8 * i));
    AFN_TRY(afn_out_write(out, length, sizeof length));
    AFN_TRY(afn_out_write(out, header.data, header.size));
    for (size_t i = 0; i < w->count; i++) AFN_TRY(write_values(w, out, order[i]));
done:
    afn_free(begin);
    afn_free(order);
    afn_buf_free(&header);
    return st;
}

static const char *const extensions[] = { ".safetensors", NULL };

const weights_format afn_weights__safetensors = {
    .name = "safetensors",
    .probe = probe,
    .read = read,
    .extensions = extensions,
    .write = write,
};
