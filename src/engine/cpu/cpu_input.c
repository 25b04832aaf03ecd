/* SPDX-License-Identifier: Apache-2.0 */
/* Input: 8-bit pixels, normalised through a table, or given values, straight into the
 * layout that the first layer wants. */
#include "engine/cpu/cpu.h"

enum { CHUNK = 256 }; /* floats on their way to values */

typedef struct input {
    cpu_device *device;
    const afn_kern *kern;
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
    const dnn_order order = s->blocked ? cpu_order(s->device, &s->shape) : DNN_PLAIN;
    const afn_status st =
        cpu_layout(&k->out, &s->shape, (cpu_format){ order, s->device->type });
    s->kern = cpu_kern(&k->out, s->device);
    k->any_n = true;
    return st;
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
    const afn_kern *k = f->s->kern;
    float some[CHUNK];
    for (int64_t u = from; u < to; u++) {
        void *out = cpu_at(k, f->a->out, u * pixels);
        if (f->a->values) {
            k->store(out, f->a->values + u * pixels, pixels);
            continue;
        }
        const int64_t n = u / channels, c = u % channels;
        const uint8_t *in = f->a->pixels + n * pixels * channels + c;
        const float *table = f->a->pixel_table + c * 256;
        for (int64_t at = 0; at < pixels; at += CHUNK) {
            const int64_t size = pixels - at < CHUNK ? pixels - at : CHUNK;
            for (int64_t i = 0; i < size; i++) some[i] = table[in[(at + i) * channels]];
            k->store(cpu_at(k, out, at), some, size);
        }
    }
}

/* One unit of work is one (sample, channel block). */
static void fill_blocked(void *user, int64_t from, int64_t to)
{
    const fill_args *f = user;
    const cpu_blocks b = cpu_blocks_of(f->s->device, &f->s->shape, f->a->n);
    const afn_kern *k = f->s->kern;
    float v[AFN_KERN_MAX_BLOCK];
    for (int64_t u = from; u < to; u++) {
        const int64_t n = u / b.blocks, c0 = u % b.blocks * b.width;
        for (int64_t i = 0; i < b.pixels; i++) {
            for (int c = 0; c < b.width; c++)
                v[c] = c0 + c < b.channels ? value_at(f, n, c0 + c, i) : 0.0f;
            k->store(cpu_at(k, f->a->out, u * b.size + i * b.width), v, b.width);
        }
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
