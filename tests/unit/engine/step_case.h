/* SPDX-License-Identifier: Apache-2.0 */
/* One step of the naive backend, run through the backend contract without a plan.
 *
 * The step under test is the last node of a graph built by the test.  Buffers are plain
 * row-major floats; parameters start at 0 and are set through param(). */
#ifndef STEP_CASE_H
#define STEP_CASE_H

#include <math.h>

#include "afn_test.h"
#include "engine/backend.h"

enum { CASE_INPUTS = 4, CASE_PARAMS = 8 };

typedef struct step_case {
    afn_graph *g;
    afn_step step;
    afn_shape in_shape[CASE_INPUTS];
    bool grad_input[CASE_INPUTS], accumulate[CASE_INPUTS];
    afn_blob blob[CASE_PARAMS];
    const afn_kernel_ops *ops;
    afn_kernel kernel;
    float *out, *dout, *din[CASE_INPUTS];
    void *keep;
    afn_args args;
} step_case;

static inline afn_graph *new_graph(int c, int h, int w)
{
    afn_graph *g;
    assert_ok(afn_graph_new(&g, c, h, w));
    return g;
}

static inline float *zeros(int64_t count)
{
    float *p = afn_alloc_array((size_t)count, sizeof *p);
    assert_non_null(p);
    return p;
}

/* Describe the step that makes v; flags may be changed before case_prepare(). */
static inline void case_new(step_case *c, afn_graph *g, afn_value v)
{
    memset(c, 0, sizeof *c);
    assert_ok(afn_graph_finish(g, v));
    const afn_node *node = afn_graph_node(g, v);
    c->g = g;
    for (int i = 0; i < node->n_inputs; i++) {
        c->in_shape[i] = afn_graph_node(g, node->input[i])->shape;
        c->grad_input[i] = true;
    }
    c->step = (afn_step){ .op = node->op,
                          .node = node,
                          .act = AFN_NO_ACT,
                          .n_inputs = node->n_inputs,
                          .input = node->input,
                          .in_shape = c->in_shape,
                          .output = v,
                          .out_shape = node->shape,
                          .train = true,
                          .grad_input = c->grad_input };
    for (int slot = 0; slot <= AFN_BIAS; slot++)
        c->step.grad_param[slot] = node->param[slot] >= 0;
    c->ops = afn_backend_ref.find(node->op);
    assert_non_null(c->ops);
}

static inline afn_status case_try_prepare(step_case *c, int64_t n)
{
    const afn_layout in[CASE_INPUTS] = { 0 };
    const afn_prepare p = {
        .step = &c->step, .n = n, .batch = n, .in = in, .graph = c->g, .blob = c->blob
    };
    c->args.n = c->args.batch = n;
    return c->ops->prepare(&p, &c->kernel);
}

static inline void case_prepare(step_case *c, int64_t n)
{
    assert_ok(case_try_prepare(c, n));
    c->out = zeros(n * (int64_t)(c->kernel.out.bytes / sizeof(float)));
    c->dout = zeros(n * (int64_t)(c->kernel.out.bytes / sizeof(float)));
    c->keep = afn_alloc(c->kernel.keep_bytes);
    c->args.out = c->out;
    c->args.keep = c->keep;
    c->args.blob = c->blob;
    for (int i = 0; i < c->step.n_inputs; i++)
        c->din[i] = zeros(n * afn_shape_count(&c->in_shape[i]));
    for (int i = 0; i < afn_graph_n_params(c->g); i++) {
        c->blob[i].value = zeros(c->blob[i].count);
        c->blob[i].grad = zeros(c->blob[i].count);
    }
}

static inline void case_free(step_case *c)
{
    if (c->kernel.state) c->ops->free(c->kernel.state);
    afn_free(c->out);
    afn_free(c->dout);
    afn_free(c->keep);
    for (int i = 0; i < CASE_INPUTS; i++) afn_free(c->din[i]);
    for (int i = 0; i < CASE_PARAMS; i++) {
        afn_free(c->blob[i].value);
        afn_free(c->blob[i].grad);
    }
    afn_graph_free(c->g);
}

static inline afn_blob *blob_of(step_case *c, int slot)
{
    return &c->blob[c->step.node->param[slot]];
}

static inline void set_param(step_case *c, int slot, const float *v)
{
    const afn_blob *b = blob_of(c, slot);
    memcpy(b->value, v, (size_t)b->count * sizeof *v);
}

static inline void case_forward(step_case *c, const float *a, const float *b)
{
    const void *in[CASE_INPUTS] = { a, b };
    c->args.in = in;
    assert_ok(c->ops->forward(c->kernel.state, &c->args));
    c->args.in = NULL;
}

/* Backward for the gradient dy of the output; din and blob[].grad hold the result. */
static inline void case_backward(step_case *c, const float *a, const float *dy)
{
    const void *in[CASE_INPUTS] = { a };
    void *din[CASE_INPUTS];
    for (int i = 0; i < CASE_INPUTS; i++) din[i] = c->grad_input[i] ? c->din[i] : NULL;
    memcpy(c->dout, dy, (size_t)c->args.n * c->kernel.out.bytes);
    c->args.in = in;
    c->args.dout = c->dout;
    c->args.din = din;
    c->args.accumulate = c->accumulate;
    assert_ok(c->ops->backward(c->kernel.state, &c->args));
    c->args.in = NULL;
    c->args.din = NULL;
}

static inline void assert_floats(const float *got, const float *expected, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (isnan(expected[i])
                ? isnan(got[i])
                : fabsf(got[i] - expected[i]) <= 1e-6f * (1 + fabsf(expected[i])))
            continue;
        fail_msg("element %zu is %.9g, expected %.9g", i, (double)got[i],
                 (double)expected[i]);
    }
}

/* Compare with a list: EXPECT(got, 1, 2, 3). */
#define EXPECT(got, ...)                                                               \
    assert_floats(got, (const float[]){ __VA_ARGS__ },                                 \
                  sizeof((const float[]){ __VA_ARGS__ }) / sizeof(float))
#define V(...) ((const float[]){ __VA_ARGS__ })

#endif
