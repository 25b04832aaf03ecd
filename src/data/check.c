/* SPDX-License-Identifier: Apache-2.0 */
/* The report on a data set: all parts looked at as one, copies put into groups. */
#include "afina/check.h"

#include <stdlib.h>
#include <string.h>

#include "data/data.h"
#include "data/scan.h"

enum { N_PARTS = 3 };

const char *afn_finding_name(afn_finding f)
{
    static const char *const name[] = {
        [AFN_FOUND_BAD] = "bad",         [AFN_FOUND_TINY] = "tiny",
        [AFN_FOUND_SAME] = "same",       [AFN_FOUND_ALIKE] = "alike",
        [AFN_FOUND_ACROSS] = "across",   [AFN_FOUND_LABELS] = "labels",
        [AFN_FOUND_SUSPECT] = "suspect", [AFN_FOUND_ROTATED] = "rotated",
        [AFN_FOUND_GRAY] = "gray",       [AFN_FOUND_ALPHA] = "alpha",
        [AFN_FOUND_DEEP] = "deep",       [AFN_FOUND_CMYK] = "cmyk",
    };
    _Static_assert(AFN_COUNT(name) == AFN_N_FINDINGS, "a name for every finding");
    return (unsigned)f < AFN_N_FINDINGS ? name[f] : "?";
}

afn_check_opts afn_check_defaults(void)
{
    return (afn_check_opts){ .tiny = 32 };
}

static const afn_dataset *part_of(const afn_data_parts *parts, int k)
{
    const afn_dataset *const part[N_PARTS] = { parts->train, parts->val, parts->test };
    return part[k];
}

static void mark(afn_checked *s, afn_finding f, bool is)
{
    if (is) s->found |= 1u << f;
}

/* ---- copies ---- */

typedef struct by_content_key {
    uint64_t content;
    int64_t i;
} content_key;

static int by_content(const void *pa, const void *pb)
{
    const content_key *a = pa, *b = pb;
    if (a->content != b->content) return a->content < b->content ? -1 : 1;
    return (a->i > b->i) - (a->i < b->i);
}

/* Do two samples have the same bytes?  Their sizes and checksums are equal. */
static bool bytes_are_equal(const afn_check *c, const afn_data_parts *parts, int64_t i,
                            int64_t k)
{
    const afn_checked *const s[2] = { &c->sample[i], &c->sample[k] };
    afn_stored a, b;
    bool equal = false;
    if (afn_data__load(part_of(parts, s[0]->part), s[0]->index, &a) != AFN_OK)
        return false;
    if (afn_data__load(part_of(parts, s[1]->part), s[1]->index, &b) == AFN_OK) {
        equal = a.size == b.size && a.width == b.width &&
                memcmp(a.data, b.data, a.size) == 0;
        afn_data__unload(&b);
    }
    afn_data__unload(&a);
    return equal;
}

static afn_status find_same(afn_check *c, const afn_data_parts *parts,
                            const afn_seen *seen)
{
    content_key *key = afn_alloc_array((size_t)c->count, sizeof *key);
    if (!key) return afn_fail(AFN_ENOMEM, "out of memory");
    for (int64_t i = 0; i < c->count; i++) key[i] = (content_key){ seen[i].content, i };
    qsort(key, (size_t)c->count, sizeof *key, by_content);
    for (int64_t k = 0, first = 0; k < c->count; k++) {
        const int64_t i = key[k].i;
        c->sample[i].same = i;
        if (key[k].content != key[first].content || seen[key[first].i].bad) first = k;
        if (k == first || seen[i].bad) continue;
        if (bytes_are_equal(c, parts, i, key[first].i))
            c->sample[i].same = key[first].i;
    }
    afn_free(key);
    return AFN_OK;
}

/* Near-duplicates; the same bytes are that too. */
static afn_status find_alike(afn_check *c, const afn_seen *seen)
{
    int64_t *group = afn_alloc_array((size_t)c->count, sizeof *group);
    if (!group) return afn_fail(AFN_ENOMEM, "out of memory");
    const afn_status st = afn_data__seen_alike(group, seen, c->count);
    for (int64_t i = 0; st == AFN_OK && i < c->count; i++)
        afn_data__join_sets(group, i, c->sample[i].same);
    for (int64_t i = 0; st == AFN_OK && i < c->count; i++)
        c->sample[i].alike = afn_data__set_of(group, i);
    afn_free(group);
    return st;
}

/* Of two samples that are the same or alike: what follows for both. */
static void mark_pair(afn_checked *a, afn_checked *b)
{
    const bool across = a->part != b->part, labels = a->label != b->label;
    const afn_finding how = a->same == b->same ? AFN_FOUND_SAME : AFN_FOUND_ALIKE;
    mark(a, how, true);
    mark(b, how, true);
    mark(a, AFN_FOUND_ACROSS, across);
    mark(b, AFN_FOUND_ACROSS, across);
    mark(a, AFN_FOUND_LABELS, labels);
    mark(b, AFN_FOUND_LABELS, labels);
}

/* A group is told by its first member: others are compared with it and with the first
 * one that has their bytes. */
static void mark_copies(afn_check *c)
{
    for (int64_t i = 0; i < c->count; i++) {
        afn_checked *s = &c->sample[i];
        if (s->same != i) mark_pair(s, &c->sample[s->same]);
        if (s->alike != i) mark_pair(s, &c->sample[s->alike]);
    }
}

/* ---- each ---- */

static void judge(afn_checked *s, afn_seen *seen, int tiny)
{
    const afn_image_info *info = &seen->info;
    const bool file = info->format != NULL;
    s->width = seen->width;
    s->height = seen->height;
    s->looks_like = -1;
    s->agree = 1;
    s->why = seen->bad;
    seen->bad = NULL; /* handed over */
    mark(s, AFN_FOUND_BAD, s->why != NULL);
    if (s->why) return;
    mark(s, AFN_FOUND_TINY, file && (s->width < tiny || s->height < tiny));
    mark(s, AFN_FOUND_ROTATED, info->orientation > 1);
    mark(s, AFN_FOUND_GRAY, info->gray);
    mark(s, AFN_FOUND_ALPHA, info->alpha);
    mark(s, AFN_FOUND_DEEP, info->bits > 8);
    mark(s, AFN_FOUND_CMYK, info->cmyk);
}

static afn_status look(afn_check *c, afn_seen *seen, const afn_data_parts *parts,
                       const afn_check_opts *o)
{
    int64_t at = 0;
    for (int k = 0; k < N_PARTS; k++) {
        const afn_dataset *d = part_of(parts, k);
        if (!d) continue;
        const afn_scan_opts so = { .threads = o->threads,
                                   .on_look = o->on_look,
                                   .user = o->user,
                                   .done = at,
                                   .of = c->count };
        const afn_status st = afn_data__scan(seen + at, d, &so);
        if (st != AFN_OK) return st;
        for (int64_t i = 0; i < d->count; i++, at++) {
            c->sample[at].part = k;
            c->sample[at].index = i;
            c->sample[at].label = d->label[i];
        }
    }
    return AFN_OK;
}

static void count(afn_check *c)
{
    for (int64_t i = 0; i < c->count; i++)
        for (int f = 0; f < AFN_N_FINDINGS; f++)
            c->found[f] += c->sample[i].found >> f & 1;
}

afn_status afn_check_data(afn_check *out, const afn_data_parts *parts,
                          const afn_check_opts *opts)
{
    afn_status st = AFN_OK;
    const afn_check_opts o = opts ? *opts : afn_check_defaults();
    afn_check c = { 0 };
    afn_seen *seen = NULL;
    *out = (afn_check){ 0 };
    for (int k = 0; k < N_PARTS; k++)
        if (part_of(parts, k)) c.count += part_of(parts, k)->count;
    c.sample = afn_alloc_array((size_t)c.count, sizeof *c.sample);
    seen = afn_alloc_array((size_t)c.count, sizeof *seen);
    AFN_REQUIRE(c.sample && seen, AFN_ENOMEM, "out of memory");
    AFN_TRY(look(&c, seen, parts, &o));
    AFN_TRY(find_same(&c, parts, seen));
    AFN_TRY(find_alike(&c, seen));
    for (int64_t i = 0; i < c.count; i++) judge(&c.sample[i], &seen[i], o.tiny);
    mark_copies(&c);
    count(&c);
    *out = c;
    c = (afn_check){ 0 };
done:
    afn_data__seen_free(seen, seen ? c.count ? c.count : out->count : 0);
    afn_check_free(&c);
    return st;
}

void afn_check_free(afn_check *c)
{
    for (int64_t i = 0; c->sample && i < c->count; i++) afn_free(c->sample[i].why);
    afn_free(c->sample);
    *c = (afn_check){ 0 };
}
