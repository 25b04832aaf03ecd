/* SPDX-License-Identifier: Apache-2.0 */
/* The central directory of a zip archive, walked for what libzip does not tell.
 *
 *   local header    "PK\3\4", ..., name length at 26, extra length at 28, name, extra,
 *                   then the entry's bytes
 *   central header  "PK\1\2", flags 8, method 10, packed size 20, size 24, name length
 *                   28, extra length 30, comment length 32, local header at 42, name 46
 *   end record      "PK\5\6", entries 10, directory size 12, directory offset 16,
 *                   comment length 20; last in the file
 *   zip64           locator "PK\6\7" 20 bytes before the end record, offset of the
 *                   zip64 end record 8; that record "PK\6\6": entries 32, size 40,
 *                   offset 48; extra field 1 holds the 64-bit values whose 32-bit
 *                   places are all ones, in the order size, packed size, header
 *
 * Source: PKWARE's APPNOTE.TXT 6.3, sections 4.3 and 4.5.3. */
#include "io/zip_dir.h"

#include <string.h>

#include "base/base.h"

enum { LOCAL_BYTES = 30, CENTRAL_BYTES = 46, END_BYTES = 22, LOCATOR_BYTES = 20 };
enum { END64_BYTES = 56, LONGEST_COMMENT = 65535 };
#define ALL_ONES 0xFFFFFFFFu

static uint32_t u16(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8;
}

static uint32_t u32(const uint8_t *p)
{
    return u16(p) | u16(p + 2) << 16;
}

static uint64_t u64(const uint8_t *p)
{
    return u32(p) | (uint64_t)u32(p + 4) << 32;
}

static bool is_signature(const uint8_t *p, char a, char b)
{
    return p[0] == 'P' && p[1] == 'K' && p[2] == (uint8_t)a && p[3] == (uint8_t)b;
}

static afn_status damaged(const char *what)
{
    return afn_fail(AFN_EFORMAT, "zip archive damaged: %s", what);
}

/* The last end record whose comment reaches to the end of the file. */
static const uint8_t *find_end(const uint8_t *bytes, size_t size)
{
    if (size < END_BYTES) return NULL;
    const size_t last = size - END_BYTES;
    const size_t first = last > LONGEST_COMMENT ? last - LONGEST_COMMENT : 0;
    for (size_t at = last + 1; at-- > first;)
        if (is_signature(bytes + at, 5, 6) &&
            u16(bytes + at + 20) == size - at - END_BYTES)
            return bytes + at;
    return NULL;
}

/* Where the directory lies and how many entries it has. */
typedef struct extent {
    uint64_t count, bytes, start;
} extent;

static afn_status read_end64(extent *e, const uint8_t *bytes, size_t end)
{
    if (end < LOCATOR_BYTES || !is_signature(bytes + end - LOCATOR_BYTES, 6, 7))
        return AFN_OK; /* large counts may be real without zip64 */
    const uint64_t at = u64(bytes + end - LOCATOR_BYTES + 8);
    if (at > end || end - at < END64_BYTES || !is_signature(bytes + at, 6, 6))
        return damaged("zip64 end record is not where it should be");
    *e = (extent){ .count = u64(bytes + at + 32),
                   .bytes = u64(bytes + at + 40),
                   .start = u64(bytes + at + 48) };
    return AFN_OK;
}

static afn_status find_directory(extent *e, const uint8_t *bytes, size_t size)
{
    const uint8_t *end = find_end(bytes, size);
    if (!end)
        return afn_fail(AFN_EFORMAT,
                        "zip archive cut off: no directory at its end (%zu bytes)",
                        size);
    *e = (extent){ .count = u16(end + 10),
                   .bytes = u32(end + 12),
                   .start = u32(end + 16) };
    const size_t at = (size_t)(end - bytes);
    if (e->count == 0xFFFF || e->bytes == ALL_ONES || e->start == ALL_ONES) {
        const afn_status st = read_end64(e, bytes, at);
        if (st != AFN_OK) return st;
    }
    if (e->start > at || e->bytes > at - e->start)
        return damaged("directory runs past the end");
    if (e->count > e->bytes / CENTRAL_BYTES) return damaged("entries do not add up");
    return AFN_OK;
}

/* The 64-bit values of extra field 1. */
static afn_status read_extra64(zip_dir_entry *e, uint64_t *header, const uint8_t *extra,
                               size_t n)
{
    uint64_t *const place[] = { &(uint64_t){ e->size }, &(uint64_t){ e->packed },
                                header };
    for (size_t at = 0; n - at >= 4;) {
        const size_t id = u16(extra + at), bytes = u16(extra + at + 2);
        if (bytes > n - at - 4) break;
        size_t used = 0;
        for (size_t i = 0; id == 1 && i < AFN_COUNT(place); i++) {
            if (*place[i] != ALL_ONES) continue;
            if (bytes - used < 8) return damaged("zip64 sizes are missing");
            *place[i] = u64(extra + at + 4 + used);
            used += 8;
        }
        if (id == 1) break;
        at += 4 + bytes;
    }
    if (*place[0] > SIZE_MAX || *place[1] > SIZE_MAX) return damaged("sizes overflow");
    e->size = (size_t)*place[0];
    e->packed = (size_t)*place[1];
    return AFN_OK;
}

/* Read the entry at *at and step over it. */
static afn_status read_entry(zip_dir_entry *e, const uint8_t *bytes, size_t *at,
                             const extent *x)
{
    const size_t end = (size_t)(x->start + x->bytes);
    const uint8_t *p = bytes + *at;
    if (end - *at < CENTRAL_BYTES || !is_signature(p, 1, 2))
        return damaged("directory entry is missing");
    const size_t name = u16(p + 28), extra = u16(p + 30), comment = u16(p + 32);
    if (name + extra + comment > end - *at - CENTRAL_BYTES)
        return damaged("directory entry runs past the end");
    uint64_t header = u32(p + 42);
    *e = (zip_dir_entry){ .name = (const char *)p + CENTRAL_BYTES,
                          .name_size = name,
                          .size = u32(p + 24),
                          .packed = u32(p + 20),
                          .method = u16(p + 10),
                          .encrypted = u16(p + 8) & 1u };
    const afn_status st = read_extra64(e, &header, p + CENTRAL_BYTES + name, extra);
    if (st != AFN_OK) return st;
    if (header > x->start) return damaged("entry begins inside the directory");
    e->header = (size_t)header;
    *at += CENTRAL_BYTES + name + extra + comment;
    return AFN_OK;
}

afn_status afn_io__zip_dir_read(zip_dir *out, const uint8_t *bytes, size_t size)
{
    afn_status st = AFN_OK;
    extent x = { 0 };
    zip_dir d = { 0 };

    *out = d;
    AFN_TRY(find_directory(&x, bytes, size));
    d.entry = afn_alloc_array((size_t)x.count, sizeof *d.entry);
    AFN_REQUIRE(d.entry, AFN_ENOMEM, "out of memory");
    d.count = (size_t)x.count;
    d.start = (size_t)x.start;
    size_t at = d.start;
    for (size_t i = 0; i < d.count; i++)
        AFN_TRY(read_entry(&d.entry[i], bytes, &at, &x));
    *out = d;
    d = (zip_dir){ 0 };
done:
    afn_io__zip_dir_free(&d);
    return st;
}

void afn_io__zip_dir_free(zip_dir *d)
{
    afn_free(d->entry);
    *d = (zip_dir){ 0 };
}

afn_status afn_io__zip_dir_locate(const uint8_t **data, const zip_dir_entry *e,
                                  const uint8_t *bytes, const zip_dir *d)
{
    const uint8_t *p = bytes + e->header;
    *data = NULL;
    if (d->start - e->header < LOCAL_BYTES || !is_signature(p, 3, 4))
        return afn_fail(AFN_EFORMAT, "no local header at byte %zu", e->header);
    const size_t name = u16(p + 26), extra = u16(p + 28);
    const size_t room = d->start - e->header - LOCAL_BYTES;
    if (name + extra > room || name != e->name_size ||
        memcmp(p + LOCAL_BYTES, e->name, name) != 0)
        return afn_fail(AFN_EFORMAT, "local header at byte %zu bears another name",
                        e->header);
    if (e->size != e->packed)
        return afn_fail(AFN_EFORMAT, "stored with two sizes, %zu and %zu", e->size,
                        e->packed);
    if (e->size > room - name - extra)
        return afn_fail(AFN_EFORMAT, "ends at byte %zu, entries end at byte %zu",
                        e->header + LOCAL_BYTES + name + extra + e->size, d->start);
    *data = p + LOCAL_BYTES + name + extra;
    return AFN_OK;
}
