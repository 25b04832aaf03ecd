/* SPDX-License-Identifier: Apache-2.0 */
/* GIF by giflib: the first frame, drawn where it belongs on a canvas of the size of the
 * screen, which grows where the frame sticks out.  What the frame leaves open has its
 * transparent colour, or colour 0.  Transparency itself is dropped, or becomes alpha.
 * Source     https://www.w3.org/Graphics/GIF/spec-gif89a.txt; Pillow, GifImagePlugin.py
 *
 * giflib wants the end of the data of a frame even where all its pixels are there; as
 * Pillow does not, it is fed zeros behind the end of the file, and files that lack more
 * than their last pixel are refused here. */
#include "image/codec.h"

#include <string.h>

#include <gif_lib.h>

/* A code of 12 bits gives at most 4096 pixels. */
enum { MAX_PIXELS_PER_BYTE = 2736 };
static const int64_t believable_pixels = (int64_t)1 << 24;

typedef struct decoder {
    const uint8_t *bytes;
    size_t size, at;
    int64_t max_pixels;
    bool wants_alpha;
    bool ended; /* zeros were read from behind the end */
    GifFileType *gif;
    int transparent;     /* value, -1 = none */
    uint8_t rgb[256][4]; /* colours of the frame, and their alpha */
    uint8_t *row;        /* values of a row of the frame */
} decoder;

static int on_read(GifFileType *gif, GifByteType *to, int n)
{
    decoder *d = gif->UserData;
    const size_t want = n > 0 ? (size_t)n : 0, left = d->size - d->at;
    const size_t have = want < left ? want : left;
    memcpy(to, d->bytes + d->at, have);
    memset(to + have, 0, want - have);
    d->at += have;
    if (have < want) d->ended = true;
    return n;
}

static afn_status broken(const decoder *d, int code)
{
    if (code == D_GIF_ERR_NOT_ENOUGH_MEM) return afn_fail(AFN_ENOMEM, "out of memory");
    if (d->ended) return afn_fail(AFN_EFORMAT, "file is truncated");
    return afn_image__fail_as(AFN_EFORMAT, GifErrorString(code));
}

/* Take one extension; of interest is what it says about transparency. */
static afn_status read_extension(decoder *d)
{
    int code;
    GifByteType *block;
    int ok = DGifGetExtension(d->gif, &code, &block);
    if (ok == GIF_OK && code == GRAPHICS_EXT_FUNC_CODE && block) {
        GraphicsControlBlock control;
        if (DGifExtensionToGCB(block[0], block + 1, &control) == GIF_OK &&
            control.TransparentColor != NO_TRANSPARENT_COLOR)
            d->transparent = control.TransparentColor;
    }
    while (ok == GIF_OK && block) ok = DGifGetExtensionNext(d->gif, &block);
    return ok == GIF_OK && !d->ended ? AFN_OK : broken(d, d->gif->Error);
}

/* Everything up to the header of the first frame. */
static afn_status find_frame(decoder *d)
{
    for (;;) {
        GifRecordType type;
        const bool known = DGifGetRecordType(d->gif, &type) == GIF_OK;
        if (!known && !d->ended && d->gif->Error == D_GIF_ERR_WRONG_RECORD)
            continue; /* a stray byte between the blocks is passed over, as in Pillow */
        if (!known || d->ended) return broken(d, d->gif->Error);
        if (type == TERMINATE_RECORD_TYPE) return afn_fail(AFN_EFORMAT, "no picture");
        if (type == EXTENSION_RECORD_TYPE) {
            const afn_status st = read_extension(d);
            if (st != AFN_OK) return st;
            continue;
        }
        if (DGifGetImageDesc(d->gif) != GIF_OK || d->ended)
            return broken(d, d->gif->Error);
        return AFN_OK;
    }
}

/* Values without a colour of their own are gray, as in Pillow. */
static void make_colours(decoder *d)
{
    const ColorMapObject *map =
        d->gif->Image.ColorMap ? d->gif->Image.ColorMap : d->gif->SColorMap;
    for (int i = 0; i < 256; i++) {
        memset(d->rgb[i], i, 3);
        d->rgb[i][3] = i == d->transparent ? 0 : 255;
        if (!map || i >= map->ColorCount) continue;
        d->rgb[i][0] = map->Colors[i].Red;
        d->rgb[i][1] = map->Colors[i].Green;
        d->rgb[i][2] = map->Colors[i].Blue;
    }
}

static afn_status make_canvas(decoder *d, afn_image *image)
{
    const GifImageDesc *frame = &d->gif->Image;
    const int64_t right = (int64_t)frame->Left + frame->Width;
    const int64_t bottom = (int64_t)frame->Top + frame->Height;
    const int64_t width = right > d->gif->SWidth ? right : d->gif->SWidth;
    const int64_t height = bottom > d->gif->SHeight ? bottom : d->gif->SHeight;
    if (frame->Width < 1 || frame->Height < 1)
        return afn_fail(AFN_EFORMAT, "frame of %dx%d pixels", frame->Width,
                        frame->Height);
    afn_status st = afn_image__check_size(d->max_pixels, width, height);
    if (st != AFN_OK) return st;
    if (width * height > believable_pixels &&
        (size_t)(width * height) / MAX_PIXELS_PER_BYTE > d->size)
        return afn_fail(AFN_EFORMAT, "%lldx%lld pixels in %zu bytes, file is truncated",
                        (long long)width, (long long)height, d->size);
    const size_t n = d->wants_alpha ? 4 : 3;
    st = afn_image__alloc_channels(image, width, height, (int)n);
    if (st != AFN_OK) return st;
    const uint8_t *open = d->rgb[d->transparent >= 0 ? d->transparent : 0];
    for (size_t i = 0; i < (size_t)(width * height); i++)
        memcpy(image->pixels + n * i, open, n);
    return AFN_OK;
}

static afn_status read_row(decoder *d, afn_image *image, int y)
{
    const GifImageDesc *frame = &d->gif->Image;
    const int w = frame->Width;
    const int64_t n = afn_image_channels(image);
    /* The last pixel by itself: it may end the frame, and reading that may end the
     * file. */
    if (w > 1 && (DGifGetLine(d->gif, d->row, w - 1) != GIF_OK || d->ended))
        return broken(d, d->gif->Error);
    if (DGifGetLine(d->gif, d->row + w - 1, 1) != GIF_OK)
        return broken(d, d->gif->Error);
    uint8_t *to =
        image->pixels + n * (image->width * (frame->Top + (int64_t)y) + frame->Left);
    for (int x = 0; x < w; x++) memcpy(to + n * x, d->rgb[d->row[x]], (size_t)n);
    return AFN_OK;
}

static afn_status read_rows(decoder *d, afn_image *image)
{
    static const struct {
        int from, step;
    } all[] = { { 0, 1 } }, interlaced[] = { { 0, 8 }, { 4, 8 }, { 2, 4 }, { 1, 2 } };
    const GifImageDesc *frame = &d->gif->Image;
    const size_t passes = frame->Interlace ? AFN_COUNT(interlaced) : 1;
    for (size_t p = 0; p < passes; p++) {
        const int from = frame->Interlace ? interlaced[p].from : all[p].from;
        const int step = frame->Interlace ? interlaced[p].step : all[p].step;
        for (int y = from; y < frame->Height; y += step) {
            if (d->ended) return afn_fail(AFN_EFORMAT, "file is truncated");
            const afn_status st = read_row(d, image, y);
            if (st != AFN_OK) return st;
        }
    }
    return AFN_OK;
}

static afn_status decode(afn_image *out, afn_codec_job *job)
{
    afn_status st = AFN_OK;
    int code = 0;
    decoder d = { .bytes = job->bytes,
                  .size = job->size,
                  .max_pixels = job->max_pixels,
                  .wants_alpha = job->wants_alpha,
                  .transparent = -1 };
    d.gif = DGifOpen(&d, on_read, &code);
    if (!d.gif) {
        st = broken(&d, code);
        goto done;
    }
    AFN_TRY(find_frame(&d));
    make_colours(&d);
    AFN_TRY(make_canvas(&d, out));
    d.row = afn_alloc((size_t)d.gif->Image.Width);
    AFN_REQUIRE(d.row, AFN_ENOMEM, "out of memory");
    AFN_TRY(read_rows(&d, out));
done:
    if (d.gif) DGifCloseFile(d.gif, &code);
    afn_free(d.row);
    if (st != AFN_OK) afn_image_free(out);
    return st;
}

static bool probe(const uint8_t *bytes, size_t size)
{
    return size >= 6 &&
           (memcmp(bytes, "GIF87a", 6) == 0 || memcmp(bytes, "GIF89a", 6) == 0);
}

const afn_codec afn_codec_gif = { .name = "gif", .probe = probe, .decode = decode };
