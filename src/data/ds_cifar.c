/* SPDX-License-Identifier: Apache-2.0 */
/* CIFAR-10 and CIFAR-100 in their binary version: files of records without a header.
 *
 *   CIFAR-10   label u8, 3072 pixels          data_batch_1.bin ... 5, test_batch.bin
 *   CIFAR-100  coarse u8, fine u8, 3072       train.bin, test.bin
 *
 * Pixels are planes (3, 32, 32).  The fine label counts.
 * Source     https://www.cs.toronto.edu/~kriz/cifar.html, "Binary version" */
#include <stdio.h>
#include <string.h>

#include "data/data.h"
#include "data/dataset.h"

enum { SIDE = 32, PIXEL_BYTES = 3 * SIDE * SIDE, MAX_FILES = 6, MAX_CLASSES = 100 };

typedef struct cifar_kind {
    const afn_dataset_ops *ops;
    const char *folder; /* as the archive unpacks */
    const char *python; /* the other version's folder or file, for a message */
    const char *file[MAX_FILES];
    const char *names; /* file with a class a line */
    int classes;
    size_t label_bytes; /* the last of them is the label */
    const char *class_name[10];
} cifar_kind;

typedef struct cifar_file {
    char *path;
    afn_map map;
    int64_t first; /* sample with which it begins */
} cifar_file;

typedef struct cifar_set {
    afn_dataset base;
    const cifar_kind *kind;
    size_t record_bytes;
    cifar_file file[MAX_FILES];
    int n_files;
} cifar_set;

static afn_part part_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return afn_starts_with(slash ? slash + 1 : path, "test") ? AFN_PART_TEST
                                                             : AFN_PART_TRAIN;
}

/* Map one file; takes path over, also on failure. */
static afn_status add_file(cifar_set *s, char *path)
{
    cifar_file *f = &s->file[s->n_files++];
    *f = (cifar_file){ .path = path, .first = s->base.count };
    const afn_status st = afn_map_open(&f->map, path);
    if (st != AFN_OK) return afn_context(st, "%s", path);
    if (!f->map.size || f->map.size % s->record_bytes)
        return afn_fail(AFN_EFORMAT, "%s: %zu bytes, need a multiple of %zu", path,
                        f->map.size, s->record_bytes);
    s->base.count += (int64_t)(f->map.size / s->record_bytes);
    return AFN_OK;
}

static afn_status add_folder(cifar_set *s, const char *dir)
{
    for (int i = 0; i < MAX_FILES && s->kind->file[i]; i++) {
        char *path = afn_path_join(dir, s->kind->file[i]);
        if (!path) return afn_fail(AFN_ENOMEM, "out of memory");
        if (!afn_is_file(path)) {
            afn_free(path);
            continue;
        }
        const afn_status st = add_file(s, path);
        if (st != AFN_OK) return st;
    }
    return AFN_OK;
}

static afn_status nothing_found(const cifar_set *s, const char *dir)
{
    afn_status st = AFN_OK;
    char *python = afn_path_join(dir, s->kind->python);
    AFN_REQUIRE(python, AFN_ENOMEM, "out of memory");
    AFN_REQUIRE(!afn_is_file(python) && !afn_is_dir(python), AFN_EUNSUPPORTED,
                "%s: the version for Python, need the binary version (%s)", python,
                s->kind->file[0]);
    st = afn_fail(AFN_ENOTFOUND, "%s: no %s in it", dir, s->kind->file[0]);
done:
    afn_free(python);
    return st;
}

/* The files of a folder, or of the one in it that the archive makes. */
static afn_status find_files(cifar_set *s, const char *dir, char **where)
{
    afn_status st = AFN_OK;
    *where = afn_strdup(dir);
    AFN_REQUIRE(*where, AFN_ENOMEM, "out of memory");
    AFN_TRY(add_folder(s, dir));
    if (s->n_files) goto done;
    afn_free(*where);
    *where = afn_path_join(dir, s->kind->folder);
    AFN_REQUIRE(*where, AFN_ENOMEM, "out of memory");
    AFN_TRY(add_folder(s, *where));
    if (!s->n_files) st = nothing_found(s, dir);
done:
    return st;
}

static const uint8_t *record(const cifar_set *s, int64_t i, const cifar_file **in)
{
    const cifar_file *f = &s->file[s->n_files - 1];
    while (f->first > i) f--;
    if (in) *in = f;
    return f->map.data + (size_t)(i - f->first) * s->record_bytes;
}

static afn_status read_labels(cifar_set *s)
{
    afn_dataset *d = &s->base;
    const cifar_file *f;
    d->label = afn_alloc_array((size_t)d->count, sizeof *d->label);
    d->part = s->n_files > 1 ? afn_alloc_array((size_t)d->count, 1) : NULL;
    if (!d->label || (s->n_files > 1 && !d->part))
        return afn_fail(AFN_ENOMEM, "out of memory");
    for (int64_t i = 0; i < d->count; i++) {
        d->label[i] = record(s, i, &f)[s->kind->label_bytes - 1];
        if (d->part) d->part[i] = (uint8_t)part_of(f->path);
        if (d->label[i] >= s->kind->classes)
            return afn_fail(AFN_EFORMAT, "%s: image %lld has label %d, need below %d",
                            f->path, (long long)(i - f->first), d->label[i],
                            s->kind->classes);
    }
    return AFN_OK;
}

/* Cut text into its lines; false where there are not exactly n. */
static bool cut_lines(char *text, const char **name, int n)
{
    int found = 0;
    for (char *line = text, *end; *line; line = end) {
        end = line + strcspn(line, "\r\n");
        if (*end) *end++ = 0;
        if (!*line) continue;
        if (found == n) return false;
        name[found++] = line;
    }
    return found == n;
}

static afn_status name_classes(cifar_set *s, const char *dir)
{
    afn_status st = AFN_OK;
    const int n = s->kind->classes;
    const char *name[MAX_CLASSES];
    char number[MAX_CLASSES][12];
    uint8_t *text = NULL;
    size_t size;
    char *path = afn_path_join(dir, s->kind->names);
    AFN_REQUIRE(path, AFN_ENOMEM, "out of memory");
    for (int c = 0; c < n; c++) {
        snprintf(number[c], sizeof number[c], "%d", c);
        name[c] = s->kind->class_name[0] ? s->kind->class_name[c] : number[c];
    }
    if (afn_is_file(path)) {
        AFN_TRY(afn_context(afn_file_read(&text, &size, path), "%s", path));
        AFN_REQUIRE(cut_lines((char *)text, name, n), AFN_EFORMAT,
                    "%s: need %d names, one a line", path, n);
    }
    AFN_TRY(afn_data__set_classes(&s->base, name, n));
done:
    afn_free(text);
    afn_free(path);
    return st;
}

static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? afn_format("%.*s", (int)(slash - path) + 1, path) : afn_strdup(".");
}

static afn_status cifar_open(afn_dataset **out, const char *rest,
                             const cifar_kind *kind)
{
    afn_status st = AFN_OK;
    char *dir = NULL, *path = NULL;
    *out = NULL;
    cifar_set *s = (cifar_set *)afn_data__new(kind->ops, sizeof *s);
    AFN_REQUIRE(s, AFN_ENOMEM, "out of memory");
    s->kind = kind;
    s->record_bytes = kind->label_bytes + PIXEL_BYTES;
    AFN_REQUIRE(*rest, AFN_EINVAL, "the name of the folder is empty");
    if (afn_is_dir(rest)) {
        AFN_TRY(find_files(s, rest, &dir));
    } else {
        dir = folder_of(rest);
        path = afn_strdup(rest);
        AFN_REQUIRE(dir && path, AFN_ENOMEM, "out of memory");
        st = add_file(s, path);
        path = NULL;
        if (st != AFN_OK) goto done;
    }
    AFN_TRY(read_labels(s));
    AFN_TRY(name_classes(s, dir));
    *out = &s->base;
    s = NULL;
done:
    afn_free(dir);
    afn_free(path);
    afn_dataset_free((afn_dataset *)s);
    return st;
}

static afn_status cifar_load(const afn_dataset *d, int64_t i, afn_stored *out)
{
    const cifar_set *s = (const cifar_set *)d;
    *out = (afn_stored){ .data = record(s, i, NULL) + s->kind->label_bytes,
                         .size = PIXEL_BYTES,
                         .width = SIDE,
                         .height = SIDE,
                         .channels = 3,
                         .planar = true };
    return AFN_OK;
}

static void cifar_read_ahead(const afn_dataset *d, int64_t i)
{
    const cifar_set *s = (const cifar_set *)d;
    const cifar_file *f;
    const uint8_t *at = record(s, i, &f);
    afn_map_read_ahead(&f->map, (size_t)(at - f->map.data), s->record_bytes);
}

static void cifar_sample_name(const afn_dataset *d, int64_t i, char *buf, size_t bytes)
{
    const cifar_file *f;
    (void)record((const cifar_set *)d, i, &f);
    snprintf(buf, bytes, "%s image %lld", f->path, (long long)(i - f->first));
}

static void cifar_close(afn_dataset *d)
{
    cifar_set *s = (cifar_set *)d;
    for (int i = 0; i < s->n_files; i++) {
        afn_map_close(&s->file[i].map);
        afn_free(s->file[i].path);
    }
}

/* ---- the two ---- */

extern const afn_dataset_ops afn_ds_cifar10, afn_ds_cifar100;

static const cifar_kind cifar10 = {
    .ops = &afn_ds_cifar10,
    .folder = "cifar-10-batches-bin",
    .python = "cifar-10-batches-py",
    .file = { "data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin",
              "data_batch_4.bin", "data_batch_5.bin", "test_batch.bin" },
    .names = "batches.meta.txt",
    .classes = 10,
    .label_bytes = 1,
    .class_name = { "airplane", "automobile", "bird", "cat", "deer", "dog", "frog",
                    "horse", "ship", "truck" },
};

static const cifar_kind cifar100 = {
    .ops = &afn_ds_cifar100,
    .folder = "cifar-100-binary",
    .python = "cifar-100-python",
    .file = { "train.bin", "test.bin" },
    .names = "fine_label_names.txt",
    .classes = 100,
    .label_bytes = 2,
};

/* Classes are numbered by the format, in either order. */
static afn_status cifar10_open(afn_dataset **out, const char *rest,
                               afn_class_order order)
{
    (void)order;
    return cifar_open(out, rest, &cifar10);
}

static afn_status cifar100_open(afn_dataset **out, const char *rest,
                                afn_class_order order)
{
    (void)order;
    return cifar_open(out, rest, &cifar100);
}

const afn_dataset_ops afn_ds_cifar10 = {
    .kind = "cifar10",
    .open = cifar10_open,
    .load = cifar_load,
    .read_ahead = cifar_read_ahead,
    .sample_name = cifar_sample_name,
    .close = cifar_close,
};

const afn_dataset_ops afn_ds_cifar100 = {
    .kind = "cifar100",
    .open = cifar100_open,
    .load = cifar_load,
    .read_ahead = cifar_read_ahead,
    .sample_name = cifar_sample_name,
    .close = cifar_close,
};
