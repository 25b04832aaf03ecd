/* SPDX-License-Identifier: Apache-2.0 */
/* A folder with one sub-folder per class, as torchvision's ImageFolder, in its order:
 * classes as sorted strings; in a class its folders of any depth, sorted by their whole
 * path; in a folder the files, sorted.  Links are followed.  Unlike there, names that
 * begin with a dot are passed over: they are caches and leftovers, not classes.
 *
 * 100,000 files take about 5 MB: a file is its name, an offset and a label; the path of
 * its folder is kept once. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/data.h"
#include "data/dataset.h"

enum {
    MAX_DEPTH = 32,   /* folders in each other; a link may lead back up */
    PATH_BYTES = 4096 /* Linux opens nothing longer */
};

/* torchvision.datasets.folder.IMG_EXTENSIONS */
static const char *const extension[] = { ".jpg", ".jpeg", ".png",  ".ppm", ".bmp",
                                         ".pgm", ".tif",  ".tiff", ".webp" };

/* Sub-folders that are parts of a data set; for validation the first that exists. */
static const char *const val_name[] = { "val", "valid", "validation", "test" };

/* One folder with images: samples first, first+1, ... */
typedef struct image_dir {
    size_t path_at;   /* in text, below the root: "daisy/2019" */
    const char *path; /* the same, once text has stopped growing */
    size_t names_at;  /* its first file in names */
    size_t n;
    int64_t first;
    int label;
} image_dir;

typedef struct folder_set {
    afn_dataset base;
    char *root;
    afn_buf text;  /* file names and paths, each ended by 0 */
    afn_buf names; /* of size_t: where in text a file's name is, as files were found */
    afn_buf dirs;  /* of image_dir, in order of samples */
} folder_set;

static bool is_hidden(const afn_dir_entry *e)
{
    return e->name[0] == '.';
}

static bool has_image_name(const afn_dir_entry *e)
{
    for (size_t i = 0; i < AFN_COUNT(extension); i++)
        if (afn_ends_with_nocase(e->name, extension[i])) return true;
    return false;
}

static size_t add_text(folder_set *f, const char *s)
{
    const size_t at = f->text.size;
    afn_buf_add(&f->text, s, strlen(s) + 1);
    return at;
}

/* Note the images of one folder; memory that ran out shows in the buffers. */
static void add_images(folder_set *f, const char *path, int label, const afn_dir *list)
{
    image_dir dir = { .label = label, .names_at = f->names.size / sizeof(size_t) };
    for (size_t i = 0; i < list->count; i++) {
        const afn_dir_entry *e = &list->entry[i];
        if (e->is_dir || is_hidden(e) || !has_image_name(e)) continue;
        if (!e->is_file) {
            afn_log(AFN_LOG_WARNING, "%s/%s/%s: not a file, passed over", f->root, path,
                    e->name);
            continue;
        }
        const size_t at = add_text(f, e->name);
        afn_buf_add(&f->names, &at, sizeof at);
        dir.n++;
    }
    if (!dir.n) return;
    dir.path_at = add_text(f, path);
    afn_buf_add(&f->dirs, &dir, sizeof dir);
}

/* Note the images of a class folder and of those in it. */
static afn_status scan(folder_set *f, const char *path, int label, int depth)
{
    afn_status st = AFN_OK;
    afn_dir list = { 0 };
    char *full = afn_path_join(f->root, path), *below = NULL;
    AFN_REQUIRE(full, AFN_ENOMEM, "out of memory");
    AFN_REQUIRE(depth < MAX_DEPTH, AFN_EFORMAT,
                "%s: over %d folders in each other, does a link lead back", full,
                (int)MAX_DEPTH);
    AFN_TRY(afn_context(afn_dir_read(&list, full), "%s", full));
    add_images(f, path, label, &list);
    for (size_t i = 0; i < list.count; i++) {
        if (!list.entry[i].is_dir || is_hidden(&list.entry[i])) continue;
        afn_free(below);
        below = afn_path_join(path, list.entry[i].name);
        AFN_REQUIRE(below, AFN_ENOMEM, "out of memory");
        AFN_TRY(scan(f, below, label, depth + 1));
    }
done:
    afn_free(below);
    afn_free(full);
    afn_dir_free(&list);
    return st;
}

static bool is_part_name(const char *name)
{
    for (size_t i = 0; i < AFN_COUNT(val_name); i++)
        if (strcmp(name, val_name[i]) == 0) return true;
    return strcmp(name, "train") == 0;
}

/* Refuse a folder of train/ and val/: two classes with these names are never meant. */
static afn_status check_not_parts(const folder_set *f, const char *const *class, int n)
{
    bool train = false;
    for (int i = 0; i < n; i++) {
        if (!is_part_name(class[i])) return AFN_OK;
        if (strcmp(class[i], "train") == 0) train = true;
    }
    if (!train) return AFN_OK;
    return afn_fail(AFN_EFORMAT,
                    "%s: has the parts of a data set (train%s), not one folder per "
                    "class; open %s/train",
                    f->root, n > 1 ? ", ..." : "", f->root);
}

static afn_status no_classes(const folder_set *f, const afn_dir *list)
{
    bool images = false;
    for (size_t i = 0; i < list->count; i++)
        if (!list->entry[i].is_dir && has_image_name(&list->entry[i])) images = true;
    return afn_fail(AFN_EFORMAT, "%s: no class folders%s, need one folder per class",
                    f->root, images ? ", its images lie side by side" : "");
}

static int by_number(const void *a, const void *b)
{
    return afn_natural_order(*(const char *const *)a, *(const char *const *)b);
}

/* Classes are the sub-folders of the root. */
static afn_status find_classes(folder_set *f, afn_class_order order)
{
    afn_status st = AFN_OK;
    afn_dir list = { 0 };
    const char **name = NULL;
    int n = 0;

    AFN_REQUIRE(
        !afn_is_file(f->root), AFN_EFORMAT,
        "%s: is a file, need a folder with one folder of images per class, or a "
        "list (.csv, .jsonl)",
        f->root);
    AFN_TRY(afn_context(afn_dir_read(&list, f->root), "%s", f->root));
    name = afn_alloc_array(list.count, sizeof *name);
    AFN_REQUIRE(name, AFN_ENOMEM, "out of memory");
    for (size_t i = 0; i < list.count; i++)
        if (list.entry[i].is_dir && !is_hidden(&list.entry[i]))
            name[n++] = list.entry[i].name;
    if (!n) {
        st = no_classes(f, &list);
        goto done;
    }
    AFN_TRY(check_not_parts(f, name, n));
    if (order == AFN_ORDER_NATURAL) qsort(name, (size_t)n, sizeof *name, by_number);
    AFN_TRY(afn_data__set_classes(&f->base, name, n));
done:
    afn_free(name);
    afn_dir_free(&list);
    return st;
}

static image_dir *dirs(const folder_set *f, size_t *n)
{
    *n = f->dirs.size / sizeof(image_dir);
    return (image_dir *)(void *)f->dirs.data;
}

static int by_class_and_path(const void *pa, const void *pb)
{
    const image_dir *a = pa, *b = pb;
    if (a->label != b->label) return a->label < b->label ? -1 : 1;
    return strcmp(a->path, b->path);
}

static afn_status scan_class(folder_set *f, int label)
{
    const size_t before = f->names.size;
    const afn_status st = scan(f, f->base.class_name[label], label, 0);
    if (st != AFN_OK) return st;
    if (f->text.failed || f->names.failed || f->dirs.failed)
        return afn_fail(AFN_ENOMEM, "out of memory");
    if (f->names.size == before)
        return afn_fail(AFN_EFORMAT,
                        "%s: class %s has no images (.jpg .jpeg .png .ppm .bmp .pgm "
                        ".tif .tiff .webp)",
                        f->root, f->base.class_name[label]);
    return AFN_OK;
}

/* Put folders in order and number their samples. */
static afn_status number_samples(folder_set *f)
{
    size_t n;
    image_dir *dir = dirs(f, &n);
    for (size_t i = 0; i < n; i++) dir[i].path = f->text.data + dir[i].path_at;
    qsort(dir, n, sizeof *dir, by_class_and_path);

    afn_dataset *d = &f->base;
    d->label = afn_alloc_array(f->names.size / sizeof(size_t), sizeof *d->label);
    if (!d->label) return afn_fail(AFN_ENOMEM, "out of memory");
    for (size_t i = 0; i < n; i++) {
        dir[i].first = d->count;
        for (size_t k = 0; k < dir[i].n; k++) d->label[d->count++] = dir[i].label;
    }
    return AFN_OK;
}

extern const afn_dataset_ops afn_ds_folder;

static afn_status folder_open(afn_dataset **out, const char *rest,
                              afn_class_order order)
{
    afn_status st = AFN_OK;
    *out = NULL;
    folder_set *f = (folder_set *)afn_data__new(&afn_ds_folder, sizeof *f);
    AFN_REQUIRE(f, AFN_ENOMEM, "out of memory");
    AFN_REQUIRE(*rest, AFN_EINVAL, "the name of the folder is empty");
    f->root = afn_strdup(rest);
    AFN_REQUIRE(f->root, AFN_ENOMEM, "out of memory");
    AFN_TRY(find_classes(f, order));
    for (int i = 0; i < f->base.n_classes; i++) AFN_TRY(scan_class(f, i));
    AFN_TRY(number_samples(f));
    *out = &f->base;
    f = NULL;
done:
    afn_dataset_free((afn_dataset *)f);
    return st;
}

/* Open DIR/name; NULL with AFN_OK where there is no such folder. */
static afn_status open_part(afn_dataset **out, const char *dir, const char *name,
                            afn_class_order order)
{
    *out = NULL;
    char *path = afn_path_join(dir, name);
    if (!path) return afn_fail(AFN_ENOMEM, "out of memory");
    const afn_status st = afn_is_dir(path) ? folder_open(out, path, order) : AFN_OK;
    afn_free(path);
    return st;
}

static afn_status folder_open_parts(afn_data_parts *out, const char *rest,
                                    afn_class_order order)
{
    afn_status st = AFN_OK;
    size_t at = 0;
    char *path = afn_path_join(rest, "train");
    AFN_REQUIRE(path, AFN_ENOMEM, "out of memory");
    if (!afn_is_dir(path)) goto done;
    for (; at < AFN_COUNT(val_name) && !out->val; at++)
        AFN_TRY(open_part(&out->val, rest, val_name[at], order));
    if (!out->val) goto done;
    AFN_TRY(folder_open(&out->train, path, order));
    if (strcmp(val_name[at - 1], "test") != 0)
        AFN_TRY(open_part(&out->test, rest, "test", order));
done:
    afn_free(path);
    return st;
}

/* The folder that holds sample i: the last whose first sample is not behind it. */
static const image_dir *dir_of(const folder_set *f, int64_t i)
{
    size_t n;
    const image_dir *dir = dirs(f, &n);
    while (n > 1) {
        const size_t half = n / 2;
        if (dir[half].first <= i) {
            dir += half;
            n -= half;
        } else {
            n = half;
        }
    }
    return dir;
}

static void folder_sample_name(const afn_dataset *d, int64_t i, char *buf, size_t bytes)
{
    const folder_set *f = (const folder_set *)d;
    const image_dir *dir = dir_of(f, i);
    const size_t *names = (const size_t *)(const void *)f->names.data;
    const size_t n = strlen(f->root);
    snprintf(buf, bytes, "%s%s%s/%s", f->root, f->root[n - 1] == '/' ? "" : "/",
             dir->path, f->text.data + names[dir->names_at + (size_t)(i - dir->first)]);
}

static afn_status folder_load(const afn_dataset *d, int64_t i, afn_stored *out)
{
    char path[PATH_BYTES];
    folder_sample_name(d, i, path, sizeof path);
    const afn_status st = afn_map_open(&out->file, path);
    out->data = out->file.data;
    out->size = out->file.size;
    return st;
}

static void folder_read_ahead(const afn_dataset *d, int64_t i)
{
    char path[PATH_BYTES];
    folder_sample_name(d, i, path, sizeof path);
    afn_file_read_ahead(path);
}

static void folder_close(afn_dataset *d)
{
    folder_set *f = (folder_set *)d;
    afn_free(f->root);
    afn_buf_free(&f->text);
    afn_buf_free(&f->names);
    afn_buf_free(&f->dirs);
}

const afn_dataset_ops afn_ds_folder = {
    .kind = "folder",
    .open = folder_open,
    .open_parts = folder_open_parts,
    .load = folder_load,
    .read_ahead = folder_read_ahead,
    .sample_name = folder_sample_name,
    .close = folder_close,
};
