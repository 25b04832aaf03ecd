/* SPDX-License-Identifier: Apache-2.0 */
/* One graph on one backend, in one of the ways that plans are used; and comparing what
 * two backends made of it. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels.h"

const setup setups[] = {
    { .name = "infer", .pixels = true, .batch = 2, .calls = { 2, 1, 5 } },
    { .name = "train",
      .train = true,
      .bn = AFN_BN_BATCH,
      .trained = 1,
      .input_gradient = true,
      .batch = 2,
      .calls = { 2, 5, 2 } },
    { .name = "train pixels",
      .train = true,
      .bn = AFN_BN_AUTO,
      .trained = 1,
      .pixels = true,
      .batch = 5,
      .calls = { 5, 2 } },
    { .name = "half frozen",
      .train = true,
      .bn = AFN_BN_AUTO,
      .trained = 0.5,
      .batch = 3,
      .calls = { 3, 3, 2 } },
    { .name = "mostly frozen",
      .train = true,
      .bn = AFN_BN_BATCH,
      .trained = 0.15,
      .batch = 2,
      .calls = { 2, 4 } },
    { .name = "frozen statistics",
      .train = true,
      .bn = AFN_BN_FROZEN,
      .trained = 0.7,
      .input_gradient = true,
      .batch = 1,
      .calls = { 1, 3 } },
    { .name = "only the input's gradient",
      .train = true,
      .bn = AFN_BN_AUTO,
      .input_gradient = true,
      .batch = 2,
      .calls = { 2 } },
};
const int n_setups = (int)AFN_COUNT(setups);

/* Relative error that one node may add to a value, in units of the largest element of a
 * tensor.  fp32 rounds to 6e-8; a sum of k terms in another order differs by about
 * sqrt(k) of that, and a few times more in the worst of many elements.  Errors of nodes
 * in a chain add up, so a graph may show the sum over its nodes. */
static const double op_tolerance[] = {
    [AFN_OP_INPUT] = 0,         /* one table look-up */
    [AFN_OP_CONV2D] = 4e-6,     /* sums of up to a few thousand terms */
    [AFN_OP_LINEAR] = 4e-6,     /* the same */
    [AFN_OP_BATCH_NORM] = 2e-5, /* gradients before it are differences of near sums */
    [AFN_OP_ACTIVATION] = 0,    /* exact, but for smooth ones */
    [AFN_OP_MAX_POOL] = 0,      /* exact */
    [AFN_OP_AVG_POOL] = 1e-6,   /* sums of a window; 1/k by product or division */
    [AFN_OP_ADAPTIVE_AVG_POOL] = 1e-6,
    [AFN_OP_FLATTEN] = 0,        /* moves values */
    [AFN_OP_DROPOUT] = 2e-7,     /* one product, the factor rounded once more or less */
    [AFN_OP_ADD] = 2e-7,         /* one rounding; fused into others it is skipped */
    [AFN_OP_CONCAT] = 0,         /* moves values */
    [AFN_OP_SCALE] = 2e-6,       /* one rounding; the gradient of the factor is a sum */
    [AFN_OP_LAYER_NORM] = 2e-5,  /* differences of near sums, as batch norm */
    [AFN_OP_LAYER_SCALE] = 2e-6, /* as scale */
    [AFN_OP_SLICE] = 0,          /* moves values */
    [AFN_OP_SHUFFLE] = 0,        /* moves values */
    [AFN_OP_STOCHASTIC_DEPTH] = 2e-7, /* as dropout */
    [AFN_OP_OUTPUTS] = 0,             /* moves values */
};
static_assert(AFN_COUNT(op_tolerance) == AFN_N_OPS, "one row per op");

/* What a smooth activation adds: an exponential, a division and a few products. */
static const double smooth_tolerance = 5e-7;

/* A gradient passes every node twice, adds over the batch, and cancels before a norm.
 */
static const double gradient_factor = 16;

/* bf16 rounds a value to 2^-9 of it, and products round both factors.  Errors of nodes
 * in a chain are independent and add up as a random walk does; so do those of a batch.
 */
static const double bf16_tolerance = 3 * 0x1p-8, bf16_gradient_factor = 10;

/* Winograd in bf16 rounds what it transforms: a convolution is then 1.3 to 1.9 times as
 * far off as one that rounds its weights alone. */
static const double bf16_winograd_factor = 2;

/* What is left of a sum that cancels has no relative accuracy: the gradient of a bias
 * before a batch norm, say, is 0 but for rounding.  So tensors are judged as at least
 * this large, and gradients as at least this share of the largest gradient, too. */
static const double smallest_scale = 0.1, smallest_share = 0.01;

/* What Winograd adds to a convolution: its transforms multiply by up to 8 and divide by
 * up to 24, twice, and rounding grows by as much. */
static const double winograd_tolerance = 4e-5;

tolerance graph_tolerance(const afn_graph *g, const setup *s)
{
    double sum = 1e-7;
    const int n = afn_graph_n_nodes(g);
    if (s->precision == AFN_PRECISION_BF16) {
        const double factor =
            s->algorithms == AFN_ALGORITHMS_WINOGRAD ? bf16_winograd_factor : 1;
        const double walk = bf16_tolerance * factor * sqrt(n);
        return (tolerance){ walk, walk * bf16_gradient_factor, true };
    }
    for (int i = 0; i < n; i++) {
        const afn_op op = afn_graph_node(g, i)->op;
        sum += op_tolerance[op];
        if (op == AFN_OP_ACTIVATION && afn_graph_node(g, i)->attr.act > AFN_ACT_RELU6)
            sum += smooth_tolerance;
        if (op == AFN_OP_CONV2D && s->algorithms != AFN_ALGORITHMS_EXACT)
            sum += winograd_tolerance;
    }
    return (tolerance){ sum, sum * gradient_factor, false };
}

void must(afn_status st, const char *what)
{
    if (st == AFN_OK) return;
    fprintf(stderr, "%s: %s\n", what, afn_error_message());
    exit(2);
}

static void *must_alloc(size_t n, size_t size)
{
    void *p = calloc(n ? n : 1, size);
    if (p) return p;
    fprintf(stderr, "out of memory\n");
    exit(2);
}

/* ---- results ---- */

static float *add_tensor(results *r, bool gradient, int64_t count, const char *name)
{
    if (r->n == r->cap) {
        r->cap = r->cap ? 2 * r->cap : 32;
        r->t = realloc(r->t, (size_t)r->cap * sizeof *r->t);
        if (!r->t) exit(2);
    }
    tensor *t = &r->t[r->n++];
    *t = (tensor){ .gradient = gradient, .count = count };
    snprintf(t->name, sizeof t->name, "%s", name);
    return t->v = must_alloc((size_t)count, sizeof *t->v);
}

void free_results(results *r)
{
    for (int i = 0; i < r->n; i++) free(r->t[i].v);
    free(r->t);
    *r = (results){ 0 };
}

/* ---- one run ---- */

typedef struct run {
    const afn_graph *g;
    const setup *s;
    uint64_t seed;
    afn_params *params;
    bool *trainable;
    afn_plan *plan;
    results *out;
} run;

static void fill_normal(float *v, int64_t count, uint64_t seed, uint32_t what)
{
    afn_rng r = afn_rng_new(seed, afn_rng_stream(AFN_RNG_TEST, 3, what));
    for (int64_t i = 0; i < count; i++) v[i] = (float)afn_rng_normal(&r);
}

static int64_t value_count(const afn_graph *g, afn_value v)
{
    return afn_shape_count(&afn_graph_node(g, v)->shape);
}

static bool *choose_trainable(const afn_graph *g, double share, uint64_t seed)
{
    const int n = afn_graph_n_params(g);
    bool *t = must_alloc((size_t)n, sizeof *t);
    afn_rng r = afn_rng_new(seed, afn_rng_stream(AFN_RNG_TEST, 4, 0));
    for (int i = 0; i < n; i++)
        t[i] = afn_rng_double(&r) < share && !afn_graph_param(g, i)->buffer;
    return t;
}

static afn_status forward(const run *r, int call, int64_t n, float *y)
{
    const int64_t count = n * value_count(r->g, 0);
    afn_status st;
    if (r->s->pixels && afn_graph_node(r->g, 0)->shape.dim[0] == 3) {
        uint8_t *pixels = must_alloc((size_t)count, 1);
        afn_rng rng =
            afn_rng_new(r->seed, afn_rng_stream(AFN_RNG_TEST, 5, (uint32_t)call));
        for (int64_t i = 0; i < count; i++) pixels[i] = (uint8_t)afn_rng_u32(&rng);
        st = afn_plan_forward(r->plan, pixels, n, y);
        free(pixels);
    } else {
        float *x = must_alloc((size_t)count, sizeof *x);
        fill_normal(x, count, r->seed, 100 + (uint32_t)call);
        st = afn_plan_forward_f32(r->plan, x, n, y);
        free(x);
    }
    return st;
}

static void collect_gradients(const run *r, int call, int64_t n)
{
    char name[sizeof r->out->t->name];
    for (int i = 0; i < afn_graph_n_params(r->g); i++) {
        if (!r->trainable[i]) continue;
        snprintf(name, sizeof name, "call %d: gradient of %s", call,
                 afn_graph_param(r->g, i)->name);
        float *v = add_tensor(r->out, true, afn_params_size(r->params, i), name);
        /* A parameter that the output does not depend on has no gradient. */
        if (afn_plan_gradient(r->plan, i, v) != AFN_OK) v[0] = -1;
    }
    if (!r->s->input_gradient) return;
    snprintf(name, sizeof name, "call %d: gradient of the input", call);
    float *v = add_tensor(r->out, true, n * value_count(r->g, 0), name);
    must(afn_plan_input_gradient(r->plan, v), name);
}

static void sgd(int64_t n, float *restrict w, const float *restrict g,
                float *const *state, const afn_step_args *h)
{
    for (int64_t i = 0; i < n; i++) {
        state[0][i] = h->momentum * state[0][i] + g[i];
        w[i] -= h->lr * state[0][i];
    }
}

static void backward(const run *r, int call, int64_t n)
{
    const afn_optimizer opt = { .name = "sgd", .n_state = 1, .step = sgd };
    const int64_t count = n * value_count(r->g, afn_graph_output(r->g));
    float *dy = must_alloc((size_t)count, sizeof *dy);
    fill_normal(dy, count, r->seed, 200 + (uint32_t)call);
    for (int64_t i = 0; i < count; i++) dy[i] /= (float)n;
    must(afn_plan_backward(r->plan, dy), "backward");
    free(dy);
    collect_gradients(r, call, n);
    must(afn_plan_update(r->plan, &opt,
                         &(afn_step_args){ .lr = 1e-3f, .momentum = 0.9f }, NULL),
         "update");
}

/* New values in the same plan. */
static void refresh(const run *r, int call)
{
    afn_params *fresh = random_params(r->g, r->seed + 1000 + (uint64_t)call);
    for (int i = 0; i < afn_params_count(fresh); i++) {
        const int64_t count = afn_params_size(fresh, i);
        float *to = afn_params_f32(r->params, i);
        if (to) memcpy(to, afn_params_f32(fresh, i), (size_t)count * sizeof *to);
    }
    afn_params_free(fresh);
    must(afn_plan_refresh(r->plan), "refresh");
}

static void collect_params(const run *r)
{
    must(afn_plan_sync(r->plan), "sync");
    for (int i = 0; i < afn_graph_n_params(r->g); i++) {
        const int64_t count = afn_params_size(r->params, i);
        const char *name = afn_graph_param(r->g, i)->name;
        const float *f = afn_params_f32(r->params, i);
        float *v = add_tensor(r->out, false, count, name);
        for (int64_t k = 0; k < count; k++)
            v[k] = f ? f[k] : (float)afn_params_i64(r->params, i)[k];
    }
}

static afn_status run_calls(run *r)
{
    afn_status st = AFN_OK;
    for (int call = 0; call < MAX_CALLS && r->s->calls[call]; call++) {
        const int64_t n = r->s->calls[call];
        char name[32];
        snprintf(name, sizeof name, "call %d: output", call);
        float *y = add_tensor(r->out, false,
                              n * value_count(r->g, afn_graph_output(r->g)), name);
        AFN_TRY(forward(r, call, n, y));
        if (r->s->train)
            backward(r, call, n);
        else
            refresh(r, call);
    }
    collect_params(r);
done:
    return st;
}

static afn_plan_opts options(const run *r, const char *backend)
{
    return (afn_plan_opts){
        .batch = r->s->batch,
        .train = r->s->train,
        .trainable = r->trainable,
        .bn = r->s->bn,
        .input_gradient = r->s->input_gradient,
        .seed = r->seed,
        .threads = 2,
        .backend = backend,
        .algorithms = r->s->algorithms,
        .slice_bytes = r->s->slice_bytes,
        .precision = r->s->precision,
        .mean = { 0.485f, 0.456f, 0.406f },
        .std = { 0.229f, 0.224f, 0.225f },
    };
}

void run_graph(results *out, const afn_graph *g, const setup *s, const char *backend,
               uint64_t seed)
{
    *out = (results){ 0 };
    run r = { .g = g, .s = s, .seed = seed, .out = out };
    r.params = random_params(g, seed);
    r.trainable = choose_trainable(g, s->trained, seed);
    const afn_plan_opts o = options(&r, backend);
    out->status = afn_plan_new(&r.plan, g, r.params, &o);
    if (out->status == AFN_OK) out->status = run_calls(&r);
    if (out->status != AFN_OK && out->status != AFN_ESHAPE) must(out->status, backend);
    afn_plan_free(r.plan);
    afn_params_free(r.params);
    free(r.trainable);
}

/* ---- comparing ---- */

static double largest(const tensor *t)
{
    double m = 0;
    for (int64_t i = 0; i < t->count; i++)
        if (fabs((double)t->v[i]) > m) m = fabs((double)t->v[i]);
    return m;
}

/* The least that a gradient of these results is judged by. */
static double gradient_scale(const results *r)
{
    double m = smallest_scale / smallest_share;
    for (int i = 0; i < r->n; i++)
        if (r->t[i].gradient && largest(&r->t[i]) > m) m = largest(&r->t[i]);
    return smallest_share * m;
}

/* Largest difference of two tensors, relative to the largest element or to scale. */
static double difference(const tensor *a, const tensor *b, double scale)
{
    double worst = 0;
    const double own = largest(a);
    for (int64_t i = 0; i < a->count; i++) {
        const double d = fabs((double)a->v[i] - (double)b->v[i]);
        if (d > worst || isnan(d)) worst = isnan(d) ? INFINITY : d;
    }
    return worst == 0 ? 0 : worst / (own > scale ? own : scale);
}

/* The same of their norms. */
static double norm_difference(const tensor *a, const tensor *b, double scale)
{
    double apart = 0, own = 0;
    for (int64_t i = 0; i < a->count; i++) {
        const double d = (double)a->v[i] - (double)b->v[i];
        apart += d * d;
        own += (double)a->v[i] * (double)a->v[i];
    }
    const double least = scale * scale * (double)a->count;
    if (isnan(apart)) return INFINITY;
    return apart == 0 ? 0 : sqrt(apart / (own > least ? own : least));
}

double compare_results(const results *expected, const results *got,
                       const tolerance *allowed, char *text, size_t text_bytes)
{
    double worst = 0;
    snprintf(text, text_bytes, "equal");
    if (expected->status != got->status || expected->n != got->n) {
        snprintf(text, text_bytes, "%s and %d results, expected %s and %d",
                 afn_status_name(got->status), got->n,
                 afn_status_name(expected->status), expected->n);
        return INFINITY;
    }
    const double least = gradient_scale(expected);
    for (int i = 0; i < got->n; i++) {
        const tensor *a = &expected->t[i], *b = &got->t[i];
        const double most = a->gradient ? allowed->gradient : allowed->value;
        const double d = (allowed->of_norm ? norm_difference : difference)(
            a, b, a->gradient ? least : smallest_scale);
        if (d / most <= worst) continue;
        worst = d / most;
        snprintf(text, text_bytes, "%s: off by %.2g, allowed %.2g", a->name, d, most);
    }
    return worst;
}

/* ---- timing ---- */

/* The fastest of several calls within about 50 ms. */
static double fastest(run *r, int64_t n, bool both)
{
    const int64_t count = n * value_count(r->g, afn_graph_output(r->g));
    float *y = must_alloc((size_t)count, sizeof *y);
    double best = INFINITY;
    const double start = afn_now_s();
    for (int i = 0; i < 3 || (i < 50 && afn_now_s() - start < 0.05); i++) {
        const double t = afn_now_s();
        must(forward(r, 0, n, y), "forward");
        if (both) must(afn_plan_backward(r->plan, y), "backward");
        const double took = afn_now_s() - t;
        if (took < best) best = took;
    }
    free(y);
    return best;
}

void time_graph(const afn_graph *g, const char *backend, int batch, double *forward_s,
                double *both_s)
{
    const setup way[] = {
        { .batch = batch, .pixels = true },
        { .batch = batch,
          .pixels = true,
          .train = true,
          .trained = 1,
          .bn = AFN_BN_FROZEN },
    };
    double *const out[] = { forward_s, both_s };
    for (int i = 0; i < 2; i++) {
        run r = { .g = g, .s = &way[i] };
        r.params = random_params(g, 1);
        r.trainable = choose_trainable(g, way[i].trained, 1);
        const afn_plan_opts o = options(&r, backend);
        must(afn_plan_new(&r.plan, g, r.params, &o), backend);
        *out[i] = fastest(&r, batch, i == 1);
        afn_plan_free(r.plan);
        afn_params_free(r.params);
        free(r.trainable);
    }
}
