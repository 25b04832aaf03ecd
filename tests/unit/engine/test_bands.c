/* SPDX-License-Identifier: Apache-2.0 */
/* Running a batch in slices: which tasks take turns, what that saves, and that it
 * changes nothing. */
#include "zoo_net.h"

enum { BATCH = 6 };

static const double whole = 1e15, one_sample = 1;

static afn_plan *new_plan(const net *n, bool train, double slice_bytes)
{
    afn_plan *p;
    const afn_plan_opts o = { .batch = BATCH,
                              .train = train,
                              .trainable = n->trainable,
                              .slice_bytes = slice_bytes };
    assert_ok(afn_plan_new(&p, n->g, n->params, &o));
    return p;
}

static void slices_divide_the_batch(void **state)
{
    (void)state;
    net n = open_net("resnet18", "*", BATCH);
    afn_plan *p = new_plan(&n, true, 1 << 20);
    int64_t *slice = test_calloc((size_t)p->low.n_steps, sizeof *slice);
    int smaller = 0;
    for (int64_t batch = 1; batch <= 13; batch++) {
        afn_slices(slice, p, batch);
        for (int i = 0; i < p->low.n_steps; i++) {
            assert_true(slice[i] >= 1 && batch % slice[i] == 0);
            smaller += slice[i] > 1 && slice[i] < batch;
            if (p->low.step[i].op == AFN_OP_LINEAR) assert_true(slice[i] == batch);
        }
    }
    assert_true(smaller > 0);
    test_free(slice);
    afn_plan_free(p);
    close_net(&n);
}

/* A task that needs sums over the batch must not take turns with the one that makes
 * them, nor forward with backward. */
static void check_bands(const afn_program *r)
{
    int next = 0;
    for (int i = 0; i < r->n_bands; i++) {
        const afn_band *b = &r->band[i];
        assert_int_equal(b->from, next);
        assert_true(b->slice >= 1 && r->n % b->slice == 0);
        assert_true((b->from < r->n_forward) == (b->to <= r->n_forward));
        next = b->to;
        for (int t = b->from; t < b->to; t++)
            for (int before = b->from; before < t; before++) {
                const afn_task x = r->task[before], y = r->task[t];
                if (x.step != y.step) continue;
                assert_false(x.kind == AFN_TASK_FORWARD_SUMS &&
                             y.kind == AFN_TASK_FORWARD);
                assert_false(x.kind == AFN_TASK_BACKWARD_SUMS &&
                             y.kind == AFN_TASK_BACKWARD);
            }
    }
    assert_int_equal(next, r->n_tasks);
}

static void bands_end_where_sums_are_needed(void **state)
{
    (void)state;
    static const char *const name[] = { "resnet18", "mobilenet_v2", "squeezenet1_1" };
    for (size_t i = 0; i < AFN_COUNT(name); i++) {
        net n = open_net(name[i], "*", BATCH);
        afn_plan *p = new_plan(&n, true, one_sample);
        check_bands(p->program[0]);
        assert_true(p->program[0]->n_bands > 1);
        afn_plan_free(p);
        close_net(&n);
    }
}

static void slices_take_less_memory(void **state)
{
    (void)state;
    net n = open_net("squeezenet1_1", "*", BATCH);
    afn_plan *all = new_plan(&n, false, whole), *one = new_plan(&n, false, one_sample);
    assert_true(afn_plan_arena_bytes(one) * 5 < afn_plan_arena_bytes(all) * 4);
    afn_plan_free(all);
    afn_plan_free(one);
    close_net(&n);
}

/* Where a slice is the whole batch nothing takes turns, and memory is used again within
 * the band. */
static void what_no_slice_needs_again_dies_with_its_last_reader(void **state)
{
    (void)state;
    net n = open_net("convnext_tiny", "*", BATCH);
    afn_plan *p = new_plan(&n, true, whole);
    const afn_program *r = p->program[0];
    size_t all = 0;
    for (int i = 0; i < r->n_buffers; i++) all += r->buffer[i].bytes;
    assert_true(r->arena_bytes * 2 < all);
    afn_plan_free(p);
    close_net(&n);
}

/* Without sums over the batch a sample is the same bits in any slice. */
static void predictions_are_the_same_bits(void **state)
{
    (void)state;
    float expected[BATCH * CLASSES], got[BATCH * CLASSES];
    net n = open_net("resnet18", "*", BATCH);
    afn_plan *all = new_plan(&n, false, whole), *one = new_plan(&n, false, one_sample);
    assert_ok(afn_plan_forward(all, n.pixels, BATCH, expected));
    assert_ok(afn_plan_forward(one, n.pixels, BATCH, got));
    assert_memory_equal(got, expected, sizeof got);
    afn_plan_free(all);
    afn_plan_free(one);
    close_net(&n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slices_divide_the_batch),
        cmocka_unit_test(bands_end_where_sums_are_needed),
        cmocka_unit_test(slices_take_less_memory),
        cmocka_unit_test(what_no_slice_needs_again_dies_with_its_last_reader),
        cmocka_unit_test(predictions_are_the_same_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
