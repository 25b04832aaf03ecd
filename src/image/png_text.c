/* SPDX-License-Identifier: Apache-2.0 */
/* ImageMagick's raw profiles, the form in which EXIF travels in the text of a PNG:
 *
 *   chunk:  "Raw profile type exif", 0, [0 in zTXt: method], text or zlib stream of it
 *   text:   newline, "exif", newline, bytes as a decimal number, newline, hexadecimal
 *           digits in lines
 *
 * Only the start is looked at: the orientation stands in the first directory, and a
 * text that inflates to gigabytes costs nothing. Source     Pillow, Image.py getexif();
 * ImageMagick, coders/png.c */
#include "image/png_text.h"

#include <ctype.h>
#include <string.h>

#include <zlib.h>

#include "image/exif.h"

enum { MAX_TEXT = 1 << 14 };

/* The first bytes of the text, up to MAX_TEXT; returns how many. */
static size_t text_start(uint8_t *out, const uint8_t *data, size_t size, bool deflated)
{
    if (!deflated) {
        const size_t n = size < MAX_TEXT ? size : MAX_TEXT;
        memcpy(out, data, n);
        return n;
    }
    z_stream z = { 0 };
    if (size < 1 || data[0] != 0 || inflateInit(&z) != Z_OK) return 0;
    z.next_in = (Bytef *)(uintptr_t)(data + 1); /* zlib's type lacks a const */
    z.avail_in = size - 1 < UINT32_MAX ? (uInt)(size - 1) : UINT32_MAX;
    z.next_out = out;
    z.avail_out = MAX_TEXT;
    (void)inflate(&z, Z_SYNC_FLUSH); /* whatever there is */
    inflateEnd(&z);
    return MAX_TEXT - z.avail_out;
}

static int hex_digit(int c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

/* Bytes of the hexadecimal lines behind the third newline, written over the text. */
static size_t from_hex(uint8_t *text, size_t size)
{
    size_t at = 0, n = 0;
    int high = -1;
    for (int lines = 0; lines < 3; lines++) {
        const uint8_t *end = memchr(text + at, '\n', size - at);
        if (!end) return 0;
        at = (size_t)(end - text) + 1;
    }
    for (; at < size; at++) {
        const int digit = hex_digit(text[at]);
        if (digit < 0 && !isspace(text[at])) return 0;
        if (digit < 0) continue;
        if (high < 0) {
            high = digit;
            continue;
        }
        text[n++] = (uint8_t)(high << 4 | digit);
        high = -1;
    }
    return n;
}

int afn_image__png_text_orientation(int before, const uint8_t *data, size_t size,
                                    bool deflated)
{
    static const char name[] = "Raw profile type exif"; /* with its 0 */
    uint8_t text[MAX_TEXT];
    if (size < sizeof name || memcmp(data, name, sizeof name) != 0) return before;
    const size_t n = text_start(text, data + sizeof name, size - sizeof name, deflated);
    const int found = afn_image__exif_orientation(text, from_hex(text, n));
    return found ? found : before;
}
