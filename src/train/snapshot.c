/* SPDX-License-Identifier: Apache-2.0 */
#include "train/snapshot.h"

#include <string.h>

static void copy(afn_params *to, const afn_params *from)
{
    for (int i = 0; i < afn_params_count(from); i++) {
        const float *values = afn_params_f32(from, i);
        if (values)
            memcpy(afn_params_f32(to, i), values,
                   (size_t)afn_params_size(from, i) * sizeof *values);
        else
            *afn_params_i64(to, i) = *afn_params_i64(from, i);
    }
}

afn_status afn_snapshot_take(afn_params **p, const afn_model *m)
{
    if (!*p) {
        const afn_status st = afn_params_new(p, afn_model__graph(m));
        if (st != AFN_OK) return st;
    }
    copy(*p, afn_model__params(m));
    return AFN_OK;
}

void afn_snapshot_restore(const afn_params *p, afn_model *m)
{
    copy(afn_model__params(m), p);
}
