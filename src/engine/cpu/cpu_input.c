/* SPDX-License-Identifier: Apache-2.0 */
/* Input: 8-bit pixels, normalised through a table, or given values, straight into the
 * layout that the first layer wants. */
#include <string.h>

#include "engine/cpu/cpu.h"

typedef struct input {
    cpu_device *device;
    afn_shape shape;
    bool blocked;
} input;

typedef struct fill_args {
    const input *s;
    const afn_args *a;
} fill_args;

static afn_status prepare(const afn_prepare *p, afn_kernel *k)
{
    const afn_step *step = p->step;
    input *s = afn_alloc(sizeof *s);
    k->state = s;
    if (!s) return afn_fail(AFN_ENOMEM, "out of memory");
    s->device = p->device;
    s->shape = step->out_shape;
    s->blocked = !(step->only_feeds_conv && step->out_shape.dim[0] <= 4);
    return cpu_layout(&k->out, &s->shape, p->n,
                      s->blocked ? cpu_order(s->device, &s->shape) : DNN_PLAIN);
}

/* Value of channel c, pixel i of a sample. */
static float value_at(const fill_args *f, int64_t n, int64_t c, int64_t i)
{
    const int64_t channels = f->s->shape.dim[0];
    const int64_t pixels = f->s->shape.dim[1] * f->s->shape.dim[2];
    if (f->a->values) return f->a->values[(n * channels + c) * pixels + i];
    return f->a->pixel_table[c * 256 + f->a->pixels[(n * pixels + i) * channels + c]];
}

/* One unit of work is one (sample, channel) plane. */
static void fill_plain(void *user, int64_t from, int64_t to)
{
    const fill_args *f = user;
    const int64_t channels = f->s->shape.dim[0];
    const int64_t pixels = f->s->shape.dim[1] * f->s->shape.dim[2];
    for (int64_t u = from; u < to; u++) {
        float *out = (float *)f->a->out + u * pixels;
        if (f->a->values) {
            memcpy(out, f->a->values + u * pixels, (size_t)pixels * sizeof(float));
            continue;
        }
        const int64_t n = u / channels, c = u % channels;
        const uint8_t *in = f->a->pixels + n * pixels * channels + c;
        const float *table = f->a->pixel_table + c * 256;
        for (int64_t i = 0; i < pixels; i++) out[i] = table[in[i * channels]];
    }
}

/* One unit of work is one (sample, channel block). */
static void fill_blocked(void *user, int64_t from, int64_t to)
{
    const fill_args *f = user;
    const cpu_blocks b = cpu_blocks_of(f->s->device, &f->s->shape, f->a->n);
    for (int64_t u = from; u < to; u++) {
        float *out = (float *)f->a->out + u * b.floats;
        const int64_t n = u / b.blocks, c0 = u % b.blocks * b.width;
        for (int64_t i = 0; i < b.pixels; i++)
            for (int c = 0; c < b.width; c++)
                *out++ = c0 + c < b.channels ? value_at(f, n, c0 + c, i) : 0.0f;
    }
}

static afn_status forward(void *state, const afn_args *a)
{
    const input *s = state;
    fill_args f = { s, a };
    const cpu_blocks b = s->shape.rank == 3 ? cpu_blocks_of(s->device, &s->shape, a->n)
                                            : (cpu_blocks){ .n = a->n };
    if (s->blocked)
        cpu_parallel(b.n * b.blocks, fill_blocked, &f);
    else
        cpu_parallel(b.n * s->shape.dim[0], fill_plain, &f);
    return AFN_OK;
}

const afn_kernel_ops cpu_input_ops = {
    .prepare = prepare,
    .forward = forward,
    .free = afn_free,
};
