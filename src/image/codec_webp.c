/* SPDX-License-Identifier: Apache-2.0 */
/* WebP by libwebp: lossy and lossless, of an animation the first frame, drawn where it
 * belongs on a black, transparent canvas.  Alpha that is not asked for is dropped, not
 * blended, as Pillow's convert("RGB") does.
 * Source     https://developers.google.com/speed/webp/docs/riff_container */
#include "image/codec.h"

#include <string.h>

#include <webp/decode.h>
#include <webp/demux.h>

#include "image/exif.h"

static afn_status read_frame(afn_image *image, const WebPIterator *frame)
{
    const int64_t right = (int64_t)frame->x_offset + frame->width;
    const int64_t bottom = (int64_t)frame->y_offset + frame->height;
    WebPDecoderConfig config;
    if (!WebPInitDecoderConfig(&config))
        return afn_fail(AFN_EUNSUPPORTED, "libwebp is not the one that was built for");
    if (right > image->width || bottom > image->height || !frame->complete)
        return afn_fail(AFN_EFORMAT, "frame of %dx%d pixels does not fit", frame->width,
                        frame->height);
    const size_t n = (size_t)afn_image_channels(image);
    const size_t stride = (size_t)image->width * n;
    uint8_t *const first =
        image->pixels + stride * (size_t)frame->y_offset + n * (size_t)frame->x_offset;
    config.output.colorspace = n == 4 ? MODE_RGBA : MODE_RGB;
    config.output.is_external_memory = 1;
    config.output.u.RGBA.rgba = first;
    config.output.u.RGBA.stride = (int)stride;
    config.output.u.RGBA.size =
        stride * (size_t)image->height - (size_t)(first - image->pixels);
    switch (WebPDecode(frame->fragment.bytes, frame->fragment.size, &config)) {
    case VP8_STATUS_OK:
        return AFN_OK;
    case VP8_STATUS_OUT_OF_MEMORY:
        return afn_fail(AFN_ENOMEM, "out of memory");
    case VP8_STATUS_NOT_ENOUGH_DATA:
        return afn_fail(AFN_EFORMAT, "file is truncated");
    default:
        return afn_fail(AFN_EFORMAT, "damaged pixels");
    }
}

static int find_orientation(const WebPDemuxer *demux)
{
    WebPChunkIterator chunk;
    int orientation = 0;
    if (WebPDemuxGetChunk(demux, "EXIF", 1, &chunk))
        orientation = afn_image__exif_orientation(chunk.chunk.bytes, chunk.chunk.size);
    WebPDemuxReleaseChunkIterator(&chunk);
    return orientation;
}

static afn_status decode(afn_image *out, afn_codec_job *job)
{
    afn_status st = AFN_OK;
    const WebPData data = { job->bytes, job->size };
    WebPIterator frame = { 0 };
    WebPDemuxer *demux = WebPDemux(&data);
    AFN_REQUIRE(demux, AFN_EFORMAT, "truncated or damaged");
    const int64_t width = WebPDemuxGetI(demux, WEBP_FF_CANVAS_WIDTH);
    const int64_t height = WebPDemuxGetI(demux, WEBP_FF_CANVAS_HEIGHT);
    AFN_TRY(afn_image__check_size(job->max_pixels, width, height));
    AFN_REQUIRE(WebPDemuxGetFrame(demux, 1, &frame), AFN_EFORMAT, "no picture");
    const int n = job->wants_alpha ? 4 : 3;
    AFN_TRY(afn_image__alloc_channels(out, width, height, n));
    if (frame.width < width || frame.height < height)
        memset(out->pixels, 0, (size_t)(width * height * n));
    AFN_TRY(read_frame(out, &frame));
    if (job->wants_orientation) job->orientation = find_orientation(demux);
done:
    WebPDemuxReleaseIterator(&frame);
    WebPDemuxDelete(demux);
    if (st != AFN_OK) afn_image_free(out);
    return st;
}

static bool probe(const uint8_t *bytes, size_t size)
{
    return size >= 16 && memcmp(bytes, "RIFF", 4) == 0 &&
           memcmp(bytes + 8, "WEBPVP8", 7) == 0 && strchr(" LX", bytes[15]) &&
           bytes[15];
}

const afn_codec afn_codec_webp = { .name = "webp", .probe = probe, .decode = decode };
