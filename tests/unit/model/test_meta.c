/* SPDX-License-Identifier: Apache-2.0 */
#include "model_case.h"

#include <math.h>

#include "weights/weights.h"

#define GOOD_PREPROCESS                                                                \
    "{\"resize\":256,\"crop\":224,\"filter\":\"bilinear\",\"mean\":[0.1,0.2,0.3],"     \
    "\"std\":[1,2,3.5]}"

/* Opens the small network, two classes, in a file with this one entry of metadata (and
 * its architecture, where the entry is another). */
static afn_status open_with(afn_model **out, const char *key, const char *value)
{
    afn_model *m = new_model(SMALL, 2);
    const char *path = file_in("meta", "entry.safetensors");
    afn_weights *w;
    assert_ok(afn_weights_new(&w));
    for (int i = 0; i < afn_model_n_params(m); i++) {
        const afn_param *p = afn_graph_param(afn_model__graph(m), i);
        assert_ok(afn_weights_add(w, p->name, p->dtype, &p->shape,
                                  afn_params_f32(afn_model__params(m), i)));
    }
    assert_ok(afn_weights_set_metadata(w, "afina.arch", SMALL));
    assert_ok(afn_weights_set_metadata(w, key, value));
    assert_ok(afn_weights_save(w, path));
    afn_weights_free(w);
    afn_model_free(m);
    return afn_model_open(out, NULL, path);
}

static void refuse(const char *key, const char *value, const char *text)
{
    afn_model *m;
    char want[512];
    snprintf(want, sizeof want, "entry.safetensors: %s: ", key);
    assert_fails(AFN_EFORMAT, want, open_with(&m, key, value));
    assert_null(m);
    if (!strstr(afn_error_message(), text))
        fail_msg("\"%s\" does not contain \"%s\"", afn_error_message(), text);
}

static void names_and_preprocessing_survive(void **state)
{
    (void)state;
    static const char *const name[] = { "zïnnia 花 \xF0\x9F\x8C\xBB", "a \"b\"\\,\n" };
    static const char *const file[] = { "both.pth", "both.safetensors" };
    const afn_preprocess p = { .fit = AFN_FIT_LETTERBOX,
                               .resize = 0,
                               .crop = 97,
                               .filter = AFN_FILTER_LANCZOS,
                               .mean = { 0.1f, -3.4e38f, 1.0f / 3 },
                               .std = { 1e-40f, 16777217.0f, 0.229f },
                               .exif = false,
                               .fast = true };
    afn_model *m = new_model(SMALL, 2), *back;
    assert_ok(afn_model_set_class_names(m, name, 2));
    assert_ok(afn_model_set_preprocess(m, &p));
    for (int f = 0; f < 2; f++) {
        const char *path = file_in("meta", file[f]);
        assert_ok(afn_model_save(m, path));
        assert_ok(afn_model_open(&back, f ? SMALL : NULL, path));
        assert_string_equal(afn_model_class_name(back, 0), name[0]);
        assert_string_equal(afn_model_class_name(back, 1), name[1]);
        assert_null(afn_model_class_name(back, 2));
        const afn_preprocess q = afn_model_preprocess(back);
        assert_int_equal(q.resize, p.resize);
        assert_int_equal(q.crop, p.crop);
        assert_int_equal(q.filter, p.filter);
        assert_memory_equal(q.mean, p.mean, sizeof p.mean);
        assert_memory_equal(q.std, p.std, sizeof p.std);
        assert_int_equal(q.exif, p.exif);
        assert_int_equal(q.fast, p.fast);
        assert_int_equal(q.fit, p.fit);
        afn_model_free(back);
    }
    afn_model_free(m);
}

/* Saves the network of m without a word about itself. */
static void save_bare(const afn_model *m, const char *path)
{
    afn_weights *w;
    assert_ok(afn_weights_new(&w));
    for (int i = 0; i < afn_model_n_params(m); i++) {
        const afn_param *p = afn_graph_param(afn_model__graph(m), i);
        const void *values = afn_params_f32(afn_model__params(m), i);
        if (!values) values = afn_params_i64(afn_model__params(m), i);
        assert_ok(afn_weights_add(w, p->name, p->dtype, &p->shape, values));
    }
    assert_ok(afn_weights_save(w, path));
    afn_weights_free(w);
}

static void a_published_file_gets_the_preprocessing_of_its_recipe(void **state)
{
    (void)state;
    static const struct {
        const char *file;
        int resize;
    } row[] = {
        { "mobilenet_v2-b0353104.safetensors", 256 },
        { "mobilenet_v2-7ebf99e0.safetensors", 232 },
        { "mobilenet_v2-7ebf99e0 (2).safetensors", 232 },
        { "resnet50-11ad3fa6.safetensors", 256 }, /* another network's */
        { "mine.safetensors", 256 },
    };
    afn_model *m = new_model("mobilenet_v2", 2), *back;
    afn_preprocess p = afn_model_preprocess(m);
    for (size_t i = 0; i < AFN_COUNT(row); i++) {
        const char *path = file_in("meta", row[i].file);
        save_bare(m, path);
        assert_ok(afn_model_open(&back, "mobilenet_v2", path));
        assert_int_equal(afn_model_preprocess(back).resize, row[i].resize);
        afn_model_free(back);
    }
    p.resize = 100;
    p.crop = 90;
    assert_ok(afn_model_set_preprocess(m, &p));
    const char *path = file_in("meta", row[1].file);
    assert_ok(afn_model_save(m, path)); /* what the file says is stronger */
    assert_ok(afn_model_open(&back, "mobilenet_v2", path));
    assert_int_equal(afn_model_preprocess(back).resize, 100);
    afn_model_free(back);
    afn_model_free(m);
}

static void a_calibration_survives_until_the_head_or_the_pixels_change(void **state)
{
    (void)state;
    static const char *const file[] = { "calibrated.pth", "calibrated.safetensors" };
    const afn_calibration c = { 1.25, 0.4375, 0.05, 153 };
    afn_model *m = new_model(SMALL, 2), *back;
    assert_true(afn_model_calibration(m).temperature == 1);
    assert_true(afn_model_calibration(m).unknown_below == 0);
    assert_ok(afn_model_set_calibration(m, &c));
    for (int f = 0; f < 2; f++) {
        const char *path = file_in("meta", file[f]);
        assert_ok(afn_model_save(m, path));
        assert_ok(afn_model_open(&back, f ? SMALL : NULL, path));
        const afn_calibration d = afn_model_calibration(back);
        assert_true(d.temperature == c.temperature &&
                    d.unknown_below == c.unknown_below);
        assert_true(d.quantile == c.quantile && d.images == c.images);
        const afn_preprocess p = afn_model_preprocess(back);
        assert_ok(afn_model_set_preprocess(back, &p));
        assert_int_equal(afn_model_calibration(back).images, 0);
        afn_model_free(back);
    }
    assert_ok(afn_model_replace_head(m, 3, 0));
    assert_int_equal(afn_model_calibration(m).images, 0);
    afn_model_free(m);
}

static void a_calibration_out_of_range_is_refused(void **state)
{
    (void)state;
    const char *key = "afina.calibration";
    afn_model *m = new_model(SMALL, 2);
    refuse(key, "[]", "is no object");
    refuse(key, "{}", "temperature is missing");
    refuse(key, "{\"temperature\":0,\"unknown_below\":0,\"quantile\":0,\"images\":1}",
           "temperature is 0");
    refuse(key, "{\"temperature\":1,\"unknown_below\":2,\"quantile\":0,\"images\":1}",
           "unknown_below is 2");
    refuse(key, "{\"temperature\":1,\"unknown_below\":0,\"quantile\":1,\"images\":1}",
           "quantile is 1");
    refuse(key, "{\"temperature\":1,\"unknown_below\":0,\"quantile\":0,\"images\":0}",
           "learned from 0 images");
    refuse(key, "{\"temperature\":1,\"unknown_below\":0,\"quantile\":0,\"images\":1.5}",
           "images is missing or no whole number");
    const afn_calibration bad = { (double)NAN, 0, 0, 1 };
    assert_fails(AFN_EINVAL, "temperature is nan", afn_model_set_calibration(m, &bad));
    afn_model_free(m);
}

static void a_file_says_what_wrote_it(void **state)
{
    (void)state;
    afn_model *m = new_model(SMALL, 2);
    afn_weights *w;
    const char *path = file_in("meta", "keys.safetensors");
    assert_ok(afn_model_save(m, path));
    assert_ok(afn_weights_open(&w, path));
    assert_string_equal(afn_weights_metadata(w, "format"), "pt");
    assert_string_equal(afn_weights_metadata(w, "afina.version"), afn_version());
    assert_string_equal(afn_weights_metadata(w, "afina.arch"), SMALL);
    assert_null(afn_weights_metadata(w, "afina.classes"));
    assert_string_equal(
        afn_weights_metadata(w, "afina.preprocess"),
        "{\"fit\":\"crop\",\"resize\":256,\"crop\":224,\"filter\":\"bilinear\","
        "\"mean\":[0.485,0.456,"
        "0.406],\"std\":[0.229,0.224,0.225],\"exif\":true,\"fast\":false}");
    afn_weights_free(w);
    afn_model_free(m);
}

static void names_that_are_no_utf8_are_mended(void **state)
{
    (void)state;
    afn_model *m = new_model(SMALL, 2), *back;
    const char *path = file_in("meta", "latin.pth");
    assert_ok(afn_model_set_class_names(m, (const char *[]){ "z\xEFnnia", "b" }, 2));
    assert_ok(afn_model_save(m, path));
    assert_ok(afn_model_open(&back, NULL, path));
    assert_string_equal(afn_model_class_name(back, 0), "z\xEF\xBF\xBDnnia");
    afn_model_free(back);
    afn_model_free(m);
}

static void another_architecture_than_asked_for_is_an_error(void **state)
{
    (void)state;
    afn_model *m = new_model(SMALL, 2), *back;
    const char *path = file_in("meta", "other.pth");
    assert_ok(afn_model_save(m, path));
    assert_fails(AFN_ESHAPE, "other.pth: is a squeezenet1_1, not a resnet18",
                 afn_model_open(&back, "resnet18", path));
    assert_null(back);
    afn_model_free(m);
}

static void a_good_entry_is_taken(void **state)
{
    (void)state;
    afn_model *m;
    assert_ok(open_with(&m, "afina.preprocess", GOOD_PREPROCESS));
    assert_true(afn_model_preprocess(m).std[2] == 3.5f);
    assert_true(afn_model_preprocess(m).mean[0] == 0.1f);
    afn_model_free(m);
    assert_ok(open_with(&m, "afina.classes", " [\"x\", \"\\u82b1\"] "));
    assert_string_equal(afn_model_class_name(m, 1), "花");
    afn_model_free(m);
}

static void keys_of_others_are_ignored(void **state)
{
    (void)state;
    afn_model *m;
    assert_ok(open_with(&m, "epoch", "[1, 2"));
    assert_int_equal(afn_model_classes(m), 2);
    assert_int_equal(afn_model_preprocess(m).crop, 224);
    afn_model_free(m);
}

static void an_unknown_architecture_is_refused(void **state)
{
    (void)state;
    refuse("afina.arch", "squeezenet1_2", "no such model, did you mean squeezenet1_");
    refuse("afina.arch", "", "no such model");
}

static void bad_class_lists_are_refused(void **state)
{
    (void)state;
    const char *const key = "afina.classes";
    refuse(key, "[\"a\"]", "1 names, the head has 2 classes");
    refuse(key, "[\"a\",\"b\",\"c\"]", "3 names, the head has 2 classes");
    refuse(key, "[\"a\",7]", "name 1 is not text");
    refuse(key, "[\"a\",null]", "name 1 is not text");
    refuse(key, "[]", "need an array");
    refuse(key, "{\"a\":\"b\"}", "need an array");
    refuse(key, "\"a\"", "json");
    refuse(key, "[\"a\",", "json damaged");
    refuse(key, "", "json damaged");
    refuse(key, "[\"a\",\"b\\u0000c\"]", "json damaged");
}

static void bad_preprocessing_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *fields, *text;
    } row[] = {
        { "\"crop\":224", "resize is missing or no whole number" },
        { "\"resize\":2.5,\"crop\":224", "resize is missing or no whole number" },
        { "\"resize\":\"256\",\"crop\":224", "resize is missing or no whole number" },
        { "\"resize\":99999999999,\"crop\":224", "resize is missing or no whole" },
        { "\"resize\":256", "crop is missing" },
        { "\"resize\":-1,\"crop\":224", "resize to -1, need 0 to 65536" },
        { "\"resize\":65537,\"crop\":224", "resize to 65537" },
        { "\"resize\":256,\"crop\":0", "crop of 0, need 1 to 16384" },
        { "\"resize\":256,\"crop\":16385", "crop of 16385" },
        { "\"fit\":7,\"resize\":256,\"crop\":224", "fit is no text" },
        { "\"fit\":\"zoom\",\"resize\":256,\"crop\":224", "fit \"zoom\", need crop" },
        { "\"resize\":256,\"crop\":224,\"exif\":1", "exif is no boolean" },
        { "\"resize\":256,\"crop\":16", "crop of 16, squeezenet1_1 needs at least 17" },
    };
    char text[512];
    const char *const key = "afina.preprocess";
    for (size_t i = 0; i < AFN_COUNT(row); i++) {
        snprintf(text, sizeof text,
                 "{%s,\"filter\":\"box\",\"mean\":[0,0,0],\"std\":[1,1,1]}",
                 row[i].fields);
        refuse(key, text, row[i].text);
    }
    refuse(key, "[]", "is no object");
    refuse(key, "{", "json damaged");
}

static void bad_filters_and_numbers_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *fields, *text;
    } row[] = {
        { "\"mean\":[0,0,0],\"std\":[1,1,1]", "filter is missing" },
        { "\"filter\":3,\"mean\":[0,0,0],\"std\":[1,1,1]", "filter is missing" },
        { "\"filter\":\"best\",\"mean\":[0,0,0],\"std\":[1,1,1]", "filter \"best\"" },
        { "\"filter\":\"box\",\"std\":[1,1,1]", "mean is missing" },
        { "\"filter\":\"box\",\"mean\":[0,0],\"std\":[1,1,1]", "not 3 numbers" },
        { "\"filter\":\"box\",\"mean\":[0,0,true],\"std\":[1,1,1]", "mean is missing" },
        { "\"filter\":\"box\",\"mean\":[0,0,1e39],\"std\":[1,1,1]", "mean is missing" },
        { "\"filter\":\"box\",\"mean\":[0,0,0],\"std\":1", "std is missing" },
        { "\"filter\":\"box\",\"mean\":[0,0,0],\"std\":[1,0,1]", "std of channel 1" },
        { "\"filter\":\"box\",\"mean\":[0,0,0],\"std\":[1,1,-1]", "std of channel 2" },
    };
    char text[512];
    for (size_t i = 0; i < AFN_COUNT(row); i++) {
        snprintf(text, sizeof text, "{\"resize\":256,\"crop\":224,%s}", row[i].fields);
        refuse("afina.preprocess", text, row[i].text);
    }
}

static int remove_all(void **state)
{
    (void)state;
    remove_files("meta");
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_and_preprocessing_survive),
        cmocka_unit_test(a_published_file_gets_the_preprocessing_of_its_recipe),
        cmocka_unit_test(a_calibration_survives_until_the_head_or_the_pixels_change),
        cmocka_unit_test(a_calibration_out_of_range_is_refused),
        cmocka_unit_test(a_file_says_what_wrote_it),
        cmocka_unit_test(names_that_are_no_utf8_are_mended),
        cmocka_unit_test(another_architecture_than_asked_for_is_an_error),
        cmocka_unit_test(a_good_entry_is_taken),
        cmocka_unit_test(keys_of_others_are_ignored),
        cmocka_unit_test(an_unknown_architecture_is_refused),
        cmocka_unit_test(bad_class_lists_are_refused),
        cmocka_unit_test(bad_preprocessing_is_refused),
        cmocka_unit_test(bad_filters_and_numbers_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, remove_all);
}
