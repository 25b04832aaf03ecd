/* SPDX-License-Identifier: Apache-2.0 */
/* The list of kinds, how a spec names one of them, and the calls that are the same for
 * all: everything but open, load and name works on the common struct. */
#include "data/dataset.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "data/data.h"

/* Every kind: afn_ds_<word> in ds_<word>.c, both of CIFAR in ds_cifar.c. */
#define KINDS(X)                                                                       \
    X(folder)                                                                          \
    X(csv)                                                                             \
    X(jsonl)                                                                           \
    X(cifar10)                                                                         \
    X(cifar100)                                                                        \
    X(idx)                                                                             \
    X(tar)                                                                             \
    X(fake)

#define DECLARE(kind) extern const afn_dataset_ops afn_ds_##kind;
KINDS(DECLARE)
#undef DECLARE

#define POINTER(kind) &afn_ds_##kind,
static const afn_dataset_ops *const kinds[] = { KINDS(POINTER) };
#undef POINTER

#define NAME(kind) #kind,
static const char *const kind_name[] = { KINDS(NAME) };
#undef NAME

afn_dataset *afn_data__new(const afn_dataset_ops *ops, size_t bytes)
{
    afn_dataset *d = afn_alloc(bytes);
    if (!d) return NULL;
    d->ops = ops;
    atomic_init(&d->refs, 1);
    return d;
}

afn_dataset *afn_data__share(afn_dataset *d)
{
    atomic_fetch_add(&d->refs, 1);
    return d;
}

void afn_dataset_free(afn_dataset *d)
{
    if (!d || atomic_fetch_sub(&d->refs, 1) > 1) return;
    if (d->ops->close) d->ops->close(d);
    afn_free(d->class_name);
    afn_free(d->label);
    afn_free(d->part);
    afn_free(d);
}

afn_status afn_data__set_classes(afn_dataset *d, const char *const *name, int n)
{
    size_t bytes = (size_t)n * sizeof(char *);
    for (int i = 0; i < n; i++) bytes += strlen(name[i]) + 1;
    char **list = afn_alloc(bytes);
    if (!list) return afn_fail(AFN_ENOMEM, "out of memory");

    char *text = (char *)(list + n);
    for (int i = 0; i < n; i++) {
        const size_t size = strlen(name[i]) + 1;
        list[i] = memcpy(text, name[i], size);
        text += size;
    }
    afn_free(d->class_name);
    d->class_name = list;
    d->n_classes = n;
    return AFN_OK;
}

static const afn_dataset_ops *find_kind(const char *word, size_t length)
{
    for (size_t i = 0; i < AFN_COUNT(kinds); i++)
        if (strlen(kind_name[i]) == length && memcmp(kind_name[i], word, length) == 0)
            return kinds[i];
    return NULL;
}

static afn_status unknown_kind(const char *spec, size_t length)
{
    char word[64], known[256] = "";
    snprintf(word, sizeof word, "%.*s", length < 63 ? (int)length : 63, spec);
    const char *near = afn_nearest(word, kind_name, AFN_COUNT(kind_name));
    if (near)
        return afn_fail(AFN_EINVAL,
                        "%s: unknown kind of data set, did you mean %s:", word, near);
    for (size_t i = 0, at = 0; i < AFN_COUNT(kind_name) && at < sizeof known; i++)
        at += (size_t)snprintf(known + at, sizeof known - at, "%s%s:", i ? ", " : "",
                               kind_name[i]);
    return afn_fail(AFN_EINVAL, "%s: no such folder or kind of data set, need %s", word,
                    known);
}

/* The kind whose names end like this, NULL for none. */
static const afn_dataset_ops *kind_of_suffix(const char *spec)
{
    for (size_t i = 0; i < AFN_COUNT(kinds); i++) {
        const char *const *end = kinds[i]->suffix;
        for (; end && *end; end++)
            if (afn_ends_with_nocase(spec, *end)) return kinds[i];
    }
    return NULL;
}

afn_status afn_data__kind(const afn_dataset_ops **kind, const char **rest,
                          const char *spec)
{
    size_t n = 0; /* length of the leading word */
    if (!spec || !*spec)
        return afn_fail(AFN_EINVAL, "the name of the data set is empty");
    while (isalnum((unsigned char)spec[n]) || spec[n] == '_' || spec[n] == '-') n++;

    *kind = &afn_ds_folder;
    *rest = spec;
    if (afn_is_dir(spec)) return AFN_OK; /* whatever it is called */
    const afn_dataset_ops *named = find_kind(spec, n), *file = kind_of_suffix(spec);
    if (spec[n] == ':' && n && named) {
        *kind = named;
        *rest = spec + n + 1;
    } else if (file) {
        *kind = file;
    } else if (spec[n] == ':' && n) {
        return unknown_kind(spec, n);
    } else if (named && !spec[n]) {
        return afn_fail(AFN_ENOTFOUND, "%s: no such folder, did you mean %s:", spec,
                        spec);
    }
    return AFN_OK;
}

afn_status afn_dataset_open(afn_dataset **out, const char *spec)
{
    const afn_dataset_ops *kind;
    const char *rest;
    *out = NULL;
    const afn_status st = afn_data__kind(&kind, &rest, spec);
    return st == AFN_OK ? kind->open(out, rest, AFN_ORDER_STRING) : st;
}

int64_t afn_dataset_count(const afn_dataset *d)
{
    return d->count;
}

int afn_dataset_classes(const afn_dataset *d)
{
    return d->n_classes;
}

const char *afn_dataset_class_name(const afn_dataset *d, int i)
{
    return i >= 0 && i < d->n_classes ? d->class_name[i] : NULL;
}

int afn_dataset_label(const afn_dataset *d, int64_t i)
{
    return i >= 0 && i < d->count ? d->label[i] : -1;
}

char *afn_dataset_sample_name(const afn_dataset *d, int64_t i, char *buf, size_t bytes)
{
    if (!bytes) return buf;
    if (i >= 0 && i < d->count)
        d->ops->sample_name(d, i, buf, bytes);
    else
        snprintf(buf, bytes, "sample %lld", (long long)i);
    return buf;
}

/* ---- one sample ---- */

afn_status afn_data__load(const afn_dataset *d, int64_t i, afn_stored *out)
{
    char name[1024];
    *out = (afn_stored){ 0 };
    const afn_status st = d->ops->load(d, i, out);
    if (st == AFN_OK) return AFN_OK;
    afn_data__unload(out);
    return afn_context(st, "%s", afn_dataset_sample_name(d, i, name, sizeof name));
}

void afn_data__unload(afn_stored *s)
{
    afn_map_close(&s->file);
    afn_free(s->owned);
    *s = (afn_stored){ 0 };
}

/* Gray or RGB values, side by side or in planes, to RGB. */
static void widen(uint8_t *rgb, const afn_stored *s)
{
    const int64_t n = s->width * s->height;
    const bool gray = s->channels == 1;
    const int64_t step = gray || s->planar ? 1 : 3;     /* to the next pixel, */
    const int64_t plane = gray ? 0 : s->planar ? n : 1; /* to the next colour */
    for (int64_t i = 0; i < n; i++)
        for (int64_t c = 0; c < 3; c++) rgb[3 * i + c] = s->data[step * i + plane * c];
}

afn_status afn_data__decode(afn_image *out, afn_stored *s, const afn_decode_opts *opts)
{
    *out = (afn_image){ 0 };
    if (!s->width) return afn_image_decode(out, s->data, s->size, opts);
    if (s->owned == s->data && s->channels == 3 && !s->planar) {
        *out = (afn_image){ s->width, s->height, s->owned, 3 };
        s->owned = NULL;
        return AFN_OK;
    }
    const afn_status st = afn_image__alloc(out, s->width, s->height);
    if (st == AFN_OK) widen(out->pixels, s);
    return st;
}

afn_status afn_dataset_read(const afn_dataset *d, int64_t i,
                            const afn_decode_opts *opts, afn_image *out)
{
    char name[1024];
    afn_stored s;
    *out = (afn_image){ 0 };
    if (i < 0 || i >= d->count)
        return afn_fail(AFN_EINVAL, "sample %lld, need 0 to %lld", (long long)i,
                        (long long)d->count - 1);
    afn_status st = afn_data__load(d, i, &s);
    if (st != AFN_OK) return st;
    st = afn_data__decode(out, &s, opts);
    afn_data__unload(&s);
    if (st == AFN_OK) return AFN_OK;
    return afn_context(st, "%s", afn_dataset_sample_name(d, i, name, sizeof name));
}
