/* SPDX-License-Identifier: Apache-2.0 */
/* Passes of a product, and the algorithms that are one oneDNN primitive each. */
#include "engine/cpu/cpu_pass.h"

#include <string.h>

afn_status cpu_pass_new(cpu_pass **out, const cpu_algo *algo, const cpu_device *device,
                        dnn_pass kind, const dnn_product *d)
{
    afn_status st = AFN_OK;
    *out = NULL;
    cpu_pass *p = afn_alloc(sizeof *p);
    AFN_REQUIRE(p, AFN_ENOMEM, "out of memory");
    p->algo = algo;
    p->device = device;
    AFN_TRY(algo->prepare(p, kind, d));
    *out = p;
    p = NULL;
done:
    cpu_pass_free(p);
    return st;
}

void cpu_pass_free(cpu_pass *p)
{
    if (!p) return;
    p->algo->free(p->state);
    afn_free(p);
}

afn_status cpu_pass_run(const cpu_pass *p, const cpu_run *r)
{
    return p->algo->run(p, r);
}

bool cpu_winograd_window(const afn_conv_attr *c)
{
    return c && c->kh == 3 && c->kw == 3 && c->sh == 1 && c->sw == 1 && c->dh == 1 &&
           c->dw == 1 && c->groups == 1 && c->ph <= 2 && c->pw <= 2;
}

afn_status cpu_need_format(const dnn_md *md, cpu_format f)
{
    const int64_t dim[] = { dnn_md_dim(md, 0), dnn_md_dim(md, 1), dnn_md_dim(md, 2),
                            dnn_md_dim(md, 3) };
    dnn_md *wanted = NULL;
    afn_status st = dnn_md_new(&wanted, 4, dim, f.order, f.type);
    if (st == AFN_OK && !dnn_md_equal(md, wanted))
        st = afn_fail(AFN_EUNSUPPORTED, "not in this layout");
    dnn_md_free(wanted);
    return st;
}

/* ---- one oneDNN primitive ---- */

static afn_status prepare_primitive(cpu_pass *p, dnn_pass kind, const dnn_product *d)
{
    dnn_op *op = NULL;
    const afn_status st = dnn_product_new(&op, p->device->dnn, kind, d);
    p->state = op;
    if (st != AFN_OK) return st;
    const dnn_md *scratch = dnn_op_md(op, DNN_SCRATCH);
    p->weights =
        dnn_op_md(op, kind == DNN_BACKWARD_WEIGHTS ? DNN_DIFF_WEIGHTS : DNN_WEIGHTS);
    p->scratch_bytes = scratch ? dnn_md_bytes(scratch) : 0;
    return AFN_OK;
}

/* Asked for weights in any layout: it has one of its own. */
static afn_status prepare_winograd(cpu_pass *p, dnn_pass kind, const dnn_product *d)
{
    dnn_md *any = NULL;
    dnn_product w = *d;
    if (!d->conv || d->conv->groups > 1)
        return afn_fail(AFN_EUNSUPPORTED, "no winograd for this product");
    const int64_t dim[] = { dnn_md_dim(d->weights, 0), dnn_md_dim(d->weights, 1),
                            d->conv->kh, d->conv->kw };
    afn_status st = dnn_md_new(&any, 4, dim, DNN_ANY, DNN_F32);
    w.weights = any;
    w.algo = DNN_WINOGRAD;
    if (st == AFN_OK) st = prepare_primitive(p, kind, &w);
    dnn_md_free(any);
    return st;
}

static afn_status run_primitive(const cpu_pass *p, const cpu_run *r)
{
    void *all[DNN_N_SLOTS];
    memcpy(all, r->buffer, sizeof all);
    all[DNN_SCRATCH] = r->scratch;
    return dnn_run(p->device->dnn, p->state, all);
}

static void free_primitive(void *state)
{
    dnn_op_free(state);
}

const cpu_algo cpu_algo_direct = {
    .name = "direct",
    .prepare = prepare_primitive,
    .run = run_primitive,
    .free = free_primitive,
};

const cpu_algo cpu_algo_winograd_dnn = {
    .name = "winograd-onednn",
    .prepare = prepare_winograd,
    .run = run_primitive,
    .free = free_primitive,
};
