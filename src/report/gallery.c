/* SPDX-License-Identifier: Apache-2.0 */
/* Pictures as the network sees them, as small JPEGs inside the page. */
#include <math.h>
#include <string.h>

#include "afina/heat.h"
#include "image/image.h"
#include "report/page.h"

enum { THUMBNAIL = 160, QUALITY = 80 };

/* ---- data: URIs ---- */

static void put_base64(afn_buf *b, const uint8_t *bytes, size_t n)
{
    static const char digit[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < n; i += 3) {
        const size_t left = n - i;
        const uint32_t v = (uint32_t)bytes[i] << 16 |
                           (left > 1 ? (uint32_t)bytes[i + 1] << 8 : 0) |
                           (left > 2 ? bytes[i + 2] : 0);
        const char four[] = { digit[v >> 18], digit[v >> 12 & 63],
                              left > 1 ? digit[v >> 6 & 63] : '=',
                              left > 2 ? digit[v & 63] : '=' };
        afn_buf_add(b, four, sizeof four);
    }
}

/* An <img> of a square picture, made smaller where it is larger than a thumbnail. */
static afn_status put_picture(afn_buf *b, const afn_image *image, const char *alt)
{
    afn_status st = AFN_OK;
    afn_image small = { 0 };
    afn_buf jpeg = { 0 };
    const int64_t side = image->width < THUMBNAIL ? image->width : THUMBNAIL;
    AFN_TRY(afn_image_resize(&small, image, side, side, AFN_FILTER_BOX));
    AFN_TRY(afn_image__encode_jpeg(&jpeg, &small, QUALITY));
    afn_buf_fmt(b, "<img width=\"%lld\" height=\"%lld\" alt=\"", (long long)side,
                (long long)side);
    afn_html_text(b, alt);
    afn_buf_str(b, "\" src=\"data:image/jpeg;base64,");
    put_base64(b, (const uint8_t *)jpeg.data, jpeg.size);
    afn_buf_str(b, "\">");
done:
    afn_image_free(&small);
    afn_buf_free(&jpeg);
    return st;
}

/* ---- choosing ---- */

/* What one gallery shows, the first in front. */
typedef struct choice {
    int64_t *image; /* [n] places in the scores */
    double *rank;   /* [n] falling */
    int n, most;
} choice;

static void offer(choice *c, int64_t image, double rank)
{
    int k = c->n;
    if (k == c->most && (!k || c->rank[k - 1] >= rank)) return;
    if (c->n < c->most) c->n++;
    for (k = c->n - 1; k > 0 && c->rank[k - 1] < rank; k--) {
        c->rank[k] = c->rank[k - 1];
        c->image[k] = c->image[k - 1];
    }
    c->rank[k] = rank;
    c->image[k] = image;
}

static void choose(choice *c, const afn_page *p, bool wrong)
{
    for (int64_t i = 0; i < p->scores->count; i++) {
        double sure;
        const int best =
            afn_scores_best(p->scores, i, p->calibrated->temperature, &sure);
        if (wrong && best != p->scores->labels[i]) offer(c, i, sure);
        if (!wrong) offer(c, i, -sure);
    }
}

/* ---- one entry ---- */

/* The square that the network sees of sample i, in colour even where it sees none; of
 * 4 channels where alpha is one of them. */
static afn_status see(afn_image *out, const afn_page *p, int64_t i)
{
    afn_status st = AFN_OK;
    afn_preprocess pre = afn_model_preprocess(p->model);
    if (pre.channels == 1) pre.channels = 3;
    const afn_decode_opts how = afn_preprocess_decoding(&pre);
    afn_image image = { 0 };
    *out = (afn_image){ 0 };
    AFN_TRY(afn_dataset_read(p->val, p->scores->index[i], &how, &image));
    AFN_TRY(afn_image__alloc_channels(out, pre.crop, pre.crop,
                                      afn_preprocess_channels(&pre)));
    AFN_TRY(afn_preprocess_apply(&pre, &image, out->pixels));
done:
    afn_image_free(&image);
    if (st != AFN_OK) afn_image_free(out);
    return st;
}

/* For a model of these channels. */
static afn_status put_heat(afn_buf *b, afn_heat *heat, const afn_image *image,
                           int class, int channels)
{
    afn_status st = AFN_OK;
    afn_image drawn = { 0 };
    const size_t n = (size_t)(image->width * image->height);
    uint8_t *pixels = afn_alloc_array(n, (size_t)channels);
    float *map = afn_alloc_array(
        (size_t)afn_heat_rows(heat) * (size_t)afn_heat_columns(heat), sizeof *map);
    AFN_REQUIRE(map && pixels, AFN_ENOMEM, "out of memory");
    AFN_TRY(afn_image__to_channels(pixels, image->pixels, n, channels));
    AFN_TRY(afn_heat_run(heat, pixels, 1, &class, map));
    AFN_TRY(afn_heat_draw(&drawn, heat, pixels, map));
    AFN_TRY(put_picture(b, &drawn, afn_translated("where the network looked")));
done:
    afn_image_free(&drawn);
    afn_free(pixels);
    afn_free(map);
    return st;
}

static void put_words(afn_buf *b, const afn_page *p, int64_t i)
{
    double sure;
    const int label = p->scores->labels[i];
    const int best = afn_scores_best(p->scores, i, p->calibrated->temperature, &sure);
    afn_buf_fmt(b, "<div><b class=\"%s\">", best == label ? "good" : "bad");
    afn_report_class(b, p, best);
    afn_buf_fmt(b, "</b> %.1f\xc2\xa0%%", 100 * sure);
    if (best != label) {
        afn_buf_str(b, "<br>");
        afn_html_say(b, "is ");
        afn_report_class(b, p, label);
    }
    afn_buf_str(b, "</div><div class=\"soft\">");
    char path[1024];
    afn_dataset_sample_name(p->val, p->scores->index[i], path, sizeof path);
    const char *slash = strrchr(path, '/');
    afn_html_text(b, slash ? slash + 1 : path);
    afn_buf_str(b, "</div>");
}

/* A picture that can be read no more is left out. */
static afn_status put_entry(afn_buf *b, const afn_page *p, afn_heat *heat, int64_t i)
{
    afn_image image;
    const afn_preprocess pre = afn_model_preprocess(p->model);
    const int channels = afn_preprocess_channels(&pre);
    const int best = afn_scores_best(p->scores, i, 1, NULL);
    afn_status st = see(&image, p, i);
    if (st != AFN_OK) return st == AFN_ENOMEM ? st : AFN_OK;
    afn_buf_fmt(b, "<li><div%s>", heat ? " class=\"pair\"" : "");
    st = put_picture(b, &image, afn_translated("as the network sees it"));
    if (st == AFN_OK && heat) st = put_heat(b, heat, &image, best, channels);
    afn_buf_str(b, "</div>");
    put_words(b, p, i);
    afn_buf_str(b, "</li>\n");
    afn_image_free(&image);
    return st;
}

static afn_status put_gallery(afn_buf *b, const afn_page *p, afn_heat *heat, bool wrong)
{
    afn_status st = AFN_OK;
    choice c = { .most = p->o->pictures };
    c.image = afn_alloc_array((size_t)c.most, sizeof *c.image);
    c.rank = afn_alloc_array((size_t)c.most, sizeof *c.rank);
    AFN_REQUIRE(c.image && c.rank, AFN_ENOMEM, "out of memory");
    choose(&c, p, wrong);
    afn_html_heading(b, "h3",
                     wrong ? afn_translated("Wrong, and most sure of it")
                           : afn_translated("Least sure"));
    if (!c.n) afn_html_heading(b, "p", afn_translated("None."));
    if (c.n) afn_buf_str(b, "<ul class=\"gallery\">\n");
    for (int k = 0; k < c.n; k++) AFN_TRY(put_entry(b, p, heat, c.image[k]));
    if (c.n) afn_buf_str(b, "</ul>\n");
done:
    afn_free(c.image);
    afn_free(c.rank);
    return st;
}

/* ---- training images ---- */

static afn_status put_training(afn_buf *b, const afn_page *p)
{
    afn_status st = AFN_OK;
    afn_preprocess pre = afn_model_preprocess(p->model);
    if (pre.channels == 1) pre.channels = 3;
    const int channels = afn_preprocess_channels(&pre);
    afn_loader_opts o = afn_loader_defaults();
    afn_loader *l = NULL;
    afn_batch batch;
    if (!p->o->train) return AFN_OK;
    o.batch = p->o->pictures;
    o.seed = p->o->seed;
    o.keep = 0;
    o.ahead = 0;
    o.augment.spec = p->o->augment;
    AFN_TRY(afn_loader_new(&l, p->o->train, &pre, &o));
    AFN_TRY(afn_loader_start(l, 0));
    AFN_TRY(afn_loader_next(l, &batch));
    afn_html_heading(b, "h3",
                     afn_translated("Training images as the network sees them"));
    afn_buf_str(b, "<ul class=\"gallery\">\n");
    for (int64_t i = 0; i < batch.n; i++) {
        const size_t at = (size_t)i * afn_preprocess_bytes(&pre);
        const afn_image image = { pre.crop, pre.crop, (uint8_t *)batch.pixels + at,
                                  channels };
        afn_buf_str(b, "<li>");
        AFN_TRY(put_picture(b, &image, afn_translated("a training image")));
        afn_html_text(b, afn_dataset_class_name(p->o->train, batch.labels[i]));
        afn_buf_str(b, "</li>\n");
    }
    afn_buf_str(b, "</ul>\n");
done:
    afn_loader_free(l);
    return st;
}

afn_status afn_report_pictures(afn_buf *b, const afn_page *p)
{
    afn_status st = AFN_OK;
    afn_heat *heat = NULL;
    afn_predict_opts o = p->o->predict;
    if (p->o->pictures < 1) return AFN_OK;
    o.batch = 1;
    if (p->o->heat_maps) {
        st = afn_heat_new(&heat, p->model, &o);
        if (st != AFN_OK && st != AFN_EUNSUPPORTED) return st;
    }
    afn_buf_str(b, "<section id=\"pictures\">");
    afn_html_heading(b, "h2", afn_translated("Pictures"));
    if (heat) {
        afn_buf_str(b, "<p class=\"soft\">");
        afn_html_say(b,
                     "Beside each picture: yellow is what spoke most for the answer.");
        afn_buf_str(b, "</p>\n");
    }
    AFN_TRY(put_gallery(b, p, heat, true));
    AFN_TRY(put_gallery(b, p, heat, false));
    AFN_TRY(put_training(b, p));
    afn_buf_str(b, "</section>\n");
done:
    afn_heat_free(heat);
    return st;
}
