/* SPDX-License-Identifier: Apache-2.0 */
/* The list of augmentation steps, and how a picture passes through them. */
#include "image/augment.h"

#include <string.h>

/* Every kind: afn_step_<word> in augment_<family>.c. */
#define KINDS(X)                                                                       \
    X(crop)                                                                            \
    X(hflip)                                                                           \
    X(vflip)                                                                           \
    X(rotate)                                                                          \
    X(color)                                                                           \
    X(grayscale)                                                                       \
    X(blur)                                                                            \
    X(trivial)                                                                         \
    X(rand)                                                                            \
    X(erase)

#define DECLARE(kind) extern const afn_step_kind afn_step_##kind;
KINDS(DECLARE)
#undef DECLARE

#define POINTER(kind) &afn_step_##kind,
static const afn_step_kind *const kinds[] = { KINDS(POINTER) };
#undef POINTER

enum { MAX_VIEWS = 1000, MAX_ALPHA = 1000 };

const afn_step_kind *afn_augment__kind(int i)
{
    return i >= 0 && (size_t)i < AFN_COUNT(kinds) ? kinds[i] : NULL;
}

/* ---- for the kinds ---- */

void afn_canvas_swap(afn_canvas *c)
{
    uint8_t *was = c->image.pixels;
    c->image.pixels = c->spare;
    c->spare = was;
}

void afn_drawn_add(afn_drawn *d, double v)
{
    assert(d->n < AFN_MAX_DRAWN);
    d->v[d->n++] = v;
}

double afn_draw_between(afn_rng *rng, double low, double high)
{
    return low + (high - low) * afn_rng_double(rng);
}

/* ---- making ---- */

afn_status afn_augment_new(afn_augment **out, const char *spec)
{
    afn_status st = AFN_OK;
    *out = NULL;
    afn_augment *a = afn_alloc(sizeof *a);
    AFN_REQUIRE(a, AFN_ENOMEM, "out of memory");
    AFN_TRY(afn_augment__parse(a, spec ? spec : "none"));
    afn_buf_str(&a->text, ""); /* not NULL */
    AFN_TRY(afn_buf_finish(&a->text));
    *out = a;
    a = NULL;
done:
    afn_augment_free(a);
    return afn_context(st, "augmentation");
}

void afn_augment_free(afn_augment *a)
{
    if (!a) return;
    afn_buf_free(&a->text);
    afn_free(a);
}

const char *afn_augment_text(const afn_augment *a)
{
    return a->text.data;
}

afn_status afn_augment_check(const afn_augment_opts *o)
{
    afn_augment *a;
    if (!(o->mixup >= 0 && o->mixup <= MAX_ALPHA))
        return afn_fail(AFN_EINVAL, "mixup of %g, need 0 to %d", o->mixup,
                        (int)MAX_ALPHA);
    if (!(o->cutmix >= 0 && o->cutmix <= MAX_ALPHA))
        return afn_fail(AFN_EINVAL, "cutmix of %g, need 0 to %d", o->cutmix,
                        (int)MAX_ALPHA);
    if (o->views < 0 || o->views > MAX_VIEWS)
        return afn_fail(AFN_EINVAL, "%d views, need 0 to %d", o->views, (int)MAX_VIEWS);
    const afn_status st = afn_augment_new(&a, o->spec);
    if (st == AFN_OK) afn_augment_free(a);
    return st;
}

/* ---- running ---- */

void afn_augment__draw(const afn_augment *a, afn_rng *rng, const afn_image *source,
                       const afn_image *changed, afn_drawn *drawn)
{
    for (int i = 0; i < a->n_steps; i++) {
        const afn_augment_step *s = &a->step[i];
        drawn[i] = (afn_drawn){ .on = true };
        s->kind->draw(&drawn[i], s->param, rng, s->kind->cut ? source : changed);
    }
}

afn_status afn_augment__change(const afn_augment *a, const afn_drawn *drawn,
                               afn_canvas *c)
{
    for (int i = 0; i < a->n_steps; i++) {
        const afn_augment_step *s = &a->step[i];
        if (!drawn[i].on || !s->kind->change) continue;
        if (c->alpha && s->kind->of_colour) continue;
        const afn_status st = s->kind->change(c, s->param, &drawn[i]);
        if (st != AFN_OK) return st;
    }
    return AFN_OK;
}

static bool has_change(const afn_augment *a)
{
    return a->n_steps > 0 && a->step[a->n_steps - 1].kind->change;
}

/* Change (crop, crop, 3) pixels; those of alpha, or of colours. */
static afn_status change(const afn_augment *a, const afn_preprocess *p,
                         const afn_drawn *drawn, uint8_t *pixels, bool alpha)
{
    const size_t bytes = (size_t)p->crop * (size_t)p->crop * 3;
    const bool gray = afn_preprocess_channels(p) == 1;
    uint8_t *spare = afn_alloc_aligned(bytes);
    if (!spare) return afn_fail(AFN_ENOMEM, "out of memory");
    afn_canvas c = { .image = { p->crop, p->crop, pixels, 3 },
                     .spare = spare,
                     .alpha = alpha };
    for (int k = 0; k < 3; k++)
        c.fill[k] = (uint8_t)(int)(p->mean[alpha ? 3 : gray ? 0 : k] * 255.0f + 0.5f);
    const afn_status st = afn_augment__change(a, drawn, &c);
    /* where the steps took turns with the two, the spare one has become the picture */
    if (c.image.pixels != pixels) memcpy(pixels, c.image.pixels, bytes);
    afn_free(spare);
    return st;
}

/* The same of (crop, crop, 4): colours, and alpha by itself as a picture whose three
 * channels are equal, so that the steps need to know pictures in RGB only. */
static afn_status change_apart(const afn_augment *a, const afn_preprocess *p,
                               const afn_drawn *drawn, uint8_t *pixels)
{
    afn_status st = AFN_OK;
    const size_t n = (size_t)p->crop * (size_t)p->crop;
    uint8_t *colours = afn_alloc_aligned(3 * n), *alpha = afn_alloc_aligned(3 * n);
    AFN_REQUIRE(colours && alpha, AFN_ENOMEM, "out of memory");
    for (size_t i = 0; i < n; i++) {
        memcpy(colours + 3 * i, pixels + 4 * i, 3);
        memset(alpha + 3 * i, pixels[4 * i + 3], 3);
    }
    AFN_TRY(change(a, p, drawn, colours, false));
    AFN_TRY(change(a, p, drawn, alpha, true));
    for (size_t i = 0; i < n; i++) {
        memcpy(pixels + 4 * i, colours + 3 * i, 3);
        pixels[4 * i + 3] = alpha[3 * i];
    }
done:
    afn_free(colours);
    afn_free(alpha);
    return st;
}

afn_status afn_augment__apply(const afn_augment *a, const afn_preprocess *p,
                              const afn_image *in, const afn_drawn *drawn, uint8_t *out)
{
    afn_status st = AFN_OK;
    const bool cuts = a->n_steps > 0 && a->step[0].kind->cut;
    AFN_TRY(afn_image__check_preprocess(p));
    AFN_TRY(afn_image__check(in));
    AFN_TRY(cuts ? a->step[0].kind->cut(out, p, in, &drawn[0])
                 : afn_image__preprocess(p, in, out));
    if (!has_change(a)) goto done;
    AFN_TRY(afn_image_channels(in) == 4 ? change_apart(a, p, drawn, out)
                                        : change(a, p, drawn, out, false));
done:
    return st;
}

afn_status afn_augment_apply(const afn_augment *a, const afn_preprocess *p,
                             const afn_image *in, const afn_augment_draw *at,
                             uint8_t *out)
{
    afn_status st = AFN_OK;
    uint8_t *pixels = out;
    afn_image converted = { 0 };
    const int channels = afn_preprocess_channels(p);
    const int source = afn_image__source_channels(channels);
    const size_t n = (size_t)p->crop * (size_t)p->crop;
    afn_drawn drawn[AFN_MAX_STEPS];
    const afn_image size = { .width = p->crop, .height = p->crop };
    afn_rng rng =
        afn_rng_new(at->seed, afn_rng_stream(AFN_RNG_AUGMENT, (uint32_t)at->epoch,
                                             (uint32_t)at->sample));
    if (channels != source) pixels = afn_alloc_aligned(3 * n);
    AFN_REQUIRE(pixels, AFN_ENOMEM, "out of memory");
    AFN_TRY(afn_image__as_channels(&in, &converted, source));
    afn_augment__draw(a, &rng, in, &size, drawn);
    AFN_TRY(afn_augment__apply(a, p, in, drawn, pixels));
    AFN_TRY(afn_image__to_channels(out, pixels, n, channels));
done:
    if (pixels != out) afn_free(pixels);
    afn_image_free(&converted);
    return st;
}
