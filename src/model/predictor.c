/* SPDX-License-Identifier: Apache-2.0 */
/* Prediction: a model compiled for inference, fed with pixels or pictures. */
#include "model/state.h"

#include <math.h>
#include <string.h>

/* A longer call than this and than the usual batch runs in parts, so that memory does
 * not grow with what one caller asks for. */
enum { MAX_PART = 64 };

struct afn_predictor {
    const afn_model *model;
    uint64_t generation; /* of the model when the plan was made */
    afn_plan *plan;
    afn_predict_opts opts; /* backend is a copy */
    uint8_t *pixels;       /* (crop, crop, channels) of one picture */
};

afn_predict_opts afn_predict_defaults(void)
{
    return (afn_predict_opts){ .batch = 1, .threads = 0, .backend = "cpu" };
}

/* Bytes of one picture at the network's input. */
static size_t image_bytes(const afn_model *m)
{
    return afn_preprocess_bytes(&m->preprocess);
}

/* Plan and buffer for the model as it is now; what was there before is freed once they
 * are made. */
static afn_status compile(afn_predictor *p)
{
    afn_status st = AFN_OK;
    const afn_model *m = p->model;
    afn_plan *plan = NULL;
    uint8_t *pixels = NULL;
    afn_plan_opts o = { .batch = p->opts.batch,
                        .threads = p->opts.threads,
                        .backend = p->opts.backend,
                        .precision = p->opts.precision,
                        .algorithms = p->opts.exact ? AFN_ALGORITHMS_EXACT
                                                    : AFN_ALGORITHMS_MEASURED };

    afn_model__normalisation(m, &o);
    AFN_TRY(afn_plan_new(&plan, m->net.graph, m->net.params, &o));
    pixels = afn_alloc(image_bytes(m));
    AFN_REQUIRE(pixels, AFN_ENOMEM, "out of memory");
    afn_plan_free(p->plan);
    afn_free(p->pixels);
    p->plan = plan;
    p->pixels = pixels;
    p->generation = m->generation;
    plan = NULL;
done:
    afn_plan_free(plan);
    return st;
}

afn_status afn_predictor_new(afn_predictor **out, const afn_model *m,
                             const afn_predict_opts *opts)
{
    afn_status st = AFN_OK;
    const afn_predict_opts o = opts ? *opts : afn_predict_defaults();
    afn_predictor *p = NULL;

    *out = NULL;
    AFN_REQUIRE(o.batch >= 1, AFN_EINVAL, "batch is %lld, need at least 1",
                (long long)o.batch);
    AFN_REQUIRE(o.threads >= 0, AFN_EINVAL, "%d threads, need 0 or more", o.threads);
    p = afn_alloc(sizeof *p);
    AFN_REQUIRE(p, AFN_ENOMEM, "out of memory");
    p->model = m;
    p->opts = o;
    p->opts.backend = afn_strdup(o.backend ? o.backend : "cpu");
    AFN_REQUIRE(p->opts.backend, AFN_ENOMEM, "out of memory");
    AFN_TRY(compile(p));
    *out = p;
    p = NULL;
done:
    afn_predictor_free(p);
    return st;
}

void afn_predictor_free(afn_predictor *p)
{
    if (!p) return;
    afn_plan_free(p->plan);
    afn_free(p->pixels);
    afn_free((char *)p->opts.backend);
    afn_free(p);
}

afn_plan *afn_predictor__plan(afn_predictor *p)
{
    return p->plan;
}

/* The graph and values that a stale plan points to are gone. */
static bool is_fresh(const afn_predictor *p)
{
    return p->generation == p->model->generation;
}

static afn_status check_fresh(const afn_predictor *p)
{
    if (is_fresh(p)) return AFN_OK;
    return afn_fail(AFN_EINVAL, "the model has a new head or preprocessing since this "
                                "predictor was made: refresh it first");
}

afn_status afn_predictor_run(afn_predictor *p, const uint8_t *pixels, int64_t n,
                             float *logits)
{
    afn_status st = AFN_OK;
    const int64_t part = p->opts.batch > MAX_PART ? p->opts.batch : MAX_PART;
    const size_t bytes = image_bytes(p->model);
    const size_t classes = (size_t)p->model->classes;

    AFN_TRY(check_fresh(p));
    AFN_REQUIRE(n >= 1, AFN_EINVAL, "%lld images, need at least 1", (long long)n);
    for (int64_t i = 0; i < n; i += part) {
        const int64_t left = n - i;
        AFN_TRY(afn_plan_forward(p->plan, pixels + (size_t)i * bytes,
                                 left < part ? left : part,
                                 logits + (size_t)i * classes));
    }
done:
    return st;
}

afn_status afn_predictor_image(afn_predictor *p, const afn_image *image, float *logits)
{
    afn_status st = AFN_OK;
    AFN_TRY(check_fresh(p));
    AFN_TRY(afn_preprocess_apply(&p->model->preprocess, image, p->pixels));
    AFN_TRY(afn_predictor_run(p, p->pixels, 1, logits));
done:
    return st;
}

afn_status afn_predictor_refresh(afn_predictor *p)
{
    return is_fresh(p) ? afn_plan_refresh(p->plan) : compile(p);
}

void afn_softmax(const float *logits, int n, float *p)
{
    double sum = 0;
    float max = -INFINITY;
    for (int i = 0; i < n; i++) max = logits[i] > max ? logits[i] : max;
    for (int i = 0; i < n; i++) sum += exp((double)logits[i] - (double)max);
    for (int i = 0; i < n; i++)
        p[i] = (float)(exp((double)logits[i] - (double)max) / sum);
}
