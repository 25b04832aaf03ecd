/* SPDX-License-Identifier: Apache-2.0 */
/* Writing zip archives of stored entries.
 *
 * Not on libzip, because it can neither align an entry's bytes (PyTorch maps tensors at
 * multiples of 64) nor write forward into a file that appears atomically.  Alignment is
 * padding in the extra field, under PyTorch's field id.  Dates are 1980-01-01, so the
 * same content gives the same file.  Layout: see zip_dir.c; sizes or offsets beyond 32
 * bits use zip64. */
#include <string.h>
#include <zlib.h>

#include "base/base.h"
#include "io/zip.h"

enum {
    LOCAL_BYTES = 30,
    VERSION_STORED = 20,
    VERSION_ZIP64 = 45,
    FLAG_UTF8 = 0x0800,
    DATE_1980 = 0x0021,
    PADDING_ID = 0x4246, /* "FB", as PyTorch writes and every reader skips */
    ZIP64_ID = 1
};
#define ALL_ONES 0xFFFFFFFFu

typedef struct out_entry {
    char *name;
    uint64_t size, header;
    uint32_t crc;
} out_entry;

struct afn_zip_out {
    afn_out *file;
    out_entry *entry;
    size_t count, cap;
};

static void add_le(afn_buf *b, uint64_t value, int bytes)
{
    for (int i = 0; i < bytes; i++) {
        const uint8_t byte = (uint8_t)(value >> (8 * i));
        afn_buf_add(b, &byte, 1);
    }
}

static uint32_t low32(uint64_t v)
{
    return v >= ALL_ONES ? ALL_ONES : (uint32_t)v;
}

static uint32_t crc_of(const uint8_t *p, size_t n)
{
    uLong crc = crc32(0, NULL, 0);
    while (n) { /* zlib counts in 32 bits */
        const size_t part = n > ((size_t)1 << 30) ? (size_t)1 << 30 : n;
        crc = crc32(crc, p, (uInt)part);
        p += part;
        n -= part;
    }
    return (uint32_t)crc;
}

afn_status afn_zip_out_new(afn_zip_out **out, afn_out *file)
{
    *out = afn_alloc(sizeof **out);
    if (!*out) return afn_fail(AFN_ENOMEM, "out of memory");
    (*out)->file = file;
    return AFN_OK;
}

void afn_zip_out_free(afn_zip_out *z)
{
    if (!z) return;
    for (size_t i = 0; i < z->count; i++) afn_free(z->entry[i].name);
    afn_free(z->entry);
    afn_free(z);
}

static afn_status append_entry(afn_zip_out *z, const out_entry *e)
{
    if (z->count == z->cap) {
        const size_t cap = z->cap ? z->cap * 2 : 64;
        out_entry *entry = afn_realloc(z->entry, cap * sizeof *entry);
        if (!entry) return afn_fail(AFN_ENOMEM, "out of memory");
        z->entry = entry;
        z->cap = cap;
    }
    z->entry[z->count++] = *e;
    return AFN_OK;
}

/* Fields common to the local and the central header, from the version on. */
static void add_common(afn_buf *b, const out_entry *e, bool zip64, size_t extra)
{
    add_le(b, zip64 ? VERSION_ZIP64 : VERSION_STORED, 2);
    add_le(b, FLAG_UTF8, 2);
    add_le(b, 0, 2); /* stored */
    add_le(b, 0, 2); /* 00:00:00 */
    add_le(b, DATE_1980, 2);
    add_le(b, e->crc, 4);
    add_le(b, zip64 ? ALL_ONES : e->size, 4);
    add_le(b, zip64 ? ALL_ONES : e->size, 4);
    add_le(b, strlen(e->name), 2);
    add_le(b, extra, 2);
}

static void add_local_header(afn_buf *b, const out_entry *e, size_t align)
{
    const bool zip64 = e->size >= ALL_ONES;
    const size_t fixed = LOCAL_BYTES + strlen(e->name) + (zip64 ? 20 : 0);
    const uint64_t plain_end = e->header + fixed;
    size_t padding = 0;
    if (plain_end % align) /* 4 bytes of field header, then up to align-1 of padding */
        padding = 4 + (align - (size_t)((plain_end + 4) % align)) % align;
    afn_buf_str(b, "PK\3\4");
    add_common(b, e, zip64, (zip64 ? 20 : 0) + padding);
    afn_buf_str(b, e->name);
    if (zip64) {
        add_le(b, ZIP64_ID, 2);
        add_le(b, 16, 2);
        add_le(b, e->size, 8);
        add_le(b, e->size, 8);
    }
    if (padding) {
        add_le(b, PADDING_ID, 2);
        add_le(b, padding - 4, 2);
        for (size_t i = 4; i < padding; i++) afn_buf_str(b, "Z");
    }
}

afn_status afn_zip_out_add(afn_zip_out *z, const char *name, size_t align,
                           const void *bytes, size_t size)
{
    afn_status st = AFN_OK;
    afn_buf header = { 0 };
    out_entry e = { .size = size,
                    .header = (uint64_t)afn_out_tell(z->file),
                    .crc = crc_of(bytes, size) };
    AFN_REQUIRE(strlen(name) < 0xFFFF, AFN_EINVAL, "zip entry name is too long");
    e.name = afn_strdup(name);
    AFN_REQUIRE(e.name, AFN_ENOMEM, "out of memory");
    add_local_header(&header, &e, align);
    AFN_TRY(afn_buf_finish(&header));
    AFN_TRY(append_entry(z, &e));
    e.name = NULL; /* the list owns it */
    AFN_TRY(afn_out_write(z->file, header.data, header.size));
    AFN_TRY(afn_out_write(z->file, bytes, size));
done:
    afn_free(e.name);
    afn_buf_free(&header);
    return st;
}

static void add_central_header(afn_buf *b, const out_entry *e)
{
    const bool zip64 = e->size >= ALL_ONES, far = e->header >= ALL_ONES;
    const size_t values = (zip64 ? 16 : 0) + (far ? 8 : 0);
    afn_buf_str(b, "PK\1\2");
    add_le(b, zip64 || far ? VERSION_ZIP64 : VERSION_STORED, 2); /* made by */
    add_common(b, e, zip64, values ? values + 4 : 0);
    add_le(b, 0, 2); /* comment */
    add_le(b, 0, 2); /* disk */
    add_le(b, 0, 2); /* internal attributes */
    add_le(b, 0, 4); /* external attributes */
    add_le(b, low32(e->header), 4);
    afn_buf_str(b, e->name);
    if (!values) return;
    add_le(b, ZIP64_ID, 2);
    add_le(b, values, 2);
    if (zip64) add_le(b, e->size, 8);
    if (zip64) add_le(b, e->size, 8);
    if (far) add_le(b, e->header, 8);
}

static void add_end64(afn_buf *b, uint64_t count, uint64_t start, uint64_t bytes)
{
    afn_buf_str(b, "PK\6\6");
    add_le(b, 44, 8); /* bytes of this record that follow */
    add_le(b, VERSION_ZIP64, 2);
    add_le(b, VERSION_ZIP64, 2);
    add_le(b, 0, 4); /* disk */
    add_le(b, 0, 4);
    add_le(b, count, 8);
    add_le(b, count, 8);
    add_le(b, bytes, 8);
    add_le(b, start, 8);
    afn_buf_str(b, "PK\6\7");
    add_le(b, 0, 4);
    add_le(b, start + bytes, 8);
    add_le(b, 1, 4); /* disks in all */
}

static void add_end(afn_buf *b, uint64_t count, uint64_t start, uint64_t bytes)
{
    const bool zip64 = count >= 0xFFFF || start >= ALL_ONES || bytes >= ALL_ONES;
    const uint64_t short_count = count >= 0xFFFF ? 0xFFFF : count;
    if (zip64) add_end64(b, count, start, bytes);
    afn_buf_str(b, "PK\5\6");
    add_le(b, 0, 4); /* disks */
    add_le(b, short_count, 2);
    add_le(b, short_count, 2);
    add_le(b, low32(bytes), 4);
    add_le(b, low32(start), 4);
    add_le(b, 0, 2); /* comment */
}

afn_status afn_zip_out_finish(afn_zip_out *z)
{
    afn_status st = AFN_OK;
    afn_buf b = { 0 };
    const uint64_t start = (uint64_t)afn_out_tell(z->file);
    for (size_t i = 0; i < z->count; i++) add_central_header(&b, &z->entry[i]);
    add_end(&b, z->count, start, b.size);
    AFN_TRY(afn_buf_finish(&b));
    AFN_TRY(afn_out_write(z->file, b.data, b.size));
done:
    afn_buf_free(&b);
    return st;
}
