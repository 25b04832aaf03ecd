/* SPDX-License-Identifier: Apache-2.0 */
/* Model files by timm: the same values under other names. */
#include "model/state.h"

/* The same values in so many dimensions; what is behind them is one with the last. */
static void set_rank(afn_shape *s, int rank)
{
    for (; s->rank < rank; s->rank++) s->dim[s->rank] = 1;
    for (; s->rank > rank; s->rank--) s->dim[s->rank - 2] *= s->dim[s->rank - 1];
}

/* What the table has no name for keeps its own, and is reported as unexpected. */
static afn_status share(afn_weights *to, const afn_weight *t, const afn_arch *arch)
{
    afn_timm_name ours;
    afn_shape shape = t->shape;
    if (!afn_zoo_timm_name(&ours, arch, t->name))
        return afn_weights__share(to, t->name, t, &shape);
    if (ours.rank) set_rank(&shape, ours.rank);
    return afn_weights__share(to, ours.name, t, &shape);
}

afn_status afn_model__from_timm(afn_weights **out, const afn_weights *w,
                                const afn_arch *arch)
{
    afn_status st = AFN_OK;
    afn_weights *renamed = NULL;
    const char *sign = afn_zoo_timm_sign(arch);

    *out = NULL;
    if (!sign || !afn_weights_find(w, sign)) return AFN_OK;
    AFN_TRY(afn_weights_new(&renamed));
    for (size_t i = 0; i < afn_weights_count(w); i++)
        AFN_TRY(share(renamed, afn_weights_get(w, i), arch));
    *out = renamed;
    renamed = NULL;
done:
    afn_weights_free(renamed);
    return st;
}

afn_status afn_model__check_timm(const afn_arch *arch, bool renamed, const char *path)
{
    const char *why = afn_zoo_timm_refusal(arch, path, renamed);
    if (!why) return AFN_OK;
    return afn_fail(AFN_EUNSUPPORTED, "timm's network, not torchvision's %s: %s",
                    arch->variant->name, why);
}
