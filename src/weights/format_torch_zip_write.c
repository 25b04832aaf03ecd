/* SPDX-License-Identifier: Apache-2.0 */
/* Writing the zip .pth that torch.load(weights_only=True) reads: an OrderedDict of
 * plain tensors, each with its own storage.  Layout: see format_torch_zip.c.  The
 * pickle is protocol 2 without a memo, which every unpickler accepts. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "weights/format_torch_zip.h"

#define ROOT "archive/"
enum { TENSOR_ALIGN = 64 };

static const char *const storage_class[] = {
    [AFN_F32] = "FloatStorage",        [AFN_F16] = "HalfStorage",
    [AFN_BF16] = "BFloat16Storage",    [AFN_F64] = "DoubleStorage",
    [AFN_I64] = "LongStorage",         [AFN_I32] = "IntStorage",
    [AFN_I16] = "ShortStorage",        [AFN_I8] = "CharStorage",
    [AFN_U8] = "ByteStorage",          [AFN_BOOL] = "BoolStorage",
    [AFN_C64] = "ComplexFloatStorage", [AFN_C128] = "ComplexDoubleStorage",
};
static_assert(AFN_COUNT(storage_class) == AFN_N_DTYPES, "one class per type");

static void put_bytes(afn_buf *b, uint64_t v, int n)
{
    for (int i = 0; i < n; i++) {
        const uint8_t byte = (uint8_t)(v >> (8 * i));
        afn_buf_add(b, &byte, 1);
    }
}

static void put_text(afn_buf *b, const char *s)
{
    afn_buf_str(b, "X"); /* BINUNICODE */
    put_bytes(b, strlen(s), 4);
    afn_buf_str(b, s);
}

static void put_int(afn_buf *b, int64_t v)
{
    if (v <= INT32_MAX) {
        afn_buf_str(b, "J"); /* BININT */
        put_bytes(b, (uint64_t)v, 4);
    } else {
        afn_buf_str(b, "\x8a\x08"); /* LONG1 of 8 bytes */
        put_bytes(b, (uint64_t)v, 8);
    }
}

static void put_ints(afn_buf *b, const int64_t *v, int n)
{
    afn_buf_str(b, "("); /* MARK */
    for (int i = 0; i < n; i++) put_int(b, v[i]);
    afn_buf_str(b, "t"); /* TUPLE */
}

static void put_empty_dict(afn_buf *b)
{
    afn_buf_str(b, "ccollections\nOrderedDict\n)R"); /* GLOBAL, EMPTY_TUPLE, REDUCE */
}

/* _rebuild_tensor_v2(storage, 0, size, stride, False, OrderedDict()) */
static void put_tensor(afn_buf *b, const afn_weight *t, size_t key)
{
    char digits[24];
    afn_view v = { .dtype = t->dtype, .shape = t->shape };
    afn_view_contiguous(&v);
    snprintf(digits, sizeof digits, "%zu", key);
    afn_buf_str(b, "ctorch._utils\n_rebuild_tensor_v2\n((");
    put_text(b, "storage");
    afn_buf_fmt(b, "ctorch\n%s\n", storage_class[t->dtype]);
    put_text(b, digits);
    put_text(b, "cpu");
    put_int(b, afn_shape_count(&t->shape));
    afn_buf_str(b, "tQ"); /* TUPLE, BINPERSID */
    put_int(b, 0);
    put_ints(b, t->shape.dim, t->shape.rank);
    put_ints(b, v.stride, t->shape.rank);
    afn_buf_str(b, "\x89"); /* NEWFALSE */
    put_empty_dict(b);
    afn_buf_str(b, "tR"); /* TUPLE, REDUCE */
}

/* The attribute _metadata of a state dict: {"": {"version": version}}.  Only modules
 * that ask for their version's number need it. */
static void put_version(afn_buf *b, const char *version)
{
    afn_buf_str(b, "}"); /* EMPTY_DICT, the attributes */
    put_text(b, "_metadata");
    put_empty_dict(b);
    put_text(b, "");
    afn_buf_str(b, "}");
    put_text(b, "version");
    put_int(b, strtol(version, NULL, 10));
    afn_buf_str(b, "sssb"); /* SETITEM thrice, BUILD */
}

static afn_status write_pickle(const afn_weights *w, afn_zip_out *zip)
{
    afn_status st = AFN_OK;
    afn_buf b = { 0 };
    afn_buf_str(&b, "\x80\x02"); /* PROTO 2 */
    put_empty_dict(&b);
    afn_buf_str(&b, "("); /* MARK */
    for (size_t i = 0; i < w->count; i++) {
        put_text(&b, w->entry[i]->pub.name);
        put_tensor(&b, &w->entry[i]->pub, i);
    }
    afn_buf_str(&b, "u"); /* SETITEMS */
    const char *version = afn_weights_metadata(w, AFN_TORCH_VERSION_KEY);
    if (version) put_version(&b, version);
    afn_buf_str(&b, "."); /* STOP */
    AFN_TRY(afn_buf_finish(&b));
    AFN_TRY(afn_zip_out_add(zip, ROOT "data.pkl", TENSOR_ALIGN, b.data, b.size));
done:
    afn_buf_free(&b);
    return st;
}

static afn_status write_storage(const afn_weights *w, afn_zip_out *zip, size_t i)
{
    afn_status st = AFN_OK;
    const void *values;
    size_t bytes;
    void *owned = NULL;
    char name[48];
    snprintf(name, sizeof name, ROOT "data/%zu", i);
    AFN_TRY(afn_weights__contiguous(w, i, &values, &bytes, &owned));
    AFN_TRY(afn_zip_out_add(zip, name, TENSOR_ALIGN, values, bytes));
done:
    afn_free(owned);
    return st;
}

static afn_status write_metadata(const afn_weights *w, afn_zip_out *zip)
{
    afn_status st = AFN_OK;
    afn_buf b = { 0 };
    if (w->n_pairs == 0) return AFN_OK;
    afn_weights__add_metadata_json(&b, w);
    AFN_TRY(afn_buf_finish(&b));
    AFN_TRY(afn_zip_out_add(zip, ROOT AFN_TORCH_ZIP_METADATA, 1, b.data, b.size));
done:
    afn_buf_free(&b);
    return st;
}

afn_status afn_weights__write_torch_zip(const afn_weights *w, afn_out *out)
{
    afn_status st = AFN_OK;
    afn_zip_out *zip = NULL;
    AFN_TRY(afn_zip_out_new(&zip, out));
    AFN_TRY(write_pickle(w, zip));
    AFN_TRY(afn_zip_out_add(zip, ROOT "byteorder", 1, "little", 6));
    for (size_t i = 0; i < w->count; i++) AFN_TRY(write_storage(w, zip, i));
    AFN_TRY(write_metadata(w, zip));
    AFN_TRY(afn_zip_out_add(zip, ROOT "version", 1, "3\n", 2));
    AFN_TRY(afn_zip_out_finish(zip));
done:
    afn_zip_out_free(zip);
    return st;
}
