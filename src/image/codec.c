/* SPDX-License-Identifier: Apache-2.0 */
/* The list of picture formats, and decoding by content: names and extensions of files
 * are never looked at, as half of the wrong ones in the wild are JPEGs called .png. */
#include "image/codec.h"

#include <ctype.h>
#include <string.h>

#include "image/exif.h"

static const afn_codec *const codecs[] = {
    &afn_codec_jpeg, &afn_codec_png,
#if AFN_HAVE_WEBP
    &afn_codec_webp,
#endif
#if AFN_HAVE_GIF
    &afn_codec_gif,
#endif
#if AFN_HAVE_TIFF
    &afn_codec_tiff,
#endif
    &afn_codec_bmp,  &afn_codec_pnm,
};

/* Beyond, Pillow raises DecompressionBombError (Image.py: 2 * MAX_IMAGE_PIXELS). */
static const int64_t pillows_limit = (int64_t)2 * 89478485;

/* Formats that people do have in their folders and that are not built in: known by
 * sight, so that the message can say more than "not a picture". */
static const struct {
    const char *name;
    size_t offset, size;
    const char *bytes;
} foreign[] = {
    { "WebP", 8, 4, "WEBP" },        { "GIF", 0, 4, "GIF8" },
    { "TIFF", 0, 4, "II*\0" },       { "TIFF", 0, 4, "MM\0*" },
    { "TIFF", 0, 4, "II+\0" },       { "TIFF", 0, 4, "MM\0+" },
    { "AVIF", 4, 8, "ftypavif" },    { "HEIC", 4, 8, "ftypheic" },
    { "HEIC", 4, 8, "ftypheix" },    { "HEIC", 4, 8, "ftyphevc" },
    { "HEIC", 4, 8, "ftypmif1" },    { "HEIC", 4, 8, "ftypmsf1" },
    { "JPEG XL", 0, 2, "\xff\x0a" }, { "JPEG 2000", 0, 8, "\0\0\0\fjP  " },
};

static const char *foreign_format(const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < AFN_COUNT(foreign); i++) {
        const size_t at = foreign[i].offset, n = foreign[i].size;
        if (size >= at + n && memcmp(bytes + at, foreign[i].bytes, n) == 0)
            return foreign[i].name;
    }
    return NULL;
}

static afn_status refuse(const uint8_t *bytes, size_t size)
{
    if (!size) return afn_fail(AFN_EFORMAT, "empty, not a picture");
    const char *name = foreign_format(bytes, size);
    if (name)
        return afn_fail(AFN_EUNSUPPORTED,
                        "a picture in %s, which this build cannot read", name);
    return afn_fail(AFN_EFORMAT, "not a picture");
}

afn_status afn_image__check_size(int64_t max_pixels, int64_t width, int64_t height)
{
    if (width < 1 || height < 1)
        return afn_fail(AFN_EFORMAT, "%lldx%lld pixels", (long long)width,
                        (long long)height);
    if (width > max_pixels / height)
        return afn_fail(AFN_EUNSUPPORTED, "%lldx%lld pixels, limit is %lld in all",
                        (long long)width, (long long)height, (long long)max_pixels);
    return AFN_OK;
}

afn_status afn_image__fail_as(afn_status code, const char *text)
{
    if (!text || !text[0]) return afn_fail(code, "damaged");
    const bool word = islower((unsigned char)text[1]) || text[1] == ' ';
    return afn_fail(code, "%c%s", word ? tolower((unsigned char)text[0]) : text[0],
                    text + 1);
}

afn_decode_opts afn_decode_defaults(void)
{
    return (
        afn_decode_opts){ .exif = true, .max_pixels = pillows_limit, .channels = 3 };
}

static afn_status decode_with(afn_image *out, const afn_codec *codec, const void *bytes,
                              size_t size, const afn_decode_opts *opts)
{
    afn_status st = AFN_OK;
    afn_image opaque = { 0 };
    const afn_image *whole = out;
    const int channels = opts->channels ? opts->channels : 3;
    afn_codec_job job = { .bytes = bytes, .size = size };
    AFN_REQUIRE(channels == 3 || channels == 4, AFN_EINVAL,
                "decoding to %d channels, need 3 or 4", channels);
    job.wants_orientation = opts->exif;
    job.wants_alpha = channels == 4;
    job.min_side = opts->min_side;
    job.max_pixels = opts->max_pixels ? opts->max_pixels : pillows_limit;
    AFN_TRY(codec->decode(out, &job));
    AFN_TRY(afn_image__as_channels(&whole, &opaque, channels));
    if (whole == &opaque) {
        afn_image_free(out);
        *out = opaque;
    }
    if (opts->exif) AFN_TRY(afn_image__turn(out, job.orientation));
done:
    if (st != AFN_OK) afn_image_free(out);
    return afn_context(st, "%s", codec->name);
}

static const afn_codec *codec_of(const void *bytes, size_t size)
{
    for (size_t i = 0; i < AFN_COUNT(codecs); i++)
        if (codecs[i]->probe(bytes, size)) return codecs[i];
    return NULL;
}

const char *afn_image_format(const void *bytes, size_t size)
{
    const afn_codec *codec = codec_of(bytes, size);
    return codec ? codec->name : foreign_format(bytes, size);
}

afn_status afn_image_decode(afn_image *out, const void *bytes, size_t size,
                            const afn_decode_opts *opts)
{
    const afn_decode_opts defaults = afn_decode_defaults();
    *out = (afn_image){ 0 };
    const afn_codec *codec = codec_of(bytes, size);
    if (!codec) return refuse(bytes, size);
    return decode_with(out, codec, bytes, size, opts ? opts : &defaults);
}

afn_status afn_image_read(afn_image *out, const char *path, const afn_decode_opts *opts)
{
    afn_status st = AFN_OK;
    afn_map file = { 0 };

    *out = (afn_image){ 0 };
    AFN_TRY(afn_map_open(&file, path));
    AFN_TRY(afn_image_decode(out, file.data, file.size, opts));
done:
    afn_map_close(&file);
    return afn_context(st, "%s", path);
}
