/* SPDX-License-Identifier: Apache-2.0 */
/* A scalar is a protocol buffer of TensorBoard's, of which these fields are written
 * (https://github.com/tensorflow/tensorboard/tree/master/tensorboard/compat/proto):
 *
 *   Event          1 wall_time double, 2 step int64, 3 file_version string, 5 summary
 *   Summary        1 value, repeated
 *   Summary.Value  1 tag string, 2 simple_value float */
#include "train/run/record_files.h"

#include <math.h>
#include <string.h>

#include "io/io.h"

/* ---- opening ---- */

/* Begins every line that stays although no checkpoint knows of it. */
static const char stop_line[] = "{\"event\":\"stop\"";

/* The first line that ends behind text, NULL where none does. */
static const char *line_end(const char *text, const char *end)
{
    return text < end ? memchr(text, '\n', (size_t)(end - text)) : NULL;
}

/* Of the lines in a file: the size up to which whole ones are kept, and those behind it
 * that stay. */
static int64_t keep_lines(afn_buf *stay, const uint8_t *data, size_t size, int64_t then)
{
    const char *const text = (const char *)data, *const end = text + size;
    size_t keep = (size_t)then < size ? (size_t)then : size;
    while (keep > 0 && text[keep - 1] != '\n') keep--;
    const char *at = text + keep;
    for (const char *stop = line_end(at, end); stop; stop = line_end(at, end)) {
        if ((size_t)(stop - at) > sizeof stop_line &&
            strncmp(at, stop_line, sizeof stop_line - 1) == 0)
            afn_buf_add(stay, at, (size_t)(stop + 1 - at));
        at = stop + 1;
    }
    return (int64_t)keep;
}

static afn_status open_lines(afn_record_files *r, const char *path)
{
    afn_status st = AFN_OK;
    afn_buf stay = { 0 };
    uint8_t *data = NULL;
    size_t size = 0;
    int64_t keep = 0;
    if (r->lines_then > 0 && afn_is_file(path)) {
        AFN_TRY(afn_file_read(&data, &size, path));
        keep = keep_lines(&stay, data, size, r->lines_then);
        AFN_TRY(afn_buf_finish(&stay));
    }
    AFN_TRY(afn_append_open(&r->lines, path, keep));
    if (stay.size) AFN_TRY(afn_append_write(&r->lines, stay.data, stay.size));
done:
    afn_buf_free(&stay);
    afn_free(data);
    return st;
}

static afn_status begin_events(afn_record_files *r);

static afn_status open_events(afn_record_files *r, const char *path)
{
    afn_status st = AFN_OK;
    uint8_t *data = NULL;
    size_t size = 0, keep = 0;
    if (r->events_then > 0 && afn_is_file(path)) {
        AFN_TRY(afn_file_read(&data, &size, path));
        if ((int64_t)size > r->events_then) size = (size_t)r->events_then;
        keep = afn_tfrecord_whole(data, size);
    }
    AFN_TRY(afn_append_open(&r->events, path, (int64_t)keep));
    if (!keep) AFN_TRY(begin_events(r));
done:
    afn_free(data);
    return st;
}

afn_status afn_record_files_open(afn_record_files *r, const char *dir, bool events)
{
    afn_status st = AFN_OK;
    if (!dir) return AFN_OK;
    char *lines = afn_path_join(dir, AFN_LINES_FILE);
    char *scalars = afn_path_join(dir, AFN_EVENTS_FILE);
    AFN_REQUIRE(lines && scalars, AFN_ENOMEM, "out of memory");
    AFN_TRY(open_lines(r, lines));
    if (events) AFN_TRY(open_events(r, scalars));
done:
    afn_free(lines);
    afn_free(scalars);
    return st;
}

void afn_record_files_close(afn_record_files *r)
{
    afn_append_close(&r->lines);
    afn_append_close(&r->events);
}

/* ---- lines ---- */

static void name(afn_buf *line, const char *text)
{
    afn_buf_fmt(line, ",\"%s\":", text);
}

void afn_line_begin(afn_buf *line, const char *event)
{
    *line = (afn_buf){ 0 };
    afn_buf_fmt(line, "{\"event\":\"%s\",\"time\":%.3f", event, afn_clock_s());
}

void afn_line_int(afn_buf *line, const char *what, int64_t v)
{
    name(line, what);
    afn_buf_fmt(line, "%lld", (long long)v);
}

void afn_line_real(afn_buf *line, const char *what, double v)
{
    name(line, what);
    if (isfinite(v))
        afn_buf_fmt(line, "%.9g", v);
    else
        afn_buf_str(line, "null");
}

void afn_line_text(afn_buf *line, const char *what, const char *v)
{
    name(line, what);
    if (v)
        afn_json_add_string(line, v);
    else
        afn_buf_str(line, "null");
}

void afn_line_bool(afn_buf *line, const char *what, bool v)
{
    name(line, what);
    afn_buf_str(line, v ? "true" : "false");
}

afn_status afn_line_end(afn_record_files *r, afn_buf *line)
{
    afn_status st = AFN_OK;
    afn_buf_str(line, "}");
    AFN_TRY(afn_buf_finish(line));
    if (r->on_line) r->on_line(line->data, r->user);
    if (!r->lines.path) goto done;
    afn_buf_str(line, "\n");
    AFN_TRY(afn_buf_finish(line));
    AFN_TRY(afn_append_write(&r->lines, line->data, line->size));
done:
    afn_buf_free(line);
    return st;
}

/* ---- scalars: protocol buffers ---- */

enum { VARINT = 0, FIXED64 = 1, BYTES = 2, FIXED32 = 5 }; /* wire types */

static void put_varint(afn_buf *b, uint64_t v)
{
    for (; v >= 0x80; v >>= 7) afn_buf_add(b, &(uint8_t){ (uint8_t)(v | 0x80) }, 1);
    afn_buf_add(b, &(uint8_t){ (uint8_t)v }, 1);
}

static void put_key(afn_buf *b, int field, int wire)
{
    put_varint(b, (uint64_t)(field << 3 | wire));
}

static void put_fixed(afn_buf *b, uint64_t bits, int bytes)
{
    for (int i = 0; i < bytes; i++)
        afn_buf_add(b, &(uint8_t){ (uint8_t)(bits >> 8 * i) }, 1);
}

static void put_bytes(afn_buf *b, int field, const void *bytes, size_t n)
{
    put_key(b, field, BYTES);
    put_varint(b, n);
    afn_buf_add(b, bytes, n);
}

static void put_double(afn_buf *b, int field, double v)
{
    uint64_t bits;
    memcpy(&bits, &v, sizeof bits);
    put_key(b, field, FIXED64);
    put_fixed(b, bits, 8);
}

static void put_float(afn_buf *b, int field, float v)
{
    uint32_t bits;
    memcpy(&bits, &v, sizeof bits);
    put_key(b, field, FIXED32);
    put_fixed(b, bits, 4);
}

/* Frame an event and write it; frees both. */
static afn_status put_event(afn_record_files *r, afn_buf *event)
{
    afn_status st = AFN_OK;
    afn_buf record = { 0 };
    AFN_TRY(afn_buf_finish(event));
    afn_tfrecord_add(&record, event->data, event->size);
    AFN_TRY(afn_buf_finish(&record));
    AFN_TRY(afn_append_write(&r->events, record.data, record.size));
done:
    afn_buf_free(&record);
    afn_buf_free(event);
    return st;
}

static afn_status begin_events(afn_record_files *r)
{
    static const char version[] = "brain.Event:2";
    afn_buf event = { 0 };
    put_double(&event, 1, afn_clock_s());
    put_bytes(&event, 3, version, sizeof version - 1);
    return put_event(r, &event);
}

static void put_value(afn_buf *summary, const afn_scalar *s)
{
    afn_buf value = { 0 };
    put_bytes(&value, 1, s->tag, strlen(s->tag));
    put_float(&value, 2, (float)s->value);
    put_bytes(summary, 1, value.data, value.size);
    summary->failed |= value.failed;
    afn_buf_free(&value);
}

afn_status afn_scalars_add(afn_record_files *r, int64_t step, const afn_scalar *s,
                           size_t n)
{
    afn_buf event = { 0 }, summary = { 0 };
    if (!r->events.path) return AFN_OK;
    for (size_t i = 0; i < n; i++)
        if (isfinite(s[i].value)) put_value(&summary, &s[i]);
    put_double(&event, 1, afn_clock_s());
    put_key(&event, 2, VARINT);
    put_varint(&event, (uint64_t)step);
    put_bytes(&event, 5, summary.data, summary.size);
    event.failed |= summary.failed;
    afn_buf_free(&summary);
    return put_event(r, &event);
}
