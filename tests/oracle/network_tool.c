/* SPDX-License-Identifier: Apache-2.0 */
/* One network, trained for some steps, for check_networks.py to compare with
 * torchvision:
 *   network_tool                         the name of every architecture, one a line
 *   network_tool save ARCH WEIGHTS OUT   the same weights in another file
 *   network_tool BACKEND MODE ARCH WEIGHTS PIXELS N HEIGHT WIDTH LR STEPS OUT
 * MODE is infer, or the batch-norm rule of training: batch, frozen.  PIXELS holds
 * (n, height, width, 3) bytes.  OUT, a .safetensors, gets for the first step
 *   logits        (n, classes)
 *   grad.NAME     of every parameter
 * and after all of them
 *   losses        (steps)
 *   after.NAME    every entry of the state dict that is float
 * and of the counters that all agree, as metadata "batches".  Dropout and its like are
 * off.  infer makes logits only. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/engine.h"
#include "model/model.h"
#include "optim/optim.h"
#include "train/loss.h"
#include "weights/weights.h"
#include "zoo/zoo.h"

enum { MAX_STEPS = 16 };

typedef struct run {
    const char *backend, *mode, *arch, *weights, *pixel_file, *out_file;
    int n, height, width, steps;
    afn_step_args sgd;

    afn_graph *graph;
    afn_params *params;
    afn_plan *plan;
    afn_weights *out;
    bool *trainable; /* [params] */
    uint8_t *pixels; /* (n, height, width, 3) */
    int *labels;     /* (n) */
    float *logits;   /* (n, outputs) */
    float *dlogits;  /* (n, outputs) */
    float losses[MAX_STEPS];
    float mean[3], std[3]; /* the model's own */
    int classes, outputs;  /* logits of a sample; the same with auxiliary heads' */
} run;

/* ---- the network ---- */

/* The file's values in a network of another input size. */
static afn_status take_values(run *r, const afn_model *m)
{
    afn_status st = AFN_OK;
    afn_params *from = afn_model__params(m);
    const int n = afn_params_count(r->params);
    AFN_REQUIRE(n == afn_params_count(from), AFN_ESHAPE, "%d parameters, the model %d",
                n, afn_params_count(from));
    for (int i = 0; i < n; i++) {
        const size_t size = (size_t)afn_params_size(from, i);
        if (afn_params_f32(from, i))
            memcpy(afn_params_f32(r->params, i), afn_params_f32(from, i),
                   size * sizeof(float));
        else
            *afn_params_i64(r->params, i) = *afn_params_i64(from, i);
    }
done:
    return st;
}

static afn_status open_network(run *r)
{
    afn_status st = AFN_OK;
    afn_model *m = NULL;
    afn_arch arch;
    AFN_TRY(afn_zoo_find(&arch, r->arch));
    AFN_TRY(afn_model_open(&m, r->arch, r->weights));
    r->classes = afn_model_classes(m);
    AFN_TRY(afn_zoo_build(&r->graph, &arch, r->classes, r->height, r->width));
    AFN_TRY(afn_params_new(&r->params, r->graph));
    AFN_TRY(take_values(r, m));
    const afn_preprocess p = afn_model_preprocess(m);
    memcpy(r->mean, p.mean, sizeof r->mean);
    memcpy(r->std, p.std, sizeof r->std);
done:
    afn_model_free(m);
    return st;
}

static afn_status read_pixels(run *r)
{
    afn_status st = AFN_OK;
    const size_t n = (size_t)r->n * (size_t)r->height * (size_t)r->width * 3;
    FILE *f = fopen(r->pixel_file, "rb");
    r->pixels = malloc(n);
    AFN_REQUIRE(f && r->pixels && fread(r->pixels, 1, n, f) == n, AFN_EIO,
                "%s: too short", r->pixel_file);
done:
    if (f) fclose(f);
    return st;
}

static afn_status allocate(run *r)
{
    const int n = afn_params_count(r->params);
    const afn_node *out = afn_graph_node(r->graph, afn_graph_output(r->graph));
    const bool training = strcmp(r->mode, "infer") != 0;
    r->outputs = training ? (int)afn_shape_count(&out->shape) : r->classes;
    r->trainable = calloc((size_t)n, sizeof *r->trainable);
    r->labels = calloc((size_t)r->n, sizeof *r->labels);
    r->logits = calloc((size_t)(r->n * r->outputs), sizeof *r->logits);
    r->dlogits = calloc((size_t)(r->n * r->outputs), sizeof *r->dlogits);
    if (!r->trainable || !r->labels || !r->logits || !r->dlogits)
        return afn_fail(AFN_ENOMEM, "out of memory");
    for (int i = 0; i < n; i++) r->trainable[i] = !afn_graph_param(r->graph, i)->buffer;
    for (int i = 0; i < r->n; i++) r->labels[i] = (7 * i + 3) % r->classes;
    return AFN_OK;
}

/* ---- what comes out ---- */

static afn_status add(run *r, const char *kind, const char *name,
                      const afn_shape *shape, const float *values)
{
    char full[256];
    snprintf(full, sizeof full, "%s%s", kind, name);
    return afn_weights_add(r->out, full, AFN_F32, shape, values);
}

static afn_status add_logits(run *r)
{
    const afn_shape shape = AFN_SHAPE(r->n, r->outputs);
    return add(r, "logits", "", &shape, r->logits);
}

static afn_status add_gradients(run *r)
{
    afn_status st = AFN_OK;
    float *values = NULL;
    for (int i = 0; i < afn_params_count(r->params); i++) {
        const afn_param *p = afn_graph_param(r->graph, i);
        if (p->buffer) continue;
        free(values);
        values = malloc((size_t)afn_params_size(r->params, i) * sizeof *values);
        AFN_REQUIRE(values, AFN_ENOMEM, "out of memory");
        AFN_TRY(afn_plan_gradient(r->plan, i, values));
        AFN_TRY(add(r, "grad.", p->name, &p->shape, values));
    }
done:
    free(values);
    return st;
}

static afn_status add_state(run *r)
{
    afn_status st = AFN_OK;
    int64_t batches = -1;
    char text[32];
    for (int i = 0; i < afn_params_count(r->params); i++) {
        const afn_param *p = afn_graph_param(r->graph, i);
        const float *values = afn_params_f32(r->params, i);
        if (values) {
            AFN_TRY(add(r, "after.", p->name, &p->shape, values));
            continue;
        }
        const int64_t count = *afn_params_i64(r->params, i);
        AFN_REQUIRE(batches < 0 || batches == count, AFN_EINVAL,
                    "%s is %lld, others %lld", p->name, (long long)count,
                    (long long)batches);
        batches = count;
    }
    snprintf(text, sizeof text, "%lld", (long long)batches);
    if (batches >= 0) AFN_TRY(afn_weights_set_metadata(r->out, "batches", text));
    const afn_shape shape = AFN_SHAPE(r->steps);
    AFN_TRY(add(r, "losses", "", &shape, r->losses));
done:
    return st;
}

/* ---- running ---- */

static afn_status new_plan(run *r, bool train)
{
    afn_plan_opts opts = {
        .batch = r->n,
        .train = train,
        .trainable = r->trainable,
        .bn = strcmp(r->mode, "frozen") == 0 ? AFN_BN_FROZEN : AFN_BN_BATCH,
        .no_dropout = true,
        .backend = r->backend,
        .algorithms = AFN_ALGORITHMS_EXACT,
    };
    memcpy(opts.mean, r->mean, sizeof opts.mean);
    memcpy(opts.std, r->std, sizeof opts.std);
    return afn_plan_new(&r->plan, r->graph, r->params, &opts);
}

/* Cross-entropy of head h, 0 the main one, weighed; its derivative in dlogits. */
static double head_loss(run *r, int h)
{
    const double weight = h ? (double)afn_graph_aux_weight(r->graph, h - 1) : 1;
    double loss = 0;
    for (int i = 0; i < r->n; i++) {
        const int64_t at = (int64_t)i * r->outputs + (int64_t)h * r->classes;
        const afn_scored one = { .logits = r->logits + at,
                                 .labels = r->labels + i,
                                 .n = 1,
                                 .classes = r->classes };
        loss += weight * afn_cross_entropy(&one, r->dlogits + at) / r->n;
        for (int c = 0; c < r->classes; c++)
            r->dlogits[at + c] *= (float)(weight / r->n);
    }
    return loss;
}

/* Of all heads together. */
static double loss_of(run *r)
{
    double loss = 0;
    for (int h = 0; h * r->classes < r->outputs; h++) loss += head_loss(r, h);
    return loss;
}

static afn_status train(run *r)
{
    afn_status st = AFN_OK;
    AFN_TRY(new_plan(r, true));
    for (int step = 0; step < r->steps; step++) {
        AFN_TRY(afn_plan_forward(r->plan, r->pixels, r->n, r->logits));
        if (step == 0) AFN_TRY(add_logits(r));
        r->losses[step] = (float)loss_of(r);
        AFN_TRY(afn_plan_backward(r->plan, r->dlogits));
        if (step == 0) AFN_TRY(add_gradients(r));
        AFN_TRY(afn_plan_update(r->plan, &afn_optim_sgd, &r->sgd, NULL));
    }
    AFN_TRY(afn_plan_sync(r->plan));
    AFN_TRY(add_state(r));
done:
    return st;
}

static afn_status infer(run *r)
{
    afn_status st = AFN_OK;
    AFN_TRY(new_plan(r, false));
    AFN_TRY(afn_plan_forward(r->plan, r->pixels, r->n, r->logits));
    AFN_TRY(add_logits(r));
done:
    return st;
}

static afn_status work(run *r)
{
    afn_status st = AFN_OK;
    AFN_REQUIRE(r->steps <= MAX_STEPS, AFN_EINVAL, "more than %d steps", MAX_STEPS);
    AFN_TRY(open_network(r));
    AFN_TRY(read_pixels(r));
    AFN_TRY(allocate(r));
    AFN_TRY(afn_weights_new(&r->out));
    AFN_TRY(strcmp(r->mode, "infer") == 0 ? infer(r) : train(r));
    AFN_TRY(afn_weights_save(r->out, r->out_file));
done:
    return st;
}

static void release(run *r)
{
    afn_plan_free(r->plan);
    afn_params_free(r->params);
    afn_graph_free(r->graph);
    afn_weights_free(r->out);
    free(r->trainable);
    free(r->pixels);
    free(r->labels);
    free(r->logits);
    free(r->dlogits);
}

static afn_status save(const char *arch, const char *from, const char *to)
{
    afn_model *m = NULL;
    afn_status st = afn_model_open(&m, arch, from);
    if (st == AFN_OK) st = afn_model_save(m, to);
    afn_model_free(m);
    return st;
}

static afn_status train_and_write(char **argv)
{
    run r = {
        .backend = argv[1],
        .mode = argv[2],
        .arch = argv[3],
        .weights = argv[4],
        .pixel_file = argv[5],
        .n = atoi(argv[6]),
        .height = atoi(argv[7]),
        .width = atoi(argv[8]),
        .sgd = { .lr = (float)atof(argv[9]), .momentum = 0.9f, .weight_decay = 1e-4f },
        .steps = atoi(argv[10]),
        .out_file = argv[11],
    };
    const afn_status st = work(&r);
    release(&r);
    return st;
}

int main(int argc, char **argv)
{
    afn_status st = AFN_OK;
    if (argc == 1)
        for (int i = 0; i < afn_zoo_count(); i++) puts(afn_zoo_get(i).variant->name);
    else if (argc == 5 && strcmp(argv[1], "save") == 0)
        st = save(argv[2], argv[3], argv[4]);
    else if (argc == 12)
        st = train_and_write(argv);
    else
        return 2;
    if (st != AFN_OK) fprintf(stderr, "%s\n", afn_error_message());
    return st != AFN_OK;
}
