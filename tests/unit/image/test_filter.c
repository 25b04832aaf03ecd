/* SPDX-License-Identifier: Apache-2.0 */
#include "afn_test.h"

#include "image/filter.h"

static void every_filter_is_found_by_its_name(void **state)
{
    (void)state;
    for (int i = 0; i < AFN_N_FILTERS; i++) {
        afn_filter f = AFN_N_FILTERS;
        assert_ok(afn_filter_parse(&f, afn_filter_name((afn_filter)i)));
        assert_int_equal(f, i);
    }
    assert_string_equal(afn_filter_name(AFN_FILTER_BILINEAR), "bilinear");
    assert_string_equal(afn_filter_name(AFN_N_FILTERS), "unknown");
}

static void an_unknown_name_is_refused(void **state)
{
    (void)state;
    afn_filter f = AFN_FILTER_BOX;
    assert_fails(AFN_EINVAL, "\"Bilinear\", need bilinear,",
                 afn_filter_parse(&f, "Bilinear"));
    assert_int_equal(f, AFN_FILTER_BOX);
}

/* Each is 1 at 0 (the cubic and the windows), even, and 0 from its support on. */
static void weights_vanish_beyond_their_support(void **state)
{
    (void)state;
    for (int i = 0; i < AFN_N_FILTERS; i++) {
        const afn_filter_kernel *k = afn_image__filter((afn_filter)i);
        if (!k->weight) continue;
        assert_true(k->weight(0.0) == 1.0);
        assert_true(k->weight(k->support + 0.01) == 0.0);
        assert_true(k->weight(-k->support - 0.01) == 0.0);
        for (double x = 0.01; x < k->support; x += 0.1)
            assert_true(k->weight(x) == k->weight(-x));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_filter_is_found_by_its_name),
        cmocka_unit_test(an_unknown_name_is_refused),
        cmocka_unit_test(weights_vanish_beyond_their_support),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
