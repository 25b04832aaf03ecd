/* SPDX-License-Identifier: Apache-2.0 */
/* A batch is rolled by one and mixed with itself: shuffled as it is, any pairs are as
 * good, and each picture serves twice.
 * Source: torchvision, references/classification/transforms.py; Zhang et al. 2017,
 * "mixup"; Yun et al. 2019, "CutMix" */
#include "data/mix.h"

#include <math.h>
#include <string.h>

/* A square of 1 - share of the area around a point anywhere, cut off at the borders. */
static void draw_box(afn_mix *m, afn_rng *rng, int64_t side)
{
    const int64_t x = afn_rng_below(rng, side), y = afn_rng_below(rng, side);
    const int64_t half = (int64_t)(0.5 * sqrt(1 - m->share) * (double)side);
    m->left = x > half ? x - half : 0;
    m->top = y > half ? y - half : 0;
    m->right = x + half < side ? x + half : side;
    m->bottom = y + half < side ? y + half : side;
    const double pasted = (double)((m->right - m->left) * (m->bottom - m->top));
    m->share = 1 - pasted / (double)(side * side);
}

afn_mix afn_mix_draw(const afn_augment_opts *o, const afn_augment_draw *epoch,
                     int64_t batch, int64_t side)
{
    afn_mix m = { .on = o->mixup > 0 || o->cutmix > 0 };
    afn_rng rng =
        afn_rng_new(epoch->seed, afn_rng_stream(AFN_RNG_MIX, (uint32_t)epoch->epoch,
                                                (uint32_t)batch));
    if (!m.on) return m;
    m.pastes = o->cutmix > 0 && (o->mixup <= 0 || afn_rng_below(&rng, 2));
    const double alpha = m.pastes ? o->cutmix : o->mixup;
    m.share = afn_rng_beta(&rng, alpha, alpha);
    if (m.pastes) draw_box(&m, &rng, side);
    return m;
}

/* ---- pixels ---- */

static void blend(uint8_t *restrict to, const uint8_t *restrict with, size_t n,
                  double share)
{
    const float a = (float)share, b = (float)(1 - share);
    for (size_t i = 0; i < n; i++)
        to[i] = (uint8_t)(a * (float)to[i] + b * (float)with[i] + 0.5f);
}

typedef struct job {
    const afn_mix *mix;
    const afn_mix_pixels *p;
} job;

static void mix_row(const job *j, uint8_t *to, const uint8_t *with, int64_t y)
{
    const afn_mix *m = j->mix;
    const int64_t c = j->p->channels;
    if (!m->pastes)
        blend(to, with, (size_t)(j->p->side * c), m->share);
    else if (y >= m->top && y < m->bottom)
        memcpy(to + c * m->left, with + c * m->left,
               (size_t)((m->right - m->left) * c));
}

/* Row y of all pictures, from the last one on, so that each finds the one before it as
 * it was; the first finds the last one's saved. */
static void mix_rows(void *user, int64_t y)
{
    const job *j = user;
    const afn_mix_pixels *p = j->p;
    const size_t row = (size_t)(p->side * p->channels), image = row * (size_t)p->side;
    uint8_t *at = p->pixels + row * (size_t)y, *saved = p->saved + row * (size_t)y;
    memcpy(saved, at + image * (size_t)(p->n - 1), row);
    for (int64_t i = p->n - 1; i > 0; i--)
        mix_row(j, at + image * (size_t)i, at + image * (size_t)(i - 1), y);
    mix_row(j, at, saved, y);
}

void afn_mix_run(const afn_mix *m, const afn_mix_pixels *p, int threads)
{
    job j = { m, p };
    if (m->on) afn_parallel_each(p->side, threads, mix_rows, &j);
}

void afn_mix_labels(int *other, const int *labels, int64_t n)
{
    for (int64_t i = 0; i < n; i++) other[i] = labels[i ? i - 1 : n - 1];
}
