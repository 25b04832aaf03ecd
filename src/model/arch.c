/* SPDX-License-Identifier: Apache-2.0 */
/* The zoo as the public header shows it. */
#include "model/state.h"

int afn_arch_count(void)
{
    return afn_zoo_count();
}

/* Elements of everything that is trained by gradient. */
static int64_t count_parameters(const afn_graph *g)
{
    int64_t n = 0;
    for (int i = 0; i < afn_graph_n_params(g); i++) {
        const afn_param *p = afn_graph_param(g, i);
        if (!p->buffer) n += afn_shape_count(&p->shape);
    }
    return n;
}

afn_status afn_arch_get(afn_arch_info *out, int i)
{
    afn_status st = AFN_OK;
    afn_graph *g = NULL;

    *out = (afn_arch_info){ 0 };
    AFN_REQUIRE(i >= 0 && i < afn_zoo_count(), AFN_EINVAL,
                "architecture %d, there are %d", i, afn_zoo_count());
    const afn_arch arch = afn_zoo_get(i);
    const afn_family *f = arch.family;
    AFN_TRY(afn_zoo_build(&g, &arch, 1000, f->crop, f->crop));
    *out = (afn_arch_info){ .name = arch.variant->name,
                            .family = f->name,
                            .head = f->head,
                            .parameters = count_parameters(g),
                            .macs = afn_graph_macs(g),
                            .resize = f->resize,
                            .crop = f->crop,
                            .min_size = afn_zoo_min_size(&arch) };
done:
    afn_graph_free(g);
    return st;
}
