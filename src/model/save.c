/* SPDX-License-Identifier: Apache-2.0 */
/* A model as one file: its state dict in torchvision's order, and what it says of
 * itself. */
#include "model/state.h"

static afn_status add_params(afn_weights *w, const afn_graph *g,
                             const afn_params *params)
{
    afn_status st = AFN_OK;
    for (int i = 0; i < afn_params_count(params); i++) {
        const afn_param *p = afn_graph_param(g, i);
        const void *values = p->dtype == AFN_F32
                                 ? (const void *)afn_params_f32(params, i)
                                 : (const void *)afn_params_i64(params, i);
        AFN_TRY(afn_weights__borrow(w, p->name, p->dtype, &p->shape, values));
    }
done:
    return st;
}

afn_status afn_model__describe(afn_weights *w, const afn_model *m,
                               const afn_params *params)
{
    const afn_status st = add_params(w, m->net.graph, params);
    return st == AFN_OK ? afn_model__meta_write(w, m) : st;
}

afn_status afn_model__save_params(const afn_model *m, const afn_params *params,
                                  const char *path)
{
    afn_status st = AFN_OK;
    afn_weights *w = NULL;
    AFN_TRY(afn_weights_new(&w));
    AFN_TRY(afn_model__describe(w, m, params));
    AFN_TRY(afn_weights_save(w, path));
done:
    afn_weights_free(w);
    return st;
}

afn_status afn_model_save(const afn_model *m, const char *path)
{
    return afn_model__save_params(m, m->net.params, path);
}
