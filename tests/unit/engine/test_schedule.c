/* SPDX-License-Identifier: Apache-2.0 */
/* What backward finds kept, and what is made again. */
#include "zoo_net.h"

/* A plan that trains all of a network. */
static afn_plan *new_plan(const net *n)
{
    afn_plan *p;
    const afn_plan_opts o = {
        .batch = 2, .train = true, .sizes_only = true, .trainable = n->trainable
    };
    assert_ok(afn_plan_new(&p, n->g, n->params, &o));
    return p;
}

/* Is this a sum of its own, or one that another step ends with? */
static bool is_own_sum(const afn_step *s)
{
    return s->op == AFN_OP_ADD;
}

static bool ends_in_sum(const afn_step *s)
{
    return s->add;
}

static int made_again(const char *name, bool (*is)(const afn_step *s))
{
    net n = open_net(name, "*", 1);
    afn_plan *p = new_plan(&n);
    const afn_program *r = p->program[0];
    int found = 0;
    for (int t = 0; t < r->n_tasks; t++)
        found +=
            r->task[t].kind == AFN_TASK_RECOMPUTE && is(&p->low.step[r->task[t].step]);
    afn_plan_free(p);
    close_net(&n);
    return found;
}

/* ConvNeXt has 18 blocks, each with a sum at its end.  The sixth of the nine at one
 * resolution is kept, and nobody wants the last. */
static void sums_of_blocks_are_made_again(void **state)
{
    (void)state;
    assert_int_equal(made_again("convnext_tiny", is_own_sum), 16);
}

/* In ResNet they are part of the batch norm before them. */
static void sums_joined_to_a_norm_are_made_again(void **state)
{
    (void)state;
    assert_true(made_again("resnet18", ends_in_sum) >= 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_of_blocks_are_made_again),
        cmocka_unit_test(sums_joined_to_a_norm_are_made_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
