/* SPDX-License-Identifier: Apache-2.0 */
/* Whole networks against PyTorch: logits, the gradient of every parameter, the losses
 * of ten steps of SGD, and what weights and running statistics have become.  The
 * answers and how they were made: make_goldens.py.
 *
 *   test_goldens FILE BACKEND PATTERN [STEPS]
 *
 * BACKEND is ref, cpu, or cpu with Winograd convolutions wherever they apply: winograd
 * (our own) or library (oneDNN's).
 *
 * runs the models whose name matches PATTERN, every batch-norm mode, and prints one
 * line per case with the largest differences seen.  With fewer STEPS than the file has,
 * what is known only after all of them is not compared.
 *
 * Differences, each over the size of PyTorch's value, and their limits:
 *   logits  1e-4  largest difference / largest |logit|
 *   losses  1e-4  |difference| / loss, the worst step
 *   grad    1e-3  norm of the difference / norm, the worst parameter
 *   change  3e-2  the same; single precision rounds each small step of a large weight,
 *                 and on the way a ReLU near zero may switch
 *   stats   1e-4  the same
 * A tensor whose norm is below a thousandth of the largest of its case is held to that
 * thousandth instead: the bias of a convolution before a batch norm, say, has a
 * gradient of zero in exact arithmetic and of rounding errors in any program. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "afina/weights.h"
#include "engine/engine.h"
#include "formula.h"
#include "optim/optim.h"
#include "train/loss.h"
#include "zoo/zoo.h"

enum { CLASSES = 10 };

static const struct {
    const char *name;
    afn_bn_mode bn;
} modes[] = {
    { "batch", AFN_BN_BATCH },
    { "frozen", AFN_BN_FROZEN },
    { "auto", AFN_BN_AUTO },
    { "head", AFN_BN_BATCH },
};

/* What may compute. */
typedef struct computer {
    const char *name, *backend;
    afn_algorithms algorithms;
} computer;

static const computer computers[] = {
    { "ref", "ref", AFN_ALGORITHMS_EXACT },
    { "cpu", "cpu", AFN_ALGORITHMS_EXACT },
    { "winograd", "cpu", AFN_ALGORITHMS_WINOGRAD },
    { "library", "cpu", AFN_ALGORITHMS_LIBRARY_WINOGRAD },
};

typedef enum quantity { LOGITS, LOSSES, GRAD, CHANGE, STATS, N_QUANTITIES } quantity;

static const struct {
    const char *name;
    double limit;
    double floor; /* of a tensor's norm, as a part of the largest */
} quantities[] = {
    [LOGITS] = { "logits", 1e-4, 0 },  [LOSSES] = { "losses", 1e-4, 0 },
    [GRAD] = { "grad", 1e-3, 1e-3 },   [CHANGE] = { "change", 3e-2, 1e-2 },
    [STATS] = { "stats", 1e-4, 1e-3 },
};
static_assert(AFN_COUNT(quantities) == N_QUANTITIES, "one row per quantity");

/* One model in one mode. */
typedef struct golden {
    const char *model, *mode;
    const computer *by;
    afn_bn_mode bn;
    int steps;
    const afn_weights *file;
    spec spec;
    afn_step_args sgd;

    afn_graph *graph;
    afn_params *params;
    afn_plan *plan;
    bool *trainable; /* [params] */
    uint8_t *pixels; /* (n, h, w, 3) */
    int *labels;     /* (n) */
    float *logits;   /* (n, classes) */
    float *dlogits;  /* (n, classes) */
    float *values;   /* room for the largest parameter */

    float *want[N_QUANTITIES]; /* PyTorch's answers */
    int64_t rows[N_QUANTITIES];
    double worst[N_QUANTITIES]; /* difference over limit */
    char where[N_QUANTITIES][96];
} golden;

/* ---- reading the file ---- */

/* "MODEL.KEY" or "KEY" of the metadata, "" where there is none. */
static const char *text_of(const golden *c, const char *model, const char *key)
{
    char full[128];
    snprintf(full, sizeof full, "%s%s%s", model, *model ? "." : "", key);
    const char *text = afn_weights_metadata(c->file, full);
    return text ? text : "";
}

static double number_of(const golden *c, const char *model, const char *key)
{
    return atof(text_of(c, model, key));
}

static void read_spec(golden *c)
{
    const char *m = c->model;
    char lr[32];
    c->spec = (spec){
        .n = (int)number_of(c, m, "n"),
        .h = (int)number_of(c, m, "h"),
        .w = (int)number_of(c, m, "w"),
        .fan = number_of(c, m, "fan"),
        .end_norm = text_of(c, m, "end_norm"),
        .end_low = number_of(c, m, "end_low"),
        .end_high = number_of(c, m, "end_high"),
        .var_low = number_of(c, m, "var_low"),
        .var_high = number_of(c, m, "var_high"),
    };
    snprintf(lr, sizeof lr, "lr.%s", c->mode);
    c->sgd = (afn_step_args){
        .lr = (float)number_of(c, m, *text_of(c, m, lr) ? lr : "lr"),
        .momentum = (float)number_of(c, "", "momentum"),
        .weight_decay = (float)number_of(c, "", "weight_decay"),
    };
}

static bool has_case(const golden *c)
{
    char name[128];
    snprintf(name, sizeof name, "%s/%s/logits", c->model, c->mode);
    return afn_weights_find(c->file, name) != NULL;
}

static afn_status read_seed(golden *c)
{
    afn_status st = AFN_OK;
    char name[128];
    float seed = 0;
    snprintf(name, sizeof name, "%s/%s/seed", c->model, c->mode);
    const afn_weight *t = afn_weights_find(c->file, name);
    AFN_REQUIRE(t, AFN_ENOTFOUND, "%s: not in the file", name);
    AFN_TRY(afn_weights_read_f32(c->file, t, &seed, 1));
    c->spec.seed = (int)seed;
done:
    return st;
}

static afn_status read_answers(golden *c)
{
    afn_status st = AFN_OK;
    for (int q = 0; q < N_QUANTITIES; q++) {
        char name[128];
        snprintf(name, sizeof name, "%s/%s/%s", c->model, c->mode, quantities[q].name);
        const afn_weight *t = afn_weights_find(c->file, name);
        AFN_REQUIRE(t && t->shape.rank == 2, AFN_ENOTFOUND, "%s: not in the file",
                    name);
        const size_t n = (size_t)afn_shape_count(&t->shape);
        c->rows[q] = t->shape.dim[0];
        c->want[q] = afn_alloc_array(n, sizeof(float));
        AFN_REQUIRE(c->want[q], AFN_ENOMEM, "out of memory");
        AFN_TRY(afn_weights_read_f32(c->file, t, c->want[q], n));
    }
done:
    return st;
}

/* ---- what trains ---- */

/* As frozen_layers() of make_goldens.py: layers are numbered as they come. */
static void choose_trainable(golden *c)
{
    const int n = afn_graph_n_params(c->graph);
    int layers = 0;
    for (int i = 0; i < n; i++)
        if (i == 0 || afn_graph_param(c->graph, i)->node !=
                          afn_graph_param(c->graph, i - 1)->node)
            layers++;
    for (int i = 0, l = -1; i < n; i++) {
        const afn_param *p = afn_graph_param(c->graph, i);
        if (i == 0 || p->node != afn_graph_param(c->graph, i - 1)->node) l++;
        const bool last = l == layers - 1;
        bool frozen = false;
        if (strcmp(c->mode, "head") == 0) frozen = !last;
        if (strcmp(c->mode, "auto") == 0)
            frozen = !last && (2 * l < layers || l % 7 == 3);
        c->trainable[i] = !p->buffer && !frozen;
    }
}

/* Does the batch norm of this running statistic use the batch? */
static bool moves(const golden *c, const afn_param *p)
{
    const afn_node *node = afn_graph_node(c->graph, p->node);
    if (c->bn == AFN_BN_FROZEN) return false;
    return c->bn == AFN_BN_BATCH || c->trainable[node->param[AFN_WEIGHT]];
}

/* ---- comparing ---- */

static void note(golden *c, quantity q, double difference, const char *where)
{
    const double d = isnan(difference) ? INFINITY : difference;
    if (d <= c->worst[q]) return;
    c->worst[q] = d;
    snprintf(c->where[q], sizeof c->where[q], "%s", where);
}

static void compare_logits(golden *c, const float *logits)
{
    const float *want = c->want[LOGITS];
    double largest = 0, gap = 0;
    for (int i = 0; i < c->spec.n * CLASSES; i++) {
        largest = fmax(largest, fabs((double)want[i]));
        const double d = fabs((double)logits[i] - want[i]);
        gap = d <= gap ? gap : d; /* keeps a NaN */
    }
    note(c, LOGITS, gap / largest, "");
}

static void compare_loss(golden *c, int step, double loss)
{
    const double want = c->want[LOSSES][step];
    char where[32];
    snprintf(where, sizeof where, "step %d", step + 1);
    note(c, LOSSES, fabs(loss - want) / want, where);
}

/* Holds tensor `param` of v to row `row` of a quantity. */
static void compare_sketch(golden *c, quantity q, int row, int param, const float *v)
{
    const float *want = c->want[q];
    double got[SKETCH], largest = 0;
    for (int64_t r = 0; r < c->rows[q]; r++) largest = fmax(largest, want[r * SKETCH]);
    formula_sketch(got, param, v, afn_params_size(c->params, param));
    const double norm = fmax(want[row * SKETCH], quantities[q].floor * largest);
    note(c, q, formula_distance(got, want + row * SKETCH) / norm,
         afn_graph_param(c->graph, param)->name);
}

static afn_status compare_gradients(golden *c)
{
    afn_status st = AFN_OK;
    int row = 0;
    for (int i = 0; i < afn_params_count(c->params); i++) {
        if (!c->trainable[i]) continue;
        AFN_REQUIRE(row < c->rows[GRAD], AFN_ESHAPE, "more gradients than PyTorch's");
        AFN_TRY(afn_plan_gradient(c->plan, i, c->values));
        compare_sketch(c, GRAD, row++, i, c->values);
    }
    AFN_REQUIRE(row == c->rows[GRAD], AFN_ESHAPE, "%d gradients, PyTorch has %d", row,
                (int)c->rows[GRAD]);
done:
    return st;
}

/* A value that must not have moved. */
static void compare_unchanged(golden *c, quantity q, int param, const float *moved)
{
    for (int64_t k = 0; k < afn_params_size(c->params, param); k++)
        if (moved[k] != 0) note(c, q, INFINITY, afn_graph_param(c->graph, param)->name);
}

/* Turns params into their change since the start, and holds it to PyTorch's. */
static afn_status compare_changes(golden *c)
{
    afn_status st = AFN_OK;
    int changed = 0, moved = 0;
    for (int i = 0; i < afn_params_count(c->params); i++) {
        const afn_param *p = afn_graph_param(c->graph, i);
        float *v = afn_params_f32(c->params, i);
        if (!v) {
            const int64_t want = moves(c, p) ? c->steps : 0;
            if (*afn_params_i64(c->params, i) != want)
                note(c, STATS, INFINITY, p->name);
            continue;
        }
        const quantity q = p->buffer ? STATS : CHANGE;
        int *row = p->buffer ? &moved : &changed;
        formula_subtract(v, c->graph, i, &c->spec);
        if (!(p->buffer ? moves(c, p) : c->trainable[i])) {
            compare_unchanged(c, q, i, v);
            continue;
        }
        AFN_REQUIRE(*row < c->rows[q], AFN_ESHAPE, "more rows than PyTorch's");
        compare_sketch(c, q, (*row)++, i, v);
    }
    AFN_REQUIRE(changed == c->rows[CHANGE] && moved == c->rows[STATS], AFN_ESHAPE,
                "fewer rows than PyTorch's");
done:
    return st;
}

/* ---- running ---- */

static afn_status prepare(golden *c)
{
    afn_status st = AFN_OK;
    afn_arch arch;
    int64_t largest = 0;

    AFN_TRY(afn_zoo_find(&arch, c->model));
    AFN_TRY(afn_zoo_build(&c->graph, &arch, CLASSES, c->spec.h, c->spec.w));
    AFN_TRY(afn_params_new(&c->params, c->graph));
    const int count = afn_params_count(c->params);
    for (int i = 0; i < count; i++)
        if (afn_params_size(c->params, i) > largest)
            largest = afn_params_size(c->params, i);
    const size_t n = (size_t)c->spec.n;
    c->trainable = afn_alloc((size_t)count * sizeof *c->trainable);
    c->pixels = afn_alloc(n * (size_t)c->spec.h * (size_t)c->spec.w * 3);
    c->labels = afn_alloc(n * sizeof *c->labels);
    c->logits = afn_alloc(n * CLASSES * sizeof(float));
    c->dlogits = afn_alloc(n * CLASSES * sizeof(float));
    c->values = afn_alloc((size_t)largest * sizeof(float));
    AFN_REQUIRE(c->trainable && c->pixels && c->labels && c->logits && c->dlogits &&
                    c->values,
                AFN_ENOMEM, "out of memory");
    formula_fill(c->params, c->graph, &c->spec);
    formula_pixels(c->pixels, &c->spec);
    formula_labels(c->labels, &c->spec, CLASSES);
    choose_trainable(c);
done:
    return st;
}

static afn_plan_opts plan_opts(const golden *c)
{
    return (afn_plan_opts){
        .batch = c->spec.n,
        .trainable = c->trainable,
        .bn = c->bn,
        .no_dropout = true,
        .backend = c->by->backend,
        .algorithms = c->by->algorithms,
        .mean = { 0.485f, 0.456f, 0.406f }, /* ImageNet, torchvision */
        .std = { 0.229f, 0.224f, 0.225f },
    };
}

/* With fixed statistics an inference plan, folded and fused, must answer the same. */
static afn_status run_inference(golden *c)
{
    afn_status st = AFN_OK;
    const afn_plan_opts opts = plan_opts(c);
    AFN_TRY(afn_plan_new(&c->plan, c->graph, c->params, &opts));
    AFN_TRY(afn_plan_forward(c->plan, c->pixels, c->spec.n, c->logits));
    compare_logits(c, c->logits);
done:
    afn_plan_free(c->plan);
    c->plan = NULL;
    return st;
}

static afn_status run_step(golden *c, int step)
{
    afn_status st = AFN_OK;
    AFN_TRY(afn_plan_forward(c->plan, c->pixels, c->spec.n, c->logits));
    if (step == 0) compare_logits(c, c->logits);
    compare_loss(c, step,
                 afn_cross_entropy(&(afn_scored){ .logits = c->logits,
                                                  .labels = c->labels,
                                                  .n = c->spec.n,
                                                  .classes = CLASSES },
                                   c->dlogits));
    AFN_TRY(afn_plan_backward(c->plan, c->dlogits));
    if (step == 0) AFN_TRY(compare_gradients(c));
    AFN_TRY(afn_plan_update(c->plan, &afn_optim_sgd, &c->sgd, NULL));
done:
    return st;
}

static afn_status run_training(golden *c)
{
    afn_status st = AFN_OK;
    afn_plan_opts opts = plan_opts(c);
    opts.train = true;
    AFN_TRY(afn_plan_new(&c->plan, c->graph, c->params, &opts));
    for (int step = 0; step < c->steps; step++) AFN_TRY(run_step(c, step));
    AFN_TRY(afn_plan_sync(c->plan));
    if (c->steps == c->rows[LOSSES]) AFN_TRY(compare_changes(c));
done:
    return st;
}

static void release(golden *c)
{
    afn_plan_free(c->plan);
    afn_params_free(c->params);
    afn_graph_free(c->graph);
    afn_free(c->trainable);
    afn_free(c->pixels);
    afn_free(c->labels);
    afn_free(c->logits);
    afn_free(c->dlogits);
    afn_free(c->values);
    for (int q = 0; q < N_QUANTITIES; q++) afn_free(c->want[q]);
}

/* One line; true where all is within its limit. */
static bool report(const golden *c)
{
    bool good = true;
    printf("%-17s %-7s %-3s", c->model, c->mode, c->by->name);
    for (int q = 0; q < N_QUANTITIES; q++) {
        if (q >= CHANGE && c->steps < c->rows[LOSSES]) break; /* not compared */
        const bool within = c->worst[q] <= quantities[q].limit;
        printf(" %s %.1e", quantities[q].name, c->worst[q]);
        if (!within) printf(" (limit %.0e, %s)", quantities[q].limit, c->where[q]);
        good = good && within;
    }
    puts(good ? "" : " FAILED");
    fflush(stdout);
    return good;
}

static bool run_case(golden *c, int steps)
{
    afn_status st = AFN_OK;
    read_spec(c);
    AFN_TRY(read_seed(c));
    AFN_TRY(read_answers(c));
    c->steps = steps < c->rows[LOSSES] ? steps : (int)c->rows[LOSSES];
    AFN_TRY(prepare(c));
    if (c->bn == AFN_BN_FROZEN) AFN_TRY(run_inference(c));
    AFN_TRY(run_training(c));
done:
    if (st != AFN_OK)
        printf("%s %s %s: %s\n", c->model, c->mode, c->by->name, afn_error_message());
    const bool good = st == AFN_OK && report(c);
    release(c);
    return good;
}

static const computer *computer_of(const char *name)
{
    for (size_t i = 0; i < AFN_COUNT(computers); i++)
        if (strcmp(computers[i].name, name) == 0) return &computers[i];
    return NULL;
}

int main(int argc, char **argv)
{
    afn_weights *file = NULL;
    int cases = 0, failed = 0;
    const computer *by = argc < 4 ? NULL : computer_of(argv[2]);
    if (!by) {
        fprintf(stderr, "usage: test_goldens FILE BACKEND PATTERN [STEPS]\n");
        return 2;
    }
    if (afn_weights_open(&file, argv[1]) != AFN_OK) {
        printf("%s\n", afn_error_message());
        return 1;
    }
    for (int i = 0; i < afn_zoo_count(); i++) {
        const char *model = afn_zoo_get(i).variant->name;
        if (!afn_glob(argv[3], model)) continue;
        for (size_t m = 0; m < AFN_COUNT(modes); m++) {
            golden c = { .model = model,
                         .mode = modes[m].name,
                         .bn = modes[m].bn,
                         .by = by,
                         .file = file };
            if (!has_case(&c)) continue;
            cases++;
            failed += !run_case(&c, argc > 4 ? atoi(argv[4]) : INT32_MAX);
        }
    }
    afn_weights_free(file);
    printf("%d cases, %d failed\n", cases, failed);
    return failed || !cases ? 1 : 0;
}
