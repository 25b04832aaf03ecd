/* SPDX-License-Identifier: Apache-2.0 */
/* MNIST and what is published in its format: pairs of IDX files, pictures and labels,
 * plain or compressed with gzip.
 *
 *   folder  a pair whose names have "train" in them, and one with "t10k" or "test"
 *   file    the pictures; the labels' name is the same with images -> labels and
 *           idx3 -> idx1
 *
 * Pictures are (n, h, w) gray or (n, h, w, 3) RGB; classes are numbers. */
#include <stdio.h>
#include <string.h>

#include "data/data.h"
#include "data/dataset.h"
#include "io/io.h"

enum { MAX_PAIRS = 2, MAX_LABELS = 256 };

static const size_t most_bytes = (size_t)1 << 34; /* of a decompressed file */

/* A file's contents, in its map or, where it was compressed, in memory. */
typedef struct idx_file {
    afn_map map;
    uint8_t *owned;
    afn_idx idx;
} idx_file;

typedef struct idx_pair {
    char *path; /* of the pictures */
    idx_file images, labels;
    int64_t first; /* sample with which it begins */
} idx_pair;

typedef struct idx_set {
    afn_dataset base;
    idx_pair pair[MAX_PAIRS];
    int n_pairs;
} idx_set;

static afn_status open_file(idx_file *f, const char *path)
{
    afn_status st = AFN_OK;
    AFN_TRY(afn_map_open(&f->map, path));
    const uint8_t *data = f->map.data;
    size_t size = f->map.size;
    if (afn_is_gzip(data, size)) {
        AFN_TRY(afn_gunzip(&f->owned, &size, data, size, most_bytes));
        data = f->owned;
        afn_map_close(&f->map);
    }
    AFN_TRY(afn_idx_parse(&f->idx, data, size));
done:
    return afn_context(st, "%s", path);
}

/* path with the last `from` in it replaced, NULL where there is none. */
static char *replace_last(const char *path, const char *from, const char *to)
{
    const char *at = NULL;
    for (const char *p = strstr(path, from); p; p = strstr(p + 1, from)) at = p;
    if (!at) return NULL;
    return afn_format("%.*s%s%s", (int)(at - path), path, to, at + strlen(from));
}

/* Where the labels of these pictures are: the name, or the one that is packed
 * otherwise.
 */
static afn_status labels_path(char **out, const char *images)
{
    afn_status st = AFN_OK;
    char *step = replace_last(images, "images", "labels"), *other = NULL;
    *out = NULL;
    AFN_REQUIRE(step || !strstr(images, "images"), AFN_ENOMEM, "out of memory");
    AFN_REQUIRE(step, AFN_EINVAL, "%s: no 'images' in its name to find its labels by",
                images);
    *out = strstr(step, "idx3") ? replace_last(step, "idx3", "idx1") : afn_strdup(step);
    AFN_REQUIRE(*out, AFN_ENOMEM, "out of memory");
    if (afn_is_file(*out)) goto done;
    other = afn_ends_with_nocase(*out, ".gz")
                ? afn_format("%.*s", (int)strlen(*out) - 3, *out)
                : afn_format("%s.gz", *out);
    AFN_REQUIRE(other, AFN_ENOMEM, "out of memory");
    if (afn_is_file(other)) {
        char *was = *out;
        *out = other;
        other = was;
    }
done:
    afn_free(step);
    afn_free(other);
    return st;
}

static afn_status check_pair(const idx_pair *p, const char *labels)
{
    const afn_idx *i = &p->images.idx, *l = &p->labels.idx;
    const bool gray = i->n_dims == 3, colour = i->n_dims == 4 && i->dim[3] == 3;
    if (!gray && !colour)
        return afn_fail(AFN_EFORMAT, "%s: need (n, h, w) or (n, h, w, 3)", p->path);
    if (i->dim[0] < 1 || i->dim[1] < 1 || i->dim[2] < 1)
        return afn_fail(AFN_EFORMAT, "%s: %lld images of %lldx%lld pixels", p->path,
                        (long long)i->dim[0], (long long)i->dim[2],
                        (long long)i->dim[1]);
    if (l->n_dims != 1 || l->dim[0] != i->dim[0])
        return afn_fail(AFN_EFORMAT, "%s: %lld labels for %lld images", labels,
                        (long long)l->size, (long long)i->dim[0]);
    return AFN_OK;
}

/* Takes path over, also on failure. */
static afn_status add_pair(idx_set *s, char *path)
{
    afn_status st = AFN_OK;
    char *labels = NULL;
    idx_pair *p = &s->pair[s->n_pairs++];
    p->path = path;
    p->first = s->base.count;
    AFN_TRY(labels_path(&labels, path));
    AFN_TRY(open_file(&p->images, path));
    AFN_TRY(open_file(&p->labels, labels));
    AFN_TRY(check_pair(p, labels));
    s->base.count += p->images.idx.dim[0];
done:
    afn_free(labels);
    return st;
}

/* A file of pictures whose name has one of the words in it, NULL for none.
 * Errors     AFN_EINVAL for two of them, named */
static afn_status find_images(const afn_dir_entry **out, const afn_dir *list,
                              const char *const *word)
{
    *out = NULL;
    for (size_t i = 0; i < list->count; i++) {
        const afn_dir_entry *e = &list->entry[i];
        bool has = false;
        for (int k = 0; word[k]; k++) has = has || strstr(e->name, word[k]);
        if (!e->is_file || e->name[0] == '.' || !has) continue;
        if (!strstr(e->name, "images") || !strstr(e->name, "idx")) continue;
        if (*out && !afn_starts_with(e->name, (*out)->name)) /* packed and not */
            return afn_fail(AFN_EINVAL, "has %s and %s, name the one to open",
                            (*out)->name, e->name);
        if (!*out) *out = e;
    }
    return AFN_OK;
}

static afn_status add_folder(idx_set *s, const char *dir)
{
    static const char *const train[] = { "train", NULL };
    static const char *const test[] = { "t10k", "test", NULL };
    static const char *const *const word[MAX_PAIRS] = { train, test };
    afn_status st = AFN_OK;
    afn_dir list = { 0 };
    AFN_TRY(afn_context(afn_dir_read(&list, dir), "%s", dir));
    for (int i = 0; i < MAX_PAIRS; i++) {
        const afn_dir_entry *e;
        AFN_TRY(afn_context(find_images(&e, &list, word[i]), "%s", dir));
        if (!e) continue;
        char *path = afn_path_join(dir, e->name);
        AFN_REQUIRE(path, AFN_ENOMEM, "out of memory");
        AFN_TRY(add_pair(s, path));
    }
    AFN_REQUIRE(s->n_pairs, AFN_ENOTFOUND,
                "%s: no file such as train-images-idx3-ubyte", dir);
done:
    afn_dir_free(&list);
    return st;
}

static const idx_pair *pair_of(const idx_set *s, int64_t i)
{
    return &s->pair[s->n_pairs > 1 && i >= s->pair[1].first ? 1 : 0];
}

static afn_status read_labels(idx_set *s)
{
    afn_status st = AFN_OK;
    afn_dataset *d = &s->base;
    char number[MAX_LABELS][12];
    const char *name[MAX_LABELS];
    int most = 0;
    d->label = afn_alloc_array((size_t)d->count, sizeof *d->label);
    d->part = s->n_pairs > 1 ? afn_alloc_array((size_t)d->count, 1) : NULL;
    AFN_REQUIRE(d->label && (d->part || s->n_pairs == 1), AFN_ENOMEM, "out of memory");
    for (int64_t i = 0; i < d->count; i++) {
        const idx_pair *p = pair_of(s, i);
        d->label[i] = p->labels.idx.data[i - p->first];
        if (d->part) d->part[i] = p == s->pair ? AFN_PART_TRAIN : AFN_PART_TEST;
        if (d->label[i] > most) most = d->label[i];
    }
    for (int c = 0; c <= most; c++) {
        snprintf(number[c], sizeof number[c], "%d", c);
        name[c] = number[c];
    }
    AFN_TRY(afn_data__set_classes(d, name, most + 1));
done:
    return st;
}

extern const afn_dataset_ops afn_ds_idx;

static afn_status idx_open(afn_dataset **out, const char *rest, afn_class_order order)
{
    afn_status st = AFN_OK;
    (void)order; /* classes are numbers */
    *out = NULL;
    idx_set *s = (idx_set *)afn_data__new(&afn_ds_idx, sizeof *s);
    AFN_REQUIRE(s, AFN_ENOMEM, "out of memory");
    AFN_REQUIRE(*rest, AFN_EINVAL, "the name of the folder is empty");
    if (afn_is_dir(rest)) {
        AFN_TRY(add_folder(s, rest));
    } else {
        char *path = afn_strdup(rest);
        AFN_REQUIRE(path, AFN_ENOMEM, "out of memory");
        AFN_TRY(add_pair(s, path));
    }
    AFN_TRY(read_labels(s));
    *out = &s->base;
    s = NULL;
done:
    afn_dataset_free((afn_dataset *)s);
    return st;
}

static afn_status idx_load(const afn_dataset *d, int64_t i, afn_stored *out)
{
    const idx_pair *p = pair_of((const idx_set *)d, i);
    const afn_idx *a = &p->images.idx;
    const size_t bytes = (size_t)(a->dim[1] * a->dim[2] * a->dim[3]);
    *out = (afn_stored){ .data = a->data + (size_t)(i - p->first) * bytes,
                         .size = bytes,
                         .width = a->dim[2],
                         .height = a->dim[1],
                         .channels = (int)a->dim[3] };
    return AFN_OK;
}

static void idx_sample_name(const afn_dataset *d, int64_t i, char *buf, size_t bytes)
{
    const idx_pair *p = pair_of((const idx_set *)d, i);
    snprintf(buf, bytes, "%s image %lld", p->path, (long long)(i - p->first));
}

static void close_file(idx_file *f)
{
    afn_map_close(&f->map);
    afn_free(f->owned);
}

static void idx_close(afn_dataset *d)
{
    idx_set *s = (idx_set *)d;
    for (int i = 0; i < s->n_pairs; i++) {
        close_file(&s->pair[i].images);
        close_file(&s->pair[i].labels);
        afn_free(s->pair[i].path);
    }
}

const afn_dataset_ops afn_ds_idx = {
    .kind = "idx",
    .open = idx_open,
    .load = idx_load,
    .sample_name = idx_sample_name,
    .close = idx_close,
};
