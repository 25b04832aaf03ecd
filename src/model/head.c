/* SPDX-License-Identifier: Apache-2.0 */
/* A fresh last layer for another number of classes, of auxiliary classifiers too. */
#include "model/state.h"

#include <math.h>

/* As torch.nn.Linear and torch.nn.Conv2d start, whatever the family does when it is
 * made: weight and bias uniform in +-1/sqrt(fan_in). */
static void init_default(model_net *net, int i, uint64_t seed)
{
    const afn_param *p = afn_graph_param(net->graph, i);
    float *v = afn_params_f32(net->params, i);
    const double bound = 1.0 / sqrt(p->fan_in);
    afn_rng rng = afn_rng_new(seed, afn_rng_stream(AFN_RNG_INIT, (uint32_t)i, 0));
    for (int64_t k = 0; k < afn_params_size(net->params, i); k++)
        v[k] = (float)((2.0 * afn_rng_double(&rng) - 1.0) * bound);
}

afn_status afn_model_replace_head(afn_model *m, int classes, uint64_t seed)
{
    afn_status st = AFN_OK;
    model_form f = afn_model__form(m);
    model_net net;

    AFN_REQUIRE(classes >= 1 && classes <= MAX_CLASSES, AFN_EINVAL,
                "%d classes, need 1 to %d", classes, (int)MAX_CLASSES);
    f.classes = classes;
    AFN_TRY(afn_model__rebuild(&net, m, &f, true));
    for (int i = 0; i < afn_params_count(net.params); i++)
        if (afn_model__in_head(&m->arch, afn_graph_param(net.graph, i)->name))
            init_default(&net, i, seed);
    afn_model__names_free(m->class_name, m->classes);
    afn_model__net_free(&m->net);
    m->class_name = NULL;
    m->calibration = (afn_calibration){ 0 };
    m->net = net;
    m->classes = classes;
    m->generation++;
done:
    return st;
}

bool afn_model__is_head(const afn_model *m, int i)
{
    return afn_model__in_head(&m->arch, afn_graph_param(m->net.graph, i)->name);
}

bool afn_model__is_aux(const afn_model *m, int i)
{
    return afn_zoo_aux_of(&m->arch, afn_graph_param(m->net.graph, i)->name) != NULL;
}
