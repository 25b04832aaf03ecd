/* SPDX-License-Identifier: Apache-2.0 */
/* The EXIF orientation: finding it, and turning a picture by it.  A block of EXIF is a
 * small TIFF file:
 *
 *   "II" or "MM" (byte order), u16 42, u32 offset of the first directory
 *   directory: u16 entries, each u16 tag, u16 type, u32 count, 4 bytes of value
 *
 * Source     CIPA DC-008 (Exif 2.32), 4.6.4 A: tag 0x0112, a short, 1 to 8 */
#include "image/exif.h"

#include <string.h>

enum { TAG_ORIENTATION = 0x0112, ENTRY_BYTES = 12 };
enum { TYPE_BYTE = 1, TYPE_SHORT = 3, TYPE_LONG = 4 };

typedef struct reader {
    const uint8_t *p;
    size_t size;
    bool big; /* most significant byte first */
} reader;

/* n bytes at `at` as a number; the caller has checked that they are there. */
static uint32_t number(const reader *r, size_t at, int n)
{
    uint32_t v = 0;
    for (int i = 0; i < n; i++)
        v |= (uint32_t)r->p[at + (size_t)i] << 8 * (r->big ? n - 1 - i : i);
    return v;
}

static int value_of(const reader *r, size_t entry)
{
    const uint32_t type = number(r, entry + 2, 2);
    const int bytes = type == TYPE_BYTE    ? 1
                      : type == TYPE_SHORT ? 2
                      : type == TYPE_LONG  ? 4
                                           : 0;
    const uint32_t v = bytes ? number(r, entry + 8, bytes) : 0;
    return v >= 1 && v <= 8 ? (int)v : 0;
}

int afn_image__exif_orientation(const uint8_t *exif, size_t size)
{
    enum { NAME_BYTES = 6, HEAD_BYTES = 8 };
    reader r = { exif, size, false };
    if (size >= NAME_BYTES && memcmp(exif, "Exif\0\0", NAME_BYTES) == 0) {
        r.p += NAME_BYTES;
        r.size -= NAME_BYTES;
    }
    if (r.size < HEAD_BYTES) return 0;
    r.big = r.p[0] == 'M';
    if (memcmp(r.p, r.big ? "MM" : "II", 2) != 0 || number(&r, 2, 2) != 42) return 0;

    const size_t at = number(&r, 4, 4);
    if (at > r.size - 2) return 0;
    const size_t fit = (r.size - at - 2) / ENTRY_BYTES, claimed = number(&r, at, 2);
    int found = 0; /* of several the last counts, as in Pillow */
    for (size_t i = 0; i < (claimed < fit ? claimed : fit); i++) {
        const size_t entry = at + 2 + i * ENTRY_BYTES;
        if (number(&r, entry, 2) == TAG_ORIENTATION) found = value_of(&r, entry);
    }
    return found;
}

/* Where the upright picture finds its pixels: mirrored along x or y of the stored one,
 * and with x and y changing places or not. */
typedef struct turning {
    bool swap, mirror_x, mirror_y;
} turning;

static const turning turnings[9] = {
    [2] = { false, true, false }, [3] = { false, true, true },
    [4] = { false, false, true }, [5] = { true, false, false },
    [6] = { true, false, true },  [7] = { true, true, true },
    [8] = { true, true, false },
};

/* One tile of the upright picture: rows y0 .. y1-1, columns x0 .. x1-1.  Tiles keep
 * both pictures in the cache where x and y change places. */
static void turn_tile(afn_image *out, const afn_image *in, turning t,
                      const int64_t tile[4])
{
    const int n = afn_image_channels(in);
    const int64_t right = t.mirror_x ? -1 : 1,
                  down = t.mirror_y ? -in->width : in->width;
    const int64_t step_x = t.swap ? down : right, step_y = t.swap ? right : down;
    const int64_t first = (t.mirror_x ? in->width - 1 : 0) +
                          (t.mirror_y ? in->width * (in->height - 1) : 0);
    for (int64_t y = tile[2]; y < tile[3]; y++) {
        uint8_t *to = out->pixels + n * (out->width * y + tile[0]);
        int64_t from = first + step_x * tile[0] + step_y * y;
        for (int64_t x = tile[0]; x < tile[1]; x++, to += n, from += step_x) {
            const uint8_t *p = in->pixels + n * from;
            to[0] = p[0];
            to[1] = p[1];
            to[2] = p[2];
            if (n > 3) to[3] = p[3];
        }
    }
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

afn_status afn_image__turn(afn_image *image, int orientation)
{
    enum { TILE = 64 };
    afn_image out;
    if (orientation < 2 || orientation > 8) return AFN_OK;
    const turning t = turnings[orientation];
    const afn_status st = afn_image__alloc_channels(
        &out, t.swap ? image->height : image->width,
        t.swap ? image->width : image->height, afn_image_channels(image));
    if (st != AFN_OK) return st;
    for (int64_t y = 0; y < out.height; y += TILE)
        for (int64_t x = 0; x < out.width; x += TILE)
            turn_tile(&out, image, t,
                      (int64_t[4]){ x, least(x + TILE, out.width), y,
                                    least(y + TILE, out.height) });
    afn_image_free(image);
    *image = out;
    return AFN_OK;
}
