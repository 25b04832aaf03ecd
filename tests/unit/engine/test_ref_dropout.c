/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of src/engine/ref/ref_dropout.c. */
#include "step_case.h"

enum { COUNT = 1003 }; /* not a multiple of the four numbers of a block */

static void dropout_case(step_case *c, float p, bool active)
{
    afn_graph *g = new_graph(COUNT, 1, 1);
    const afn_value x = afn_input(g);
    case_new(c, g, afn_dropout(g, x, p));
    c->step.random = active;
    case_prepare(c, 2);
    c->args.seed = 5;
    c->args.call = 9;
}

static void run_on_ones(step_case *c)
{
    float ones[2 * COUNT];
    for (int i = 0; i < 2 * COUNT; i++) ones[i] = 1;
    case_forward(c, ones, NULL);
    case_backward(c, NULL, ones);
}

static void the_mask_is_that_of_the_generator(void **state)
{
    (void)state;
    step_case c;
    dropout_case(&c, 0.25f, true);
    run_on_ones(&c);
    afn_rng r = afn_rng_new(5, afn_rng_stream(AFN_RNG_DROPOUT, 1, 9));
    int dropped = 0;
    for (int i = 0; i < 2 * COUNT; i++) {
        const bool stays = afn_rng_float(&r) >= 0.25f;
        EXPECT(&c.out[i], stays ? 1 / 0.75f : 0);
        dropped += !stays;
    }
    assert_in_range(dropped, 2 * COUNT / 5, 2 * COUNT * 3 / 10);
    case_free(&c);
}

static void backward_uses_the_mask_of_forward(void **state)
{
    (void)state;
    step_case c;
    dropout_case(&c, 0.5f, true);
    run_on_ones(&c);
    assert_floats(c.din[0], c.out, 2 * (size_t)COUNT);
    case_free(&c);
}

static void every_call_has_its_own_mask(void **state)
{
    (void)state;
    step_case c;
    dropout_case(&c, 0.5f, true);
    run_on_ones(&c);
    c.args.call = 10;
    int changed = 0;
    run_on_ones(&c);
    afn_rng r = afn_rng_new(5, afn_rng_stream(AFN_RNG_DROPOUT, 1, 9));
    for (int i = 0; i < COUNT; i++)
        changed += (afn_rng_float(&r) >= 0.5f) != (c.out[i] > 0);
    assert_true(changed > COUNT / 3);
    case_free(&c);
}

static void an_inactive_dropout_is_the_identity(void **state)
{
    (void)state;
    step_case c;
    dropout_case(&c, 0.5f, false);
    run_on_ones(&c);
    for (int i = 0; i < 2 * COUNT; i++) {
        EXPECT(&c.out[i], 1);
        EXPECT(&c.din[0][i], 1);
    }
    case_free(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_mask_is_that_of_the_generator),
        cmocka_unit_test(backward_uses_the_mask_of_forward),
        cmocka_unit_test(every_call_has_its_own_mask),
        cmocka_unit_test(an_inactive_dropout_is_the_identity),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
