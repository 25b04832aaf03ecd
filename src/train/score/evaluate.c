/* SPDX-License-Identifier: Apache-2.0 */
/* Evaluation: accuracy, loss and confusion over a data set, in inference mode. */
#include "train/score/evaluate.h"

#include <inttypes.h>
#include <string.h>

#include "train/loss.h"

static int class_by_name(const afn_model *m, const char *name)
{
    for (int c = 0; c < afn_model_classes(m); c++)
        if (strcmp(afn_model_class_name(m, c), name) == 0) return c;
    return -1;
}

static afn_status fail_unknown(const afn_model *m, const char *name)
{
    const int n = afn_model_classes(m);
    const char **known = afn_alloc_array((size_t)n, sizeof *known);
    if (!known) return afn_fail(AFN_ENOMEM, "out of memory");
    for (int c = 0; c < n; c++) known[c] = afn_model_class_name(m, c);
    const char *near = afn_nearest(name, known, (size_t)n);
    afn_status st = AFN_EINVAL;
    if (near)
        st = afn_fail(st,
                      "class %s of the data is not one of the model's, did you mean "
                      "%s?",
                      name, near);
    else
        st = afn_fail(st, "class %s of the data is not one of the model's: %s%s%s%s",
                      name, known[0], n > 1 ? ", " : "", n > 1 ? known[1] : "",
                      n > 2 ? ", ..." : "");
    afn_free(known);
    return st;
}

afn_status afn_train__map_classes(int *map, const afn_model *m, const afn_dataset *d)
{
    const int have = afn_model_classes(m), need = afn_dataset_classes(d);
    const bool named = afn_model_class_name(m, 0) != NULL;
    if (!named && need > have)
        return afn_fail(AFN_EINVAL, "the data has %d classes, the model %d", need,
                        have);
    for (int i = 0; i < need; i++) {
        const char *name = afn_dataset_class_name(d, i);
        map[i] = named ? class_by_name(m, name) : i;
        if (map[i] < 0) return fail_unknown(m, name);
    }
    return AFN_OK;
}

/* Buffers of one evaluation. */
typedef struct scratch {
    int64_t room;
    float *logits; /* (room, classes) */
    int *labels;   /* (room) in the model's order */
} scratch;

static afn_status make_room(scratch *s, int64_t n, int classes)
{
    if (n <= s->room) return AFN_OK;
    afn_free(s->logits);
    afn_free(s->labels);
    s->room = 0;
    s->logits = afn_alloc_array((size_t)n * (size_t)classes, sizeof *s->logits);
    s->labels = afn_alloc_array((size_t)n, sizeof *s->labels);
    if (!s->logits || !s->labels) return afn_fail(AFN_ENOMEM, "out of memory");
    s->room = n;
    return AFN_OK;
}

static void count(afn_eval *e, const afn_scored *s)
{
    e->loss += afn_cross_entropy(s, NULL) * (double)s->n; /* divided at the end */
    e->count += s->n;
    for (int64_t i = 0; i < s->n; i++) {
        const int best = afn_best_class(s, i);
        e->correct += best == s->labels[i];
        e->correct5 += afn_rank_of_label(s, i) < 5;
        e->confusion[s->labels[i] * s->classes + best]++;
    }
}

static afn_status score(afn_eval *e, scratch *s, afn_predictor *p, const afn_batch *b,
                        const void *features, const int *map)
{
    afn_status st = make_room(s, b->n, e->classes);
    if (st != AFN_OK) return st;
    st = features ? afn_plan_run_rest(afn_predictor__plan(p), features, b->n, s->logits)
                  : afn_predictor_run(p, b->pixels, b->n, s->logits);
    if (st != AFN_OK) return st;
    for (int64_t i = 0; i < b->n; i++) s->labels[i] = map[b->labels[i]];
    count(e, &(afn_scored){ .logits = s->logits,
                            .labels = s->labels,
                            .n = b->n,
                            .classes = e->classes });
    return AFN_OK;
}

static afn_status tell(const afn_eval_watch *watch, const afn_batches *from)
{
    if (!watch || !watch->on_batch) return AFN_OK;
    return watch->on_batch(afn_batches_at(from), afn_batches_count(from), watch->user)
               ? afn_fail(AFN_ECANCELLED, "stopped")
               : AFN_OK;
}

afn_status afn_train__evaluate(afn_eval *out, afn_predictor *p, afn_batches *from,
                               const int *map, int classes, const afn_eval_watch *watch)
{
    afn_status st = AFN_OK;
    afn_eval e = { .classes = classes };
    afn_batch b = { 0 };
    const void *features = NULL;
    scratch s = { 0 };
    const double start = afn_now_s();

    *out = (afn_eval){ 0 };
    e.confusion =
        afn_alloc_array((size_t)classes * (size_t)classes, sizeof *e.confusion);
    AFN_REQUIRE(e.confusion, AFN_ENOMEM, "out of memory");
    AFN_TRY(afn_batches_start(from, 0));
    for (;;) {
        AFN_TRY(afn_batches_next(from, &b, &features));
        if (!b.n) break;
        AFN_TRY(score(&e, &s, p, &b, features, map));
        AFN_TRY(tell(watch, from));
    }
    if (e.count) e.loss /= (double)e.count;
    e.seconds = afn_now_s() - start;
    e.skipped = afn_loader_bad(from->loader);
    *out = e;
    e.confusion = NULL;
done:
    afn_free(e.confusion);
    afn_free(s.logits);
    afn_free(s.labels);
    return st;
}

afn_status afn_evaluate(afn_eval *out, const afn_model *m, const afn_dataset *d,
                        const afn_predict_opts *opts)
{
    afn_status st = AFN_OK;
    afn_predict_opts o = opts ? *opts : afn_predict_defaults();
    afn_loader_opts lo = afn_loader_defaults();
    afn_predictor *p = NULL;
    afn_batches from = { 0 };
    int *map = NULL;

    *out = (afn_eval){ 0 };
    if (!opts) o.batch = 32;
    lo.batch = o.batch;
    lo.shuffle = false;
    lo.keep = 0; /* seen once */
    lo.threads = o.threads;
    const afn_preprocess pre = afn_model_preprocess(m);
    map = afn_alloc_array((size_t)afn_dataset_classes(d), sizeof *map);
    AFN_REQUIRE(map, AFN_ENOMEM, "out of memory");
    AFN_TRY(afn_train__map_classes(map, m, d));
    AFN_TRY(afn_batches_open(&from, d, &pre, &lo));
    AFN_TRY(afn_predictor_new(&p, m, &o));
    AFN_TRY(afn_train__evaluate(out, p, &from, map, afn_model_classes(m), NULL));
done:
    afn_batches_close(&from);
    afn_predictor_free(p);
    afn_free(map);
    return st;
}

void afn_eval_free(afn_eval *e)
{
    if (!e) return;
    afn_free(e->confusion);
    *e = (afn_eval){ 0 };
}
