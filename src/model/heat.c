/* SPDX-License-Identifier: Apache-2.0 */
/* Grad-CAM.  The plan is a training plan in which nothing trains and one value in the
 * middle is watched: what comes before it is folded and fused as for prediction, and
 * backward ends there. */
#include "afina/heat.h"

#include <math.h>
#include <string.h>

#include "model/state.h"

struct afn_heat {
    const afn_model *model;
    afn_plan *plan;
    int64_t batch;
    int channels, rows, columns;
    float *logits, *dlogits;   /* (batch, classes) */
    float *feature, *dfeature; /* (batch, channels, rows, columns) */
};

/* Going back from the logits, the first value with several places that something pools
 * or flattens. */
static afn_value find_features(const afn_graph *g)
{
    afn_value v = afn_graph_output(g);
    for (;;) {
        const afn_node *n = afn_graph_node(g, v);
        const bool places = n->shape.rank == 3 && n->shape.dim[1] * n->shape.dim[2] > 1;
        const bool passes =
            n->op == AFN_OP_DROPOUT || n->op == AFN_OP_ADAPTIVE_AVG_POOL;
        if (n->op == AFN_OP_INPUT) return AFN_NO_VALUE;
        if (places && !passes) return v;
        v = n->input[0];
    }
}

static afn_status compile(afn_heat *h, const afn_predict_opts *o)
{
    const afn_graph *g = h->model->net.graph;
    const afn_value v = find_features(g);
    afn_plan_opts po = { .batch = o->batch,
                         .train = true,
                         .bn = AFN_BN_FROZEN,
                         .no_dropout = true,
                         .watch = v,
                         .threads = o->threads,
                         .backend = o->backend,
                         .precision = o->precision,
                         .algorithms = o->exact ? AFN_ALGORITHMS_EXACT
                                                : AFN_ALGORITHMS_MEASURED };
    if (v == AFN_NO_VALUE)
        return afn_fail(AFN_EUNSUPPORTED, "%s has no features with places at %d pixels",
                        afn_model_arch(h->model), h->model->preprocess.crop);
    const afn_shape *shape = &afn_graph_node(g, v)->shape;
    h->channels = (int)shape->dim[0];
    h->rows = (int)shape->dim[1];
    h->columns = (int)shape->dim[2];
    afn_model__normalisation(h->model, &po);
    return afn_plan_new(&h->plan, g, h->model->net.params, &po);
}

afn_status afn_heat_new(afn_heat **out, const afn_model *m,
                        const afn_predict_opts *opts)
{
    afn_status st = AFN_OK;
    const afn_predict_opts o = opts ? *opts : afn_predict_defaults();
    afn_heat *h = NULL;

    *out = NULL;
    AFN_REQUIRE(o.batch >= 1, AFN_EINVAL, "batch is %lld, need at least 1",
                (long long)o.batch);
    h = afn_alloc(sizeof *h);
    AFN_REQUIRE(h, AFN_ENOMEM, "out of memory");
    h->model = m;
    h->batch = o.batch;
    AFN_TRY(compile(h, &o));
    const size_t logits = (size_t)o.batch * (size_t)m->classes;
    const size_t features =
        (size_t)o.batch * (size_t)h->channels * (size_t)h->rows * (size_t)h->columns;
    h->logits = afn_alloc_array(logits, sizeof *h->logits);
    h->dlogits = afn_alloc_array(logits, sizeof *h->dlogits);
    h->feature = afn_alloc_array(features, sizeof *h->feature);
    h->dfeature = afn_alloc_array(features, sizeof *h->dfeature);
    AFN_REQUIRE(h->logits && h->dlogits && h->feature && h->dfeature, AFN_ENOMEM,
                "out of memory");
    *out = h;
    h = NULL;
done:
    afn_heat_free(h);
    return st;
}

void afn_heat_free(afn_heat *h)
{
    if (!h) return;
    afn_plan_free(h->plan);
    afn_free(h->logits);
    afn_free(h->dlogits);
    afn_free(h->feature);
    afn_free(h->dfeature);
    afn_free(h);
}

int afn_heat_rows(const afn_heat *h)
{
    return h->rows;
}

int afn_heat_columns(const afn_heat *h)
{
    return h->columns;
}

/* The map of one picture: relu(sum over channels of mean(dfeature) * feature). */
static void weigh(const afn_heat *h, int64_t i, float *map)
{
    const int places = h->rows * h->columns;
    const int64_t at = i * h->channels * places;
    memset(map, 0, (size_t)places * sizeof *map);
    for (int c = 0; c < h->channels; c++) {
        const float *f = h->feature + at + c * places;
        const float *df = h->dfeature + at + c * places;
        double weight = 0;
        for (int k = 0; k < places; k++) weight += (double)df[k];
        for (int k = 0; k < places; k++) map[k] += (float)(weight / places) * f[k];
    }
    for (int k = 0; k < places; k++) map[k] = map[k] > 0 ? map[k] : 0;
}

static afn_status run_batch(afn_heat *h, const uint8_t *pixels, int64_t n,
                            const int *classes, float *map)
{
    afn_status st = AFN_OK;
    const int64_t c = h->model->classes;
    memset(h->dlogits, 0, (size_t)(n * c) * sizeof *h->dlogits);
    for (int64_t i = 0; i < n; i++) {
        AFN_REQUIRE(classes[i] >= 0 && classes[i] < c, AFN_EINVAL,
                    "class %d of %lld classes", classes[i], (long long)c);
        h->dlogits[i * c + classes[i]] = 1;
    }
    AFN_TRY(afn_plan_forward(h->plan, pixels, n, h->logits));
    AFN_TRY(afn_plan_backward(h->plan, h->dlogits));
    AFN_TRY(afn_plan_watched(h->plan, h->feature, h->dfeature));
    for (int64_t i = 0; i < n; i++) weigh(h, i, map + i * h->rows * h->columns);
done:
    return st;
}

afn_status afn_heat_run(afn_heat *h, const uint8_t *pixels, int64_t n,
                        const int *classes, float *map)
{
    afn_status st = AFN_OK;
    const size_t image = afn_preprocess_bytes(&h->model->preprocess);
    for (int64_t i = 0; st == AFN_OK && i < n; i += h->batch) {
        const int64_t some = n - i < h->batch ? n - i : h->batch;
        st = run_batch(h, pixels + (size_t)i * image, some, classes + i,
                       map + i * h->rows * h->columns);
    }
    return st;
}

/* ---- drawing ---- */

/* Between cells, linear in both directions; at the border the nearest cell. */
static double sample(const afn_heat *h, const float *map, double y, double x)
{
    const double top = fmin(fmax(y, 0), h->rows - 1);
    const double left = fmin(fmax(x, 0), h->columns - 1);
    const int i = (int)top, j = (int)left;
    const int below = i + 1 < h->rows ? i + 1 : i;
    const int right = j + 1 < h->columns ? j + 1 : j;
    const double a = top - i, b = left - j;
    const float *upper = map + i * h->columns, *lower = map + below * h->columns;
    return (1 - a) * ((1 - b) * (double)upper[j] + b * (double)upper[right]) +
           a * ((1 - b) * (double)lower[j] + b * (double)lower[right]);
}

/* A ramp that also grows lighter, so that it can be read without seeing colours. */
static void colour(double v, double rgb[3])
{
    static const double stop[][3] = { { 13, 8, 135 },
                                      { 126, 3, 168 },
                                      { 204, 71, 120 },
                                      { 248, 149, 64 },
                                      { 240, 249, 33 } };
    const double at = v * (AFN_COUNT(stop) - 1);
    const size_t k = at >= AFN_COUNT(stop) - 1 ? AFN_COUNT(stop) - 2 : (size_t)at;
    for (int c = 0; c < 3; c++)
        rgb[c] = stop[k][c] + (at - (double)k) * (stop[k + 1][c] - stop[k][c]);
}

afn_status afn_heat_draw(afn_image *out, const afn_heat *h, const uint8_t *pixels,
                         const float *map)
{
    const int crop = h->model->preprocess.crop;
    const int channels = afn_preprocess_channels(&h->model->preprocess);
    const double shine = 0.55; /* of the colour over the picture */
    double largest = 0;
    const afn_status st = afn_image__alloc(out, crop, crop);
    if (st != AFN_OK) return st;
    for (int k = 0; k < h->rows * h->columns; k++)
        largest = fmax(largest, (double)map[k]);
    for (int y = 0; y < crop; y++)
        for (int x = 0; x < crop; x++) {
            const size_t at = (size_t)y * (size_t)crop + (size_t)x;
            const uint8_t *in = pixels + at * (size_t)channels;
            const double v = sample(h, map, (y + 0.5) * h->rows / crop - 0.5,
                                    (x + 0.5) * h->columns / crop - 0.5);
            double rgb[3];
            colour(largest > 0 ? v / largest : 0, rgb);
            for (int c = 0; c < 3; c++)
                out->pixels[3 * at + (size_t)c] = (uint8_t)lround(
                    shine * rgb[c] + (1 - shine) * in[channels < 3 ? 0 : c]);
        }
    return AFN_OK;
}
