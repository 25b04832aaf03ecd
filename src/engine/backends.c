/* SPDX-License-Identifier: Apache-2.0 */
/* The list of backends. */
#include <string.h>

#include "engine/backend.h"

static const afn_backend *const backend[] = {
    &afn_backend_cpu,
    &afn_backend_ref,
};

afn_status afn_backend_find(const afn_backend **out, const char *name)
{
    *out = NULL;
    for (size_t i = 0; i < AFN_COUNT(backend); i++)
        if (strcmp(backend[i]->name, name) == 0) *out = backend[i];
    return *out ? AFN_OK
                : afn_fail(AFN_ENOTFOUND, "%s: no such backend, there are cpu and ref",
                           name);
}
