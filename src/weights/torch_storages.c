/* SPDX-License-Identifier: Apache-2.0 */
/* Storages by key, and the persistent ids that name them. */
#include "weights/torch_tree.h"

torch_storage *afn_weights__storages_get(const torch_storages *t,
                                         const afn_pickle_value *key)
{
    const size_t i =
        afn_weights__keymap_get(&t->keys, key->u.text.data, key->u.text.size);
    return i == SIZE_MAX ? NULL : &t->item[i];
}

afn_status afn_weights__storages_add(torch_storages *t, const afn_pickle_value *key,
                                     const torch_storage *s)
{
    if (t->count == t->cap) {
        const size_t cap = t->cap ? t->cap * 2 : 64;
        torch_storage *item = afn_realloc(t->item, cap * sizeof *item);
        if (!item) return afn_fail(AFN_ENOMEM, "out of memory");
        t->item = item;
        t->cap = cap;
    }
    t->item[t->count] = *s;
    return afn_weights__keymap_set(&t->keys, key->u.text.data, key->u.text.size,
                                   t->count++);
}

void afn_weights__storages_free(torch_storages *t)
{
    afn_weights__keymap_free(&t->keys);
    afn_free(t->item);
    *t = (torch_storages){ 0 };
}

static bool is_key(const afn_pickle_value *v)
{
    return (v->kind == AFN_PICKLE_TEXT || v->kind == AFN_PICKLE_BYTES) &&
           v->u.text.size < 256;
}

afn_status afn_weights__torch_persid(torch_persid *out, const afn_pickle_value *id)
{
    *out = (torch_persid){ 0 };
    if (id->kind != AFN_PICKLE_TUPLE || id->u.seq.count < 5 ||
        !afn_pickle_is_text(id->u.seq.item[0], "storage"))
        return afn_fail(AFN_EFORMAT, "persistent id at byte %zu names no storage",
                        id->at);
    const afn_pickle_value *const *part = id->u.seq.item;
    if (!is_key(part[2]))
        return afn_fail(AFN_EFORMAT, "storage at byte %zu has no key", id->at);
    if (part[4]->kind != AFN_PICKLE_INT || part[4]->u.integer < 0)
        return afn_fail(AFN_EFORMAT, "storage at byte %zu has no size", id->at);
    out->key = part[2];
    out->count = part[4]->u.integer;
    if (id->u.seq.count > 5 && part[5]->kind != AFN_PICKLE_NONE) out->view = part[5];
    return afn_weights__torch_dtype(&out->dtype, &out->untyped, part[1]);
}
