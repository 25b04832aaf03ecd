/* SPDX-License-Identifier: Apache-2.0 */
/* Our side of check_pixels.py: reads commands from stdin, one a line, fields separated
 * by tabs, and answers each with "ok WIDTH HEIGHT" or "error TEXT" on a line of its
 * own.  Pixels go to OUT as bare bytes.
 *
 *   decode      PATH OUT
 *   upright     PATH OUT          (decode, and turn by the EXIF orientation)
 *   draft       PATH MIN_SIDE OUT (decode, approximately)
 *   resize      PATH WIDTH HEIGHT FILTER OUT
 *   crop        PATH WIDTH HEIGHT OUT
 *   fit         PATH FIT SIDE FILTER OUT
 *   preprocess  PATH RESIZE CROP FILTER OUT
 *   info        PATH              answered with what describe() says
 *
 * With rgba in front of a command, pictures have four channels. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "image/image.h"

enum { MAX_FIELDS = 8, MAX_LINE = 8192 };

static afn_status write_pixels(const char *path, const afn_image *image)
{
    afn_status st = AFN_OK;
    const size_t n = (size_t)(image->width * image->height * afn_image_channels(image));
    FILE *f = fopen(path, "wb");
    if (!f) return afn_fail(AFN_EIO, "%s: cannot open", path);
    if (fwrite(image->pixels, 1, n, f) != n) st = afn_fail(AFN_EIO, "%s", path);
    if (fclose(f) != 0) st = afn_fail(AFN_EIO, "%s", path);
    return st;
}

static afn_status preprocess(afn_image *out, const afn_image *in, char **field)
{
    afn_preprocess p = afn_preprocess_imagenet();
    p.channels = afn_image_channels(in);
    p.resize = atoi(field[2]);
    p.crop = atoi(field[3]);
    afn_status st = afn_filter_parse(&p.filter, field[4]);
    if (st == AFN_OK) st = afn_image__alloc_channels(out, p.crop, p.crop, p.channels);
    if (st == AFN_OK) st = afn_preprocess_apply(&p, in, out->pixels);
    return st;
}

static afn_status fit(afn_image *out, const afn_image *in, char **field)
{
    afn_preprocess p = afn_preprocess_imagenet();
    p.channels = afn_image_channels(in);
    p.crop = atoi(field[3]);
    afn_status st = afn_fit_mode_parse(&p.fit, field[2]);
    if (st == AFN_OK) st = afn_filter_parse(&p.filter, field[4]);
    if (st == AFN_OK) st = afn_image__alloc_channels(out, p.crop, p.crop, p.channels);
    if (st == AFN_OK) st = afn_preprocess_apply(&p, in, out->pixels);
    return st;
}

static afn_status resize(afn_image *out, const afn_image *in, char **field)
{
    afn_filter filter;
    afn_status st = afn_filter_parse(&filter, field[4]);
    if (st == AFN_OK)
        st = afn_image_resize(out, in, atoi(field[2]), atoi(field[3]), filter);
    return st;
}

/* What the header says, in one line: "info" is answered without decoding. */
static afn_status describe(const char *path)
{
    afn_map file;
    afn_image_info i;
    const afn_status st = afn_map_open(&file, path);
    if (st != AFN_OK) return st;
    afn_image_describe(&i, file.data, file.size);
    printf("ok %s %lld %lld %d %d %d %d %d\n", i.format ? i.format : "-",
           (long long)i.width, (long long)i.height, i.bits, i.gray, i.alpha, i.cmyk,
           i.orientation);
    afn_map_close(&file);
    return AFN_OK;
}

static afn_status run(char **field, int n, int channels, afn_image *in, afn_image *out)
{
    afn_status st = AFN_OK;
    const char *verb = field[0];
    afn_decode_opts opts = { .exif = strcmp(verb, "upright") == 0 };
    const bool draft = strcmp(verb, "draft") == 0 && n == 4;
    opts.channels = channels;
    if (draft) opts.min_side = atoi(field[2]);
    AFN_REQUIRE(n >= 3, AFN_EINVAL, "too few fields");
    AFN_TRY(afn_image_read(in, field[1], &opts));
    if (draft || ((strcmp(verb, "decode") == 0 || opts.exif) && n == 3)) {
        *out = *in;
        *in = (afn_image){ 0 };
    } else if (strcmp(verb, "resize") == 0 && n == 6) {
        AFN_TRY(resize(out, in, field));
    } else if (strcmp(verb, "crop") == 0 && n == 5) {
        AFN_TRY(afn_image_center_crop(out, in, atoi(field[2]), atoi(field[3])));
    } else if (strcmp(verb, "fit") == 0 && n == 6) {
        AFN_TRY(fit(out, in, field));
    } else if (strcmp(verb, "preprocess") == 0 && n == 6) {
        AFN_TRY(preprocess(out, in, field));
    } else {
        st = afn_fail(AFN_EINVAL, "unknown command %s", verb);
        goto done;
    }
    AFN_TRY(write_pixels(field[n - 1], out));
done:
    return st;
}

int main(void)
{
    static char line[MAX_LINE];
    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = 0;
        char *field[MAX_FIELDS] = { line };
        int n = 1;
        for (char *p = line; *p && n < MAX_FIELDS; p++) {
            if (*p != '\t') continue;
            *p = 0;
            field[n++] = p + 1;
        }
        afn_image in = { 0 }, out = { 0 };
        const bool alpha = strcmp(field[0], "rgba") == 0;
        const bool asks = n == 2 && strcmp(field[0], "info") == 0;
        const afn_status st =
            asks ? describe(field[1])
                 : run(field + alpha, n - alpha, alpha ? 4 : 3, &in, &out);
        if (st != AFN_OK)
            printf("error %s\n", afn_error_message());
        else if (!asks)
            printf("ok %lld %lld\n", (long long)out.width, (long long)out.height);
        fflush(stdout);
        afn_image_free(&in);
        afn_image_free(&out);
    }
    return 0;
}
