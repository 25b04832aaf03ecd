/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of src/engine/ref/ref_backend.c. */
#include <omp.h>

#include "step_case.h"

static const afn_backend *const be = &afn_backend_ref;

static void every_operator_has_a_row(void **state)
{
    (void)state;
    assert_int_equal(be->fusions, 0);
    for (int op = 0; op < AFN_N_OPS; op++) {
        const afn_kernel_ops *ops = be->find((afn_op)op);
        assert_non_null(ops);
        assert_non_null(ops->prepare);
        assert_non_null(ops->forward);
        assert_true(op == AFN_OP_INPUT || ops->backward);
        ops->free(NULL);
    }
}

static void entering_sets_the_number_of_threads(void **state)
{
    (void)state;
    const int before = omp_get_max_threads();
    void *device;
    assert_ok(be->open(&device, 3, AFN_PRECISION_FP32));
    be->enter(device);
    assert_int_equal(omp_get_max_threads(), 3);
    be->close(device);
    be->close(NULL);
    omp_set_num_threads(before);
}

static void a_value_too_large_to_address_is_refused(void **state)
{
    (void)state;
    step_case c;
    afn_graph *g = new_graph(1 << 30, 1, 1);
    const afn_value x = afn_input(g);
    case_new(&c, g, afn_relu(g, x));
    assert_fails(AFN_ESHAPE, "too large", case_try_prepare(&c, INT64_MAX / 2));
    assert_null(c.kernel.state);
    case_free(&c);
}

static void running_out_of_memory_is_reported(void **state)
{
    (void)state;
    step_case c;
    void *device;
    afn_graph *g = new_graph(1, 1, 1);
    const afn_value x = afn_input(g);
    case_new(&c, g, afn_relu(g, x));
    afn_alloc_fail_at(1);
    assert_fails(AFN_ENOMEM, "out of memory", case_try_prepare(&c, 1));
    afn_alloc_fail_at(1);
    assert_fails(AFN_ENOMEM, "out of memory", be->open(&device, 1, AFN_PRECISION_FP32));
    afn_alloc_fail_at(0);
    assert_null(device);
    case_free(&c);
}

static void count_calls(void *user, int64_t from, int64_t to)
{
    float *count = user;
    for (int64_t i = from; i < to; i++) count[i] += 1;
}

static void each_element_has_its_turn_once(void **state)
{
    (void)state;
    float s[] = { 0, 0, 0, 5 };
    be->each(NULL, 3, count_calls, s);
    EXPECT(s, 1, 1, 1, 5);
    be->each(NULL, 0, count_calls, s);
    EXPECT(s, 1, 1, 1, 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_operator_has_a_row),
        cmocka_unit_test(entering_sets_the_number_of_threads),
        cmocka_unit_test(a_value_too_large_to_address_is_refused),
        cmocka_unit_test(running_out_of_memory_is_reported),
        cmocka_unit_test(each_element_has_its_turn_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
