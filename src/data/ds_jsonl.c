/* SPDX-License-Identifier: Apache-2.0 */
/* A manifest as JSON lines: {"path": "cats/1.jpg", "label": "cat", "split": "val"}.  A
 * label is text or a whole number; other keys are passed over. */
#include <stdio.h>
#include <string.h>

#include "data/manifest.h"
#include "io/io.h"

enum { NUMBER_BYTES = 24 };

/* Text of a value, NULL where it has none.  number: room for a whole number. */
static const char *text_of(const json_t *v, char number[NUMBER_BYTES])
{
    if (!json_is_integer(v)) return json_string_value(v);
    snprintf(number, NUMBER_BYTES, "%lld", (long long)json_integer_value(v));
    return number;
}

static afn_status read_object(afn_manifest_row *row, json_t *object,
                              char number[AFN_N_COLUMNS][NUMBER_BYTES])
{
    const char *key;
    json_t *value;
    json_object_foreach(object, key, value)
    {
        const afn_column c = afn_manifest_column(key);
        if (c == AFN_N_COLUMNS || json_is_null(value)) continue;
        if (row->text[c])
            return afn_fail(AFN_EFORMAT, "has %s twice", afn_manifest_names(c));
        row->text[c] = text_of(value, number[c]);
        if (!row->text[c])
            return afn_fail(AFN_EFORMAT, "%s is neither text nor a whole number", key);
    }
    return AFN_OK;
}

static afn_status parse_line(afn_manifest *m, int64_t line, const char *text, size_t n)
{
    afn_status st = AFN_OK;
    char number[AFN_N_COLUMNS][NUMBER_BYTES];
    afn_manifest_row row = { .line = line };
    json_t *object = NULL;
    st = afn_json_parse(&object, text, n);
    if (st == AFN_OK && !json_is_object(object))
        st = afn_fail(AFN_EFORMAT, "not an object");
    if (st == AFN_OK) st = read_object(&row, object, number);
    st = afn_context(st, "line %lld", (long long)line);
    if (st == AFN_OK) st = afn_manifest_add(m, &row);
    json_decref(object);
    return st;
}

static bool is_blank(const char *at, const char *end)
{
    while (at < end && strchr(" \t\r", *at) && *at) at++;
    return at == end;
}

static afn_status parse(afn_manifest *m, const void *text, size_t bytes)
{
    const char *at = text, *const end = at + bytes;
    if (bytes >= 3 && memcmp(at, "\xef\xbb\xbf", 3) == 0) at += 3;
    for (int64_t line = 1; at < end; line++) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        if (!stop) stop = end;
        if (!is_blank(at, stop)) {
            const afn_status st = parse_line(m, line, at, (size_t)(stop - at));
            if (st != AFN_OK) return st;
        }
        at = stop < end ? stop + 1 : end;
    }
    return AFN_OK;
}

extern const afn_dataset_ops afn_ds_jsonl;

static afn_status jsonl_open(afn_dataset **out, const char *rest, afn_class_order order)
{
    return afn_manifest_open(out, &afn_ds_jsonl, rest, order, parse);
}

static const char *const suffix[] = { ".jsonl", ".ndjson", NULL };

const afn_dataset_ops afn_ds_jsonl = {
    .kind = "jsonl",
    .suffix = suffix,
    .open = jsonl_open,
    .load = afn_manifest_load,
    .read_ahead = afn_manifest_read_ahead,
    .sample_name = afn_manifest_sample_name,
    .close = afn_manifest_close,
};
