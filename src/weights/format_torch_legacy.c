/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the stream that torch.save wrote before 1.6.
 *
 *   five pickles    the number 0x1950a86a20f9469cfc6c; 1001; a dictionary about the
 *                   system; the object; the list of storage keys
 *   per key         int64 element count, then the raw elements
 *
 * Persistent ids are ('storage', class, key, location, element count, view), where view
 * is None or (key, offset, count) of a storage that is a part of another.
 *
 * Source: _legacy_load in torch/serialization.py */
#include <inttypes.h>
#include <string.h>

#include "weights/torch_tree.h"

enum { PROTOCOL = 1001 };
static const char magic[] = "\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19";

typedef struct reader {
    afn_weights *w;
    size_t pos;
    torch_storages storages;
} reader;

static bool probe(const uint8_t *bytes, size_t size)
{
    return size >= 2 && bytes[0] == 0x80 && bytes[1] <= 5;
}

static afn_status next_pickle(reader *r, afn_pickle **out)
{
    const afn_weights *w = r->w;
    const afn_status st =
        afn_weights__torch_pickle(out, w->bytes + r->pos, w->size - r->pos, r->pos);
    if (st == AFN_OK) r->pos += afn_pickle_size(*out);
    return st;
}

static afn_status check_magic(reader *r)
{
    afn_status st = AFN_OK;
    afn_pickle *p = NULL;
    AFN_TRY(next_pickle(r, &p));
    const afn_pickle_value *v = afn_pickle_root(p);
    AFN_REQUIRE(v->kind == AFN_PICKLE_LONG && v->u.text.size == sizeof magic - 1 &&
                    memcmp(v->u.text.data, magic, sizeof magic - 1) == 0,
                AFN_EFORMAT, "a pickle, but not one from torch.save");
done:
    afn_pickle_free(p);
    return st;
}

static afn_status check_protocol(reader *r)
{
    afn_status st = AFN_OK;
    afn_pickle *p = NULL;
    AFN_TRY(next_pickle(r, &p));
    const afn_pickle_value *v = afn_pickle_root(p);
    AFN_REQUIRE(v->kind == AFN_PICKLE_INT && v->u.integer == PROTOCOL, AFN_EUNSUPPORTED,
                "torch.save protocol is not %d", PROTOCOL);
done:
    afn_pickle_free(p);
    return st;
}

static afn_status check_system(reader *r)
{
    afn_status st = AFN_OK;
    afn_pickle *p = NULL;
    AFN_TRY(next_pickle(r, &p));
    const afn_pickle_value *little =
        afn_pickle_get(afn_pickle_root(p), "little_endian");
    AFN_REQUIRE(!little || little->kind != AFN_PICKLE_BOOL || little->u.integer,
                AFN_EUNSUPPORTED, "byte order is big, only little is read");
done:
    afn_pickle_free(p);
    return st;
}

/* Note every storage that the object names; where its bytes are comes later. */
static afn_status register_storages(reader *r, const afn_pickle *object)
{
    for (const afn_pickle_value *v = afn_pickle_persids(object); v;
         v = v->u.persid.next) {
        torch_persid id;
        afn_status st = afn_weights__torch_persid(&id, v->u.persid.id);
        if (st != AFN_OK) return st;
        if (afn_weights__storages_get(&r->storages, id.key)) continue;
        const torch_storage s = { .dtype = id.dtype, .untyped = id.untyped };
        st = afn_weights__storages_add(&r->storages, id.key, &s);
        if (st != AFN_OK) return st;
    }
    return AFN_OK;
}

static afn_status read_count(reader *r, uint64_t *out, size_t i)
{
    *out = 0;
    if (r->w->size - r->pos < 8)
        return afn_fail(AFN_EFORMAT, "storage %zu ends at byte %zu, the file has %zu",
                        i, r->pos + 8, r->w->size);
    for (int k = 0; k < 8; k++) *out |= (uint64_t)r->w->bytes[r->pos + k] << (8 * k);
    r->pos += 8;
    return AFN_OK;
}

/* Find the bytes of storage i, which begin at r->pos with their count. */
static afn_status locate(reader *r, torch_storage *s, size_t i)
{
    uint64_t count;
    size_t bytes, end;
    const afn_status st = read_count(r, &count, i);
    if (st != AFN_OK) return st;
    if (count > SIZE_MAX ||
        !afn_mul_size(&bytes, (size_t)count, afn_dtype_bytes(s->dtype)) ||
        !afn_add_size(&end, r->pos, bytes))
        return afn_fail(AFN_EFORMAT, "storage %zu claims %" PRIu64 " elements", i,
                        count);
    if (end > r->w->size)
        return afn_fail(AFN_EFORMAT, "storage %zu ends at byte %zu, the file has %zu",
                        i, end, r->w->size);
    s->data = r->w->bytes + r->pos;
    s->bytes = bytes;
    r->pos = end;
    return AFN_OK;
}

/* Storages follow in the order of the key list. */
static afn_status locate_all(reader *r, const afn_pickle_value *keys)
{
    if (keys->kind != AFN_PICKLE_LIST)
        return afn_fail(AFN_EFORMAT, "storage keys at byte %zu are not a list",
                        keys->at);
    for (size_t i = 0; i < keys->u.seq.count; i++) {
        const afn_pickle_value *key = keys->u.seq.item[i];
        if (key->kind != AFN_PICKLE_TEXT && key->kind != AFN_PICKLE_BYTES)
            return afn_fail(AFN_EFORMAT, "storage %zu has no key", i);
        torch_storage *s = afn_weights__storages_get(&r->storages, key);
        if (!s) return afn_fail(AFN_EFORMAT, "storage %zu is used by no tensor", i);
        const afn_status st = locate(r, s, i);
        if (st != AFN_OK) return st;
    }
    return AFN_OK;
}

/* Narrow a storage to the part that view, (key, offset, count), describes. */
static afn_status narrow(torch_storage *s, const afn_pickle_value *view)
{
    const afn_pickle_value *const *part = view->u.seq.item;
    if (view->kind != AFN_PICKLE_TUPLE || view->u.seq.count != 3 ||
        part[1]->kind != AFN_PICKLE_INT || part[2]->kind != AFN_PICKLE_INT)
        return afn_fail(AFN_EFORMAT, "storage view at byte %zu is damaged", view->at);
    const int64_t offset = part[1]->u.integer, count = part[2]->u.integer;
    const size_t element = afn_dtype_bytes(s->dtype);
    const int64_t have = (int64_t)(s->bytes / element);
    if (offset < 0 || count < 0 || offset > have || count > have - offset)
        return afn_fail(AFN_EFORMAT, "storage view at byte %zu reaches outside",
                        view->at);
    s->data += (size_t)offset * element;
    s->bytes = (size_t)count * element;
    return AFN_OK;
}

static afn_status get_storage(void *user, torch_storage *out,
                              const afn_pickle_value *id)
{
    afn_status st = AFN_OK;
    const reader *r = user;
    torch_persid p;

    *out = (torch_storage){ 0 };
    AFN_TRY(afn_weights__torch_persid(&p, id));
    const torch_storage *s = afn_weights__storages_get(&r->storages, p.key);
    AFN_REQUIRE(s && s->data, AFN_EFORMAT, "storage %.*s is not in the file",
                TORCH_KEY(p.key));
    *out = *s;
    out->dtype = p.dtype;
    out->untyped = p.untyped;
    if (p.view) AFN_TRY(narrow(out, p.view));
done:
    return st;
}

static afn_status read(afn_weights *w)
{
    afn_status st = AFN_OK;
    reader r = { .w = w };
    afn_pickle *object = NULL, *keys = NULL;
    const torch_source source = { .user = &r, .storage = get_storage };

    AFN_TRY(check_magic(&r));
    AFN_TRY(check_protocol(&r));
    AFN_TRY(check_system(&r));
    AFN_TRY(next_pickle(&r, &object));
    AFN_TRY(next_pickle(&r, &keys));
    AFN_TRY(register_storages(&r, object));
    AFN_TRY(locate_all(&r, afn_pickle_root(keys)));
    AFN_TRY(afn_weights__torch_flatten(w, afn_pickle_root(object), &source));
done:
    afn_weights__storages_free(&r.storages);
    afn_pickle_free(object);
    afn_pickle_free(keys);
    return st;
}

const weights_format afn_weights__torch_legacy = {
    .name = "torch-legacy",
    .probe = probe,
    .read = read,
};
