/* SPDX-License-Identifier: Apache-2.0 */
/* The state dict of a model, entry by entry. */
#include "model/state.h"

#include <string.h>

int afn_model_n_params(const afn_model *m)
{
    return afn_graph_n_params(m->net.graph);
}

afn_status afn_model_param(const afn_model *m, int i, afn_param_info *out)
{
    *out = (afn_param_info){ 0 };
    if (i < 0 || i >= afn_model_n_params(m))
        return afn_fail(AFN_EINVAL, "parameter %d, there are %d", i,
                        afn_model_n_params(m));
    const afn_param *p = afn_graph_param(m->net.graph, i);
    *out = (afn_param_info){ .name = p->name,
                             .shape = p->shape,
                             .dtype = p->dtype,
                             .buffer = p->buffer,
                             .trainable = m->net.trainable[i] };
    return AFN_OK;
}

static afn_status fail_unknown(const afn_model *m, const char *name)
{
    afn_status st = AFN_OK;
    const int n = afn_model_n_params(m);
    const char **known = afn_alloc_array((size_t)n, sizeof *known);
    AFN_REQUIRE(known, AFN_ENOMEM, "out of memory");
    for (int i = 0; i < n; i++) known[i] = afn_graph_param(m->net.graph, i)->name;
    const char *near = afn_nearest(name, known, (size_t)n);
    st = near
             ? afn_fail(AFN_ENOTFOUND, "%s: %s has no such parameter, did you mean %s?",
                        name, afn_model_arch(m), near)
             : afn_fail(AFN_ENOTFOUND, "%s: %s has no such parameter", name,
                        afn_model_arch(m));
done:
    afn_free(known);
    return st;
}

/* The values of a float parameter that has n of them. */
static afn_status find(float **out, const afn_model *m, const char *name, size_t n)
{
    const int i = afn_graph_find_param(m->net.graph, name);
    *out = NULL;
    if (i < 0) return fail_unknown(m, name);
    if (!afn_params_f32(m->net.params, i))
        return afn_fail(AFN_EINVAL, "%s: is int64, not float32", name);
    if ((uint64_t)afn_params_size(m->net.params, i) != n)
        return afn_fail(AFN_ESHAPE, "%s: has %lld values, not %zu", name,
                        (long long)afn_params_size(m->net.params, i), n);
    *out = afn_params_f32(m->net.params, i);
    return AFN_OK;
}

afn_status afn_model_read_param(const afn_model *m, const char *name, float *out,
                                size_t n)
{
    float *v;
    const afn_status st = find(&v, m, name, n);
    if (st == AFN_OK) memcpy(out, v, n * sizeof *out);
    return st;
}

afn_status afn_model_write_param(afn_model *m, const char *name, const float *in,
                                 size_t n)
{
    float *v;
    const afn_status st = find(&v, m, name, n);
    if (st == AFN_OK) memcpy(v, in, n * sizeof *in);
    return st;
}
