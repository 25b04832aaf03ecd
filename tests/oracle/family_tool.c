/* SPDX-License-Identifier: Apache-2.0 */
/* One network, for check_families.py:
 *
 *   family_tool BACKEND ARCH CLASSES SIZE N frozen|batch STEPS
 *
 * Reads fp32 from standard input: every float parameter in the state dict's order,
 * N images (N,3,SIZE,SIZE), N labels.  Writes fp32: the logits outside training, the
 * loss of the first step, the gradient of every parameter in it, and every float
 * parameter after STEPS steps of SGD.  Dropout is off; the loss is the mean
 * cross-entropy, of auxiliary classifiers too, times their weights.  Exit status 3
 * where the backend lacks an operator. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/engine.h"
#include "floats.h"
#include "train/loss.h"
#include "train/optim.h"
#include "zoo/zoo.h"

typedef struct job {
    afn_graph *g;
    afn_params *p;
    bool *trainable;
    int classes;
    int64_t n;
    float *x;
    int *label;
    afn_plan_opts opts;
} job;

static afn_status read_input(job *j, int64_t pixels)
{
    afn_status st = AFN_OK;
    float *label = numbers(j->n);
    for (int i = 0; i < afn_params_count(j->p); i++) {
        j->trainable[i] = !afn_graph_param(j->g, i)->buffer;
        if (afn_params_f32(j->p, i))
            AFN_TRY(read_floats(afn_params_f32(j->p, i), afn_params_size(j->p, i)));
    }
    AFN_TRY(read_floats(j->x, j->n * pixels));
    AFN_TRY(read_floats(label, j->n));
    for (int64_t i = 0; i < j->n; i++) j->label[i] = (int)label[i];
done:
    free(label);
    return st;
}

static afn_status write_logits(const job *j)
{
    afn_status st = AFN_OK;
    afn_plan *plan = NULL;
    float *y = numbers(j->n * j->classes);
    afn_plan_opts o = j->opts;
    o.train = false;
    AFN_TRY(afn_plan_new(&plan, j->g, j->p, &o));
    AFN_TRY(afn_plan_forward_f32(plan, j->x, j->n, y));
    write_floats(y, j->n * j->classes);
done:
    afn_plan_free(plan);
    free(y);
    return st;
}

/* The loss of one head, added; its gradient into drows. */
static double head_loss(const job *j, int heads, int h, const float *rows, float *drows)
{
    const int64_t c = j->classes, row = heads * c;
    const float weight = h ? afn_graph_aux_weight(j->g, h - 1) : 1;
    float *y = numbers(j->n * c), *dy = numbers(j->n * c);
    for (int64_t i = 0; i < j->n * c; i++) y[i] = rows[i / c * row + h * c + i % c];
    const double loss = afn_cross_entropy(
        &(afn_scored){
            .logits = y, .labels = j->label, .n = j->n, .classes = j->classes },
        dy);
    for (int64_t i = 0; i < j->n * c; i++)
        drows[i / c * row + h * c + i % c] = weight * dy[i];
    free(y);
    free(dy);
    return (double)weight * loss;
}

static afn_status write_gradients(const job *j, const afn_plan *plan)
{
    for (int i = 0; i < afn_params_count(j->p); i++) {
        if (!j->trainable[i]) continue;
        float *v = numbers(afn_params_size(j->p, i));
        const afn_status st = afn_plan_gradient(plan, i, v);
        if (st != AFN_OK) return st;
        write_floats(v, afn_params_size(j->p, i));
        free(v);
    }
    return AFN_OK;
}

static afn_status train(const job *j, int steps)
{
    afn_status st = AFN_OK;
    afn_plan *plan = NULL;
    const afn_optimizer *sgd;
    const afn_step_args args = { .lr = 1e-4f, /* as check_families.py */
                                 .momentum = 0.9f,
                                 .weight_decay = 1e-4f };
    float *rows = NULL, *drows = NULL;
    AFN_TRY(afn_optimizer_find(&sgd, "sgd"));
    AFN_TRY(afn_plan_new(&plan, j->g, j->p, &j->opts));
    const int heads = afn_plan_heads(plan);
    rows = numbers(j->n * heads * j->classes);
    drows = numbers(j->n * heads * j->classes);
    for (int step = 0; step < steps; step++) {
        double loss = 0;
        AFN_TRY(afn_plan_forward_f32(plan, j->x, j->n, rows));
        for (int h = 0; h < heads; h++) loss += head_loss(j, heads, h, rows, drows);
        AFN_TRY(afn_plan_backward(plan, drows));
        if (step == 0) {
            const float first = (float)loss;
            write_floats(&first, 1);
            AFN_TRY(write_gradients(j, plan));
        }
        AFN_TRY(afn_plan_update(plan, sgd, &args, NULL));
    }
    AFN_TRY(afn_plan_sync(plan));
    for (int i = 0; i < afn_params_count(j->p); i++)
        if (afn_params_f32(j->p, i))
            write_floats(afn_params_f32(j->p, i), afn_params_size(j->p, i));
done:
    afn_plan_free(plan);
    free(rows);
    free(drows);
    return st;
}

static afn_status run(char **arg)
{
    afn_status st = AFN_OK;
    const int size = atoi(arg[4]);
    const int64_t pixels = (int64_t)3 * size * size;
    afn_arch arch;
    job j = { .classes = atoi(arg[3]), .n = atoi(arg[5]) };
    AFN_TRY(afn_zoo_find(&arch, arg[2]));
    AFN_TRY(afn_zoo_build(&j.g, &arch, j.classes, size, size));
    AFN_TRY(afn_params_new(&j.p, j.g));
    j.trainable = calloc((size_t)afn_params_count(j.p), 1);
    j.x = numbers(j.n * pixels);
    j.label = calloc((size_t)j.n, sizeof *j.label);
    if (!j.trainable || !j.label) exit(2);
    AFN_TRY(read_input(&j, pixels));
    j.opts = (afn_plan_opts){ .batch = j.n,
                              .train = true,
                              .trainable = j.trainable,
                              .bn = strcmp(arg[6], "batch") == 0 ? AFN_BN_BATCH
                                                                 : AFN_BN_FROZEN,
                              .no_dropout = true,
                              .threads = 2,
                              .backend = arg[1] };
    AFN_TRY(write_logits(&j));
    AFN_TRY(train(&j, atoi(arg[7])));
done:
    afn_graph_free(j.g);
    afn_params_free(j.p);
    free(j.trainable);
    free(j.x);
    free(j.label);
    return st;
}

int main(int argc, char **argv)
{
    if (argc != 8) {
        fprintf(stderr, "usage: family_tool BACKEND ARCH CLASSES SIZE N frozen|batch "
                        "STEPS\n");
        return 2;
    }
    const afn_status st = run(argv);
    if (st != AFN_OK) fprintf(stderr, "family_tool: %s\n", afn_error_message());
    return st != AFN_OK;
}
