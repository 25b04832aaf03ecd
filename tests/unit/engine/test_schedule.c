/* SPDX-License-Identifier: Apache-2.0 */
/* What backward finds kept, and what is made again. */
#include "afn_test.h"
#include "engine/plan.h"
#include "zoo/zoo.h"

enum { SIZE = 64, CLASSES = 4, BATCH = 2 };

/* A plan that trains all of a network. */
typedef struct planned {
    afn_graph *g;
    afn_params *params;
    bool *trainable;
    afn_plan *plan;
} planned;

static planned plan_of(const char *name)
{
    planned n = { 0 };
    afn_arch arch;
    assert_ok(afn_zoo_find(&arch, name));
    assert_ok(afn_zoo_build(&n.g, &arch, CLASSES, SIZE, SIZE));
    assert_ok(afn_params_new(&n.params, n.g));
    const size_t params = (size_t)afn_graph_n_params(n.g);
    n.trainable = test_calloc(params, sizeof *n.trainable);
    for (size_t i = 0; i < params; i++) n.trainable[i] = true;
    const afn_plan_opts o = {
        .batch = BATCH, .train = true, .sizes_only = true, .trainable = n.trainable
    };
    assert_ok(afn_plan_new(&n.plan, n.g, n.params, &o));
    return n;
}

static void release(planned *n)
{
    afn_plan_free(n->plan);
    afn_graph_free(n->g);
    afn_params_free(n->params);
    test_free(n->trainable);
}

static int made_again(const planned *n, afn_op op)
{
    const afn_program *r = n->plan->program[0];
    int found = 0;
    for (int t = 0; t < r->n_tasks; t++)
        found += r->task[t].kind == AFN_TASK_RECOMPUTE &&
                 n->plan->low.step[r->task[t].step].op == op;
    return found;
}

/* ConvNeXt has 18 blocks, each with a sum at its end.  The sixth of the nine at one
 * resolution is kept, and nobody wants the last. */
static void sums_of_blocks_are_made_again(void **state)
{
    (void)state;
    planned n = plan_of("convnext_tiny");
    assert_int_equal(made_again(&n, AFN_OP_ADD), 16);
    release(&n);
}

/* In ResNet they are part of the batch norm before them. */
static void sums_joined_to_a_norm_are_made_again(void **state)
{
    (void)state;
    planned n = plan_of("resnet18");
    int sums = 0;
    const afn_program *r = n.plan->program[0];
    for (int t = 0; t < r->n_tasks; t++)
        sums += r->task[t].kind == AFN_TASK_RECOMPUTE &&
                n.plan->low.step[r->task[t].step].add;
    assert_true(sums >= 6);
    release(&n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_of_blocks_are_made_again),
        cmocka_unit_test(sums_joined_to_a_norm_are_made_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
