/* SPDX-License-Identifier: Apache-2.0 */
/* Picture files by name.  A path that does not begin with a slash counts from the
 * manifest's own folder, so that the two can be moved together. */
#include "data/manifest.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "data/data.h"
#include "data/labels.h"

enum { MAX_NAMES = 8, PATH_BYTES = 4096 };

struct afn_manifest {
    afn_dataset base;
    char *folder;   /* ends with a slash; empty for the present one */
    afn_buf text;   /* paths, each ended by 0 */
    afn_buf paths;  /* size_t for each sample: where in text it is */
    afn_buf labels; /* int for each, as `names` numbers them */
    afn_buf parts;  /* afn_part of each, a byte */
    bool has_parts;
    afn_labels names;
};

static const struct {
    const char *list; /* for messages */
    const char *name[MAX_NAMES];
} column[] = {
    [AFN_COLUMN_PATH] = { "path, file, filename or image",
                          { "path", "file", "filename", "file_name", "filepath",
                            "image", "image_path" } },
    [AFN_COLUMN_LABEL] = { "label, class, category or target",
                           { "label", "class", "class_name", "category", "target",
                             "labels" } },
    [AFN_COLUMN_PART] = { "split, part or set", { "split", "part", "set", "subset" } },
};
_Static_assert(AFN_COUNT(column) == AFN_N_COLUMNS, "a row for every column");

afn_column afn_manifest_column(const char *name)
{
    for (int c = 0; c < AFN_N_COLUMNS; c++)
        for (int k = 0; k < MAX_NAMES && column[c].name[k]; k++)
            if (strcasecmp(name, column[c].name[k]) == 0) return (afn_column)c;
    return AFN_N_COLUMNS;
}

const char *afn_manifest_names(afn_column c)
{
    return column[c].list;
}

/* ---- filling ---- */

static afn_status add(afn_manifest *m, const afn_manifest_row *row)
{
    afn_status st = AFN_OK;
    const char *path = row->text[AFN_COLUMN_PATH], *label = row->text[AFN_COLUMN_LABEL];
    const char *word = row->text[AFN_COLUMN_PART];
    const size_t at = m->text.size;
    uint8_t part = AFN_PART_TRAIN;
    int id;
    AFN_REQUIRE(path && *path, AFN_EFORMAT, "no path");
    AFN_REQUIRE(label && *label, AFN_EFORMAT, "no label");
    AFN_REQUIRE(!word || !*word || afn_data__part_word(&part, word), AFN_EFORMAT,
                "part '%s', need train, val or test", word);
    if (word && *word) m->has_parts = true;
    AFN_TRY(afn_labels_id(&m->names, label, &id));
    afn_buf_add(&m->text, path, strlen(path) + 1);
    afn_buf_add(&m->paths, &at, sizeof at);
    afn_buf_add(&m->labels, &id, sizeof id);
    afn_buf_add(&m->parts, &part, 1);
    if (m->text.failed || m->paths.failed || m->labels.failed || m->parts.failed)
        return afn_fail(AFN_ENOMEM, "out of memory");
    m->base.count++;
done:
    return st;
}

afn_status afn_manifest_add(afn_manifest *m, const afn_manifest_row *row)
{
    return afn_context(add(m, row), "line %lld", (long long)row->line);
}

/* ---- opening ---- */

static afn_status set_folder(afn_manifest *m, const char *file)
{
    const char *slash = strrchr(file, '/');
    m->folder = afn_format("%.*s", slash ? (int)(slash - file) + 1 : 0, file);
    return m->folder ? AFN_OK : afn_fail(AFN_ENOMEM, "out of memory");
}

/* What was gathered, as the common struct has it: it takes the memory over. */
static void hand_over(afn_manifest *m)
{
    m->base.label = (int *)(void *)m->labels.data;
    m->labels = (afn_buf){ 0 };
    if (!m->has_parts) return;
    m->base.part = (uint8_t *)m->parts.data;
    m->parts = (afn_buf){ 0 };
}

static afn_status fill(afn_manifest *m, const char *file, afn_class_order order,
                       afn_manifest_parse parse)
{
    afn_status st = AFN_OK;
    afn_map text = { 0 };
    AFN_TRY(set_folder(m, file));
    AFN_TRY(afn_map_open(&text, file));
    AFN_TRY(parse(m, text.data, text.size));
    AFN_REQUIRE(m->base.count, AFN_EFORMAT, "has no images");
    hand_over(m);
    AFN_TRY(afn_labels_apply(&m->names, &m->base, order));
done:
    afn_map_close(&text);
    afn_labels_free(&m->names);
    afn_buf_free(&m->parts);
    return st;
}

afn_status afn_manifest_open(afn_dataset **out, const afn_dataset_ops *ops,
                             const char *file, afn_class_order order,
                             afn_manifest_parse parse)
{
    afn_status st = AFN_OK;
    *out = NULL;
    afn_manifest *m = (afn_manifest *)afn_data__new(ops, sizeof *m);
    AFN_REQUIRE(m, AFN_ENOMEM, "out of memory");
    AFN_REQUIRE(*file, AFN_EINVAL, "the name of the file is empty");
    AFN_TRY(afn_context(fill(m, file, order, parse), "%s", file));
    *out = &m->base;
    m = NULL;
done:
    afn_dataset_free((afn_dataset *)m);
    return st;
}

/* ---- the table's members ---- */

void afn_manifest_sample_name(const afn_dataset *d, int64_t i, char *buf, size_t bytes)
{
    const afn_manifest *m = (const afn_manifest *)d;
    const size_t *at = (const size_t *)(const void *)m->paths.data;
    const char *path = m->text.data + at[i];
    snprintf(buf, bytes, "%s%s", *path == '/' ? "" : m->folder, path);
}

afn_status afn_manifest_load(const afn_dataset *d, int64_t i, afn_stored *out)
{
    char path[PATH_BYTES];
    afn_manifest_sample_name(d, i, path, sizeof path);
    const afn_status st = afn_map_open(&out->file, path);
    out->data = out->file.data;
    out->size = out->file.size;
    return st;
}

void afn_manifest_read_ahead(const afn_dataset *d, int64_t i)
{
    char path[PATH_BYTES];
    afn_manifest_sample_name(d, i, path, sizeof path);
    afn_file_read_ahead(path);
}

void afn_manifest_close(afn_dataset *d)
{
    afn_manifest *m = (afn_manifest *)d;
    afn_free(m->folder);
    afn_buf_free(&m->text);
    afn_buf_free(&m->paths);
    afn_buf_free(&m->labels);
    afn_buf_free(&m->parts);
    afn_labels_free(&m->names);
}
