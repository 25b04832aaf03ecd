/* SPDX-License-Identifier: Apache-2.0 */
/* JPEG, by libjpeg-turbo with its default settings (slow integer DCT, fancy
 * upsampling), driven the way Pillow drives it so that the same files pass: the source
 * suspends at the end of the bytes, which makes missing data an error, while warnings
 * of the library (damaged data, a missing restart) are tolerated.
 *
 * libjpeg reports errors by longjmp.  All state lives in one struct, which the function
 * with the setjmp only borrows: no local of a function that is jumped over is used. */
#include "image/codec.h"

#include <setjmp.h>
#include <stdio.h> /* jpeglib.h needs it */
#include <string.h>

#include <jpeglib.h>

#include <jerror.h>

#include "image/exif.h"

/* Nobody writes more scans; a file can hold thousands, each as slow as a picture. */
enum { MAX_SCANS = 500, MAX_SCANS_LARGE = 64 };
static const int64_t large_pixels = (int64_t)1 << 22;

/* A picture over believable_pixels has at most this many for a byte of its file: flat
 * ones need 2 bits for 64 pixels, 1 bit if progressive. */
enum { MAX_PIXELS_PER_BYTE = 1024 };
static const int64_t believable_pixels = (int64_t)1 << 24;

/* Application segments with EXIF. */
enum { EXIF_MARKER = JPEG_APP0 + 1 };

/* Coefficients of the largest progressive picture, 3 x 2 bytes a pixel, and some. */
static const long max_memory_bytes = 1536L << 20;

typedef struct decoder {
    struct jpeg_decompress_struct jpeg;
    struct jpeg_error_mgr error;
    struct jpeg_source_mgr source;
    struct jpeg_progress_mgr progress;
    jmp_buf on_error;
    const uint8_t *bytes;
    size_t size;
    int64_t max_pixels, min_side;
    bool wants_orientation;
    int orientation;
    int max_scans;
    afn_status st;     /* set before a jump */
    uint8_t *cmyk_row; /* (width, 4), only for four components */
    afn_image image;
} decoder;

static void no_op(j_decompress_ptr jpeg)
{
    (void)jpeg;
}

static boolean suspend(j_decompress_ptr jpeg)
{
    (void)jpeg;
    return FALSE;
}

static void skip_bytes(j_decompress_ptr jpeg, long n)
{
    struct jpeg_source_mgr *source = jpeg->src;
    size_t skipped = n > 0 ? (size_t)n : 0;
    if (skipped > source->bytes_in_buffer) skipped = source->bytes_in_buffer;
    source->next_input_byte += skipped;
    source->bytes_in_buffer -= skipped;
}

static void ignore_message(j_common_ptr jpeg)
{
    (void)jpeg;
}

static void fail_and_jump(j_common_ptr jpeg)
{
    decoder *d = jpeg->client_data;
    char text[JMSG_LENGTH_MAX];
    switch (jpeg->err->msg_code) {
    case JERR_OUT_OF_MEMORY:
        d->st = afn_fail(AFN_ENOMEM, "out of memory");
        break;
    case JERR_NO_BACKING_STORE:
        d->st = afn_fail(AFN_EUNSUPPORTED, "needs more than %ld MiB to decode",
                         max_memory_bytes >> 20);
        break;
    default:
        jpeg->err->format_message(jpeg, text);
        d->st = afn_image__fail_as(AFN_EFORMAT, text);
    }
    longjmp(d->on_error, 1);
}

/* Called by the library for every row of blocks that it reads. */
static void check_scans(j_common_ptr jpeg)
{
    decoder *d = jpeg->client_data;
    if (d->jpeg.input_scan_number <= d->max_scans) return;
    d->st = afn_fail(AFN_EFORMAT, "more than %d scans", d->max_scans);
    longjmp(d->on_error, 1);
}

static void start(decoder *d)
{
    d->jpeg.err = jpeg_std_error(&d->error);
    d->jpeg.client_data = d;
    d->error.error_exit = fail_and_jump;
    d->error.output_message = ignore_message;
    jpeg_create_decompress(&d->jpeg);
    d->jpeg.mem->max_memory_to_use = max_memory_bytes;

    d->source.init_source = no_op;
    d->source.fill_input_buffer = suspend;
    d->source.skip_input_data = skip_bytes;
    d->source.resync_to_restart = jpeg_resync_to_restart;
    d->source.term_source = no_op;
    d->source.next_input_byte = d->bytes;
    d->source.bytes_in_buffer = d->size;
    d->jpeg.src = &d->source;
    if (d->wants_orientation) jpeg_save_markers(&d->jpeg, EXIF_MARKER, 0xffff);
    d->progress.progress_monitor = check_scans;
    d->jpeg.progress = &d->progress;
}

/* Is what the header says acceptable?  Asked before memory is taken. */
static afn_status check_header(decoder *d)
{
    const struct jpeg_decompress_struct *jpeg = &d->jpeg;
    const int n = jpeg->num_components;
    if (n != 1 && n != 3 && n != 4)
        return afn_fail(AFN_EFORMAT, "%d components, need 1, 3 or 4", n);

    const afn_status st =
        afn_image__check_size(d->max_pixels, jpeg->image_width, jpeg->image_height);
    if (st != AFN_OK) return st;
    const int64_t pixels = (int64_t)jpeg->image_width * jpeg->image_height;
    if (pixels > believable_pixels && (size_t)pixels / MAX_PIXELS_PER_BYTE > d->size)
        return afn_fail(AFN_EFORMAT, "%ux%u pixels in %zu bytes, file is truncated",
                        jpeg->image_width, jpeg->image_height, d->size);
    d->max_scans = pixels > large_pixels ? MAX_SCANS_LARGE : MAX_SCANS;
    return AFN_OK;
}

static afn_status read_header(decoder *d)
{
    int found;
    d->max_scans = MAX_SCANS;
    do found = jpeg_read_header(&d->jpeg, FALSE);
    while (found == JPEG_HEADER_TABLES_ONLY);
    if (found == JPEG_SUSPENDED)
        return afn_fail(AFN_EFORMAT, "file is truncated in the header");
    return check_header(d);
}

static afn_status read_rows(decoder *d)
{
    afn_image *image = &d->image;
    for (int64_t y = 0; y < image->height; y++) {
        uint8_t *rgb = image->pixels + 3 * image->width * y;
        JSAMPROW row = d->cmyk_row ? d->cmyk_row : rgb;
        if (jpeg_read_scanlines(&d->jpeg, &row, 1) != 1)
            return afn_fail(AFN_EFORMAT, "file is truncated at row %lld of %lld",
                            (long long)y, (long long)image->height);
        /* Adobe stores inks inverted, and so does everyone. */
        for (int64_t x = 0; d->cmyk_row && x < image->width; x++)
            afn_image__ink_to_rgb(rgb + 3 * x, d->cmyk_row + 4 * x);
    }
    return AFN_OK;
}

/* Let the inverse DCT make fewer pixels where the job needs no more: Pillow's draft().
 */
static void scale_down(decoder *d)
{
    const bool wide = d->jpeg.image_width > d->jpeg.image_height;
    const int64_t shorter = wide ? d->jpeg.image_height : d->jpeg.image_width;
    unsigned by = d->min_side > 0 ? 8 : 1;
    while (by > 1 && shorter / by < d->min_side) by /= 2;
    d->jpeg.scale_num = 1;
    d->jpeg.scale_denom = by;
    jpeg_calc_output_dimensions(&d->jpeg);
}

/* The first segment that calls itself EXIF counts; others of its kind are XMP. */
static int find_orientation(const decoder *d)
{
    for (jpeg_saved_marker_ptr m = d->jpeg.marker_list; m; m = m->next)
        if (m->marker == EXIF_MARKER && m->data_length >= 5 &&
            memcmp(m->data, "Exif", 5) == 0)
            return afn_image__exif_orientation(m->data, m->data_length);
    return 0;
}

static afn_status decode_steps(decoder *d)
{
    afn_status st = AFN_OK;
    start(d);
    AFN_TRY(read_header(d));
    d->orientation = find_orientation(d);
    const bool four = d->jpeg.num_components == 4;
    d->jpeg.out_color_space = four ? JCS_CMYK : JCS_RGB;
    scale_down(d);
    AFN_TRY(afn_image__alloc(&d->image, d->jpeg.output_width, d->jpeg.output_height));
    if (four) {
        d->cmyk_row = afn_alloc_array(d->jpeg.output_width, 4);
        AFN_REQUIRE(d->cmyk_row, AFN_ENOMEM, "out of memory");
    }
    AFN_REQUIRE(jpeg_start_decompress(&d->jpeg), AFN_EFORMAT, "file is truncated");
    AFN_TRY(read_rows(d));
    (void)jpeg_finish_decompress(&d->jpeg); /* no end marker: tolerated, as in Pillow */
done:
    return st;
}

static afn_status decode_guarded(decoder *d)
{
    if (setjmp(d->on_error)) return d->st;
    return decode_steps(d);
}

static afn_status decode(afn_image *out, afn_codec_job *job)
{
    decoder d = { .bytes = job->bytes,
                  .size = job->size,
                  .max_pixels = job->max_pixels,
                  .min_side = job->min_side,
                  .wants_orientation = job->wants_orientation };
    const afn_status st = decode_guarded(&d);
    job->orientation = d.orientation;
    jpeg_destroy_decompress(&d.jpeg); /* a zeroed one is a no-op */
    afn_free(d.cmyk_row);
    if (st == AFN_OK)
        *out = d.image;
    else
        afn_image_free(&d.image);
    return st;
}

static bool probe(const uint8_t *bytes, size_t size)
{
    return size >= 3 && bytes[0] == 0xff && bytes[1] == 0xd8 && bytes[2] == 0xff;
}

const afn_codec afn_codec_jpeg = { .name = "jpeg", .probe = probe, .decode = decode };
