/* SPDX-License-Identifier: Apache-2.0 */
/* Profiles: which rows there are, what they count, off means off. */
#include "profile_net.h"

static void stay(int64_t n, float *restrict w, const float *restrict g,
                 float *const *state, const afn_step_args *h)
{
    (void)n, (void)w, (void)g, (void)state, (void)h;
}

static const afn_optimizer idle = { .name = "idle", .step = stay };

static void train_step(small_net *n, int samples)
{
    float logits[BATCH * OUT];
    assert_ok(afn_plan_forward(n->plan, n->pixels, samples, logits));
    assert_ok(afn_plan_backward(n->plan, logits));
    assert_ok(afn_plan_update(n->plan, &idle, &(afn_step_args){ 0 }, NULL));
}

static const afn_profile_row *find(const afn_profile *p, const char *name,
                                   afn_pass pass)
{
    for (int i = 0; i < p->n; i++)
        if (!strcmp(p->row[i].name, name) && p->row[i].pass == pass) return &p->row[i];
    return NULL;
}

static void assert_row(const afn_profile *p, const char *name, afn_pass pass,
                       int64_t calls, double flops)
{
    const afn_profile_row *r = find(p, name, pass);
    if (!r) fail_msg("no row %s %s", name, afn_pass_name(pass));
    assert_int_equal(r->calls, calls);
    assert_true(r->flops == flops);
    assert_true(r->seconds > 0);
}

static void every_step_has_a_row_for_each_pass(void **state)
{
    (void)state;
    small_net n = open_small("*", "cpu");
    afn_profile p;
    assert_ok(afn_plan_profile(n.plan, true));
    for (int i = 0; i < 2; i++) train_step(&n, BATCH);
    assert_ok(afn_plan_read_profile(&p, n.plan));
    const double step = 2.0 * 2 * BATCH; /* two steps, two operations */
    assert_string_equal(p.row[0].kind, "input");
    assert_row(&p, "conv1", AFN_PASS_FORWARD, 2, step * CONV1);
    assert_row(&p, "conv1", AFN_PASS_BACKWARD, 2, step * CONV1); /* weights only */
    assert_row(&p, "conv2", AFN_PASS_BACKWARD, 2, step * 2 * CONV2);
    assert_row(&p, "bn1", AFN_PASS_FORWARD, 2, 0);
    assert_row(&p, "fc", AFN_PASS_BACKWARD, 2, step * 2 * FC);
    assert_row(&p, "parameters", AFN_PASS_UPDATE, 2, 0);
    assert_string_equal(find(&p, "fc", AFN_PASS_FORWARD)->kind, "linear");
    afn_profile_free(&p);
    close_small(&n);
}

static void updates_made_at_once_belong_to_the_steps_that_train(void **state)
{
    (void)state;
    small_net n = open_small_with("*", "cpu", true);
    afn_profile p;
    float logits[BATCH * OUT];
    assert_ok(afn_plan_profile(n.plan, true));
    assert_ok(afn_plan_forward(n.plan, n.pixels, BATCH, logits));
    assert_ok(
        afn_plan_backward_update(n.plan, logits, &idle, &(afn_step_args){ 0 }, NULL));
    assert_ok(afn_plan_read_profile(&p, n.plan));
    assert_row(&p, "conv1", AFN_PASS_UPDATE, 1, 0);
    assert_row(&p, "bn1", AFN_PASS_UPDATE, 1, 0);
    assert_row(&p, "fc", AFN_PASS_UPDATE, 1, 0);
    assert_string_equal(find(&p, "fc", AFN_PASS_UPDATE)->kind, "optimizer");
    assert_null(find(&p, "parameters", AFN_PASS_UPDATE));
    assert_null(find(&p, "adaptive_avg_pool", AFN_PASS_UPDATE)); /* has none */
    assert_non_null(find(&p, "adaptive_avg_pool", AFN_PASS_BACKWARD));
    afn_profile_free(&p);
    close_small(&n);
}

static void a_smaller_batch_counts_what_it_ran(void **state)
{
    (void)state;
    small_net n = open_small("", "cpu");
    afn_profile p;
    float logits[BATCH * OUT];
    assert_ok(afn_plan_profile(n.plan, true));
    assert_ok(afn_plan_forward(n.plan, n.pixels, 1, logits));
    assert_ok(afn_plan_forward(n.plan, n.pixels, BATCH, logits));
    assert_ok(afn_plan_read_profile(&p, n.plan));
    assert_row(&p, "conv2", AFN_PASS_FORWARD, 2, 2.0 * (1 + BATCH) * CONV2);
    afn_profile_free(&p);
    close_small(&n);
}

static void frozen_steps_have_no_backward(void **state)
{
    (void)state;
    small_net n = open_small("fc.*", "ref");
    afn_profile p;
    assert_ok(afn_plan_profile(n.plan, true));
    train_step(&n, BATCH);
    assert_ok(afn_plan_read_profile(&p, n.plan));
    assert_row(&p, "fc", AFN_PASS_BACKWARD, 1, 2.0 * BATCH * FC);
    assert_null(find(&p, "conv2", AFN_PASS_BACKWARD));
    afn_profile_free(&p);
    close_small(&n);
}

static void operations_of_a_plan_are_those_of_the_products_it_needs(void **state)
{
    (void)state;
    const double two = 2.0 * BATCH;
    small_net all = open_small("*", "cpu"), head = open_small("fc.*", "cpu");
    small_net infer = open_small("", "cpu");
    assert_true(afn_plan_flops(infer.plan) == two * (CONV1 + CONV2 + FC));
    assert_true(afn_plan_flops(head.plan) == two * (CONV1 + CONV2 + 2 * FC));
    assert_true(afn_plan_flops(all.plan) == two * (2 * CONV1 + 3 * CONV2 + 3 * FC));
    close_small(&all);
    close_small(&head);
    close_small(&infer);
}

static void nothing_is_timed_until_asked_and_asking_again_starts_anew(void **state)
{
    (void)state;
    small_net n = open_small("*", "cpu");
    afn_profile p;
    train_step(&n, BATCH);
    assert_ok(afn_plan_read_profile(&p, n.plan));
    assert_int_equal(p.n, 0);
    afn_profile_free(&p);
    assert_ok(afn_plan_profile(n.plan, true));
    train_step(&n, BATCH);
    assert_ok(afn_plan_profile(n.plan, true));
    train_step(&n, BATCH);
    assert_ok(afn_plan_read_profile(&p, n.plan));
    assert_int_equal(find(&p, "conv1", AFN_PASS_FORWARD)->calls, 1);
    afn_profile_free(&p);
    assert_ok(afn_plan_profile(n.plan, false));
    assert_ok(afn_plan_read_profile(&p, n.plan));
    assert_int_equal(p.n, 0);
    afn_profile_free(&p);
    close_small(&n);
}

static void kinds_are_summed_and_sorted(void **state)
{
    (void)state;
    afn_profile_row row[] = {
        { "a", "conv2d", AFN_PASS_FORWARD, 1.0, 2, 10 },
        { "b", "add", AFN_PASS_FORWARD, 3.5, 2, 0 },
        { "c", "conv2d", AFN_PASS_FORWARD, 3.0, 2, 20 },
        { "c", "conv2d", AFN_PASS_BACKWARD, 9.0, 2, 40 },
    };
    const afn_profile p = { row, AFN_COUNT(row) };
    afn_profile kinds, copy;
    assert_true(afn_profile_seconds(&p) == 16.5);
    assert_ok(afn_profile_by_kind(&kinds, &p));
    assert_int_equal(kinds.n, 3);
    assert_int_equal(kinds.row[0].pass, AFN_PASS_BACKWARD);
    assert_string_equal(kinds.row[1].kind, "conv2d");
    assert_true(kinds.row[1].seconds == 4.0 && kinds.row[1].flops == 30);
    assert_int_equal(kinds.row[1].calls, 4);
    assert_string_equal(kinds.row[1].name, "");
    assert_ok(afn_profile_copy(&copy, &p));
    afn_profile_sort(&copy);
    assert_true(copy.row[0].seconds == 9.0 && copy.row[3].seconds == 1.0);
    assert_string_equal(p.row[0].name, "a"); /* the original stays */
    afn_profile_free(&kinds);
    afn_profile_free(&copy);
}

static void an_empty_profile_sums_up_to_nothing(void **state)
{
    (void)state;
    const afn_profile none = { 0 };
    afn_profile kinds;
    assert_true(afn_profile_seconds(&none) == 0);
    assert_ok(afn_profile_by_kind(&kinds, &none));
    assert_int_equal(kinds.n, 0);
    afn_profile_free(&kinds);
    afn_profile_free(&kinds); /* twice is once */
    afn_profile_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_step_has_a_row_for_each_pass),
        cmocka_unit_test(updates_made_at_once_belong_to_the_steps_that_train),
        cmocka_unit_test(a_smaller_batch_counts_what_it_ran),
        cmocka_unit_test(frozen_steps_have_no_backward),
        cmocka_unit_test(operations_of_a_plan_are_those_of_the_products_it_needs),
        cmocka_unit_test(nothing_is_timed_until_asked_and_asking_again_starts_anew),
        cmocka_unit_test(kinds_are_summed_and_sorted),
        cmocka_unit_test(an_empty_profile_sums_up_to_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
