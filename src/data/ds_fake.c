/* SPDX-License-Identifier: Apache-2.0 */
/* Noise with random labels, for trying things out and for measuring speed: as
 * torchvision's FakeData with ToPILImage, normal values times 255 whose whole part
 * wraps to a byte.  Sample i is a function of (seed, i) alone; the values are not
 * PyTorch's. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/data.h"
#include "data/dataset.h"

enum { MAX_SAMPLES = 1 << 24, MAX_CLASSES = 1000000, MAX_SIDE = 16384 };

/* Which of a sample's streams of random numbers. */
enum { LABEL_STREAM, PIXEL_STREAM };

typedef struct fake_opts {
    uint64_t size, classes, height, width, seed;
} fake_opts;

typedef struct fake_set {
    afn_dataset base;
    fake_opts opts;
} fake_set;

static const struct {
    const char *key;
    size_t field; /* offset in fake_opts */
    uint64_t min, max;
} option[] = {
    { "size", offsetof(fake_opts, size), 1, MAX_SAMPLES },
    { "classes", offsetof(fake_opts, classes), 1, MAX_CLASSES },
    { "height", offsetof(fake_opts, height), 1, MAX_SIDE },
    { "width", offsetof(fake_opts, width), 1, MAX_SIDE },
    { "seed", offsetof(fake_opts, seed), 0, UINT64_MAX },
};

static afn_status unknown_key(const char *key)
{
    const char *known[AFN_COUNT(option)];
    for (size_t i = 0; i < AFN_COUNT(option); i++) known[i] = option[i].key;
    const char *near = afn_nearest(key, known, AFN_COUNT(known));
    if (near) return afn_fail(AFN_EINVAL, "unknown key %s, did you mean %s", key, near);
    return afn_fail(AFN_EINVAL,
                    "unknown key %s, need size, classes, height, width or seed", key);
}

/* Set the option named key. */
static afn_status set_option(fake_opts *o, const char *key, const char *value)
{
    size_t i = 0;
    while (i < AFN_COUNT(option) && strcmp(option[i].key, key) != 0) i++;
    if (i == AFN_COUNT(option)) return unknown_key(key);

    char *end;
    errno = 0;
    const unsigned long long v = strtoull(value, &end, 10);
    const bool number = *value >= '0' && *value <= '9' && !*end && !errno;
    if (!number || v < option[i].min || v > option[i].max)
        return afn_fail(AFN_EINVAL, "%s=%s, need %llu to %llu", key, value,
                        (unsigned long long)option[i].min,
                        (unsigned long long)option[i].max);
    memcpy((char *)o + option[i].field, &(uint64_t){ v }, sizeof(uint64_t));
    return AFN_OK;
}

/* "key=value,key=value", possibly empty. */
static afn_status parse(fake_opts *o, const char *rest)
{
    afn_status st = AFN_OK;
    char *copy = afn_strdup(rest);
    AFN_REQUIRE(copy, AFN_ENOMEM, "out of memory");
    for (char *p = copy, *next; p && *p; p = next) {
        next = strchr(p, ',');
        if (next) *next++ = 0;
        char *value = strchr(p, '=');
        AFN_REQUIRE(value, AFN_EINVAL, "%s: need key=value", p);
        *value++ = 0;
        AFN_TRY(set_option(o, p, value));
    }
done:
    afn_free(copy);
    return st;
}

static afn_status name_classes(afn_dataset *d, int n)
{
    enum { NAME_BYTES = 12 };
    afn_status st = AFN_OK;
    char *text = afn_alloc_array((size_t)n, NAME_BYTES);
    const char **name = afn_alloc_array((size_t)n, sizeof *name);
    AFN_REQUIRE(text && name, AFN_ENOMEM, "out of memory");
    for (int i = 0; i < n; i++) {
        char *at = text + (size_t)i * NAME_BYTES;
        snprintf(at, NAME_BYTES, "%d", i);
        name[i] = at;
    }
    AFN_TRY(afn_data__set_classes(d, name, n));
done:
    afn_free(text);
    afn_free(name);
    return st;
}

static afn_rng sample_rng(const fake_set *f, int64_t i, uint32_t stream)
{
    return afn_rng_new(f->opts.seed, afn_rng_stream(AFN_RNG_FAKE, (uint32_t)i, stream));
}

extern const afn_dataset_ops afn_ds_fake;

static afn_status fake_open(afn_dataset **out, const char *rest, afn_class_order order)
{
    (void)order; /* classes are numbers */
    afn_status st = AFN_OK;
    *out = NULL;
    fake_set *f = (fake_set *)afn_data__new(&afn_ds_fake, sizeof *f);
    AFN_REQUIRE(f, AFN_ENOMEM, "out of memory");
    f->opts = (fake_opts){ .size = 1000, .classes = 10, .height = 224, .width = 224 };
    AFN_TRY(parse(&f->opts, rest));
    AFN_TRY(name_classes(&f->base, (int)f->opts.classes));

    f->base.made_up = true;
    f->base.count = (int64_t)f->opts.size;
    f->base.label = afn_alloc_array(f->opts.size, sizeof(int));
    AFN_REQUIRE(f->base.label, AFN_ENOMEM, "out of memory");
    for (int64_t i = 0; i < f->base.count; i++) {
        afn_rng rng = sample_rng(f, i, LABEL_STREAM);
        f->base.label[i] = (int)afn_rng_below(&rng, (int64_t)f->opts.classes);
    }
    *out = &f->base;
    f = NULL;
done:
    afn_dataset_free((afn_dataset *)f);
    return afn_context(st, "fake");
}

/* Whole part of 255 z, modulo 256; |z| stays below 6. */
static uint8_t wrap_to_byte(float z)
{
    return (uint8_t)(int)(255.0f * z);
}

/* Two normal values at a time, by Box and Muller in single precision: half the price of
 * afn_rng_normal(), which matters where the noise is to keep a network busy. */
static afn_status fake_load(const afn_dataset *d, int64_t i, afn_stored *out)
{
    const fake_set *f = (const fake_set *)d;
    afn_image image;
    const afn_status st =
        afn_image__alloc(&image, (int64_t)f->opts.width, (int64_t)f->opts.height);
    if (st != AFN_OK) return st;
    const int64_t n = image.width * image.height * 3;
    *out = (afn_stored){ .data = image.pixels,
                         .size = (size_t)n,
                         .width = image.width,
                         .height = image.height,
                         .channels = 3,
                         .owned = image.pixels };

    afn_rng rng = sample_rng(f, i, PIXEL_STREAM);
    for (int64_t k = 0; k < n; k += 2) {
        const float r = sqrtf(-2.0f * logf(1.0f - afn_rng_float(&rng)));
        const float angle = 6.2831853f * afn_rng_float(&rng);
        image.pixels[k] = wrap_to_byte(r * cosf(angle));
        if (k + 1 < n) image.pixels[k + 1] = wrap_to_byte(r * sinf(angle));
    }
    return AFN_OK;
}

static void fake_sample_name(const afn_dataset *d, int64_t i, char *buf, size_t bytes)
{
    (void)d;
    snprintf(buf, bytes, "fake sample %lld", (long long)i);
}

const afn_dataset_ops afn_ds_fake = {
    .kind = "fake",
    .open = fake_open,
    .load = fake_load,
    .sample_name = fake_sample_name,
};
