/* SPDX-License-Identifier: Apache-2.0 */
/* A model run over a data set once, its logits kept. */
#include <string.h>

#include "train/score/evaluate.h"
#include "train/score/metrics.h"

afn_score_opts afn_score_defaults(void)
{
    afn_score_opts o = { .predict = afn_predict_defaults() };
    o.predict.batch = 32;
    return o;
}

static afn_status make_room(afn_scores *s, int64_t n, int classes)
{
    s->classes = classes;
    s->logits = afn_alloc_array((size_t)n * (size_t)classes, sizeof *s->logits);
    s->labels = afn_alloc_array((size_t)n, sizeof *s->labels);
    s->index = afn_alloc_array((size_t)n, sizeof *s->index);
    if (!s->logits || !s->labels || !s->index)
        return afn_fail(AFN_ENOMEM, "out of memory for the scores of %lld images",
                        (long long)n);
    return AFN_OK;
}

static afn_status run(afn_scores *s, const afn_scoring *w, const afn_score_opts *o)
{
    afn_status st = AFN_OK;
    const int64_t of = afn_dataset_count(w->data);
    afn_batch b;
    AFN_TRY(afn_loader_start(w->loader, 0));
    for (;;) {
        AFN_TRY(afn_loader_next(w->loader, &b));
        if (!b.n) break;
        AFN_TRY(afn_predictor_run(w->predictor, b.pixels, b.n,
                                  s->logits + s->count * s->classes));
        for (int64_t i = 0; i < b.n; i++) {
            s->labels[s->count + i] = w->map[b.labels[i]];
            s->index[s->count + i] = b.index[i];
        }
        s->count += b.n;
        AFN_REQUIRE(!o->on_batch || !o->on_batch(s->count, of, o->user), AFN_ECANCELLED,
                    "stopped");
    }
    s->skipped = afn_loader_bad(w->loader);
done:
    return st;
}

afn_status afn_train__score(afn_scores *out, const afn_scoring *w,
                            const afn_score_opts *opts)
{
    afn_status st = AFN_OK;
    const afn_score_opts o = opts ? *opts : afn_score_defaults();
    afn_scores s = { 0 };
    const double start = afn_now_s();

    *out = (afn_scores){ 0 };
    AFN_TRY(make_room(&s, afn_dataset_count(w->data), w->classes));
    AFN_TRY(run(&s, w, &o));
    s.seconds = afn_now_s() - start;
    *out = s;
    s = (afn_scores){ 0 };
done:
    afn_scores_free(&s);
    return st;
}

afn_status afn_score(afn_scores *out, const afn_model *m, const afn_dataset *d,
                     const afn_score_opts *opts)
{
    afn_status st = AFN_OK;
    afn_score_opts o = opts ? *opts : afn_score_defaults();
    const afn_preprocess pre = afn_model_preprocess(m);
    afn_loader_opts lo = afn_loader_defaults();
    afn_predictor *p = NULL;
    afn_loader *l = NULL;
    int *map = NULL;

    *out = (afn_scores){ 0 };
    if (o.predict.batch > afn_dataset_count(d)) o.predict.batch = afn_dataset_count(d);
    lo.batch = o.predict.batch;
    lo.shuffle = false;
    lo.keep = 0; /* seen once */
    lo.threads = o.predict.threads;
    lo.strict = o.strict;
    map = afn_alloc_array((size_t)afn_dataset_classes(d), sizeof *map);
    AFN_REQUIRE(map, AFN_ENOMEM, "out of memory");
    AFN_TRY(afn_train__map_classes(map, m, d));
    AFN_TRY(afn_loader_new(&l, d, &pre, &lo));
    AFN_TRY(afn_predictor_new(&p, m, &o.predict));
    AFN_TRY(afn_train__score(out, &(afn_scoring){ d, l, p, map, afn_model_classes(m) },
                             &o));
done:
    afn_loader_free(l);
    afn_predictor_free(p);
    afn_free(map);
    return st;
}

void afn_scores_free(afn_scores *s)
{
    if (!s) return;
    afn_free(s->logits);
    afn_free(s->labels);
    afn_free(s->index);
    *s = (afn_scores){ 0 };
}

static void append(afn_scores *to, const afn_scores *from)
{
    const size_t n = (size_t)from->count, classes = (size_t)from->classes;
    memcpy(to->logits + to->count * to->classes, from->logits,
           n * classes * sizeof *to->logits);
    memcpy(to->labels + to->count, from->labels, n * sizeof *to->labels);
    memcpy(to->index + to->count, from->index, n * sizeof *to->index);
    to->count += from->count;
    to->skipped += from->skipped;
    to->seconds += from->seconds;
}

afn_status afn_scores_add(afn_scores *s, const afn_scores *more)
{
    afn_scores both = { 0 };
    if (s->classes != more->classes)
        return afn_fail(AFN_EINVAL, "scores of %d classes, need %d", more->classes,
                        s->classes);
    const afn_status st = make_room(&both, s->count + more->count, s->classes);
    if (st != AFN_OK) {
        afn_scores_free(&both);
        return st;
    }
    append(&both, s);
    append(&both, more);
    afn_scores_free(s);
    *s = both;
    return AFN_OK;
}
