/* SPDX-License-Identifier: Apache-2.0 */
/* What a model file says beside its tensors, as text under these keys:
 *   format             "pt": layouts are PyTorch's, as other safetensors readers expect
 *   afina.version      of the library that wrote the file
 *   afina.arch         "resnet50"
 *   afina.classes      JSON array of names; absent where the model has none
 *   afina.preprocess   JSON object: fit, resize, crop, filter, channels, mean, std,
 * exif, fast; channels is absent where it is 3 afina.calibration  JSON object:
 * temperature, unknown_below, quantile, images; absent where the model has none A file
 * is input like any other: every value is checked. */
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/io.h"
#include "model/state.h"

#define KEY_ARCH        "afina.arch"
#define KEY_CLASSES     "afina.classes"
#define KEY_PREPROCESS  "afina.preprocess"
#define KEY_CALIBRATION "afina.calibration"

/* ---- reading ---- */

static afn_status read_classes(model_meta *out, const char *text)
{
    afn_status st = AFN_OK;
    json_t *array = NULL, *item;
    size_t i;

    AFN_TRY(afn_json_parse(&array, text, strlen(text)));
    const size_t n = json_array_size(array); /* 0 where it is no array */
    AFN_REQUIRE(n > 0 && n <= MAX_CLASSES, AFN_EFORMAT,
                "need an array of 1 to %d names", (int)MAX_CLASSES);
    out->class_name = afn_alloc_array(n, sizeof *out->class_name);
    AFN_REQUIRE(out->class_name, AFN_ENOMEM, "out of memory");
    out->n_classes = (int)n;
    json_array_foreach(array, i, item)
    {
        AFN_REQUIRE(json_is_string(item), AFN_EFORMAT, "name %zu is not text", i);
        out->class_name[i] = afn_strdup(json_string_value(item));
        AFN_REQUIRE(out->class_name[i], AFN_ENOMEM, "out of memory");
    }
done:
    json_decref(array);
    return st;
}

static afn_status read_int(int *out, const json_t *object, const char *key)
{
    const json_t *v = json_object_get(object, key);
    const json_int_t i = json_integer_value(v);
    if (!json_is_integer(v) || i < INT_MIN || i > INT_MAX)
        return afn_fail(AFN_EFORMAT, "%s is missing or no whole number", key);
    *out = (int)i;
    return AFN_OK;
}

static afn_status read_floats(float out[AFN_MAX_CHANNELS], int n, const json_t *object,
                              const char *key)
{
    const json_t *v = json_object_get(object, key);
    bool good = json_array_size(v) == (size_t)n;
    for (int c = 0; c < n && good; c++) {
        const json_t *number = json_array_get(v, (size_t)c);
        out[c] = (float)json_number_value(number);
        good = json_is_number(number) && isfinite(out[c]);
    }
    if (!good) return afn_fail(AFN_EFORMAT, "%s is missing or not %d numbers", key, n);
    return AFN_OK;
}

/* Three where it is missing. */
static afn_status read_channels(int *out, const json_t *object)
{
    *out = 3;
    if (!json_object_get(object, "channels")) return AFN_OK;
    const afn_status st = read_int(out, object, "channels");
    if (st != AFN_OK || (*out >= 1 && *out <= AFN_MAX_CHANNELS)) return st;
    return afn_fail(AFN_EFORMAT, "%d channels, need 1 to %d", *out,
                    (int)AFN_MAX_CHANNELS);
}

static afn_status read_filter(afn_filter *out, const json_t *object)
{
    const char *name = json_string_value(json_object_get(object, "filter"));
    if (!name) return afn_fail(AFN_EFORMAT, "filter is missing or no text");
    if (afn_filter_parse(out, name) == AFN_OK) return AFN_OK;
    return afn_fail(AFN_EFORMAT, "%s", afn_error_message());
}

/* Crop where it is missing: files older than the word know no other. */
static afn_status read_fit(afn_fit_mode *out, const json_t *object)
{
    const json_t *v = json_object_get(object, "fit");
    *out = AFN_FIT_CROP;
    if (!v) return AFN_OK;
    if (!json_is_string(v)) return afn_fail(AFN_EFORMAT, "fit is no text");
    if (afn_fit_mode_parse(out, json_string_value(v)) == AFN_OK) return AFN_OK;
    return afn_fail(AFN_EFORMAT, "%s", afn_error_message());
}

/* False where it is missing: files older than the word were made without it. */
static afn_status read_flag(bool *out, const json_t *object, const char *key)
{
    const json_t *v = json_object_get(object, key);
    if (v && !json_is_boolean(v)) return afn_fail(AFN_EFORMAT, "%s is no boolean", key);
    *out = json_is_true(v);
    return AFN_OK;
}

/* Types only; ranges are checked against the architecture. */
static afn_status read_preprocess(model_meta *out, const char *text)
{
    afn_status st = AFN_OK;
    afn_preprocess *p = &out->preprocess;
    json_t *object = NULL;

    AFN_TRY(afn_json_parse(&object, text, strlen(text)));
    AFN_REQUIRE(json_is_object(object), AFN_EFORMAT, "is no object");
    AFN_TRY(read_fit(&p->fit, object));
    AFN_TRY(read_int(&p->resize, object, "resize"));
    AFN_TRY(read_int(&p->crop, object, "crop"));
    AFN_TRY(read_filter(&p->filter, object));
    AFN_TRY(read_channels(&p->channels, object));
    AFN_TRY(read_floats(p->mean, p->channels, object, "mean"));
    AFN_TRY(read_floats(p->std, p->channels, object, "std"));
    AFN_TRY(read_flag(&p->exif, object, "exif"));
    AFN_TRY(read_flag(&p->fast, object, "fast"));
    out->has_preprocess = true;
done:
    json_decref(object);
    return st;
}

static afn_status read_real(double *out, const json_t *object, const char *key)
{
    const json_t *v = json_object_get(object, key);
    if (!json_is_number(v))
        return afn_fail(AFN_EFORMAT, "%s is missing or no number", key);
    *out = json_number_value(v);
    return AFN_OK;
}

static afn_status read_calibration(model_meta *out, const char *text)
{
    afn_status st = AFN_OK;
    afn_calibration c = { 0 };
    json_t *object = NULL;

    AFN_TRY(afn_json_parse(&object, text, strlen(text)));
    AFN_REQUIRE(json_is_object(object), AFN_EFORMAT, "is no object");
    AFN_TRY(read_real(&c.temperature, object, "temperature"));
    AFN_TRY(read_real(&c.unknown_below, object, "unknown_below"));
    AFN_TRY(read_real(&c.quantile, object, "quantile"));
    const json_t *images = json_object_get(object, "images");
    AFN_REQUIRE(json_is_integer(images), AFN_EFORMAT,
                "images is missing or no whole number");
    c.images = json_integer_value(images);
    AFN_TRY(afn_model__check_calibration(&c, AFN_EFORMAT));
    out->calibration = c;
done:
    json_decref(object);
    return st;
}

afn_status afn_model__meta_read(model_meta *out, const afn_weights *w)
{
    afn_status st = AFN_OK;
    const char *arch = afn_weights_metadata(w, KEY_ARCH);
    const char *classes = afn_weights_metadata(w, KEY_CLASSES);
    const char *preprocess = afn_weights_metadata(w, KEY_PREPROCESS);
    const char *calibration = afn_weights_metadata(w, KEY_CALIBRATION);

    *out = (model_meta){ 0 };
    if (arch) {
        out->arch = afn_strdup(arch);
        AFN_REQUIRE(out->arch, AFN_ENOMEM, "out of memory");
    }
    if (classes) AFN_TRY(afn_context(read_classes(out, classes), KEY_CLASSES));
    if (preprocess)
        AFN_TRY(afn_context(read_preprocess(out, preprocess), KEY_PREPROCESS));
    if (calibration)
        AFN_TRY(afn_context(read_calibration(out, calibration), KEY_CALIBRATION));
done:
    if (st != AFN_OK) afn_model__meta_free(out);
    return st;
}

void afn_model__meta_free(model_meta *meta)
{
    afn_free(meta->arch);
    afn_model__names_free(meta->class_name, meta->n_classes);
    *meta = (model_meta){ 0 };
}

/* ---- writing ---- */

static afn_status write_classes(afn_weights *w, const afn_model *m)
{
    afn_status st = AFN_OK;
    afn_buf text = { 0 };
    afn_buf_str(&text, "[");
    for (int i = 0; i < m->classes; i++) {
        if (i) afn_buf_str(&text, ",");
        afn_json_add_string(&text, m->class_name[i]);
    }
    afn_buf_str(&text, "]");
    AFN_TRY(afn_buf_finish(&text));
    AFN_TRY(afn_weights_set_metadata(w, KEY_CLASSES, text.data));
done:
    afn_buf_free(&text);
    return st;
}

/* The double of fewest decimal digits that is this float: 0.485, not 0.485000014. */
static double shortest(float f)
{
    char text[32];
    double d = (double)f;
    for (int digits = 1; digits < 9; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, (double)f);
        d = strtod(text, NULL);
        if ((float)d == f) return d;
    }
    return (double)f;
}

static json_t *numbers(const float *v, int n)
{
    json_t *array = json_array();
    for (int c = 0; c < n; c++) json_array_append_new(array, json_real(shortest(v[c])));
    return array;
}

static afn_status write_preprocess(afn_weights *w, const afn_preprocess *p)
{
    enum { FLOAT_DIGITS = 9 }; /* enough for any float to come back as it was */
    afn_status st = AFN_OK;
    char *text = NULL;
    const int channels = afn_preprocess_channels(p);
    json_t *object = json_pack(
        "{s:s, s:i, s:i, s:s, s:o, s:o, s:b, s:b}", "fit", afn_fit_mode_name(p->fit),
        "resize", p->resize, "crop", p->crop, "filter", afn_filter_name(p->filter),
        "mean", numbers(p->mean, channels), "std", numbers(p->std, channels), "exif",
        p->exif, "fast", p->fast);
    if (object && channels != 3)
        json_object_set_new(object, "channels", json_integer(channels));
    AFN_REQUIRE(object, AFN_ENOMEM, "out of memory");
    text = json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(FLOAT_DIGITS));
    AFN_REQUIRE(text, AFN_ENOMEM, "out of memory");
    AFN_TRY(afn_weights_set_metadata(w, KEY_PREPROCESS, text));
done:
    json_decref(object);
    free(text); /* jansson's own */
    return st;
}

static afn_status write_calibration(afn_weights *w, const afn_calibration *c)
{
    enum { DIGITS = 9 };
    afn_status st = AFN_OK;
    char *text = NULL;
    json_t *object = json_pack("{s:f, s:f, s:f, s:I}", "temperature", c->temperature,
                               "unknown_below", c->unknown_below, "quantile",
                               c->quantile, "images", (json_int_t)c->images);
    AFN_REQUIRE(object, AFN_ENOMEM, "out of memory");
    text = json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(DIGITS));
    AFN_REQUIRE(text, AFN_ENOMEM, "out of memory");
    AFN_TRY(afn_weights_set_metadata(w, KEY_CALIBRATION, text));
done:
    json_decref(object);
    free(text); /* jansson's own */
    return st;
}

afn_status afn_model__meta_write(afn_weights *w, const afn_model *m)
{
    afn_status st = AFN_OK;
    AFN_TRY(afn_weights_set_metadata(w, "format", "pt"));
    AFN_TRY(afn_weights_set_metadata(w, "afina.version", afn_version()));
    AFN_TRY(afn_weights_set_metadata(w, KEY_ARCH, afn_model_arch(m)));
    const char *version = m->arch.family->version;
    if (version) AFN_TRY(afn_weights_set_metadata(w, AFN_TORCH_VERSION_KEY, version));
    if (m->class_name) AFN_TRY(write_classes(w, m));
    AFN_TRY(write_preprocess(w, &m->preprocess));
    if (m->calibration.images) AFN_TRY(write_calibration(w, &m->calibration));
done:
    return st;
}
