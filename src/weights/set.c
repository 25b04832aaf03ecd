/* SPDX-License-Identifier: Apache-2.0 */
/* The set itself: entries, the memory they point into, metadata. */
#include "weights/set.h"

#include <inttypes.h>
#include <string.h>

struct weights_block {
    weights_block *next;
    void *memory;
};

afn_status afn_weights_new(afn_weights **out)
{
    *out = afn_alloc(sizeof **out);
    if (!*out) return afn_fail(AFN_ENOMEM, "out of memory");
    (*out)->format = "memory";
    return AFN_OK;
}

void afn_weights_free(afn_weights *w)
{
    if (!w) return;
    for (size_t i = 0; i < w->count; i++) {
        afn_free((char *)w->entry[i]->pub.name);
        afn_free(w->entry[i]);
    }
    for (size_t i = 0; i < w->n_pairs; i++) {
        afn_free(w->pair[i].key);
        afn_free(w->pair[i].value);
    }
    while (w->blocks) {
        weights_block *next = w->blocks->next;
        afn_free(w->blocks->memory);
        afn_free(w->blocks);
        w->blocks = next;
    }
    afn_weights__keymap_free(&w->names);
    afn_free(w->entry);
    afn_free(w->pair);
    afn_map_close(&w->map);
    afn_free(w);
}

afn_status afn_weights__adopt(afn_weights *w, void *memory)
{
    weights_block *b = memory ? afn_alloc(sizeof *b) : NULL;
    if (!b) {
        afn_free(memory);
        return memory ? afn_fail(AFN_ENOMEM, "out of memory") : AFN_OK;
    }
    *b = (weights_block){ .next = w->blocks, .memory = memory };
    w->blocks = b;
    return AFN_OK;
}

void *afn_weights__take(afn_weights *w, size_t bytes)
{
    void *memory = afn_alloc(bytes);
    if (!memory || afn_weights__adopt(w, memory) != AFN_OK) return NULL;
    return memory;
}

static afn_status reserve_entry(afn_weights *w)
{
    if (w->count < w->cap) return AFN_OK;
    const size_t cap = w->cap ? w->cap * 2 : 64;
    weights_entry **entry = afn_realloc(w->entry, cap * sizeof *entry);
    if (!entry) return afn_fail(AFN_ENOMEM, "out of memory");
    w->entry = entry;
    w->cap = cap;
    return AFN_OK;
}

afn_status afn_weights__add_view(afn_weights *w, const char *name, const afn_view *v)
{
    afn_status st = AFN_OK;
    char *copy = NULL;
    weights_entry *e = NULL;

    AFN_REQUIRE(!afn_weights_find(w, name), AFN_EINVAL, "%s: this name is taken", name);
    AFN_TRY(reserve_entry(w));
    copy = afn_strdup(name);
    e = afn_alloc(sizeof *e);
    AFN_REQUIRE(copy && e, AFN_ENOMEM, "out of memory");
    AFN_TRY(afn_weights__keymap_set(&w->names, copy, strlen(copy), w->count));
    *e = (weights_entry){ .pub = { .name = copy, .dtype = v->dtype, .shape = v->shape },
                          .view = *v };
    w->entry[w->count++] = e;
    e = NULL;
    copy = NULL;
done:
    afn_free(copy);
    afn_free(e);
    return st;
}

afn_status afn_weights__borrow(afn_weights *w, const char *name, afn_dtype dtype,
                               const afn_shape *shape, const void *values)
{
    afn_view v = { .data = values, .dtype = dtype, .shape = *shape };
    afn_view_contiguous(&v);
    return afn_weights__add_view(w, name, &v);
}

afn_status afn_weights_add(afn_weights *w, const char *name, afn_dtype dtype,
                           const afn_shape *shape, const void *values)
{
    afn_status st = AFN_OK;
    size_t bytes;
    afn_view v = { .dtype = dtype };

    AFN_REQUIRE(dtype >= 0 && dtype < AFN_N_DTYPES, AFN_EINVAL, "%s: no such type",
                name);
    AFN_REQUIRE(shape->rank >= 0 && shape->rank <= AFN_MAX_RANK, AFN_EINVAL,
                "%s: rank is %d, must be 0 to %d", name, shape->rank, AFN_MAX_RANK);
    v.shape = *shape;
    const int64_t n = afn_shape_count(shape);
    AFN_REQUIRE(n >= 0 && afn_mul_size(&bytes, (size_t)n, afn_dtype_bytes(dtype)),
                AFN_EINVAL, "%s: impossible shape", name);
    AFN_REQUIRE(!afn_weights_find(w, name), AFN_EINVAL, "%s: this name is taken", name);
    void *copy = afn_weights__take(w, bytes);
    AFN_REQUIRE(copy, AFN_ENOMEM, "out of memory for %s", name);
    if (bytes) memcpy(copy, values, bytes);
    v.data = copy;
    afn_view_contiguous(&v);
    AFN_TRY(afn_weights__add_view(w, name, &v));
done:
    return st;
}

afn_status afn_weights__share(afn_weights *w, const char *name, const afn_weight *t,
                              const afn_shape *shape)
{
    assert(afn_shape_count(shape) == afn_shape_count(&t->shape));
    const afn_status st =
        afn_weights__add_view(w, name, &((const weights_entry *)t)->view);
    if (st == AFN_OK) w->entry[w->count - 1]->pub.shape = *shape;
    return st;
}

const char *afn_weights_format(const afn_weights *w)
{
    return w->format;
}

size_t afn_weights_count(const afn_weights *w)
{
    return w->count;
}

const afn_weight *afn_weights_get(const afn_weights *w, size_t i)
{
    return i < w->count ? &w->entry[i]->pub : NULL;
}

const afn_weight *afn_weights_find(const afn_weights *w, const char *name)
{
    const size_t i = afn_weights__keymap_get(&w->names, name, strlen(name));
    return i == SIZE_MAX ? NULL : &w->entry[i]->pub;
}

static const afn_view *view_of(const afn_weight *t)
{
    return &((const weights_entry *)t)->view;
}

static afn_status check_count(const afn_weight *t, size_t n)
{
    const int64_t count = afn_shape_count(&t->shape);
    if ((uint64_t)count == n) return AFN_OK;
    return afn_fail(AFN_ESHAPE, "%s: has %" PRId64 " values, room for %zu", t->name,
                    count, n);
}

afn_status afn_weights_read_f32(const afn_weights *w, const afn_weight *t, float *out,
                                size_t n)
{
    (void)w;
    const afn_status st = check_count(t, n);
    if (st != AFN_OK) return st;
    return afn_context(afn_view_read_f32(view_of(t), out), "%s", t->name);
}

afn_status afn_weights_read_i64(const afn_weights *w, const afn_weight *t, int64_t *out,
                                size_t n)
{
    (void)w;
    const afn_status st = check_count(t, n);
    if (st != AFN_OK) return st;
    return afn_context(afn_view_read_i64(view_of(t), out), "%s", t->name);
}

afn_status afn_weights_read_raw(const afn_weights *w, const afn_weight *t, void *out,
                                size_t bytes)
{
    (void)w;
    const size_t element = afn_dtype_bytes(t->dtype);
    if (bytes % element)
        return afn_fail(AFN_ESHAPE, "%s: %zu bytes are no whole number of values",
                        t->name, bytes);
    const afn_status st = check_count(t, bytes / element);
    if (st == AFN_OK && bytes) afn_view_read_raw(view_of(t), out);
    return st;
}

afn_status afn_weights__contiguous(const afn_weights *w, size_t i, const void **values,
                                   size_t *bytes, void **owned)
{
    const weights_entry *e = w->entry[i];
    size_t need = (size_t)afn_shape_count(&e->pub.shape);
    *owned = NULL;
    *values = e->view.data;
    if (!afn_mul_size(&need, need, afn_dtype_bytes(e->pub.dtype)))
        return afn_fail(AFN_ENOMEM, "out of memory for %s", e->pub.name);
    *bytes = need;
    if (need == 0 || afn_view_is_contiguous(&e->view)) return AFN_OK;
    *values = *owned = afn_alloc(need);
    if (!*owned) return afn_fail(AFN_ENOMEM, "out of memory for %s", e->pub.name);
    afn_view_read_raw(&e->view, *owned);
    return AFN_OK;
}

/* ---- metadata ---- */

static weights_pair *find_pair(const afn_weights *w, const char *key)
{
    for (size_t i = 0; i < w->n_pairs; i++)
        if (strcmp(w->pair[i].key, key) == 0) return &w->pair[i];
    return NULL;
}

static afn_status append_pair(afn_weights *w, char *key, char *value)
{
    if (w->n_pairs == w->pairs_cap) {
        const size_t cap = w->pairs_cap ? w->pairs_cap * 2 : 8;
        weights_pair *pair = afn_realloc(w->pair, cap * sizeof *pair);
        if (!pair) return afn_fail(AFN_ENOMEM, "out of memory");
        w->pair = pair;
        w->pairs_cap = cap;
    }
    w->pair[w->n_pairs++] = (weights_pair){ key, value };
    return AFN_OK;
}

afn_status afn_weights_set_metadata(afn_weights *w, const char *key, const char *value)
{
    afn_status st = AFN_OK;
    char *new_key = NULL, *new_value = afn_strdup(value);
    AFN_REQUIRE(new_value, AFN_ENOMEM, "out of memory");
    weights_pair *old = find_pair(w, key);
    if (old) {
        afn_free(old->value);
        old->value = new_value;
        return AFN_OK;
    }
    new_key = afn_strdup(key);
    AFN_REQUIRE(new_key, AFN_ENOMEM, "out of memory");
    AFN_TRY(append_pair(w, new_key, new_value));
    return AFN_OK;
done:
    afn_free(new_key);
    afn_free(new_value);
    return st;
}

const char *afn_weights_metadata(const afn_weights *w, const char *key)
{
    const weights_pair *p = find_pair(w, key);
    return p ? p->value : NULL;
}

size_t afn_weights_metadata_count(const afn_weights *w)
{
    return w->n_pairs;
}

const char *afn_weights_metadata_key(const afn_weights *w, size_t i)
{
    return i < w->n_pairs ? w->pair[i].key : NULL;
}

void afn_weights__add_metadata_json(afn_buf *b, const afn_weights *w)
{
    afn_buf_str(b, "{");
    for (size_t i = 0; i < w->n_pairs; i++) {
        if (i) afn_buf_str(b, ",");
        afn_json_add_string(b, w->pair[i].key);
        afn_buf_str(b, ":");
        afn_json_add_string(b, w->pair[i].value);
    }
    afn_buf_str(b, "}");
}

/* Keys of a JSON object are unique, so none is looked up. */
static afn_status take_pair(afn_weights *w, const char *key, const json_t *value)
{
    afn_status st = AFN_OK;
    char *new_key = NULL, *new_value = NULL;
    AFN_REQUIRE(json_is_string(value), AFN_EFORMAT, "metadata %s is not text", key);
    new_key = afn_strdup(key);
    new_value = afn_strdup(json_string_value(value));
    AFN_REQUIRE(new_key && new_value, AFN_ENOMEM, "out of memory");
    AFN_TRY(append_pair(w, new_key, new_value));
    return AFN_OK;
done:
    afn_free(new_key);
    afn_free(new_value);
    return st;
}

afn_status afn_weights__take_metadata(afn_weights *w, json_t *object)
{
    afn_status st = AFN_OK;
    const char *key;
    json_t *value;
    AFN_REQUIRE(json_is_object(object), AFN_EFORMAT, "metadata is not an object");
    json_object_foreach(object, key, value) AFN_TRY(take_pair(w, key, value));
done:
    return st;
}
