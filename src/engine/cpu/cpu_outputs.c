/* SPDX-License-Identifier: Apache-2.0 */
/* Outputs: the rows of logits of all classifiers of a sample, one after the other, in
 * fp32 whatever their type is. */
#include "engine/cpu/cpu.h"

typedef struct outputs {
    const afn_step *step;
    const afn_kern *out;
    const afn_kern *in[1 + AFN_MAX_AUX];
} outputs;

static afn_status prepare(const afn_prepare *p, afn_kernel *k)
{
    const cpu_device *device = p->device;
    outputs *s = afn_alloc(sizeof *s);
    k->state = s;
    if (!s) return afn_fail(AFN_ENOMEM, "out of memory");
    s->step = p->step;
    for (int i = 0; i < p->step->n_inputs; i++) s->in[i] = cpu_kern(&p->in[i], device);
    k->any_n = true;
    const afn_status st =
        cpu_layout(&k->out, &p->step->out_shape, (cpu_format){ DNN_PLAIN, DNN_F32 });
    s->out = cpu_kern(&k->out, device);
    return st;
}

static afn_status forward(void *state, const afn_args *a)
{
    const outputs *s = state;
    const int rows = s->step->n_inputs;
    const int64_t classes = s->step->in_shape[0].dim[0];
    for (int64_t u = 0; u < a->n * rows; u++)
        s->in[u % rows]->load(
            (float *)a->out + u * classes,
            cpu_get(s->in[u % rows], a->in[u % rows], u / rows * classes), classes);
    return AFN_OK;
}

static afn_status backward(void *state, const afn_args *a)
{
    const outputs *s = state;
    const int rows = s->step->n_inputs;
    const int64_t classes = s->step->in_shape[0].dim[0];
    for (int64_t u = 0; u < a->n * rows; u++) {
        const int i = (int)(u % rows);
        const float *from = (const float *)a->dout + u * classes;
        float sum[AFN_KERN_MAX_BLOCK];
        for (int64_t at = 0; a->din[i] && at < classes; at += AFN_KERN_MAX_BLOCK) {
            const int64_t left = classes - at;
            const int64_t n = left < AFN_KERN_MAX_BLOCK ? left : AFN_KERN_MAX_BLOCK;
            void *to = cpu_at(s->in[i], a->din[i], u / rows * classes + at);
            if (a->accumulate[i]) s->in[i]->load(sum, to, n);
            for (int64_t j = 0; j < n; j++)
                sum[j] = (a->accumulate[i] ? sum[j] : 0) + from[at + j];
            s->in[i]->store(to, sum, n);
        }
    }
    return AFN_OK;
}

const afn_kernel_ops cpu_outputs_ops = {
    .prepare = prepare,
    .forward = forward,
    .backward = backward,
    .free = afn_free,
};
