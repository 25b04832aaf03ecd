/* SPDX-License-Identifier: Apache-2.0 */
/* Layout: blocks of 512 bytes; a header, the file's bytes filled up to a whole block,
 * the next header; two blocks of zeros at the end, which may be missing.
 *
 *   header  name[100] mode[8] uid[8] gid[8] size[12] mtime[12] checksum[8] type
 *           linkname[100] "ustar" version[2] ... prefix[155] at 345
 *
 * Numbers are octal text, or base 256 where the first bit is set.  Names of over 100
 * bytes: the ustar prefix; GNU's type L, whose bytes are the next file's name; POSIX's
 * type x, whose bytes are records "LENGTH KEY=VALUE\n".
 * Source     POSIX.1-2017, pax, "ustar Interchange Format"; GNU tar manual, "Basic Tar
 *            Format" */
#include "io/tar.h"

#include <limits.h>
#include <string.h>

enum {
    BLOCK = 512,
    NAME_BYTES = 100,
    SIZE_AT = 124,
    SIZE_BYTES = 12,
    SUM_AT = 148,
    SUM_BYTES = 8,
    TYPE_AT = 156,
    MAGIC_AT = 257,
    PREFIX_AT = 345,
    PREFIX_BYTES = 155
};

/* A number of a header; false where it is none. */
static bool number(int64_t *out, const uint8_t *p, int n)
{
    int64_t v = 0;
    int i = 0;
    if (p[0] & 0x80) { /* base 256; negative ones are never sizes */
        v = p[0] & 0x3f;
        for (i = 1; i < n; i++) {
            if (v > INT64_MAX >> 8) return false;
            v = v << 8 | p[i];
        }
        *out = v;
        return !(p[0] & 0x40);
    }
    while (i < n && p[i] == ' ') i++;
    for (; i < n && p[i] >= '0' && p[i] <= '7'; i++) v = v << 3 | (p[i] - '0');
    *out = v;
    return i == n || p[i] == 0 || p[i] == ' ';
}

static bool is_zero(const uint8_t *p)
{
    for (int i = 0; i < BLOCK; i++)
        if (p[i]) return false;
    return true;
}

/* The sum of all bytes, those of the checksum counted as blanks. */
static bool sum_is_right(const uint8_t *p)
{
    int64_t want, sum = 0;
    for (int i = 0; i < BLOCK; i++)
        sum += i >= SUM_AT && i < SUM_AT + SUM_BYTES ? ' ' : p[i];
    return number(&want, p + SUM_AT, SUM_BYTES) && want == sum;
}

static void add_field(afn_buf *b, const uint8_t *p, size_t most)
{
    const uint8_t *end = memchr(p, 0, most);
    afn_buf_add(b, p, end ? (size_t)(end - p) : most);
}

static void name_file(afn_tar *t, const uint8_t *header)
{
    t->name.size = 0;
    if (t->long_name.size) {
        afn_buf_str(&t->name, t->long_name.data); /* to its first zero */
        return;
    }
    if (memcmp(header + MAGIC_AT, "ustar\0", 6) == 0 && header[PREFIX_AT]) {
        add_field(&t->name, header + PREFIX_AT, PREFIX_BYTES);
        afn_buf_str(&t->name, "/");
    }
    add_field(&t->name, header, NAME_BYTES);
}

/* One record of an extended header: what it says of name and size. */
static void note_record(afn_tar *t, const char *key, const char *end)
{
    const size_t n = (size_t)(end - key);
    if (n > 5 && memcmp(key, "path=", 5) == 0) {
        t->long_name.size = 0;
        afn_buf_add(&t->long_name, key + 5, n - 5);
    }
    if (n > 5 && n < 25 && memcmp(key, "size=", 5) == 0) {
        t->long_size = 0;
        for (key += 5; key < end && *key >= '0' && *key <= '9'; key++)
            if (t->long_size <= (INT64_MAX - 9) / 10)
                t->long_size = t->long_size * 10 + (*key - '0');
    }
}

static afn_status read_extended(afn_tar *t, const char *p, size_t size)
{
    while (size) {
        size_t length = 0, digits = 0;
        while (digits < size && p[digits] >= '0' && p[digits] <= '9' && digits < 9)
            length = length * 10 + (size_t)(p[digits++] - '0');
        if (length > size || length < digits + 2 || p[digits] != ' ' ||
            p[length - 1] != '\n')
            return afn_fail(AFN_EFORMAT, "damaged extended header");
        note_record(t, p + digits + 1, p + length - 1);
        p += length;
        size -= length;
    }
    return AFN_OK;
}

static void forget_extended(afn_tar *t)
{
    t->long_name.size = 0;
    t->long_size = -1;
}

/* Check the header at t->at and tell the size of what follows. */
static afn_status read_size(const afn_tar *t, size_t *size)
{
    const uint8_t *p = t->data + t->at;
    int64_t n;
    if (t->size - t->at < BLOCK) return afn_fail(AFN_EFORMAT, "cut off in a header");
    const bool extended = p[TYPE_AT] == 'x' || p[TYPE_AT] == 'L' || p[TYPE_AT] == 'K';
    if (!sum_is_right(p))
        return afn_fail(AFN_EFORMAT, "%s",
                        t->at ? "wrong checksum" : "not a tar archive");
    if (!number(&n, p + SIZE_AT, SIZE_BYTES))
        return afn_fail(AFN_EFORMAT, "the size is no number");
    if (t->long_size >= 0 && !extended) n = t->long_size;
    if ((uint64_t)n > t->size - t->at - BLOCK)
        return afn_fail(AFN_EFORMAT, "file is cut off");
    *size = (size_t)n;
    return AFN_OK;
}

static afn_status check_plain(const afn_tar *t)
{
    static const struct {
        const char *name, *magic;
        size_t bytes;
    } packed[] = { { "gzip", "\x1f\x8b", 2 },
                   { "zstd", "\x28\xb5\x2f\xfd", 4 },
                   { "bzip2", "BZh", 3 },
                   { "xz", "\xfd\x37zXZ", 5 } };
    for (size_t i = 0; i < AFN_COUNT(packed) && !t->at; i++)
        if (t->size >= packed[i].bytes &&
            memcmp(t->data, packed[i].magic, packed[i].bytes) == 0)
            return afn_fail(AFN_EUNSUPPORTED,
                            "compressed with %s, need a plain tar archive",
                            packed[i].name);
    return AFN_OK;
}

static afn_status next_file(afn_tar *t, afn_tar_file *file, bool *more)
{
    afn_status st = AFN_OK;
    size_t size = 0;
    forget_extended(t);
    while (t->at < t->size) {
        const uint8_t *p = t->data + t->at;
        if (t->size - t->at >= BLOCK && is_zero(p)) break;
        AFN_TRY(read_size(t, &size));
        const size_t from = t->at + BLOCK, type = p[TYPE_AT];
        const size_t whole = size + (BLOCK - size % BLOCK) % BLOCK;
        t->at = whole < t->size - from ? from + whole : t->size;
        if (type == 'L') {
            t->long_name.size = 0;
            add_field(&t->long_name, t->data + from, size);
        } else if (type == 'x') {
            AFN_TRY(read_extended(t, (const char *)t->data + from, size));
        } else if (type == '0' || type == 0 || type == '7') {
            name_file(t, p);
            AFN_REQUIRE(!t->name.failed && !t->long_name.failed, AFN_ENOMEM,
                        "out of memory");
            *file = (afn_tar_file){ t->name.data, from, size };
            *more = true;
            break;
        } else if (type != 'K') { /* K: a long name of a link, before another header */
            forget_extended(t);
        }
    }
done:
    return st;
}

afn_status afn_tar_next(afn_tar *t, afn_tar_file *file, bool *more)
{
    *more = false;
    *file = (afn_tar_file){ 0 };
    afn_status st = check_plain(t);
    if (st != AFN_OK) return st;
    st = next_file(t, file, more);
    return t->at ? afn_context(st, "byte %zu", t->at) : st;
}

void afn_tar_close(afn_tar *t)
{
    afn_buf_free(&t->name);
    afn_buf_free(&t->long_name);
    *t = (afn_tar){ 0 };
}
