/* SPDX-License-Identifier: Apache-2.0 */
#include "data/labels.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_SLOTS = 64, MAX_CLASSES = 1000000 };

static const char *name_of(const afn_labels *l, int id)
{
    const size_t *at = (const size_t *)(const void *)l->at.data;
    return l->text.data + at[id];
}

int afn_labels_count(const afn_labels *l)
{
    return (int)(l->at.size / sizeof(size_t));
}

void afn_labels_free(afn_labels *l)
{
    afn_buf_free(&l->text);
    afn_buf_free(&l->at);
    afn_free(l->slot);
    *l = (afn_labels){ 0 };
}

/* FNV-1a.  Source: http://www.isthe.com/chongo/tech/comp/fnv/ */
static size_t hash_of(const char *s)
{
    uint64_t h = 14695981039346656037u;
    for (; *s; s++) h = (h ^ (unsigned char)*s) * 1099511628211u;
    return (size_t)(h ^ h >> 32);
}

/* The slot that holds a name, or the free one where it belongs. */
static size_t find(const afn_labels *l, const char *name)
{
    size_t k = hash_of(name) % l->n_slots;
    while (l->slot[k] >= 0 && strcmp(name_of(l, l->slot[k]), name) != 0)
        k = (k + 1) % l->n_slots;
    return k;
}

static afn_status grow(afn_labels *l)
{
    const size_t n = l->n_slots ? l->n_slots * 2 : FIRST_SLOTS;
    int *slot = afn_alloc_array(n, sizeof *slot);
    if (!slot) return afn_fail(AFN_ENOMEM, "out of memory");
    afn_free(l->slot);
    l->slot = slot;
    l->n_slots = n;
    for (size_t k = 0; k < n; k++) slot[k] = -1;
    for (int id = 0; id < afn_labels_count(l); id++) slot[find(l, name_of(l, id))] = id;
    return AFN_OK;
}

afn_status afn_labels_id(afn_labels *l, const char *name, int *id)
{
    afn_status st = AFN_OK;
    const int n = afn_labels_count(l);
    AFN_REQUIRE(*name, AFN_EINVAL, "the label is empty");
    if ((size_t)n * 2 >= l->n_slots) AFN_TRY(grow(l));
    const size_t k = find(l, name);
    if (l->slot[k] < 0) {
        AFN_REQUIRE(n < MAX_CLASSES, AFN_EINVAL, "over %d classes", (int)MAX_CLASSES);
        const size_t at = l->text.size;
        afn_buf_add(&l->text, name, strlen(name) + 1);
        AFN_TRY(afn_buf_finish(&l->text));
        afn_buf_add(&l->at, &at, sizeof at);
        AFN_TRY(afn_buf_finish(&l->at));
        l->slot[k] = n;
    }
    *id = l->slot[k];
done:
    return st;
}

typedef struct numbered {
    const char *name;
    int id;
} numbered;

static int by_string(const void *a, const void *b)
{
    return strcmp(((const numbered *)a)->name, ((const numbered *)b)->name);
}

static int by_number(const void *a, const void *b)
{
    return afn_natural_order(((const numbered *)a)->name, ((const numbered *)b)->name);
}

static bool is_number(const char *s)
{
    while (isdigit((unsigned char)*s)) s++;
    return !*s;
}

static bool all_numbers(const afn_labels *l)
{
    for (int id = 0; id < afn_labels_count(l); id++)
        if (!is_number(name_of(l, id))) return false;
    return true;
}

afn_status afn_labels_apply(const afn_labels *l, afn_dataset *d, afn_class_order order)
{
    afn_status st = AFN_OK;
    const int n = afn_labels_count(l);
    const bool natural = order == AFN_ORDER_NATURAL || all_numbers(l);
    numbered *sorted = afn_alloc_array((size_t)n, sizeof *sorted);
    const char **name = afn_alloc_array((size_t)n, sizeof *name);
    int *to = afn_alloc_array((size_t)n, sizeof *to);
    AFN_REQUIRE(sorted && name && to, AFN_ENOMEM, "out of memory");
    for (int id = 0; id < n; id++) sorted[id] = (numbered){ name_of(l, id), id };
    qsort(sorted, (size_t)n, sizeof *sorted, natural ? by_number : by_string);
    for (int c = 0; c < n; c++) {
        name[c] = sorted[c].name;
        to[sorted[c].id] = c;
    }
    AFN_TRY(afn_data__set_classes(d, name, n));
    for (int64_t i = 0; i < d->count; i++) d->label[i] = to[d->label[i]];
done:
    afn_free(sorted);
    afn_free(name);
    afn_free(to);
    return st;
}
