/* SPDX-License-Identifier: Apache-2.0 */
#include "train/run/snapshot.h"

#include <string.h>

static void copy(afn_params *to, const afn_params *from, const bool *only)
{
    for (int i = 0; i < afn_params_count(from); i++) {
        if (only && !only[i]) continue;
        const float *values = afn_params_f32(from, i);
        if (values)
            memcpy(afn_params_f32(to, i), values,
                   (size_t)afn_params_size(from, i) * sizeof *values);
        else
            *afn_params_i64(to, i) = *afn_params_i64(from, i);
    }
}

afn_status afn_snapshot_take(afn_params **p, const afn_model *m, const bool *changed)
{
    const bool first = !*p;
    const afn_status st = first ? afn_params_new(p, afn_model__graph(m)) : AFN_OK;
    if (st == AFN_OK) copy(*p, afn_model__params(m), first ? NULL : changed);
    return st;
}

void afn_snapshot_restore(const afn_params *p, afn_model *m)
{
    copy(afn_model__params(m), p, NULL);
}
