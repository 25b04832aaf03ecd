/* SPDX-License-Identifier: Apache-2.0 */
#include "io/gzip.h"

#include <limits.h>
#include <string.h>

#include <zlib.h>

enum { FIRST_BYTES = 1 << 16, GZIP_ONLY = 16 + MAX_WBITS };

bool afn_is_gzip(const void *bytes, size_t n)
{
    return n >= 3 && memcmp(bytes, "\x1f\x8b\x08", 3) == 0;
}

/* Room for at least one byte more. */
static afn_status grow(uint8_t **data, size_t *room, size_t limit)
{
    size_t more = *room ? *room * 2 : FIRST_BYTES;
    if (*room > limit) return afn_fail(AFN_EFORMAT, "over %zu bytes", limit);
    if (more > limit || more < *room) more = limit + 1; /* to see that it is over */
    uint8_t *p = afn_realloc(*data, more);
    if (!p) return afn_fail(AFN_ENOMEM, "out of memory");
    *data = p;
    *room = more;
    return AFN_OK;
}

static uInt at_most(size_t n)
{
    return n < UINT_MAX ? (uInt)n : UINT_MAX;
}

static afn_status inflate_all(z_stream *z, uint8_t **data, size_t *size,
                              const uint8_t *bytes, size_t n, size_t limit)
{
    afn_status st = AFN_OK;
    size_t room = 0;
    for (int rc = Z_OK; rc != Z_STREAM_END;) {
        if (*size == room) AFN_TRY(grow(data, &room, limit));
        z->next_in = (Bytef *)(uintptr_t)bytes;
        z->avail_in = at_most(n);
        z->next_out = *data + *size;
        z->avail_out = at_most(room - *size);
        const uInt in = z->avail_in, out = z->avail_out;
        rc = inflate(z, Z_NO_FLUSH);
        bytes += in - z->avail_in;
        n -= in - z->avail_in;
        *size += out - z->avail_out;
        AFN_REQUIRE(rc != Z_MEM_ERROR, AFN_ENOMEM, "out of memory");
        AFN_REQUIRE(rc != Z_BUF_ERROR || n, AFN_EFORMAT, "gzip: file is truncated");
        AFN_REQUIRE(rc == Z_OK || rc == Z_STREAM_END || rc == Z_BUF_ERROR, AFN_EFORMAT,
                    "gzip: %s", z->msg ? z->msg : "damaged");
    }
    AFN_REQUIRE(*size <= limit, AFN_EFORMAT, "over %zu bytes", limit);
done:
    return st;
}

afn_status afn_gunzip(uint8_t **out, size_t *size, const void *bytes, size_t n,
                      size_t limit)
{
    z_stream z = { 0 };
    *out = NULL;
    *size = 0;
    if (inflateInit2(&z, GZIP_ONLY) != Z_OK)
        return afn_fail(AFN_ENOMEM, "out of memory");
    const afn_status st = inflate_all(&z, out, size, bytes, n, limit);
    inflateEnd(&z);
    if (st != AFN_OK) {
        afn_free(*out);
        *out = NULL;
        *size = 0;
    }
    return st;
}
