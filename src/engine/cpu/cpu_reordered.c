/* SPDX-License-Identifier: Apache-2.0 */
/* oneDNN's direct convolution in whatever layouts it likes best, with reorders from our
 * blocked values before and back after.  It pays where the processor multiplies tiles
 * (AMX): those kernels read channels last, and gain far more than two passes over the
 * values cost. */
#include <string.h>

#include "engine/cpu/cpu_pass.h"

/* A value that the primitive reads or writes, by its slot. */
typedef struct port {
    dnn_slot slot;
    const dnn_md *outer; /* how the plan keeps it; only read while preparing */
    bool in, out;
    dnn_op *enter, *leave; /* reorders, NULL where the layouts are equal */
    size_t at, bytes;      /* place of the primitive's own copy in scratch */
} port;

enum { MAX_PORTS = 2 };

typedef struct reordered {
    dnn_op *op;
    int n_ports;
    port port[MAX_PORTS];
    size_t shared; /* scratch of the primitive or of one reorder, at offset 0 */
} reordered;

static void release(void *state)
{
    reordered *r = state;
    if (!r) return;
    dnn_op_free(r->op);
    for (int i = 0; i < r->n_ports; i++) {
        dnn_op_free(r->port[i].enter);
        dnn_op_free(r->port[i].leave);
    }
    afn_free(r);
}

static void list_ports(reordered *r, dnn_pass kind, const dnn_product *d)
{
    switch (kind) {
    case DNN_INFER:
    case DNN_FORWARD:
        r->port[0] = (port){ .slot = DNN_SRC, .outer = d->src, .in = true };
        r->port[1] =
            (port){ .slot = DNN_DST, .outer = d->dst, .in = d->sum, .out = true };
        break;
    case DNN_BACKWARD_DATA:
        r->port[0] = (port){ .slot = DNN_DIFF_DST, .outer = d->dst, .in = true };
        r->port[1] = (port){ .slot = DNN_DIFF_SRC, .outer = d->src, .out = true };
        break;
    case DNN_BACKWARD_WEIGHTS:
        r->port[0] = (port){ .slot = DNN_SRC, .outer = d->src, .in = true };
        r->port[1] = (port){ .slot = DNN_DIFF_DST, .outer = d->dst, .in = true };
        break;
    }
    r->n_ports = MAX_PORTS;
}

static void share(reordered *r, const dnn_op *op)
{
    const size_t bytes = cpu_op_bytes(op, DNN_SCRATCH);
    if (bytes > r->shared) r->shared = bytes;
}

/* The reorders of one port, where its layouts differ. */
static afn_status prepare_port(reordered *r, port *t, dnn_device *dnn)
{
    afn_status st = AFN_OK;
    const dnn_md *inner = dnn_op_md(r->op, t->slot);
    if (dnn_md_equal(t->outer, inner)) return AFN_OK;
    t->bytes = cpu_aligned(dnn_md_bytes(inner));
    if (t->in) AFN_TRY(dnn_reorder_new(&t->enter, dnn, t->outer, inner));
    if (t->out) AFN_TRY(dnn_reorder_new(&t->leave, dnn, inner, t->outer));
    share(r, t->enter);
    share(r, t->leave);
done:
    return st;
}

/* The primitive, free to choose the layouts of both values. */
static afn_status prepare_primitive(reordered *r, dnn_device *dnn, dnn_pass kind,
                                    const dnn_product *d)
{
    afn_status st = AFN_OK;
    dnn_md *src = NULL, *dst = NULL;
    dnn_product free_to_choose = *d;
    AFN_TRY(dnn_md_unordered(&src, d->src));
    AFN_TRY(dnn_md_unordered(&dst, d->dst));
    free_to_choose.src = src;
    free_to_choose.dst = dst;
    AFN_TRY(dnn_product_new(&r->op, dnn, kind, &free_to_choose));
done:
    dnn_md_free(src);
    dnn_md_free(dst);
    return st;
}

static afn_status prepare(cpu_pass *p, dnn_pass kind, const dnn_product *d)
{
    afn_status st = AFN_OK;
    reordered *r = afn_alloc(sizeof *r);
    p->state = r;
    if (!r) return afn_fail(AFN_ENOMEM, "out of memory");
    AFN_TRY(prepare_primitive(r, p->device->dnn, kind, d));
    list_ports(r, kind, d);
    share(r, r->op);
    for (int i = 0; i < r->n_ports; i++)
        AFN_TRY(prepare_port(r, &r->port[i], p->device->dnn));
    p->scratch_bytes = r->shared;
    for (int i = 0; i < r->n_ports; i++) {
        r->port[i].at = p->scratch_bytes;
        p->scratch_bytes += r->port[i].bytes;
    }
    p->weights =
        dnn_op_md(r->op, kind == DNN_BACKWARD_WEIGHTS ? DNN_DIFF_WEIGHTS : DNN_WEIGHTS);
done:
    return st;
}

static afn_status run(const cpu_pass *p, const cpu_run *c)
{
    afn_status st = AFN_OK;
    const reordered *r = p->state;
    void *const *buffer = c->buffer, *scratch = c->scratch;
    void *own[DNN_N_SLOTS];
    memcpy(own, buffer, sizeof own);
    own[DNN_SCRATCH] = scratch;
    for (int i = 0; i < r->n_ports; i++) {
        const port *t = &r->port[i];
        if (t->bytes) own[t->slot] = (char *)scratch + t->at;
        if (t->enter)
            AFN_TRY(dnn_reorder_run(p->device->dnn, t->enter, buffer[t->slot],
                                    own[t->slot], scratch));
    }
    AFN_TRY(dnn_run(p->device->dnn, r->op, own));
    for (int i = 0; i < r->n_ports; i++) {
        const port *t = &r->port[i];
        if (t->leave)
            AFN_TRY(dnn_reorder_run(p->device->dnn, t->leave, own[t->slot],
                                    buffer[t->slot], scratch));
    }
done:
    return st;
}

const cpu_algo cpu_algo_reordered = {
    .name = "direct-reordered",
    .prepare = prepare,
    .run = run,
    .free = release,
};
