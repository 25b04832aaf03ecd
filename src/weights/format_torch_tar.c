/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the tar files of PyTorch 0.1.
 *
 *   sys_info   pickle: a dictionary about the system
 *   storages   pickle: how many; per storage a pickle (key, location, class), int64
 *              element count, raw elements; last a pickle [(key, root key, offset,
 *              count), ...] of storages that are parts of others
 *   tensors    pickle: how many; per tensor a pickle (key, storage key, class), int32
 *              rank, 4 bytes of nothing, int64 sizes, strides and offset
 *   pickle     the object; persistent ids are tensor keys as text
 *
 * Source: legacy_load in torch/serialization.py; POSIX.1-1988 ustar */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "weights/torch_tree.h"

enum { BLOCK = 512, NAME_BYTES = 100, SIZE_AT = 124, SIZE_BYTES = 12, MAGIC_AT = 257 };

/* Bytes of one member, read from the front; at is where it lies in the file. */
typedef struct cursor {
    const uint8_t *bytes;
    size_t size, pos, at;
} cursor;

typedef struct keyed {
    int64_t key;
    torch_storage storage; /* of a storage */
    afn_view view;         /* of a tensor */
} keyed;

typedef struct keyed_list {
    keyed *item; /* sorted by key once complete */
    size_t count, cap;
} keyed_list;

typedef struct reader {
    afn_weights *w;
    cursor sys_info, storages, tensors, pickle;
    keyed_list storage, tensor;
} reader;

static bool probe(const uint8_t *bytes, size_t size)
{
    return size >= BLOCK && memcmp(bytes + MAGIC_AT, "ustar", 5) == 0;
}

/* ---- members ---- */

static afn_status octal(size_t *out, const uint8_t *p, size_t n)
{
    *out = 0;
    size_t i = 0;
    while (i < n && p[i] == ' ') i++;
    for (; i < n && p[i] >= '0' && p[i] <= '7'; i++) *out = *out * 8 + (p[i] - '0');
    if (i < n && p[i] != 0 && p[i] != ' ')
        return afn_fail(AFN_EFORMAT, "size is not a number");
    return AFN_OK;
}

static cursor *member(reader *r, const char *name)
{
    if (strncmp(name, "./", 2) == 0) name += 2;
    if (strcmp(name, "sys_info") == 0) return &r->sys_info;
    if (strcmp(name, "storages") == 0) return &r->storages;
    if (strcmp(name, "tensors") == 0) return &r->tensors;
    if (strcmp(name, "pickle") == 0) return &r->pickle;
    return NULL;
}

static afn_status find_members(reader *r)
{
    const afn_weights *w = r->w;
    char name[NAME_BYTES + 1] = { 0 };
    for (size_t at = 0; w->size - at >= BLOCK && w->bytes[at];) {
        size_t size;
        memcpy(name, w->bytes + at, NAME_BYTES);
        const afn_status st = octal(&size, w->bytes + at + SIZE_AT, SIZE_BYTES);
        if (st != AFN_OK) return afn_context(st, "tar header at byte %zu", at);
        const size_t start = at + BLOCK;
        if (size > w->size - start)
            return afn_fail(AFN_EFORMAT,
                            "tar member %s ends at byte %zu, the file has %zu", name,
                            start + size, w->size);
        cursor *c = member(r, name);
        if (c) *c = (cursor){ .bytes = w->bytes + start, .size = size, .at = start };
        const size_t padded = (size + BLOCK - 1) / BLOCK * BLOCK;
        if (padded > w->size - start) break;
        at = start + padded;
    }
    if (!r->storages.bytes || !r->tensors.bytes || !r->pickle.bytes)
        return afn_fail(AFN_EFORMAT,
                        "tar archive without storages, tensors and pickle: "
                        "not from torch.save");
    return AFN_OK;
}

/* ---- reading from a member ---- */

static afn_status next_pickle(cursor *c, afn_pickle **out)
{
    const afn_status st = afn_weights__torch_pickle(out, c->bytes + c->pos,
                                                    c->size - c->pos, c->at + c->pos);
    if (st == AFN_OK) c->pos += afn_pickle_size(*out);
    return st;
}

static afn_status take(cursor *c, const uint8_t **out, uint64_t bytes)
{
    *out = c->bytes + c->pos;
    if (bytes > c->size - c->pos)
        return afn_fail(AFN_EFORMAT, "ends at byte %" PRIu64 ", its tar member at %zu",
                        (uint64_t)(c->at + c->pos) + bytes, c->at + c->size);
    c->pos += (size_t)bytes;
    return AFN_OK;
}

static afn_status take_i64(cursor *c, int64_t *out)
{
    const uint8_t *p;
    uint64_t bits = 0;
    const afn_status st = take(c, &p, 8);
    *out = 0;
    if (st != AFN_OK) return st;
    for (int i = 0; i < 8; i++) bits |= (uint64_t)p[i] << (8 * i);
    *out = (int64_t)bits;
    return AFN_OK;
}

/* A pickle that is one natural number. */
static afn_status take_count(cursor *c, int64_t *out)
{
    afn_status st = AFN_OK;
    afn_pickle *p = NULL;
    AFN_TRY(next_pickle(c, &p));
    const afn_pickle_value *v = afn_pickle_root(p);
    AFN_REQUIRE(v->kind == AFN_PICKLE_INT && v->u.integer >= 0, AFN_EFORMAT,
                "count at byte %zu is no number", c->at);
    *out = v->u.integer;
done:
    afn_pickle_free(p);
    return st;
}

/* A pickle that is a tuple of three, whose first is a number. */
static afn_status take_triple(cursor *c, afn_pickle **out)
{
    const size_t at = c->at + c->pos;
    const afn_status st = next_pickle(c, out);
    if (st != AFN_OK) return st;
    const afn_pickle_value *v = afn_pickle_root(*out);
    if (v->kind == AFN_PICKLE_TUPLE && v->u.seq.count == 3 &&
        v->u.seq.item[0]->kind == AFN_PICKLE_INT)
        return AFN_OK;
    return afn_fail(AFN_EFORMAT, "no description at byte %zu", at);
}

static afn_status append(keyed_list *l, const keyed *k)
{
    if (l->count == l->cap) {
        const size_t cap = l->cap ? l->cap * 2 : 64;
        keyed *item = afn_realloc(l->item, cap * sizeof *item);
        if (!item) return afn_fail(AFN_ENOMEM, "out of memory");
        l->item = item;
        l->cap = cap;
    }
    l->item[l->count++] = *k;
    return AFN_OK;
}

static int by_key(const void *a, const void *b)
{
    const int64_t x = ((const keyed *)a)->key, y = ((const keyed *)b)->key;
    return (x > y) - (x < y);
}

static void sort(keyed_list *l)
{
    if (l->count) qsort(l->item, l->count, sizeof *l->item, by_key);
}

static const keyed *find(const keyed_list *l, int64_t key)
{
    const keyed wanted = { .key = key };
    return l->count ? bsearch(&wanted, l->item, l->count, sizeof *l->item, by_key)
                    : NULL;
}

/* ---- storages ---- */

static afn_status read_storage(reader *r)
{
    afn_status st = AFN_OK;
    afn_pickle *p = NULL;
    keyed k = { 0 };
    int64_t count = 0;
    size_t bytes;
    AFN_TRY(take_triple(&r->storages, &p));
    const afn_pickle_value *const *part = afn_pickle_root(p)->u.seq.item;
    k.key = part[0]->u.integer;
    AFN_TRY(afn_weights__torch_dtype(&k.storage.dtype, &k.storage.untyped, part[2]));
    AFN_TRY(take_i64(&r->storages, &count));
    AFN_REQUIRE(count >= 0 && afn_mul_size(&bytes, (size_t)count,
                                           afn_dtype_bytes(k.storage.dtype)),
                AFN_EFORMAT, "claims %" PRId64 " elements", count);
    AFN_TRY(take(&r->storages, &k.storage.data, bytes));
    k.storage.bytes = bytes;
    AFN_TRY(append(&r->storage, &k));
done:
    afn_pickle_free(p);
    return st;
}

/* One of the last pickle's (key, root key, offset, count). */
static afn_status add_part(reader *r, keyed_list *parts, const afn_pickle_value *v)
{
    if (v->kind != AFN_PICKLE_TUPLE || v->u.seq.count != 4)
        return afn_fail(AFN_EFORMAT, "storage view at byte %zu is damaged", v->at);
    int64_t number[4];
    for (int i = 0; i < 4; i++) {
        const afn_pickle_value *item = v->u.seq.item[i];
        if (item->kind != AFN_PICKLE_INT)
            return afn_fail(AFN_EFORMAT, "storage view at byte %zu is damaged", v->at);
        number[i] = item->u.integer;
    }
    const keyed *root = find(&r->storage, number[1]);
    if (!root)
        return afn_fail(AFN_EFORMAT, "storage view at byte %zu of nothing", v->at);
    keyed k = { .key = number[0], .storage = root->storage };
    const size_t element = afn_dtype_bytes(k.storage.dtype);
    const int64_t have = (int64_t)(k.storage.bytes / element);
    if (number[2] < 0 || number[3] < 0 || number[2] > have ||
        number[3] > have - number[2])
        return afn_fail(AFN_EFORMAT, "storage view at byte %zu reaches outside", v->at);
    k.storage.data += (size_t)number[2] * element;
    k.storage.bytes = (size_t)number[3] * element;
    return append(parts, &k);
}

static afn_status read_parts(reader *r)
{
    afn_status st = AFN_OK;
    afn_pickle *p = NULL;
    keyed_list parts = { 0 };
    AFN_TRY(next_pickle(&r->storages, &p));
    const afn_pickle_value *v = afn_pickle_root(p);
    AFN_REQUIRE(v->kind == AFN_PICKLE_LIST, AFN_EFORMAT,
                "storage views are not a list");
    for (size_t i = 0; i < v->u.seq.count; i++)
        AFN_TRY(add_part(r, &parts, v->u.seq.item[i]));
    for (size_t i = 0; i < parts.count; i++)
        AFN_TRY(append(&r->storage, &parts.item[i]));
    sort(&r->storage);
done:
    afn_free(parts.item);
    afn_pickle_free(p);
    return st;
}

static afn_status read_storages(reader *r)
{
    afn_status st = AFN_OK;
    int64_t n;
    AFN_TRY(take_count(&r->storages, &n));
    for (int64_t i = 0; i < n; i++)
        AFN_TRY(afn_context(read_storage(r), "storage %" PRId64, i));
    sort(&r->storage);
    AFN_TRY(read_parts(r));
done:
    return st;
}

/* ---- tensors ---- */

static afn_status take_layout(cursor *c, afn_view *v, int64_t *offset)
{
    afn_status st = AFN_OK;
    int64_t rank;
    AFN_TRY(take_i64(c, &rank));
    rank &= 0xFFFFFFFF; /* the upper half is padding */
    AFN_REQUIRE(rank <= AFN_MAX_RANK, AFN_EUNSUPPORTED,
                "%" PRId64 " dimensions, at most %d are supported", rank, AFN_MAX_RANK);
    v->shape.rank = (int)rank;
    for (int i = 0; i < rank; i++) AFN_TRY(take_i64(c, &v->shape.dim[i]));
    for (int i = 0; i < rank; i++) AFN_TRY(take_i64(c, &v->stride[i]));
    AFN_TRY(take_i64(c, offset));
done:
    return st;
}

static afn_status read_tensor(reader *r)
{
    afn_status st = AFN_OK;
    afn_pickle *p = NULL;
    keyed k = { 0 };
    int64_t offset = 0;
    AFN_TRY(take_triple(&r->tensors, &p));
    const afn_pickle_value *const *part = afn_pickle_root(p)->u.seq.item;
    const keyed *s =
        part[1]->kind == AFN_PICKLE_INT ? find(&r->storage, part[1]->u.integer) : NULL;
    AFN_REQUIRE(s, AFN_EFORMAT, "its storage is missing");
    k.key = part[0]->u.integer;
    k.view.dtype = s->storage.dtype;
    AFN_TRY(take_layout(&r->tensors, &k.view, &offset));
    AFN_TRY(afn_weights__torch_view(&k.view, &s->storage, offset));
    AFN_TRY(append(&r->tensor, &k));
done:
    afn_pickle_free(p);
    return st;
}

static afn_status read_tensors(reader *r)
{
    afn_status st = AFN_OK;
    int64_t n;
    AFN_TRY(take_count(&r->tensors, &n));
    for (int64_t i = 0; i < n; i++)
        AFN_TRY(afn_context(read_tensor(r), "tensor %" PRId64, i));
    sort(&r->tensor);
done:
    return st;
}

/* id is the tensor's key, as decimal text or a number. */
static afn_status get_tensor(void *user, afn_view *out, const afn_pickle_value *id)
{
    const reader *r = user;
    int64_t key = id->kind == AFN_PICKLE_INT ? id->u.integer : -1;
    if (id->kind == AFN_PICKLE_TEXT && id->u.text.size < 20) {
        char digits[20] = { 0 };
        memcpy(digits, id->u.text.data, id->u.text.size);
        key = strtoll(digits, NULL, 10);
    }
    const keyed *k = find(&r->tensor, key);
    if (!k)
        return afn_fail(AFN_EFORMAT, "persistent id at byte %zu names no tensor",
                        id->at);
    *out = k->view;
    return AFN_OK;
}

static afn_status get_storage(void *user, torch_storage *out,
                              const afn_pickle_value *id)
{
    (void)user;
    *out = (torch_storage){ 0 };
    return afn_fail(AFN_EFORMAT, "persistent id at byte %zu names no tensor", id->at);
}

static afn_status check_system(reader *r)
{
    afn_status st = AFN_OK;
    afn_pickle *p = NULL;
    if (!r->sys_info.bytes) return AFN_OK;
    AFN_TRY(next_pickle(&r->sys_info, &p));
    const afn_pickle_value *v = afn_pickle_get(afn_pickle_root(p), "little_endian");
    AFN_REQUIRE(!v || v->kind != AFN_PICKLE_BOOL || v->u.integer, AFN_EUNSUPPORTED,
                "byte order is big, only little is read");
done:
    afn_pickle_free(p);
    return st;
}

static afn_status read(afn_weights *w)
{
    afn_status st = AFN_OK;
    reader r = { .w = w };
    afn_pickle *p = NULL;
    const torch_source source = { .user = &r,
                                  .storage = get_storage,
                                  .tensor = get_tensor };
    AFN_TRY(find_members(&r));
    AFN_TRY(check_system(&r));
    AFN_TRY(read_storages(&r));
    AFN_TRY(read_tensors(&r));
    AFN_TRY(next_pickle(&r.pickle, &p));
    AFN_TRY(afn_weights__torch_flatten(w, afn_pickle_root(p), &source));
done:
    afn_pickle_free(p);
    afn_free(r.storage.item);
    afn_free(r.tensor.item);
    return st;
}

const weights_format afn_weights__torch_tar = {
    .name = "torch-tar",
    .probe = probe,
    .read = read,
};
