/* SPDX-License-Identifier: Apache-2.0 */
/* Floats between a tool and the script that runs it: standard input and output, bare.
 */
#ifndef ORACLE_FLOATS_H
#define ORACLE_FLOATS_H

#include <stdio.h>
#include <stdlib.h>

#include "base/base.h"

static inline float *numbers(int64_t count)
{
    float *v = calloc((size_t)count + 1, sizeof *v);
    if (!v) exit(2);
    return v;
}

static inline afn_status read_floats(float *v, int64_t count)
{
    const size_t got = fread(v, sizeof *v, (size_t)count, stdin);
    return got == (size_t)count ? AFN_OK : afn_fail(AFN_EIO, "input too short");
}

static inline void write_floats(const float *v, int64_t count)
{
    fwrite(v, sizeof *v, (size_t)count, stdout);
}

#endif
