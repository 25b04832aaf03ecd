/* SPDX-License-Identifier: Apache-2.0 */
/* One training step: forward, loss, backward, update. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "train/loss.h"
#include "train/trainer.h"
#include "train/update.h"

struct afn_trainer {
    afn_model *model;
    afn_plan *plan;
    afn_rate rate;
    afn_updater updater;
    int classes;
    double smoothing;
    float *class_weight; /* [classes], NULL = all 1 */
    int heads;           /* the classifier and its auxiliary ones */
    int64_t room;        /* samples that the buffers hold */
    float *all, *dall;   /* (room, heads * classes): what the plan makes and takes */
    float *logits;       /* (room, classes) of one head */
    float *dlogits;      /* (room, classes) */
};

afn_trainer_opts afn_trainer_defaults(void)
{
    return (afn_trainer_opts){
        .optim = afn_optim_defaults("sgd"),
        .schedule = afn_schedule_defaults(),
        .bn = AFN_BN_AUTO,
        .batch = 32,
        .backend = "cpu",
    };
}

static afn_status check_options(const afn_trainer_opts *o, const afn_model *m)
{
    const afn_graph *g = afn_model__graph(m);
    const bool *trainable = afn_model__trainable(m);
    afn_status st = afn_optim_check(&o->optim);
    if (st == AFN_OK) st = afn_schedule_check(&o->schedule);
    if (st != AFN_OK) return st;
    if (!(o->label_smoothing >= 0 && o->label_smoothing <= 1))
        return afn_fail(AFN_EINVAL, "label smoothing is %g, need 0 to 1",
                        (double)o->label_smoothing);
    if (o->batch < 1) return afn_fail(AFN_EINVAL, "batch is %" PRId64, o->batch);
    for (int i = 0; i < afn_graph_n_params(g); i++)
        if (trainable[i]) return AFN_OK;
    return afn_fail(AFN_EINVAL, "every parameter is frozen, nothing to train");
}

/* Take a copy of the weights, each a number from 0 and one above it. */
static afn_status copy_weights(afn_trainer *t, const float *weight)
{
    float most = 0;
    if (!weight) return AFN_OK;
    t->class_weight = afn_alloc_array((size_t)t->classes, sizeof *t->class_weight);
    if (!t->class_weight) return afn_fail(AFN_ENOMEM, "out of memory");
    for (int c = 0; c < t->classes; c++) {
        if (!(weight[c] >= 0) || !isfinite(weight[c]))
            return afn_fail(AFN_EINVAL,
                            "class %d has the weight %g, need a number from 0", c,
                            (double)weight[c]);
        if (weight[c] > most) most = weight[c];
        t->class_weight[c] = weight[c];
    }
    return most > 0 ? AFN_OK : afn_fail(AFN_EINVAL, "all classes have the weight 0");
}

static afn_status make_plan(afn_trainer *t, const afn_trainer_opts *o)
{
    afn_plan_opts p = {
        .batch = o->batch,
        .train = true,
        .update_at_once = true,
        .trainable = afn_model__trainable(t->model),
        .bn = o->bn,
        .seed = o->seed,
        .threads = o->threads,
        .backend = o->backend,
        .precision = o->precision,
        .algorithms = o->exact ? AFN_ALGORITHMS_EXACT : AFN_ALGORITHMS_MEASURED,
    };
    afn_model__normalisation(t->model, &p);
    return afn_plan_new(&t->plan, afn_model__graph(t->model),
                        afn_model__params(t->model), &p);
}

afn_status afn_trainer_new(afn_trainer **out, afn_model *m,
                           const afn_trainer_opts *opts)
{
    afn_status st = AFN_OK;
    const afn_trainer_opts o = opts ? *opts : afn_trainer_defaults();
    *out = NULL;
    afn_trainer *t = afn_alloc(sizeof *t);
    AFN_REQUIRE(t, AFN_ENOMEM, "out of memory");
    t->model = m;
    t->classes = afn_model_classes(m);
    t->smoothing = (double)o.label_smoothing;
    AFN_TRY(check_options(&o, m));
    AFN_TRY(copy_weights(t, o.class_weight));
    AFN_TRY(afn_rate_begin(&t->rate, &o));
    AFN_TRY(afn_updater_new(&t->updater, m, &o.optim));
    AFN_TRY(make_plan(t, &o));
    t->heads = afn_plan_heads(t->plan);
    *out = t;
    t = NULL;
done:
    afn_trainer_free(t);
    return st;
}

static void free_room(afn_trainer *t)
{
    afn_free(t->all);
    afn_free(t->dall);
    afn_free(t->logits);
    afn_free(t->dlogits);
    t->room = 0;
}

void afn_trainer_free(afn_trainer *t)
{
    if (!t) return;
    afn_plan_free(t->plan);
    afn_updater_free(&t->updater);
    afn_free(t->class_weight);
    free_room(t);
    afn_free(t);
}

afn_plan *afn_trainer__plan(afn_trainer *t)
{
    return t->plan;
}

static afn_status make_room(afn_trainer *t, int64_t n)
{
    if (n <= t->room) return AFN_OK;
    const size_t count = (size_t)n * (size_t)t->classes;
    const size_t all = (size_t)t->heads * count;
    free_room(t);
    t->all = afn_alloc_array(all, sizeof *t->all);
    t->dall = afn_alloc_array(all, sizeof *t->dall);
    t->logits = afn_alloc_array(count, sizeof *t->logits);
    t->dlogits = afn_alloc_array(count, sizeof *t->dlogits);
    if (!t->all || !t->dall || !t->logits || !t->dlogits)
        return afn_fail(AFN_ENOMEM, "out of memory");
    t->room = n;
    return AFN_OK;
}

static afn_status check_labels(const afn_trainer *t, const int *labels, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        if (labels[i] < 0 || labels[i] >= t->classes)
            return afn_fail(AFN_EINVAL, "label %d, the model has %d classes", labels[i],
                            t->classes);
    return AFN_OK;
}

static afn_status check_batch(const afn_trainer *t, const afn_batch *b)
{
    afn_status st = AFN_OK;
    AFN_REQUIRE(b->n > 0, AFN_EINVAL, "a batch of %" PRId64 " images", b->n);
    AFN_TRY(check_labels(t, b->labels, b->n));
    if (!b->other) goto done;
    AFN_TRY(check_labels(t, b->other, b->n));
    AFN_REQUIRE(b->share >= 0 && b->share <= 1, AFN_EINVAL, "a share of %g", b->share);
done:
    return st;
}

/* Images whose largest logit is that of the label with the larger share. */
static int64_t count_correct(const afn_scored *s)
{
    const int *labels = s->other && s->share < 0.5 ? s->other : s->labels;
    int64_t n = 0;
    for (int64_t i = 0; i < s->n; i++) n += afn_best_class(s, i) == labels[i];
    return n;
}

static afn_status forward(afn_trainer *t, const afn_batch *batch, const void *features)
{
    return features ? afn_plan_run_rest(t->plan, features, batch->n, t->all)
                    : afn_plan_forward(t->plan, batch->pixels, batch->n, t->all);
}

/* Loss of head h, times its weight, with the gradient times `scale`; of the first head,
 * what was right. */
static void add_loss(afn_trainer *t, int h, afn_scored s, float scale,
                     afn_step_result *r)
{
    const size_t row = (size_t)t->heads * (size_t)t->classes;
    const size_t own = (size_t)t->classes, first = (size_t)h * own;
    const float weight =
        h > 0 ? afn_graph_aux_weight(afn_model__graph(t->model), h - 1) : 1;
    s.logits = t->logits;
    for (int64_t i = 0; i < s.n; i++)
        memcpy(t->logits + (size_t)i * own, t->all + (size_t)i * row + first,
               own * sizeof *t->logits);
    r->loss += (double)weight * afn_cross_entropy(&s, t->dlogits);
    if (h == 0) r->correct = count_correct(&s);
    for (int64_t i = 0; i < s.n; i++)
        for (size_t c = 0; c < own; c++)
            t->dall[(size_t)i * row + first + c] =
                scale * weight * t->dlogits[(size_t)i * own + c];
}

afn_status afn_trainer__step(afn_trainer *t, const afn_batch *batch,
                             const void *features, afn_step_result *result)
{
    afn_status st = AFN_OK;
    afn_step_result r = { 0 };
    AFN_TRY(check_batch(t, batch));
    AFN_TRY(make_room(t, batch->n));
    AFN_TRY(forward(t, batch, features));
    const afn_scored s = { .labels = batch->labels,
                           .n = batch->n,
                           .classes = t->classes,
                           .other = batch->other,
                           .share = batch->share,
                           .smoothing = t->smoothing,
                           .class_weight = t->class_weight };
    const double weight = t->updater.o.accumulate > 1 ? afn_loss_weight(&s) : 1;
    for (int h = 0; h < t->heads; h++) add_loss(t, h, s, (float)weight, &r);
    AFN_REQUIRE(isfinite(r.loss), AFN_EINVAL,
                "the loss is no longer a number: try a lower learning rate than %g",
                afn_rate_now(&t->rate));
    AFN_TRY(afn_update_backward(&t->updater, t->plan, &t->rate, t->dall, weight));
done:
    if (result) *result = r;
    return st;
}

afn_status afn_trainer_step(afn_trainer *t, const afn_batch *batch,
                            afn_step_result *result)
{
    return afn_trainer__step(t, batch, NULL, result);
}

afn_status afn_trainer_end_epoch(afn_trainer *t)
{
    const afn_status st = afn_update_rest(&t->updater, t->plan, &t->rate);
    if (st == AFN_OK) t->rate.epoch++;
    return st;
}

void afn_trainer_report(afn_trainer *t, double loss)
{
    afn_rate_report(&t->rate, loss);
}

void afn_trainer_set_lr(afn_trainer *t, float lr)
{
    afn_rate_set(&t->rate, (double)lr);
}

float afn_trainer_lr(const afn_trainer *t)
{
    return (float)afn_rate_now(&t->rate);
}

afn_status afn_trainer_sync(afn_trainer *t)
{
    return afn_plan_sync(t->plan);
}

afn_status afn_trainer_sync_average(afn_trainer *t)
{
    return afn_plan_sync_average(t->plan);
}

void afn_trainer__fields(afn_trainer *t, afn_fields *f)
{
    afn_rate_fields(&t->rate, f);
    afn_update_fields(&t->updater, f);
}
