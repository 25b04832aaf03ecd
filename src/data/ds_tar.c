/* SPDX-License-Identifier: Apache-2.0 */
/* Tar archives with WebDataset's naming: files whose names agree up to the first dot
 * of their last part are one sample, and follow each other.
 *
 *   n01/0001.jpg   the picture, known by its ending
 *   n01/0001.cls   its label: a number or a name, as text
 *   n01/0001.json  or an object with a "label" or "cls"
 *
 * A sample with neither has the name of its folder as label, so that a folder of
 * pictures can be packed as it is.  The archives stay mapped; nothing is unpacked.
 * Source     https://github.com/webdataset/webdataset, "The WebDataset format" */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "data/data.h"
#include "data/dataset.h"
#include "data/labels.h"
#include "data/manifest.h"
#include "data/shards.h"
#include "io/io.h"

enum { LABEL_BYTES = 256, MAX_JSON = 1 << 20, FORGET_BYTES = 1 << 25 };

typedef struct shard {
    char *path;
    afn_map map;
    int64_t first; /* sample with which it begins */
} shard;

/* A picture: where it is in its shard, and its name in text. */
typedef struct member {
    size_t at, size, name_at;
} member;

typedef struct tar_set {
    afn_dataset base;
    shard *shard;
    size_t n_shards;
    afn_buf members; /* of member, one for each sample */
    afn_buf labels;  /* of int */
    afn_buf text;    /* names, each ended by 0 */
} tar_set;

/* The sample that is being gathered. */
typedef struct gathered {
    afn_buf key;
    afn_buf images; /* of member */
    char label[LABEL_BYTES];
    bool from_cls;
} gathered;

/* ---- names ---- */

static bool is_image(const char *name)
{
    static const char *const ending[] = { ".jpg", ".jpeg", ".png",  ".webp", ".bmp",
                                          ".gif", ".tif",  ".tiff", ".ppm",  ".pgm" };
    for (size_t i = 0; i < AFN_COUNT(ending); i++)
        if (afn_ends_with_nocase(name, ending[i])) return true;
    return false;
}

static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* Length of what samples are told apart by. */
static size_t key_length(const char *name)
{
    const char *last = last_part(name);
    return (size_t)(last - name) + strcspn(last, ".");
}

/* The folder that a key is in, as its label; empty where it is in none. */
static void folder_label(char label[LABEL_BYTES], const char *key)
{
    const char *end = strrchr(key, '/'), *from = end;
    *label = 0;
    if (!end) return;
    while (from > key && from[-1] != '/') from--;
    if (end - from == 1 && *from == '.') return; /* "./0001" */
    snprintf(label, LABEL_BYTES, "%.*s", (int)(end - from), from);
}

/* ---- labels ---- */

static afn_status read_cls(char label[LABEL_BYTES], const char *text, size_t n)
{
    while (n && isspace((unsigned char)*text)) text++, n--;
    while (n && isspace((unsigned char)text[n - 1])) n--;
    if (!n || n >= LABEL_BYTES || memchr(text, 0, n) || memchr(text, '\n', n))
        return afn_fail(AFN_EFORMAT, "need one line with a label");
    memcpy(label, text, n);
    label[n] = 0;
    return AFN_OK;
}

/* The label in an object; none where it has no such key. */
static afn_status read_json(char label[LABEL_BYTES], const char *text, size_t n)
{
    json_t *object, *value;
    const char *key;
    if (n > MAX_JSON) return AFN_OK;
    const afn_status st = afn_json_parse(&object, text, n);
    if (st != AFN_OK) return st;
    json_object_foreach(object, key, value)
    {
        if (afn_manifest_column(key) != AFN_COLUMN_LABEL && strcasecmp(key, "cls") != 0)
            continue;
        if (json_is_integer(value))
            snprintf(label, LABEL_BYTES, "%lld", (long long)json_integer_value(value));
        if (json_is_string(value))
            snprintf(label, LABEL_BYTES, "%s", json_string_value(value));
    }
    json_decref(object);
    return AFN_OK;
}

/* ---- gathering ---- */

static afn_status add_sample(tar_set *s, afn_labels *names, const member *m,
                             const char *label)
{
    int id;
    const afn_status st = afn_labels_id(names, label, &id);
    if (st != AFN_OK) return st;
    afn_buf_add(&s->members, m, sizeof *m);
    afn_buf_add(&s->labels, &id, sizeof id);
    if (s->members.failed || s->labels.failed || s->text.failed)
        return afn_fail(AFN_ENOMEM, "out of memory");
    s->base.count++;
    return AFN_OK;
}

/* What was gathered is a sample; without a label of its own each picture is one. */
static afn_status flush(tar_set *s, afn_labels *names, gathered *g)
{
    afn_status st = AFN_OK;
    const member *m = (const member *)(const void *)g->images.data;
    size_t n = g->images.size / sizeof *m;
    if (*g->label && n > 1) n = 1;
    if (n && !*g->label) {
        folder_label(g->label, g->key.data);
        AFN_REQUIRE(*g->label, AFN_EFORMAT,
                    "%s: no label: neither .cls nor .json nor a folder", g->key.data);
    }
    for (size_t i = 0; i < n; i++) AFN_TRY(add_sample(s, names, &m[i], g->label));
done:
    g->images.size = 0;
    *g->label = 0;
    g->from_cls = false;
    return st;
}

static afn_status take_file(tar_set *s, gathered *g, const afn_map *map,
                            const afn_tar_file *f)
{
    const char *bytes = (const char *)map->data + f->at;
    if (is_image(f->name)) {
        const member m = { f->at, f->size, s->text.size };
        afn_buf_add(&s->text, f->name, strlen(f->name) + 1);
        afn_buf_add(&g->images, &m, sizeof m);
        return g->images.failed ? afn_fail(AFN_ENOMEM, "out of memory") : AFN_OK;
    }
    if (afn_ends_with_nocase(f->name, ".cls")) {
        g->from_cls = true;
        return afn_context(read_cls(g->label, bytes, f->size), "%s", f->name);
    }
    if (afn_ends_with_nocase(f->name, ".json") && !g->from_cls)
        return afn_context(read_json(g->label, bytes, f->size), "%s", f->name);
    return AFN_OK;
}

/* Is this file of another sample than what was gathered? */
static bool is_next(const gathered *g, const char *name)
{
    const size_t n = key_length(name);
    return !g->key.data || g->key.size != n || memcmp(g->key.data, name, n) != 0;
}

static afn_status index_shard(tar_set *s, afn_labels *names, const shard *d)
{
    afn_status st = AFN_OK;
    afn_tar tar = { .data = d->map.data, .size = d->map.size };
    afn_tar_file f;
    gathered g = { 0 };
    size_t known = 0; /* bytes whose pages were given back */
    bool more;
    afn_map_sparse(&d->map, true); /* headers only: do not read the pictures */
    for (;;) {
        AFN_TRY(afn_tar_next(&tar, &f, &more));
        if (!more) break;
        if (f.at - known > FORGET_BYTES) {
            afn_map_forget(&d->map);
            known = f.at;
        }
        if (*last_part(f.name) == '.') continue;
        if (is_next(&g, f.name)) {
            AFN_TRY(flush(s, names, &g));
            g.key.size = 0;
            afn_buf_add(&g.key, f.name, key_length(f.name));
            AFN_TRY(afn_buf_finish(&g.key));
        }
        AFN_TRY(take_file(s, &g, &d->map, &f));
    }
    AFN_TRY(flush(s, names, &g));
    afn_map_forget(&d->map);
    afn_map_sparse(&d->map, false);
done:
    afn_tar_close(&tar);
    afn_buf_free(&g.key);
    afn_buf_free(&g.images);
    return st;
}

/* ---- opening ---- */

static size_t count_names(const afn_buf *paths)
{
    size_t n = 0;
    for (size_t i = 0; i < paths->size; i++) n += paths->data[i] == 0;
    return n;
}

static afn_status open_shards(tar_set *s, afn_labels *names, const afn_buf *paths)
{
    const char *path = paths->data;
    const size_t n = count_names(paths);
    s->shard = afn_alloc_array(n, sizeof *s->shard);
    if (!s->shard) return afn_fail(AFN_ENOMEM, "out of memory");
    for (; s->n_shards < n; path += strlen(path) + 1) {
        shard *d = &s->shard[s->n_shards++];
        d->first = s->base.count;
        d->path = afn_strdup(path);
        if (!d->path) return afn_fail(AFN_ENOMEM, "out of memory");
        afn_status st = afn_map_open(&d->map, path);
        if (st == AFN_OK) st = index_shard(s, names, d);
        if (st != AFN_OK) return afn_context(st, "%s", path);
    }
    return AFN_OK;
}

/* The part that the leading letters of a shard's name tell. */
static bool part_of(uint8_t *part, const char *path)
{
    char word[16];
    const char *name = last_part(path);
    size_t n = 0;
    while (isalpha((unsigned char)name[n])) n++;
    snprintf(word, sizeof word, "%.*s", n < sizeof word ? (int)n : 0, name);
    return afn_data__part_word(part, word);
}

/* Shard of sample i: the last whose first sample is not behind it. */
static const shard *shard_of(const tar_set *s, int64_t i)
{
    const shard *d = s->shard;
    size_t n = s->n_shards;
    while (n > 1) {
        const size_t half = n / 2;
        if (d[half].first <= i) {
            d += half;
            n -= half;
        } else {
            n = half;
        }
    }
    return d;
}

static afn_status mark_parts(tar_set *s)
{
    uint8_t part;
    bool any = false;
    for (size_t k = 0; k < s->n_shards; k++) any |= part_of(&part, s->shard[k].path);
    if (!any) return AFN_OK;
    s->base.part = afn_alloc_array((size_t)s->base.count, 1);
    if (!s->base.part) return afn_fail(AFN_ENOMEM, "out of memory");
    for (int64_t i = 0; i < s->base.count; i++) {
        part = AFN_PART_TRAIN;
        (void)part_of(&part, shard_of(s, i)->path);
        s->base.part[i] = part;
    }
    return AFN_OK;
}

extern const afn_dataset_ops afn_ds_tar;

static afn_status tar_open(afn_dataset **out, const char *rest, afn_class_order order)
{
    afn_status st = AFN_OK;
    afn_buf paths = { 0 };
    afn_labels names = { 0 };
    *out = NULL;
    tar_set *s = (tar_set *)afn_data__new(&afn_ds_tar, sizeof *s);
    AFN_REQUIRE(s, AFN_ENOMEM, "out of memory");
    AFN_TRY(afn_shards_find(&paths, rest, ".tar"));
    AFN_TRY(open_shards(s, &names, &paths));
    AFN_REQUIRE(s->base.count, AFN_EFORMAT, "%s: has no images", rest);
    s->base.label = (int *)(void *)s->labels.data;
    s->labels = (afn_buf){ 0 };
    AFN_TRY(afn_labels_apply(&names, &s->base, order));
    AFN_TRY(mark_parts(s));
    *out = &s->base;
    s = NULL;
done:
    afn_labels_free(&names);
    afn_buf_free(&paths);
    afn_dataset_free((afn_dataset *)s);
    return st;
}

/* ---- samples ---- */

static const member *member_of(const tar_set *s, int64_t i)
{
    return (const member *)(const void *)s->members.data + i;
}

static afn_status tar_load(const afn_dataset *d, int64_t i, afn_stored *out)
{
    const tar_set *s = (const tar_set *)d;
    const member *m = member_of(s, i);
    *out = (afn_stored){ .data = shard_of(s, i)->map.data + m->at, .size = m->size };
    return AFN_OK;
}

static void tar_read_ahead(const afn_dataset *d, int64_t i)
{
    const tar_set *s = (const tar_set *)d;
    const member *m = member_of(s, i);
    afn_map_read_ahead(&shard_of(s, i)->map, m->at, m->size);
}

static void tar_sample_name(const afn_dataset *d, int64_t i, char *buf, size_t bytes)
{
    const tar_set *s = (const tar_set *)d;
    snprintf(buf, bytes, "%s:%s", shard_of(s, i)->path,
             s->text.data + member_of(s, i)->name_at);
}

static void tar_close(afn_dataset *d)
{
    tar_set *s = (tar_set *)d;
    for (size_t k = 0; k < s->n_shards; k++) {
        afn_map_close(&s->shard[k].map);
        afn_free(s->shard[k].path);
    }
    afn_free(s->shard);
    afn_buf_free(&s->members);
    afn_buf_free(&s->labels);
    afn_buf_free(&s->text);
}

static const char *const suffix[] = { ".tar", NULL };

const afn_dataset_ops afn_ds_tar = {
    .kind = "tar",
    .suffix = suffix,
    .open = tar_open,
    .load = tar_load,
    .read_ahead = tar_read_ahead,
    .sample_name = tar_sample_name,
    .close = tar_close,
};
