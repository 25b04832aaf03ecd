/* SPDX-License-Identifier: Apache-2.0 */
/* Private to src/engine/ref: what the operators of the naive backend share.
 *
 * Every value is plain row-major fp32, (n,c,h,w) or (n,c), and every parameter has
 * PyTorch's layout, so a file here reads like the formula it states.  Loops are
 * parallel over independent outputs only: the number of threads never changes a bit.
 * Backward functions always add: afn_ref__din() has cleared what is to be written. */
#ifndef AFN_ENGINE_REF_H
#define AFN_ENGINE_REF_H

#include <math.h>
#include <string.h>

#include "engine/backend.h"

enum { AFN_REF_FORMAT = 0 }; /* the only one: row-major */

/* ---- the table's rows, one file each ---- */

extern const afn_kernel_ops afn_ref__input, afn_ref__conv2d, afn_ref__linear,
    afn_ref__batch_norm, afn_ref__activation, afn_ref__max_pool, afn_ref__avg_pool,
    afn_ref__adaptive_avg_pool, afn_ref__flatten, afn_ref__dropout, afn_ref__add,
    afn_ref__concat, afn_ref__scale, afn_ref__layer_norm, afn_ref__layer_scale,
    afn_ref__slice, afn_ref__shuffle, afn_ref__stochastic_depth;

/* ---- preparing ---- */

/* The common part of every prepare: k->state becomes a copy of the step, the output
 * row-major, and the step's parameters are marked as plain and used.  Free the state
 * with afn_free().
 * Errors     AFN_ENOMEM, AFN_ESHAPE for a value too large to address */
afn_status afn_ref__prepare(const afn_prepare *p, afn_kernel *k);

/* ---- shapes ---- */

/* A value (n,c,h,w); (n,c) has h = w = 1. */
typedef struct afn_ref_dims {
    int64_t c, h, w;
    int64_t plane; /* h * w */
    int64_t count; /* c * h * w: one sample */
} afn_ref_dims;

static inline afn_ref_dims afn_ref__dims(const afn_shape *s)
{
    const int64_t h = s->rank > 1 ? s->dim[1] : 1, w = s->rank > 2 ? s->dim[2] : 1;
    return (afn_ref_dims){
        .c = s->dim[0], .h = h, .w = w, .plane = h * w, .count = s->dim[0] * h * w
    };
}

/* ---- arguments ---- */

/* Values of a parameter, NULL where the operator has none in this slot. */
static inline float *afn_ref__param(const afn_step *s, const afn_args *a, int slot)
{
    const int i = s->node->param[slot];
    return i < 0 ? NULL : a->blob[i].value;
}

/* Gradient of a parameter, NULL where it is not wanted.  To be overwritten: a
 * parameter belongs to one node. */
static inline float *afn_ref__dparam(const afn_step *s, const afn_args *a, int slot)
{
    const int i = s->node->param[slot];
    return i < 0 || !s->grad_param[slot] ? NULL : a->blob[i].grad;
}

/* Gradient of input i, to be added to; NULL where it is not wanted. */
static inline float *afn_ref__din(const afn_step *s, const afn_args *a, int i)
{
    float *d = a->din[i];
    const int64_t count = a->n * afn_ref__dims(&s->in_shape[i]).count;
    if (d && !a->accumulate[i]) memset(d, 0, (size_t)count * sizeof *d);
    return d;
}

#endif
