/* SPDX-License-Identifier: Apache-2.0 */
/* Our side of check_augment.py: reads commands from stdin, one a line, fields separated
 * by tabs, and answers each with "ok WIDTH HEIGHT DRAWN..." or "error TEXT" on a line
 * of its own.  DRAWN is, for each step: whether it is on, how many numbers, the
 * numbers.
 *
 *   change  PATH SPEC SEED EPOCH SAMPLE OUT
 *           the steps on a picture of any size; pixels go to OUT as bare bytes
 *   apply   PATH SPEC RESIZE CROP SEED EPOCH SAMPLE OUT
 *           from a picture to a network's input
 *   rotate  PATH DEGREES FILTER OUT
 *   draw    SPEC WIDTH HEIGHT CROP SEED N OUT
 *           numbers for N samples, one line each, go to OUT
 *   mix     MIXUP CUTMIX SIDE SEED N OUT
 *           for N batches share, pastes, left, top, right, bottom, one line each, to
 * OUT
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/mix.h"
#include "image/augment.h"

enum { MAX_FIELDS = 12, MAX_LINE = 8192 };

static const afn_decode_opts as_stored = { 0 }; /* as torchvision's loader reads */

/* What a command makes. */
typedef struct answer {
    afn_image image;
    afn_buf drawn;
} answer;

static afn_status write_file(const char *path, const void *bytes, size_t n)
{
    afn_status st = AFN_OK;
    FILE *f = fopen(path, "wb");
    if (!f) return afn_fail(AFN_EIO, "%s: cannot open", path);
    if (fwrite(bytes, 1, n, f) != n) st = afn_fail(AFN_EIO, "%s", path);
    if (fclose(f) != 0) st = afn_fail(AFN_EIO, "%s", path);
    return st;
}

static void put_drawn(afn_buf *out, const afn_augment *a, const afn_drawn *drawn)
{
    for (int i = 0; i < a->n_steps; i++) {
        afn_buf_fmt(out, " %d %d", drawn[i].on, drawn[i].n);
        for (int k = 0; k < drawn[i].n; k++) afn_buf_fmt(out, " %.17g", drawn[i].v[k]);
    }
}

static afn_rng rng_of(char **field)
{
    const uint32_t epoch = (uint32_t)atoll(field[1]),
                   sample = (uint32_t)atoll(field[2]);
    return afn_rng_new((uint64_t)atoll(field[0]),
                       afn_rng_stream(AFN_RNG_AUGMENT, epoch, sample));
}

static afn_status change(answer *out, const afn_augment *a, char **field)
{
    afn_status st = AFN_OK;
    afn_image spare = { 0 };
    afn_drawn drawn[AFN_MAX_STEPS];
    afn_rng rng = rng_of(field + 3);
    AFN_TRY(afn_image_read(&out->image, field[1], &as_stored));
    AFN_TRY(afn_image__alloc(&spare, out->image.width, out->image.height));
    afn_canvas c = { out->image, spare.pixels, { 124, 116, 104 }, false };
    afn_augment__draw(a, &rng, &out->image, &out->image, drawn);
    st = afn_augment__change(a, drawn, &c);
    out->image = c.image;
    spare.pixels = c.spare;
    put_drawn(&out->drawn, a, drawn);
done:
    afn_image_free(&spare);
    return st;
}

static afn_status apply(answer *out, const afn_augment *a, char **field)
{
    afn_status st = AFN_OK;
    afn_image in = { 0 };
    afn_drawn drawn[AFN_MAX_STEPS];
    afn_preprocess p = afn_preprocess_imagenet();
    afn_rng rng = rng_of(field + 5);
    const afn_augment_draw at = { (uint64_t)atoll(field[5]), atoll(field[6]),
                                  atoll(field[7]) };
    p.resize = atoi(field[3]);
    p.crop = atoi(field[4]);
    AFN_TRY(afn_image_read(&in, field[1], &as_stored));
    AFN_TRY(afn_image__alloc(&out->image, p.crop, p.crop));
    afn_augment__draw(a, &rng, &in, &out->image, drawn);
    AFN_TRY(afn_augment_apply(a, &p, &in, &at, out->image.pixels));
    put_drawn(&out->drawn, a, drawn);
done:
    afn_image_free(&in);
    return st;
}

static afn_status draw(const afn_augment *a, char **field)
{
    afn_buf lines = { 0 };
    const afn_image source = { .width = atoll(field[2]), .height = atoll(field[3]) };
    const afn_image changed = { .width = atoll(field[4]), .height = atoll(field[4]) };
    for (int64_t i = 0; i < atoll(field[6]); i++) {
        afn_drawn drawn[AFN_MAX_STEPS];
        afn_rng rng = afn_rng_new((uint64_t)atoll(field[5]),
                                  afn_rng_stream(AFN_RNG_AUGMENT, 0, (uint32_t)i));
        afn_augment__draw(a, &rng, &source, &changed, drawn);
        put_drawn(&lines, a, drawn);
        afn_buf_str(&lines, "\n");
    }
    afn_status st = afn_buf_finish(&lines);
    if (st == AFN_OK) st = write_file(field[7], lines.data, lines.size);
    afn_buf_free(&lines);
    return st;
}

static afn_status mix(char **field)
{
    afn_buf lines = { 0 };
    const afn_augment_opts o = { .mixup = atof(field[1]), .cutmix = atof(field[2]) };
    const afn_augment_draw at = { .seed = (uint64_t)atoll(field[4]) };
    for (int64_t i = 0; i < atoll(field[5]); i++) {
        const afn_mix m = afn_mix_draw(&o, &at, i, atoll(field[3]));
        afn_buf_fmt(&lines, "%.17g %d %d %d %d %d\n", m.share, m.pastes, (int)m.left,
                    (int)m.top, (int)m.right, (int)m.bottom);
    }
    afn_status st = afn_buf_finish(&lines);
    if (st == AFN_OK) st = write_file(field[6], lines.data, lines.size);
    afn_buf_free(&lines);
    return st;
}

static afn_status rotate(answer *out, char **field)
{
    afn_status st = AFN_OK;
    afn_image in = { 0 };
    AFN_TRY(afn_image_read(&in, field[1], &as_stored));
    AFN_TRY(afn_image__alloc(&out->image, in.width, in.height));
    afn_pixels__rotate(out->image.pixels, &in, atof(field[2]), field[3][0] == 'b');
done:
    afn_image_free(&in);
    return st;
}

static afn_status run(char **field, int n, answer *out)
{
    afn_status st = AFN_OK;
    afn_augment *a = NULL;
    const char *verb = field[0];
    const bool draws = strcmp(verb, "draw") == 0;
    const bool rotates = strcmp(verb, "rotate") == 0;
    if (strcmp(verb, "mix") == 0 && n == 7) return mix(field);
    AFN_REQUIRE(n >= (rotates ? 5 : 7), AFN_EINVAL, "too few fields");
    if (!rotates) AFN_TRY(afn_augment_new(&a, field[draws ? 1 : 2]));
    if (draws && n == 8) {
        AFN_TRY(draw(a, field));
        goto done;
    }
    if (rotates) {
        AFN_TRY(rotate(out, field));
    } else if (strcmp(verb, "change") == 0 && n == 7) {
        AFN_TRY(change(out, a, field));
    } else if (strcmp(verb, "apply") == 0 && n == 9) {
        AFN_TRY(apply(out, a, field));
    } else {
        st = afn_fail(AFN_EINVAL, "unknown command %s", verb);
        goto done;
    }
    AFN_TRY(write_file(field[n - 1], out->image.pixels,
                       (size_t)(out->image.width * out->image.height * 3)));
done:
    afn_augment_free(a);
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
        answer out = { 0 };
        if (run(field, n, &out) == AFN_OK)
            printf("ok %lld %lld%s\n", (long long)out.image.width,
                   (long long)out.image.height, out.drawn.data ? out.drawn.data : "");
        else
            printf("error %s\n", afn_error_message());
        fflush(stdout);
        afn_image_free(&out.image);
        afn_buf_free(&out.drawn);
    }
    return 0;
}
