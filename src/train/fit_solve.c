/* SPDX-License-Identifier: Apache-2.0 */
/* A phase solved at once: the weights with the least loss over all training images, by
 * L-BFGS on features.
 *
 * Where the penalty is to be chosen, it is by the loss of the validation images, from
 * strong to weak, each solution the beginning of the next, until two in a row are no
 * better.  Rough solutions do for that; the best one is then made a good one. */
#include <math.h>
#include <string.h>

#include "train/objective.h"

enum { GRID = 13, PATIENCE = 2 };
static const double rough = 100; /* times the tolerance */

/* 1, 0.32, 0.1 ... 1e-6 */
static double grid_l2(int i)
{
    return pow(10, -i / 2.0);
}

typedef struct solving {
    afn_fit_run *f;
    afn_objective *o;
    const afn_phase *phase;
    float *x, *best; /* (o->n); best NULL where nothing is chosen */
    afn_solved told;
} solving;

static afn_status minimise(solving *s, double l2, double tolerance)
{
    const afn_lbfgs_opts *opts = &s->phase->lbfgs;
    const afn_lbfgs_rules rules = { .history = opts->history_size,
                                    .iterations = opts->max_iter,
                                    .tolerance = tolerance };
    const afn_smooth fn = afn_objective_function(s->o);
    afn_lbfgs_result r;
    s->o->l2 = l2;
    const afn_status st = afn_lbfgs(&r, &fn, s->x, &rules);
    s->told.iterations += r.iterations;
    s->told.passes += r.evaluations;
    s->told.converged = r.converged;
    return st;
}

/* The loss of the validation images with x. */
static afn_status validation_loss(const solving *s, double *loss)
{
    afn_status st = AFN_OK;
    afn_fit_run *f = s->f;
    afn_eval v = { 0 };
    const afn_eval_watch watch = { f->o.on_validation, f->o.user };
    AFN_TRY(afn_objective_set(s->o, s->x));
    AFN_TRY(afn_plan_refresh_rest(afn_predictor__plan(f->predictor)));
    AFN_TRY(afn_train__evaluate(&v, f->predictor, &f->val, f->val_map,
                                afn_model_classes(f->model), &watch));
    *loss = v.loss;
done:
    afn_eval_free(&v);
    return st;
}

/* x is then the best one's. */
static afn_status choose(solving *s)
{
    afn_status st = AFN_OK;
    const size_t bytes = (size_t)s->o->n * sizeof *s->x;
    const double tolerance = s->phase->lbfgs.tolerance_grad;
    double least = INFINITY, loss;
    s->best = afn_alloc(bytes);
    AFN_REQUIRE(s->best, AFN_ENOMEM, "out of memory");
    for (int i = 0, waited = 0; i < GRID && waited < PATIENCE; i++) {
        AFN_TRY(minimise(s, grid_l2(i), rough * tolerance));
        AFN_TRY(validation_loss(s, &loss));
        s->told.tried++;
        waited++;
        if (!(loss < least)) continue;
        waited = 0;
        least = loss;
        s->told.l2 = grid_l2(i);
        memcpy(s->best, s->x, bytes);
    }
    AFN_REQUIRE(isfinite(least), AFN_EINVAL, "the loss is not a number");
    memcpy(s->x, s->best, bytes);
    AFN_TRY(minimise(s, s->told.l2, tolerance));
done:
    return st;
}

static afn_status find(solving *s)
{
    const double l2 = s->phase->lbfgs.l2;
    if (l2 < 0 && s->f->predictor) return choose(s);
    s->told.l2 = l2 >= 0 ? l2 : 1 / (double)afn_dataset_count(s->f->train.data);
    return minimise(s, s->told.l2, s->phase->lbfgs.tolerance_grad);
}

/* What the training images say of the solution: one more pass. */
static afn_status look(solving *s, afn_epoch *e)
{
    const afn_smooth fn = afn_objective_function(s->o);
    double f;
    float *g = afn_alloc_array((size_t)s->o->n, sizeof *g);
    if (!g) return afn_fail(AFN_ENOMEM, "out of memory");
    s->o->l2 = s->told.l2;
    const afn_status st = fn.at(fn.user, s->x, &f, g);
    afn_free(g);
    s->told.loss = f;
    e->train_loss = s->o->loss;
    e->train_acc = (double)s->o->correct / (double)s->o->images;
    e->images_per_second = s->o->images_per_second;
    return st;
}

afn_status afn_fit__solve(afn_fit_run *f, afn_objective *o, afn_epoch *e)
{
    afn_status st = AFN_OK;
    const size_t bytes = (size_t)o->n * sizeof(float);
    const double start = afn_now_s();
    solving s = { .f = f, .o = o, .phase = o->phase };
    s.told.phase = o->phase->name;
    s.x = afn_alloc(bytes);
    AFN_REQUIRE(s.x, AFN_ENOMEM, "out of memory");
    AFN_TRY(afn_objective_begin(o));
    afn_objective_get(o, s.x);
    st = find(&s);
    if (st == AFN_OK) st = look(&s, e);
    if (st != AFN_OK) afn_objective_undo(o); /* who goes on begins the phase anew */
    s.told.seconds = afn_now_s() - start;
    if (st == AFN_OK && f->o.on_solved) f->o.on_solved(&s.told, f->o.user);
done:
    afn_free(s.x);
    afn_free(s.best);
    return st;
}
