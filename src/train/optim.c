/* SPDX-License-Identifier: Apache-2.0 */
/* The list of optimisers. */
#include "train/optim.h"

#include <string.h>

static const afn_optimizer *const list[] = {
    &afn_optim_sgd,
};

afn_status afn_optimizer_find(const afn_optimizer **out, const char *name)
{
    afn_buf known = { 0 };
    *out = NULL;
    for (size_t i = 0; i < AFN_COUNT(list); i++)
        if (strcmp(list[i]->name, name) == 0) *out = list[i];
    if (*out) return AFN_OK;
    for (size_t i = 0; i < AFN_COUNT(list); i++)
        afn_buf_fmt(&known, "%s%s", i ? ", " : "", list[i]->name);
    const afn_status st = afn_fail(AFN_ENOTFOUND, "%s: no such optimizer, there is %s",
                                   name, known.data ? known.data : "");
    afn_buf_free(&known);
    return st;
}
