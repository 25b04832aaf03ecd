/* SPDX-License-Identifier: Apache-2.0 */
/* Writing JPEGs, by libjpeg-turbo: thumbnails and heat maps, never training data.  It
 * reports errors by longjmp; all state lives in one struct, as in codec_jpeg.c. */
#include "image/image.h"

#include <setjmp.h>
#include <stdio.h> /* jpeglib.h needs it */
#include <stdlib.h>

#include <jpeglib.h>

typedef struct encoder {
    struct jpeg_compress_struct jpeg;
    struct jpeg_error_mgr error;
    jmp_buf on_error;
    unsigned char *bytes; /* libjpeg's own, by malloc() */
    unsigned long size;
} encoder;

static void on_error(j_common_ptr jpeg)
{
    encoder *e = jpeg->client_data;
    longjmp(e->on_error, 1);
}

static void on_message(j_common_ptr jpeg)
{
    (void)jpeg; /* nothing is ever printed */
}

/* False where the library gave up, which it does for want of memory only. */
static bool compress(encoder *e, const afn_image *image, int quality)
{
    if (setjmp(e->on_error)) return false;
    jpeg_create_compress(&e->jpeg);
    jpeg_mem_dest(&e->jpeg, &e->bytes, &e->size);
    e->jpeg.image_width = (JDIMENSION)image->width;
    e->jpeg.image_height = (JDIMENSION)image->height;
    e->jpeg.input_components = 3;
    e->jpeg.in_color_space = JCS_RGB;
    jpeg_set_defaults(&e->jpeg);
    jpeg_set_quality(&e->jpeg, quality, TRUE);
    jpeg_start_compress(&e->jpeg, TRUE);
    while (e->jpeg.next_scanline < e->jpeg.image_height) {
        const size_t row = e->jpeg.next_scanline * (size_t)image->width * 3;
        JSAMPROW line = (JSAMPROW)(image->pixels + row);
        jpeg_write_scanlines(&e->jpeg, &line, 1);
    }
    jpeg_finish_compress(&e->jpeg);
    return true;
}

afn_status afn_image__encode_jpeg(afn_buf *out, const afn_image *image, int quality)
{
    afn_status st = AFN_OK;
    encoder e = { .bytes = NULL };
    afn_image rgb;
    AFN_TRY(afn_image__as_channels(&image, &rgb, 3));
    AFN_REQUIRE(image->width <= JPEG_MAX_DIMENSION &&
                    image->height <= JPEG_MAX_DIMENSION,
                AFN_EINVAL, "%lld x %lld pixels, a JPEG has at most %ld a side",
                (long long)image->width, (long long)image->height, JPEG_MAX_DIMENSION);
    e.jpeg.err = jpeg_std_error(&e.error);
    e.error.error_exit = on_error;
    e.error.output_message = on_message;
    e.jpeg.client_data = &e;
    const bool done = compress(&e, image, quality);
    jpeg_destroy_compress(&e.jpeg);
    AFN_REQUIRE(done, AFN_ENOMEM, "out of memory");
    afn_buf_add(out, e.bytes, e.size);
    AFN_TRY(afn_buf_finish(out));
done:
    afn_image_free(&rgb);
    free(e.bytes); /* libjpeg's own */
    return st;
}

afn_status afn_image_write_jpeg(const afn_image *image, const char *path)
{
    enum { QUALITY = 90 };
    afn_buf bytes = { 0 };
    afn_status st = afn_image__encode_jpeg(&bytes, image, QUALITY);
    if (st == AFN_OK) st = afn_file_write(path, bytes.data, bytes.size);
    afn_buf_free(&bytes);
    return afn_context(st, "%s", path);
}
