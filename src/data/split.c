/* SPDX-License-Identifier: Apache-2.0 */
/* Training, validation and test parts: those that a data set comes with, or a seeded
 * draw that takes the same fraction of every class.  All parts keep the data set's
 * order.
 *
 * A draw first looks at every picture.  Those that cannot be read belong to no part;
 * near-duplicates go where the first of them goes, whatever their classes, or accuracy
 * would be measured on what was learned by heart.  Where nothing is alike, the draw is
 * the one that does not look. */
#include <math.h>
#include <string.h>
#include <strings.h>

#include "data/data.h"
#include "data/dataset.h"
#include "data/scan.h"

enum { N_PARTS = 3 };

/* ---- parts that exist ---- */

static int find_class(const afn_dataset *d, const char *name)
{
    for (int i = 0; i < d->n_classes; i++)
        if (strcmp(d->class_name[i], name) == 0) return i;
    return -1;
}

static afn_status fail_unknown(const char *name, const afn_dataset *train,
                               const char *what)
{
    const char *near = afn_nearest(name, (const char *const *)train->class_name,
                                   (size_t)train->n_classes);
    if (near)
        return afn_fail(AFN_EINVAL,
                        "%s images have class %s, training images have not, did you "
                        "mean %s?",
                        what, name, near);
    return afn_fail(AFN_EINVAL, "%s images have class %s, training images have not",
                    what, name);
}

/* Number the classes of a part as train does; classes that it lacks get no samples. */
static afn_status adopt_classes(afn_dataset *d, const afn_dataset *train,
                                const char *what)
{
    afn_status st = AFN_OK;
    int *map = afn_alloc_array((size_t)d->n_classes, sizeof *map);
    AFN_REQUIRE(map, AFN_ENOMEM, "out of memory");
    for (int i = 0; i < d->n_classes; i++) {
        map[i] = find_class(train, d->class_name[i]);
        if (map[i] < 0) AFN_TRY(fail_unknown(d->class_name[i], train, what));
    }
    AFN_TRY(afn_data__set_classes(d, (const char *const *)train->class_name,
                                  train->n_classes));
    for (int64_t i = 0; i < d->count; i++) d->label[i] = map[d->label[i]];
done:
    afn_free(map);
    return st;
}

/* Samples of a part with a class that train has none of, which is never meant. */
static afn_status check_trained(const afn_dataset *d, const afn_dataset *train,
                                const char *what)
{
    afn_status st = AFN_OK;
    bool *has = afn_alloc_array((size_t)train->n_classes, sizeof *has);
    AFN_REQUIRE(has, AFN_ENOMEM, "out of memory");
    for (int64_t i = 0; i < train->count; i++) has[train->label[i]] = true;
    for (int64_t i = 0; i < d->count; i++)
        AFN_REQUIRE(has[d->label[i]], AFN_EINVAL,
                    "%s images have class %s, training images have not", what,
                    d->class_name[d->label[i]]);
done:
    afn_free(has);
    return st;
}

static afn_status find_parts(afn_data_parts *out, const afn_dataset_ops *kind,
                             const char *rest, afn_class_order order)
{
    afn_status st = AFN_OK;
    if (kind->open_parts) AFN_TRY(kind->open_parts(out, rest, order));
    if (!out->train) goto done;
    st = adopt_classes(out->val, out->train, "validation");
    if (st == AFN_OK && out->test) st = adopt_classes(out->test, out->train, "test");
    st = afn_context(st, "%s", rest);
done:
    return st;
}

bool afn_data__part_word(uint8_t *part, const char *word)
{
    static const struct {
        const char *word;
        afn_part part;
    } row[] = {
        { "train", AFN_PART_TRAIN },    { "training", AFN_PART_TRAIN },
        { "val", AFN_PART_VAL },        { "valid", AFN_PART_VAL },
        { "validation", AFN_PART_VAL }, { "dev", AFN_PART_VAL },
        { "test", AFN_PART_TEST },
    };
    for (size_t i = 0; i < AFN_COUNT(row); i++)
        if (strcasecmp(word, row[i].word) == 0) {
            *part = (uint8_t)row[i].part;
            return true;
        }
    return false;
}

void afn_data_parts_free(afn_data_parts *parts)
{
    afn_dataset_free(parts->train);
    afn_dataset_free(parts->val);
    afn_dataset_free(parts->test);
    *parts = (afn_data_parts){ 0 };
}

/* ---- subsets ---- */

/* The samples that go to a part, NULL where there are none.
 *   part     (count) of each sample; N_PARTS = of none
 *   index    (count), room to work in */
static afn_status take_part(afn_dataset **out, afn_dataset *whole, const uint8_t *part,
                            afn_part which, int64_t *index)
{
    int64_t n = 0;
    for (int64_t i = 0; i < whole->count; i++)
        if (part[i] == which) index[n++] = i;
    return n ? afn_data__subset(out, whole, index, n) : AFN_OK;
}

static afn_status take_parts(afn_data_parts *out, afn_dataset *whole,
                             const uint8_t *part)
{
    afn_status st = AFN_OK;
    int64_t *index = afn_alloc_array((size_t)whole->count, sizeof *index);
    AFN_REQUIRE(index, AFN_ENOMEM, "out of memory");
    AFN_TRY(take_part(&out->train, whole, part, AFN_PART_TRAIN, index));
    AFN_TRY(take_part(&out->val, whole, part, AFN_PART_VAL, index));
    AFN_TRY(take_part(&out->test, whole, part, AFN_PART_TEST, index));
done:
    afn_free(index);
    return st;
}

/* The parts of a set whose samples are marked; all NULL where there are no two. */
static afn_status marked_parts(afn_data_parts *out, afn_dataset *whole)
{
    afn_status st = AFN_OK;
    AFN_TRY(take_parts(out, whole, whole->part));
    if (!out->val) {
        out->val = out->test;
        out->test = NULL;
    }
    if (!out->train || !out->val) { /* one part is none */
        afn_data_parts_free(out);
        goto done;
    }
    AFN_TRY(check_trained(out->val, out->train, "validation"));
    if (out->test) AFN_TRY(check_trained(out->test, out->train, "test"));
done:
    return st;
}

/* ---- parts to be drawn ---- */

typedef struct draw {
    const afn_dataset *data;
    const afn_data_opts *o;
    uint8_t *part;  /* [count] drawn for each sample; N_PARTS = none yet, or never */
    bool *bad;      /* [count] */
    int64_t *group; /* [count] lowest sample that it is like, itself for most */
    int64_t *next;  /* [count] the next sample of its group, -1 = none */
    int64_t *start; /* [n_classes + 1] samples of class c: order[start[c]] ... */
    int64_t *order; /* [count] */
    int64_t *left;  /* [n_classes] samples that the part at hand may still take */
} draw_state;

static void draw_close(draw_state *w)
{
    afn_free(w->part);
    afn_free(w->bad);
    afn_free(w->group);
    afn_free(w->next);
    afn_free(w->start);
    afn_free(w->order);
    afn_free(w->left);
}

static afn_status draw_open(draw_state *w)
{
    const size_t n = (size_t)w->data->count, classes = (size_t)w->data->n_classes;
    w->part = afn_alloc_array(n, sizeof *w->part);
    w->bad = afn_alloc_array(n, sizeof *w->bad);
    w->group = afn_alloc_array(n, sizeof *w->group);
    w->next = afn_alloc_array(n, sizeof *w->next);
    w->start = afn_alloc_array(classes + 1, sizeof *w->start);
    w->order = afn_alloc_array(n, sizeof *w->order);
    w->left = afn_alloc_array(classes, sizeof *w->left);
    if (!w->part || !w->bad || !w->group || !w->next || !w->start || !w->order ||
        !w->left)
        return afn_fail(AFN_ENOMEM, "out of memory");
    for (size_t i = 0; i < n; i++) w->group[i] = (int64_t)i;
    memset(w->part, N_PARTS, n);
    return AFN_OK;
}

static void warn(const afn_dataset *d, int64_t i, const char *why)
{
    char name[1024];
    afn_log(AFN_LOG_WARNING, "%s: %s, left out",
            afn_dataset_sample_name(d, i, name, sizeof name), why);
}

/* Find what is bad and what is alike. */
static afn_status look(draw_state *w, afn_data_parts *out, const char *spec)
{
    afn_status st = AFN_OK;
    const afn_dataset *d = w->data;
    const afn_scan_opts so = { .threads = w->o->threads,
                               .strict = w->o->strict,
                               .on_look = w->o->on_look,
                               .user = w->o->user,
                               .of = d->count };
    afn_seen *seen = afn_alloc_array((size_t)d->count, sizeof *seen);
    AFN_REQUIRE(seen, AFN_ENOMEM, "out of memory");
    AFN_TRY(afn_data__scan(seen, d, &so));
    AFN_TRY(afn_data__seen_alike(w->group, seen, d->count));
    for (int64_t i = 0; i < d->count; i++) {
        w->bad[i] = seen[i].bad != NULL;
        if (!w->bad[i]) continue;
        warn(d, i, seen[i].bad);
        out->bad++;
    }
    AFN_REQUIRE(out->bad < d->count, AFN_EFORMAT,
                "%s: none of its %lld images can be read", spec, (long long)d->count);
done:
    afn_data__seen_free(seen, d->count);
    return st;
}

/* Chain the samples of each group. */
static void chain(draw_state *w)
{
    const int64_t n = w->data->count;
    for (int64_t i = n; i-- > 0;) w->next[i] = -1;
    for (int64_t i = n; i-- > 0;) {
        const int64_t first = w->group[i];
        if (first == i) continue;
        w->next[i] = w->next[first];
        w->next[first] = i;
    }
}

/* Samples that can be read, by class. */
static void group_by_class(draw_state *w)
{
    const afn_dataset *d = w->data;
    for (int64_t i = 0; i < d->count; i++)
        if (!w->bad[i]) w->start[d->label[i] + 1]++;
    for (int c = 0; c < d->n_classes; c++) w->start[c + 1] += w->start[c];
    for (int64_t i = 0; i < d->count; i++)
        if (!w->bad[i]) w->order[w->start[d->label[i]]++] = i;
    for (int c = d->n_classes; c > 0; c--) w->start[c] = w->start[c - 1];
    w->start[0] = 0;
}

/* How many of n images of a class go to a part: never all, never none of two. */
static int64_t share_of(int64_t n, double fraction)
{
    if (n < 2 || fraction == 0) return 0;
    const int64_t k = (int64_t)floor(fraction * (double)n + 0.5);
    return k < 1 ? 1 : k > n - 1 ? n - 1 : k;
}

/* Does the group fit into what its classes have left? */
static bool group_fits(draw_state *w, int64_t first)
{
    bool fits = true;
    int64_t i = first;
    for (; i >= 0 && fits; i = w->next[i]) fits = --w->left[w->data->label[i]] >= 0;
    for (int64_t k = first; k != i; k = w->next[k]) w->left[w->data->label[k]]++;
    return fits;
}

static void take_group(draw_state *w, int64_t first, afn_part part)
{
    for (int64_t i = first; i >= 0; i = w->next[i]) {
        w->part[i] = (uint8_t)part;
        w->left[w->data->label[i]]--;
    }
}

/* Fill one part, class by class, in the drawn order; returns its size.  A group that is
 * too large for what is left goes elsewhere. */
static int64_t fill(draw_state *w, afn_part part, double fraction)
{
    int64_t total = 0;
    const int n_classes = w->data->n_classes;
    for (int c = 0; c < n_classes; c++)
        total += w->left[c] = share_of(w->start[c + 1] - w->start[c], fraction);
    for (int c = 0; c < n_classes; c++)
        for (int64_t k = w->start[c]; k < w->start[c + 1] && w->left[c] > 0; k++) {
            const int64_t i = w->order[k], first = w->group[i];
            if (w->part[i] == N_PARTS && group_fits(w, first))
                take_group(w, first, part);
        }
    for (int c = 0; c < n_classes; c++) total -= w->left[c];
    return total;
}

static int64_t fill_all(draw_state *w)
{
    const int64_t taken = fill(w, AFN_PART_VAL, w->o->val);
    return taken + fill(w, AFN_PART_TEST, w->o->test);
}

/* A set of nothing but near-duplicates is drawn from as if they were none: measured on
 * such a part a model looks better than it is, which is said. */
static void part_copies(draw_state *w)
{
    afn_log(
        AFN_LOG_WARNING,
        "all images of a class are near-duplicates of each other: those to validate "
        "are copies of those to train");
    for (int64_t i = 0; i < w->data->count; i++) {
        w->group[i] = i;
        w->next[i] = -1;
    }
}

static afn_status draw(draw_state *w)
{
    const afn_dataset *d = w->data;
    bool can = false;
    group_by_class(w);
    chain(w);
    for (int c = 0; c < d->n_classes; c++) {
        const int64_t n = w->start[c + 1] - w->start[c];
        afn_rng rng =
            afn_rng_new(w->o->seed, afn_rng_stream(AFN_RNG_SPLIT, (uint32_t)c, 0));
        afn_rng_shuffle(&rng, w->order + w->start[c], n);
        can |= n > 1;
    }
    if (!can) return afn_fail(AFN_EINVAL, "no class has two images to split");
    if (!fill_all(w)) {
        part_copies(w);
        fill_all(w);
    }
    for (int64_t i = 0; i < d->count; i++)
        if (w->part[i] == N_PARTS && !w->bad[i]) w->part[i] = AFN_PART_TRAIN;
    return AFN_OK;
}

static int64_t count_together(const draw_state *w)
{
    int64_t n = 0;
    for (int64_t i = 0; i < w->data->count; i++) n += w->group[i] != i;
    return n;
}

static afn_status split(afn_data_parts *out, afn_dataset *whole, const char *spec,
                        const afn_data_opts *o)
{
    afn_status st = AFN_OK;
    draw_state w = { .data = whole, .o = o };
    AFN_TRY(draw_open(&w));
    if (o->together && !whole->made_up) AFN_TRY(look(&w, out, spec));
    AFN_TRY(afn_context(draw(&w), "%s", spec));
    out->together = count_together(&w);
    AFN_TRY(take_parts(out, whole, w.part));
    AFN_REQUIRE(out->train, AFN_EINVAL, "%s: nothing is left to train with", spec);
done:
    draw_close(&w);
    return st;
}

/* ---- opening ---- */

afn_data_opts afn_data_defaults(void)
{
    return (afn_data_opts){ .val = 0.2, .together = true };
}

static afn_status check_options(const afn_data_opts *o)
{
    if (!(o->val >= 0 && o->val < 1))
        return afn_fail(AFN_EINVAL, "validation fraction %g, need 0 to below 1",
                        o->val);
    if (!(o->test >= 0 && o->test + o->val < 1))
        return afn_fail(AFN_EINVAL, "test fraction %g, need 0 to below %g", o->test,
                        1 - o->val);
    return AFN_OK;
}

afn_status afn_data_open(afn_data_parts *out, const char *spec,
                         const afn_data_opts *opts)
{
    afn_status st = AFN_OK;
    const afn_data_opts o = opts ? *opts : afn_data_defaults();
    const afn_dataset_ops *kind;
    const char *rest;
    afn_dataset *whole = NULL;

    *out = (afn_data_parts){ 0 };
    AFN_TRY(check_options(&o));
    AFN_TRY(afn_data__kind(&kind, &rest, spec));
    AFN_TRY(find_parts(out, kind, rest, o.order));
    if (out->train) goto done;
    AFN_TRY(kind->open(&whole, rest, o.order));
    if (whole->part) AFN_TRY(afn_context(marked_parts(out, whole), "%s", rest));
    if (out->train) goto done;
    if (o.val == 0 && o.test == 0) {
        out->train = whole;
        whole = NULL;
        goto done;
    }
    out->drawn = true;
    AFN_TRY(split(out, whole, spec, &o));
done:
    if (st != AFN_OK) afn_data_parts_free(out);
    afn_dataset_free(whole);
    return st;
}

afn_status afn_dataset_open_split(afn_dataset **train, afn_dataset **val,
                                  const char *spec, double fraction, uint64_t seed)
{
    afn_data_parts parts;
    afn_data_opts o = afn_data_defaults();
    o.val = fraction;
    o.seed = seed;
    *train = *val = NULL;
    const afn_status st = afn_data_open(&parts, spec, &o);
    *train = parts.train;
    *val = parts.val;
    parts.train = parts.val = NULL;
    afn_data_parts_free(&parts);
    return st;
}
