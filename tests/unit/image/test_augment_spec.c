/* SPDX-License-Identifier: Apache-2.0 */
/* From text to steps, and what is said about wrong text. */
#include <math.h>

#include "afn_test.h"
#include "image/augment.h"

static afn_augment *parsed(const char *spec)
{
    afn_augment *a;
    assert_ok(afn_augment_new(&a, spec));
    return a;
}

static void values_come_from_the_text_or_the_table(void **state)
{
    (void)state;
    static const struct {
        const char *spec;
        int step;
        const char *name;
        double param[AFN_MAX_STEP_PARAMS];
    } row[] = {
        { "crop", 0, "crop", { 0.08, 1, 3.0 / 4, 4.0 / 3 } },
        { "crop=0.5", 0, "crop", { 0.5, 1, 3.0 / 4, 4.0 / 3 } },
        { "crop=0.2:0.4:1:1", 0, "crop", { 0.2, 0.4, 1, 1 } },
        { "hflip", 0, "hflip", { 0.5 } },
        { "vflip=1", 0, "vflip", { 1 } },
        { "rotate", 0, "rotate", { 15, 0 } },
        { "rotate=180:bilinear", 0, "rotate", { 180, 1 } },
        { "rotate=1:nearest", 0, "rotate", { 1, 0 } },
        { "color=0.4", 0, "color", { 0.4, 0.4, 0.4, 0 } },
        { "color=0.4:0.3", 0, "color", { 0.4, 0.3, 0.4, 0 } },
        { "color=0:0:0:0.5", 0, "color", { 0, 0, 0, 0.5 } },
        { "grayscale", 0, "grayscale", { 0.1 } },
        { "blur", 0, "blur", { 5, 0.1, 2, 1 } },
        { "blur=23:1:1:0.5", 0, "blur", { 23, 1, 1, 0.5 } },
        { "trivial", 0, "trivial", { 0 } },
        { "rand", 0, "rand", { 2, 9 } },
        { "rand=1:30", 0, "rand", { 1, 30 } },
        { "erase", 0, "erase", { 0.5, 0.02, 0.33, 0.3, 3.3 } },
        { "hflip,erase=1:0.1:0.1", 1, "erase", { 1, 0.1, 0.1, 0.3, 3.3 } },
        { "hflip,vflip,hflip=1", 2, "hflip", { 1 } },
        { "hflip,crop", 0, "crop", { 0.08, 1, 3.0 / 4, 4.0 / 3 } },
        { "hflip,crop", 1, "hflip", { 0.5 } },
        { "light", 0, "crop", { 0.5, 1, 3.0 / 4, 4.0 / 3 } },
        { "medium,vflip", 3, "vflip", { 0.5 } },
        { "strong", 3, "erase", { 0.1, 0.02, 0.33, 0.3, 3.3 } },
    };
    for (size_t i = 0; i < AFN_COUNT(row); i++) {
        afn_augment *a = parsed(row[i].spec);
        assert_true(a->n_steps > row[i].step);
        const afn_augment_step *s = &a->step[row[i].step];
        assert_string_equal(s->kind->name, row[i].name);
        for (int k = 0; k < AFN_MAX_STEP_PARAMS && s->kind->param[k].name; k++)
            assert_float_equal(s->param[k], row[i].param[k], 1e-12);
        afn_augment_free(a);
    }
}

static void presets_are_written_out(void **state)
{
    (void)state;
    static const struct {
        const char *spec, *text;
        int steps;
    } row[] = {
        { NULL, "", 0 },
        { "none", "", 0 },
        { "light", "crop=0.5,hflip", 2 },
        { "none,vflip", "vflip", 1 },
        { "light,rotate=10:bilinear", "crop=0.5,hflip,rotate=10:bilinear", 3 },
    };
    for (size_t i = 0; i < AFN_COUNT(row); i++) {
        afn_augment *a = parsed(row[i].spec);
        assert_string_equal(afn_augment_text(a), row[i].text);
        assert_int_equal(a->n_steps, row[i].steps);
        afn_augment_free(a);
    }
    afn_augment_free(NULL);
}

static void wrong_text_is_named(void **state)
{
    (void)state;
    static const struct {
        const char *spec, *message;
    } row[] = {
        { "", "augmentation: empty" },
        { "hflip,", "no step \"\"" },
        { ",hflip", "no step \"\"" },
        { "hflipp", "no step \"hflipp\", did you mean hflip" },
        { "ligth", "no step \"ligth\", did you mean light" },
        { "zzzzzzzz", "there are none, light, medium, strong, crop, hflip" },
        { "light=1", "no step \"light\"" },
        { "hflip=2", "hflip: probability is 2, need 0 to 1" },
        { "hflip=nan", "hflip: probability is nan, need 0 to 1" },
        { "hflip=", "hflip: probability is \"\", need a number" },
        { "hflip=x", "hflip: probability is \"x\", need a number" },
        { "hflip=0.5x", "need a number" },
        { "hflip=0.5:1", "hflip: too many values, takes at most 1" },
        { "trivial=1", "trivial: too many values, takes at most 0" },
        { "crop=0", "crop: area is 0, need 0.001 to 1" },
        { "crop=0.5:0.4", "crop: largest area is 0.4, below the area of 0.5" },
        { "crop=0.5:1:2", "crop: largest ratio is 1.33333, below the ratio of 2" },
        { "crop,crop=1", "crop: stands there twice" },
        { "light,crop", "crop: stands there twice" },
        { "rotate=181", "rotate: degrees is 181, need 0 to 180" },
        { "rotate=5:cubic", "rotate: filter is \"cubic\", need nearest or bilinear" },
        { "color=-1", "color: brightness is -1, need 0 to 10" },
        { "color=0.1:0.1:0.1:0.6", "color: hue is 0.6, need 0 to 0.5" },
        { "blur=4", "blur: taps is 4, need an odd number" },
        { "blur=3.5", "blur: taps is 3.5, need an odd number" },
        { "blur=3:2:1", "blur: largest deviation is 1, below the deviation of 2" },
        { "rand=1.5", "rand: operations is 1.5, need a whole number" },
        { "rand=11", "rand: operations is 11, need 1 to 10" },
        { "rand=2:31", "rand: magnitude is 31, need 0 to 30" },
        { "erase=0.5:0.4:0.3", "erase: largest area is 0.3, below the area of 0.4" },
        { "hflip=1e999", "hflip: probability is" },
    };
    for (size_t i = 0; i < AFN_COUNT(row); i++) {
        afn_augment *a;
        assert_fails(AFN_EINVAL, row[i].message, afn_augment_new(&a, row[i].spec));
        assert_null(a);
    }
}

static void long_text_is_refused(void **state)
{
    (void)state;
    static char spec[4000];
    afn_augment *a;
    memset(spec, 'x', 300);
    assert_fails(AFN_EINVAL, "a step of 300 characters", afn_augment_new(&a, spec));
    memset(spec, 0, sizeof spec);
    for (int i = 0; i < 17; i++) strcat(spec, i ? ",hflip" : "hflip");
    assert_fails(AFN_EINVAL, "more than 16 steps", afn_augment_new(&a, spec));
}

static void failing_allocations_are_reported(void **state)
{
    (void)state;
    afn_augment *a;
    const int64_t before = afn_alloc_count();
    afn_augment_free(parsed("medium,rotate,grayscale"));
    const int64_t n = afn_alloc_count() - before;
    assert_true(n >= 2);
    for (int64_t k = 1; k <= n; k++) {
        afn_alloc_fail_at(k);
        const afn_status st = afn_augment_new(&a, "medium,rotate,grayscale");
        afn_alloc_fail_at(0);
        assert_int_equal(st, AFN_ENOMEM);
        assert_null(a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_come_from_the_text_or_the_table),
        cmocka_unit_test(presets_are_written_out),
        cmocka_unit_test(wrong_text_is_named),
        cmocka_unit_test(long_text_is_refused),
        cmocka_unit_test(failing_allocations_are_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
