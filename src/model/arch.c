/* SPDX-License-Identifier: Apache-2.0 */
/* The zoo as the public header shows it. */
#include "model/state.h"

int afn_arch_count(void)
{
    return afn_zoo_count();
}

afn_status afn_arch_get(afn_arch_info *out, int i)
{
    *out = (afn_arch_info){ 0 };
    if (i < 0 || i >= afn_zoo_count())
        return afn_fail(AFN_EINVAL, "architecture %d, there are %d", i,
                        afn_zoo_count());
    const afn_arch arch = afn_zoo_get(i);
    const afn_pretrained *published = afn_zoo_published(&arch);
    *out = (afn_arch_info){ .name = arch.variant->name,
                            .family = arch.family->name,
                            .head = arch.family->head,
                            .parameters = published->parameters,
                            .macs = 1e9 * published->gmacs,
                            .resize = published->preprocess.resize,
                            .crop = published->preprocess.crop,
                            .min_size = afn_zoo_min_size(&arch),
                            .train_bytes = afn_zoo_train_bytes(&arch) };
    return AFN_OK;
}
