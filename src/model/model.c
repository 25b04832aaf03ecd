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

/* Value and flag of parameter j of `from` for parameter i, of the same shape or, of the
 * first convolution, with other channels. */
static void copy_param(model_net *to, int i, const model_net *from, int j)
{
    const size_t n = (size_t)afn_params_size(from->params, j);
    float *f = afn_params_f32(to->params, i);
    to->trainable[i] = from->trainable[j];
    if (n != (size_t)afn_params_size(to->params, i)) {
        const afn_shape *a = &afn_graph_param(to->graph, i)->shape;
        const afn_shape *b = &afn_graph_param(from->graph, j)->shape;
        assert(i == afn_model__input_param(to->graph)); /* nothing else changes shape */
        afn_model__adapt_input(
            f, afn_params_f32(from->params, j),
            &(model_input){ a->dim[0], a->dim[1], b->dim[1], a->dim[2] * a->dim[3] });
    } else if (f)
        memcpy(f, afn_params_f32(from->params, j), n * sizeof *f);
    else
        *afn_params_i64(to->params, i) = *afn_params_i64(from->params, j);
}

bool afn_model__in_head(const afn_arch *arch, const char *param)
{
    const afn_aux_head *aux = afn_zoo_aux_of(arch, param);
    return afn_model__below(param, aux ? aux->head : arch->family->head);
}

static afn_status build(afn_graph **out, const afn_arch *arch, const model_form *f)
{
    return afn_zoo_build_form(
        out, arch,
        &(afn_zoo_form){ f->classes, f->channels, f->crop, f->crop, f->no_aux });
}

model_form afn_model__form(const afn_model *m)
{
    return (model_form){ m->classes, m->preprocess.crop, m->no_aux,
                         afn_preprocess_channels(&m->preprocess) };
}

/* Both have the parameters of one family in one order; either may be without those of
 * auxiliary classifiers. */
static void copy_params(model_net *to, const model_net *from, const afn_arch *arch,
                        bool fresh_heads)
{
    const int n = afn_params_count(from->params);
    for (int i = 0, j = 0; i < afn_params_count(to->params); i++) {
        const char *name = afn_graph_param(to->graph, i)->name;
        int k = j;
        while (k < n && strcmp(afn_graph_param(from->graph, k)->name, name) != 0) k++;
        if (k == n) continue;
        j = k + 1;
        if (!fresh_heads || !afn_model__in_head(arch, name)) copy_param(to, i, from, k);
    }
}

afn_status afn_model__rebuild(model_net *out, const afn_model *m, const model_form *f,
                              bool fresh_heads)
{
    afn_status st = AFN_OK;
    model_net net = { 0 };

    *out = (model_net){ 0 };
    AFN_TRY(build(&net.graph, &m->arch, f));
    AFN_TRY(afn_model__allocate(&net));
    copy_params(&net, &m->net, &m->arch, fresh_heads);
    *out = net;
    net = (model_net){ 0 };
done:
    afn_model__net_free(&net);
    return st;
}

/* Exchange the network, whose auxiliary classifiers may be gone. */
static void take_net(afn_model *m, const model_net *net)
{
    afn_model__net_free(&m->net);
    m->net = *net;
    m->no_aux = afn_graph_n_aux(net->graph) == 0;
    m->generation++;
}

afn_status afn_model_drop_aux(afn_model *m)
{
    model_net net;
    model_form f = afn_model__form(m);
    f.no_aux = true;
    if (m->no_aux) return AFN_OK;
    const afn_status st = afn_model__rebuild(&net, m, &f, false);
    if (st == AFN_OK) take_net(m, &net);
    return st;
}

int afn_model_n_aux(const afn_model *m)
{
    return afn_graph_n_aux(m->net.graph);
}

/* ---- preprocessing ---- */

afn_status afn_model__check_preprocess(const afn_preprocess *p, const afn_arch *arch,
                                       afn_status code)
{
    if (afn_image__check_preprocess(p) != AFN_OK)
        return afn_fail(code, "%s", afn_error_message());
    for (int c = 0; c < afn_preprocess_channels(p); c++) {
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
    const int channels = afn_preprocess_channels(&m->preprocess);
    AFN_TRY(afn_model__check_preprocess(p, &m->arch, AFN_EINVAL));
    AFN_REQUIRE(afn_preprocess_channels(p) == channels, AFN_EINVAL,
                "%d channels, the network has %d: they are set by "
                "afn_model_set_channels()",
                afn_preprocess_channels(p), channels);
    if (p->crop != m->preprocess.crop) {
        model_net net;
        model_form f = afn_model__form(m);
        f.crop = p->crop;
        AFN_TRY(afn_model__rebuild(&net, m, &f, false));
        if (afn_graph_n_aux(net.graph) < afn_graph_n_aux(m->net.graph))
            afn_log(AFN_LOG_WARNING,
                    "%s: no auxiliary classifier takes images of %d pixels, left out",
                    m->arch.variant->name, p->crop);
        take_net(m, &net);
    }
    m->preprocess = *p;
    m->calibration = (afn_calibration){ 0 }; /* was learned from other pixels */
    m->generation++;
done:
    return st;
}

/* ---- models ---- */

afn_status afn_model__new(afn_model **out, const afn_arch *arch, const model_form *f,
                          const afn_preprocess *p)
{
    afn_status st = AFN_OK;
    afn_model *m = NULL;

    *out = NULL;
    AFN_REQUIRE(f->classes >= 1 && f->classes <= MAX_CLASSES, AFN_EINVAL,
                "%d classes, need 1 to %d", f->classes, (int)MAX_CLASSES);
    m = afn_alloc(sizeof *m);
    AFN_REQUIRE(m, AFN_ENOMEM, "out of memory");
    m->arch = *arch;
    m->classes = f->classes;
    m->preprocess = *p;
    AFN_TRY(build(&m->net.graph, arch, f));
    m->no_aux = afn_graph_n_aux(m->net.graph) == 0;
    *out = m;
    m = NULL;
done:
    afn_model_free(m);
    return st;
}

afn_status afn_model_new_zero(afn_model **out, const char *arch, int classes)
{
    afn_status st = AFN_OK;
    afn_model *m = NULL;
    afn_arch a;

    *out = NULL;
    AFN_TRY(afn_zoo_find(&a, arch));
    const afn_preprocess p = afn_zoo_published(&a)->preprocess;
    AFN_TRY(afn_model__new(&m, &a, &(model_form){ classes, p.crop, false, 3 }, &p));
    AFN_TRY(afn_model__allocate(&m->net));
    *out = m;
    m = NULL;
done:
    afn_model_free(m);
    return st;
}

afn_status afn_model_new(afn_model **out, const char *arch, int classes, uint64_t seed)
{
    const afn_status st = afn_model_new_zero(out, arch, classes);
    if (st == AFN_OK) afn_params_init_all((*out)->net.params, (*out)->net.graph, seed);
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
