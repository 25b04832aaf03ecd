/* SPDX-License-Identifier: Apache-2.0 */
/* Lifecycle of a model: made, rebuilt for another head or image size, freed; and what
 * it is asked about itself. */
#include "model/state.h"

#include <math.h>
#include <string.h>

bool afn_model__below(const char *name, const char *layer)
{
    const size_t n = strlen(layer);
    return strncmp(name, layer, n) == 0 && name[n] == '.';
}

/* ---- networks ---- */

void afn_model__net_free(model_net *net)
{
    afn_graph_free(net->graph);
    afn_params_free(net->params);
    afn_free(net->trainable);
    *net = (model_net){ 0 };
}

afn_status afn_model__allocate(model_net *net)
{
    afn_status st = AFN_OK;
    const int n = afn_graph_n_params(net->graph);
    AFN_TRY(afn_params_new(&net->params, net->graph));
    net->trainable = afn_alloc_array((size_t)n, sizeof *net->trainable);
    AFN_REQUIRE(net->trainable, AFN_ENOMEM, "out of memory");
    for (int i = 0; i < n; i++)
        net->trainable[i] = !afn_graph_param(net->graph, i)->buffer;
done:
    return st;
}

/* Value and flag of parameter i, which has the same shape in both. */
static void copy_param(model_net *to, const model_net *from, int i)
{
    const size_t n = (size_t)afn_params_size(from->params, i);
    float *f = afn_params_f32(to->params, i);
    assert(n == (size_t)afn_params_size(to->params, i)); /* no crop changes a shape */
    if (f)
        memcpy(f, afn_params_f32(from->params, i), n * sizeof *f);
    else
        *afn_params_i64(to->params, i) = *afn_params_i64(from->params, i);
    to->trainable[i] = from->trainable[i];
}

afn_status afn_model__rebuild(model_net *out, const afn_model *m, int classes, int crop,
                              const char *except)
{
    afn_status st = AFN_OK;
    model_net net = { 0 };

    *out = (model_net){ 0 };
    AFN_TRY(afn_zoo_build(&net.graph, &m->arch, classes, crop, crop));
    AFN_TRY(afn_model__allocate(&net));
    /* The same family makes the same parameters in the same order. */
    assert(afn_params_count(net.params) == afn_params_count(m->net.params));
    for (int i = 0; i < afn_params_count(net.params); i++)
        if (!except || !afn_model__below(afn_graph_param(net.graph, i)->name, except))
            copy_param(&net, &m->net, i);
    *out = net;
    net = (model_net){ 0 };
done:
    afn_model__net_free(&net);
    return st;
}

/* ---- preprocessing ---- */

afn_status afn_model__check_preprocess(const afn_preprocess *p, const afn_arch *arch,
                                       afn_status code)
{
    if (afn_image__check_preprocess(p) != AFN_OK)
        return afn_fail(code, "%s", afn_error_message());
    for (int c = 0; c < 3; c++) {
        if (!isfinite(p->mean[c]))
            return afn_fail(code, "mean of channel %d is no finite number", c);
        if (!(p->std[c] > 0) || !isfinite(p->std[c]))
            return afn_fail(code, "std of channel %d is %g, must be above 0", c,
                            (double)p->std[c]);
    }
    const int min = afn_zoo_min_size(arch);
    if (p->crop < min)
        return afn_fail(code == AFN_EINVAL ? AFN_ESHAPE : code,
                        "crop of %d, %s needs at least %d", p->crop,
                        arch->variant->name, min);
    return AFN_OK;
}

afn_preprocess afn_model_preprocess(const afn_model *m)
{
    return m->preprocess;
}

afn_status afn_model_set_preprocess(afn_model *m, const afn_preprocess *p)
{
    afn_status st = AFN_OK;
    AFN_TRY(afn_model__check_preprocess(p, &m->arch, AFN_EINVAL));
    if (p->crop != m->preprocess.crop) {
        model_net net;
        AFN_TRY(afn_model__rebuild(&net, m, m->classes, p->crop, NULL));
        afn_model__net_free(&m->net);
        m->net = net;
    }
    m->preprocess = *p;
    m->calibration = (afn_calibration){ 0 }; /* was learned from other pixels */
    m->generation++;
done:
    return st;
}

/* ---- models ---- */

afn_status afn_model__new(afn_model **out, const afn_arch *arch, int classes,
                          const afn_preprocess *p)
{
    afn_status st = AFN_OK;
    afn_model *m = NULL;

    *out = NULL;
    AFN_REQUIRE(classes >= 1 && classes <= MAX_CLASSES, AFN_EINVAL,
                "%d classes, need 1 to %d", classes, (int)MAX_CLASSES);
    m = afn_alloc(sizeof *m);
    AFN_REQUIRE(m, AFN_ENOMEM, "out of memory");
    m->arch = *arch;
    m->classes = classes;
    m->preprocess = *p;
    AFN_TRY(afn_zoo_build(&m->net.graph, arch, classes, p->crop, p->crop));
    *out = m;
    m = NULL;
done:
    afn_model_free(m);
    return st;
}

afn_status afn_model_new(afn_model **out, const char *arch, int classes, uint64_t seed)
{
    afn_status st = AFN_OK;
    afn_model *m = NULL;
    afn_arch a;

    *out = NULL;
    AFN_TRY(afn_zoo_find(&a, arch));
    const afn_preprocess p = afn_zoo_published(&a)->preprocess;
    AFN_TRY(afn_model__new(&m, &a, classes, &p));
    AFN_TRY(afn_model__allocate(&m->net));
    afn_params_init_all(m->net.params, m->net.graph, seed);
    *out = m;
    m = NULL;
done:
    afn_model_free(m);
    return st;
}

void afn_model_free(afn_model *m)
{
    if (!m) return;
    afn_model__names_free(m->class_name, m->classes);
    afn_model__net_free(&m->net);
    afn_free(m);
}

const char *afn_model_arch(const afn_model *m)
{
    return m->arch.variant->name;
}

const char *afn_model_head(const afn_model *m)
{
    return m->arch.family->head;
}

int afn_model_classes(const afn_model *m)
{
    return m->classes;
}

/* ---- for src/train ---- */

const afn_graph *afn_model__graph(const afn_model *m)
{
    return m->net.graph;
}

afn_params *afn_model__params(const afn_model *m)
{
    return m->net.params;
}

const bool *afn_model__trainable(const afn_model *m)
{
    return m->net.trainable;
}

void afn_model__normalisation(const afn_model *m, afn_plan_opts *opts)
{
    memcpy(opts->mean, m->preprocess.mean, sizeof opts->mean);
    memcpy(opts->std, m->preprocess.std, sizeof opts->std);
}
