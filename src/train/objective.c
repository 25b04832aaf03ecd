/* SPDX-License-Identifier: Apache-2.0 */
/* A pass goes over the batches of one epoch, always the same one, or of as many as
 * there are views of an image.  The plan gathers the gradients of its batches. */
#include "train/objective.h"

#include <math.h>
#include <string.h>

#include "train/loss.h"

/* ---- the plan ---- */

static afn_status make_plan(afn_objective *o)
{
    afn_status st = AFN_OK;
    const afn_fit_run *f = o->run;
    afn_plan_opts p = {
        .batch = f->train.opts.batch,
        .train = true,
        .update_at_once = true,
        .no_dropout = true,
        .trainable = afn_model__trainable(f->model),
        .bn = AFN_BN_FROZEN,
        .threads = f->o.threads,
        .backend = f->o.backend,
        .precision = AFN_PRECISION_FP32,
        .algorithms = f->o.exact ? AFN_ALGORITHMS_EXACT : AFN_ALGORITHMS_MEASURED,
    };
    afn_model__normalisation(f->model, &p);
    AFN_TRY(afn_plan_new(&o->plan, afn_model__graph(f->model),
                         afn_model__params(f->model), &p));
    AFN_REQUIRE(afn_plan_heads(o->plan) == 1, AFN_EUNSUPPORTED,
                "phase %s: auxiliary classifiers are not trained by lbfgs",
                o->phase->name);
done:
    return st;
}

/* ---- variables ---- */

/* A parameter that is trained. */
typedef struct part {
    int param;     /* -1 before the first */
    int64_t at, n; /* its values among the variables */
    float *values; /* in the model */
    const afn_param *what;
} part;

/* The next one; false behind the last. */
static bool next_part(const afn_objective *o, part *p)
{
    const afn_model *m = o->run->model;
    const afn_graph *g = afn_model__graph(m);
    p->at += p->n;
    while (++p->param < afn_graph_n_params(g)) {
        if (!o->run->changes[p->param]) continue;
        p->n = afn_params_size(afn_model__params(m), p->param);
        p->values = afn_params_f32(afn_model__params(m), p->param);
        p->what = afn_graph_param(g, p->param);
        return true;
    }
    return false;
}

/* W mean of one row of a linear head. */
static double shift(const afn_objective *o, const float *row)
{
    double sum = 0;
    for (int64_t i = 0; i < o->inputs; i++) sum += (double)row[i] * (double)o->mean[i];
    return sum;
}

/* Move between b and b', in place: sign is 1 from b to b', -1 back. */
static void move_bias(const afn_objective *o, float *x, int sign)
{
    if (!o->mean) return;
    const int64_t outputs = o->n / (o->inputs + 1);
    float *bias = x + outputs * o->inputs;
    for (int64_t c = 0; c < outputs; c++)
        bias[c] = (float)((double)bias[c] + sign * shift(o, x + c * o->inputs));
}

static void read_parameters(const afn_objective *o, float *x)
{
    for (part p = { .param = -1 }; next_part(o, &p);)
        for (int64_t i = 0; i < p.n; i++) x[p.at + i] = p.values[i];
}

static void write_parameters(const afn_objective *o, const float *x)
{
    for (part p = { .param = -1 }; next_part(o, &p);)
        for (int64_t i = 0; i < p.n; i++) p.values[i] = x[p.at + i];
}

void afn_objective_get(const afn_objective *o, float *x)
{
    read_parameters(o, x);
    move_bias(o, x, 1);
}

afn_status afn_objective_set(afn_objective *o, const float *x)
{
    memcpy(o->moved, x, (size_t)o->n * sizeof *x);
    move_bias(o, o->moved, -1);
    write_parameters(o, o->moved);
    return afn_plan_refresh_rest(o->plan);
}

void afn_objective_undo(const afn_objective *o)
{
    write_parameters(o, o->before);
}

/* ---- opening ---- */

/* Is all that trains the weight and bias of the linear layer that makes the logits? */
static bool is_linear_head(const afn_objective *o)
{
    const afn_graph *g = afn_model__graph(o->run->model);
    int n = 0;
    for (part p = { .param = -1 }; next_part(o, &p); n++) {
        const afn_node *node = afn_graph_node(g, p.what->node);
        if (node->op != AFN_OP_LINEAR || node->param[AFN_BIAS] < 0) return false;
        if (p.what->slot != (n ? AFN_BIAS : AFN_WEIGHT) || n > 1) return false;
        if (!n && p.what->shape.dim[0] != afn_model_classes(o->run->model))
            return false;
    }
    return n == 2;
}

static afn_status make_room(afn_objective *o)
{
    const afn_model *m = o->run->model;
    const size_t rows = (size_t)o->run->train.opts.batch;
    const size_t n = rows * (size_t)afn_model_classes(m);
    for (part p = { .param = -1 }; next_part(o, &p);) o->n += p.n;
    o->logits = afn_alloc_array(n, sizeof *o->logits);
    o->dlogits = afn_alloc_array(n, sizeof *o->dlogits);
    o->before = afn_alloc_array((size_t)o->n, sizeof *o->before);
    o->moved = afn_alloc_array((size_t)o->n, sizeof *o->moved);
    bool good = o->logits && o->dlogits && o->before && o->moved;
    if (good && is_linear_head(o)) {
        o->inputs = o->n / afn_model_classes(m) - 1;
        o->mean = afn_alloc_array((size_t)o->inputs, sizeof *o->mean);
        good = o->mean != NULL;
    }
    return good ? AFN_OK : afn_fail(AFN_ENOMEM, "out of memory");
}

afn_status afn_objective_open(afn_objective *o, afn_fit_run *run,
                              const afn_phase *phase)
{
    afn_status st = AFN_OK;
    *o = (afn_objective){ .run = run, .phase = phase };
    AFN_TRY(make_plan(o));
    afn_plan_changes(o->plan, run->changes);
    AFN_TRY(make_room(o));
    read_parameters(o, o->before);
done:
    if (st != AFN_OK) afn_objective_close(o);
    return st;
}

void afn_objective_close(afn_objective *o)
{
    afn_plan_free(o->plan);
    afn_free(o->before);
    afn_free(o->moved);
    afn_free(o->logits);
    afn_free(o->dlogits);
    afn_free(o->mean);
    *o = (afn_objective){ 0 };
}

/* ---- a pass ---- */

/* What a pass adds up. */
typedef struct pass {
    double loss, weight; /* the mean's numerator and denominator */
    int64_t step, steps;
    double start_s;
    bool means; /* it is for the features' mean: the gradient is that of the sum of the
                 * first class's logits, whose weights have the features for gradient */
} pass;

static afn_status report(const afn_objective *o, const pass *w)
{
    afn_fit_run *f = o->run;
    const double seconds = afn_now_s() - w->start_s;
    const afn_progress p = { .phase = o->phase->name,
                             .epoch = 1,
                             .of = 1,
                             .step = w->step,
                             .steps = w->steps,
                             .images = o->images,
                             .images_per_second = (double)o->images / seconds,
                             .seconds_left = seconds / (double)w->step *
                                             (double)(w->steps - w->step),
                             .run_seconds_left = NAN,
                             .loss = w->weight > 0 ? w->loss / w->weight : 0,
                             .acc = (double)o->correct / (double)o->images };
    if (f->o.on_step && f->o.on_step(&p, f->o.user))
        return afn_fail(AFN_ECANCELLED, "stopped");
    if (!afn_stop_is_late(&f->rules, &f->o)) return AFN_OK;
    f->end = AFN_END_TIME;
    return afn_fail(AFN_ECANCELLED, "its time is over");
}

static afn_status add_batch(afn_objective *o, pass *w, const afn_batch *b,
                            const void *features)
{
    afn_fit_run *f = o->run;
    const int classes = afn_model_classes(f->model);
    for (int64_t i = 0; i < b->n; i++) f->labels[i] = f->train_map[b->labels[i]];
    const afn_scored s = { .logits = o->logits,
                           .labels = f->labels,
                           .n = b->n,
                           .classes = classes,
                           .smoothing = (double)o->phase->label_smoothing,
                           .class_weight = f->class_weight };
    const afn_status st = afn_plan_run_rest(o->plan, features, b->n, o->logits);
    if (st != AFN_OK) return st;
    const double weight = afn_loss_weight(&s);
    w->loss += weight * afn_cross_entropy(&s, o->dlogits);
    w->weight += weight;
    for (int64_t i = 0; i < b->n * classes; i++)
        o->dlogits[i] = w->means ? i % classes == 0 : o->dlogits[i] * (float)weight;
    for (int64_t i = 0; i < b->n; i++)
        o->correct += afn_best_class(&s, i) == s.labels[i];
    o->images += b->n;
    return afn_plan_backward_gather(o->plan, o->dlogits, w->step++ == 0);
}

static afn_status add_epoch(afn_objective *o, pass *w, int64_t epoch)
{
    afn_status st = AFN_OK;
    afn_batch b = { 0 };
    const void *features = NULL;
    AFN_TRY(afn_batches_start(&o->run->train, epoch));
    for (;;) {
        AFN_TRY(afn_batches_next(&o->run->train, &b, &features));
        if (!b.n) break;
        AFN_TRY(add_batch(o, w, &b, features));
        AFN_TRY(report(o, w));
    }
done:
    return st;
}

static afn_status run_pass(afn_objective *o, pass *w)
{
    afn_status st = AFN_OK;
    const afn_batches *b = &o->run->train;
    w->steps = b->views * afn_batches_count(b);
    w->start_s = afn_now_s();
    o->images = o->correct = 0;
    for (int view = 0; view < b->views; view++)
        AFN_TRY(add_epoch(o, w, b->first_epoch + view));
    AFN_REQUIRE(w->weight > 0, AFN_EINVAL, "phase %s: no image counts in the loss",
                o->phase->name);
    o->loss = w->loss / w->weight;
    o->images_per_second = (double)o->images / (afn_now_s() - w->start_s);
done:
    return st;
}

/* What was gathered.
 *   g        (n) */
static afn_status read_gathered(const afn_objective *o, float *g)
{
    for (part p = { .param = -1 }; next_part(o, &p);) {
        const afn_status st =
            afn_plan_read_state(o->plan, p.param, AFN_STATE_GATHERED, g + p.at);
        if (st != AFN_OK) return st;
    }
    return AFN_OK;
}

afn_status afn_objective_begin(afn_objective *o)
{
    afn_status st = AFN_OK;
    pass w = { .means = true };
    AFN_TRY(run_pass(o, &w));
    if (!o->mean) goto done;
    AFN_TRY(read_gathered(o, o->moved));
    for (int64_t i = 0; i < o->inputs; i++) o->mean[i] = o->moved[i] / (float)o->images;
done:
    return st;
}

/* From the gradient of the sum of losses to that of f.  Returns the penalty.
 *   x        the variables; W comes before b' */
static double finish_gradient(const afn_objective *o, double weight, const float *x,
                              float *g)
{
    double squares = 0;
    const float *dbias = g + o->n - o->n / (o->inputs + 1);
    for (part p = { .param = -1 }; next_part(o, &p);) {
        const bool decays = p.what->shape.rank > 1;
        for (int64_t i = 0; i < p.n; i++) {
            double d = (double)g[p.at + i], w = decays ? (double)x[p.at + i] : 0;
            if (o->mean && decays)
                d -= (double)dbias[i / o->inputs] * (double)o->mean[i % o->inputs];
            g[p.at + i] = (float)(d / weight + o->l2 * w);
            squares += w * w;
        }
    }
    return o->l2 / 2 * squares;
}

static afn_status at(void *user, const float *x, double *f, float *g)
{
    afn_status st = AFN_OK;
    afn_objective *o = user;
    pass w = { 0 };
    AFN_TRY(afn_objective_set(o, x));
    AFN_TRY(run_pass(o, &w));
    AFN_TRY(read_gathered(o, g));
    *f = o->loss + finish_gradient(o, w.weight, x, g);
done:
    return st;
}

afn_smooth afn_objective_function(afn_objective *o)
{
    return (afn_smooth){ .n = o->n, .at = at, .user = o };
}
