/* SPDX-License-Identifier: Apache-2.0 */
/* Max pooling on oneDNN; in training its workspace remembers where each maximum was. */
#include "engine/cpu/cpu.h"

typedef struct max_pool {
    cpu_device *device;
    dnn_op *forward, *backward;
    const afn_kern *kern;
    int64_t in_count; /* values of the input */
} max_pool;

static void release(void *state)
{
    max_pool *s = state;
    if (!s) return;
    dnn_op_free(s->forward);
    dnn_op_free(s->backward);
    afn_free(s);
}

static afn_status prepare(const afn_prepare *p, afn_kernel *k)
{
    afn_status st = AFN_OK;
    const afn_step *step = p->step;
    dnn_md *src = NULL, *dst = NULL;
    max_pool *s = afn_alloc(sizeof *s);
    k->state = s;
    AFN_REQUIRE(s, AFN_ENOMEM, "out of memory");
    s->device = p->device;
    s->kern = cpu_kern(&p->in[0], s->device);
    s->in_count = p->n * cpu_count(&p->in[0]);
    const cpu_format f = cpu_format_of(&p->in[0]);
    AFN_TRY(cpu_layout(&k->out, &step->out_shape, f));
    AFN_TRY(cpu_value_md(&src, &step->in_shape[0], p->n, f));
    AFN_TRY(cpu_value_md(&dst, &step->out_shape, p->n, f));
    const dnn_pool d = { .src = src,
                         .dst = dst,
                         .pool = &step->node->attr.pool,
                         .in_h = step->in_shape[0].dim[1],
                         .in_w = step->in_shape[0].dim[2],
                         .out_h = step->out_shape.dim[1],
                         .out_w = step->out_shape.dim[2] };
    AFN_TRY(dnn_max_pool_new(&s->forward, s->device->dnn,
                             step->train ? DNN_FORWARD : DNN_INFER, &d));
    if (step->train)
        AFN_TRY(dnn_max_pool_new(&s->backward, s->device->dnn, DNN_BACKWARD_DATA, &d));
    k->keep_bytes = cpu_op_bytes(s->forward, DNN_WORKSPACE);
    k->cheap = true;
    const size_t front = cpu_op_bytes(s->forward, DNN_SCRATCH);
    const size_t back = cpu_op_bytes(s->backward, DNN_SCRATCH);
    k->scratch_bytes = back > front ? back : front;
    k->add_bytes = (size_t)p->n * p->in[0].bytes;
done:
    dnn_md_free(src);
    dnn_md_free(dst);
    return st;
}

static afn_status forward(void *state, const afn_args *a)
{
    max_pool *s = state;
    void *buffer[DNN_N_SLOTS] = { [DNN_SRC] = (void *)a->in[0],
                                  [DNN_DST] = a->out,
                                  [DNN_WORKSPACE] = a->keep,
                                  [DNN_SCRATCH] = a->scratch };
    return dnn_run(s->device->dnn, s->forward, buffer);
}

static afn_status backward(void *state, const afn_args *a)
{
    max_pool *s = state;
    const size_t own = cpu_op_bytes(s->backward, DNN_SCRATCH);
    void *dx = a->accumulate[0] ? (char *)a->scratch + own : a->din[0];
    void *buffer[DNN_N_SLOTS] = { [DNN_DIFF_SRC] = dx,
                                  [DNN_DIFF_DST] = a->dout,
                                  [DNN_WORKSPACE] = a->keep,
                                  [DNN_SCRATCH] = a->scratch };
    const afn_status st = dnn_run(s->device->dnn, s->backward, buffer);
    if (st == AFN_OK && a->accumulate[0])
        cpu_accumulate(s->kern, a->din[0], dx, s->in_count);
    return st;
}

const afn_kernel_ops cpu_max_pool_ops = {
    .prepare = prepare,
    .forward = forward,
    .backward = backward,
    .free = release,
};
