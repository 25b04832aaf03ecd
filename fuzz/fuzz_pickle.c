/* SPDX-License-Identifier: Apache-2.0 */
/* The pickle machine alone, and one careful walk over what it makes. */
#include <stdlib.h>

#include "base/base.h"
#include "fuzz.h"
#include "io/pickle.h"

enum { MOST_STEPS = 10000, MOST_DEPTH = 20 };

static const afn_pickle_global permitted[] = {
    { "collections", "OrderedDict", AFN_PICKLE_AS_DICT, 1 },
    { "torch._utils", "_rebuild_tensor_v2", AFN_PICKLE_AS_CALL, 2 },
    { "torch._utils", "_rebuild_parameter", AFN_PICKLE_AS_CALL, 3 },
    { "torch", "FloatStorage", AFN_PICKLE_AS_CALL, 4 },
    { "t", "s", AFN_PICKLE_AS_CALL, 5 },
    { "t", "d", AFN_PICKLE_AS_DICT, 6 },
};

static int steps;
static volatile unsigned sum; /* so that reading text is not optimised away */

static void walk(const afn_pickle_value *v, int depth)
{
    if (!v || depth > MOST_DEPTH || ++steps > MOST_STEPS) return;
    switch (v->kind) {
    case AFN_PICKLE_TEXT:
    case AFN_PICKLE_BYTES:
    case AFN_PICKLE_LONG:
        for (size_t i = 0; i < v->u.text.size; i++) sum += (uint8_t)v->u.text.data[i];
        break;
    case AFN_PICKLE_DICT:
        if (v->u.seq.count % 2) abort();
        (void)afn_pickle_get(v, "key");
        /* fall through */
    case AFN_PICKLE_TUPLE:
    case AFN_PICKLE_LIST:
    case AFN_PICKLE_SET:
        for (size_t i = 0; i < v->u.seq.count; i++) walk(v->u.seq.item[i], depth + 1);
        break;
    case AFN_PICKLE_CALL:
        if (v->u.call.args->kind != AFN_PICKLE_TUPLE) abort();
        walk(v->u.call.args, depth + 1);
        walk(v->u.call.state, depth + 1);
        break;
    case AFN_PICKLE_PERSID:
        walk(v->u.persid.id, depth + 1);
        break;
    default:
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    afn_pickle *p;
    afn_pickle_refusal refusal;
    const afn_pickle_rules rules = { .global = permitted,
                                     .count = AFN_COUNT(permitted),
                                     .refusal = &refusal };
    if (afn_pickle_read(&p, data, size, &rules) != AFN_OK) return p != NULL;
    if (afn_pickle_size(p) > size) abort();
    steps = 0;
    walk(afn_pickle_root(p), 0);
    walk(afn_pickle_persids(p), 0);
    afn_pickle_free(p);
    return 0;
}
