/* SPDX-License-Identifier: Apache-2.0 */
/* Lowering: what is fused, what is folded, what costs no gradient. */
#include "afn_test.h"
#include "engine/plan.h"
#include "zoo/zoo.h"

/* Names of the trainable parameters, as a pattern. */
static bool *trainable_of(const afn_graph *g, const char *pattern)
{
    bool *t = test_calloc((size_t)afn_graph_n_params(g), sizeof *t);
    for (int i = 0; i < afn_graph_n_params(g); i++)
        t[i] = afn_glob(pattern, afn_graph_param(g, i)->name);
    return t;
}

static afn_graph *resnet18(void)
{
    afn_arch arch;
    afn_graph *g;
    assert_ok(afn_zoo_find(&arch, "resnet18"));
    assert_ok(afn_zoo_build(&g, &arch, 10, 64, 64));
    return g;
}

static afn_lowered lower(const afn_graph *g, afn_plan_opts o, const afn_backend *b)
{
    afn_lowered l;
    assert_ok(afn_lower(&l, g, &o, b));
    return l;
}

static int count_steps(const afn_lowered *l, afn_op op)
{
    int n = 0;
    for (int i = 0; i < l->n_steps; i++) n += l->step[i].op == op;
    return n;
}

static void every_input_is_made_by_an_earlier_step(const afn_lowered *l)
{
    for (int i = 0; i < l->n_steps; i++)
        for (int k = 0; k < l->step[i].n_inputs; k++) {
            const int maker = l->step_of[l->step[i].input[k]];
            assert_true(maker >= 0 && maker < i);
        }
}

static void
inference_folds_every_batch_norm_and_addition_into_convolutions(void **state)
{
    (void)state;
    afn_graph *g = resnet18();
    afn_lowered l = lower(g, (afn_plan_opts){ .train = false }, &afn_backend_cpu);
    every_input_is_made_by_an_earlier_step(&l);
    assert_int_equal(count_steps(&l, AFN_OP_CONV2D), 20);
    assert_int_equal(count_steps(&l, AFN_OP_BATCH_NORM), 0);
    assert_int_equal(count_steps(&l, AFN_OP_ADD), 0);
    assert_int_equal(count_steps(&l, AFN_OP_ACTIVATION), 0);
    /* input, 20 convolutions, max pool, mean, flatten, linear */
    assert_int_equal(l.n_steps, 25);
    afn_lowered_free(&l);
    afn_graph_free(g);
}

static void training_fuses_addition_and_activation_into_batch_norm(void **state)
{
    (void)state;
    afn_graph *g = resnet18();
    bool *t = trainable_of(g, "*");
    afn_lowered l =
        lower(g, (afn_plan_opts){ .train = true, .trainable = t }, &afn_backend_cpu);
    every_input_is_made_by_an_earlier_step(&l);
    assert_int_equal(count_steps(&l, AFN_OP_BATCH_NORM), 20);
    assert_int_equal(count_steps(&l, AFN_OP_ADD), 0);
    assert_int_equal(count_steps(&l, AFN_OP_ACTIVATION), 0);
    assert_int_equal(l.cut, 1); /* conv1: the input itself needs no gradient */
    for (int i = 0; i < l.n_steps; i++)
        if (l.step[i].op == AFN_OP_BATCH_NORM) assert_true(l.step[i].batch_stats);
    afn_lowered_free(&l);
    test_free(t);
    afn_graph_free(g);
}

static void a_frozen_backbone_is_an_inference_prefix(void **state)
{
    (void)state;
    afn_graph *g = resnet18();
    bool *t = trainable_of(g, "fc.*");
    afn_lowered l =
        lower(g, (afn_plan_opts){ .train = true, .trainable = t }, &afn_backend_cpu);
    assert_int_equal(count_steps(&l, AFN_OP_BATCH_NORM), 0);
    for (int i = 0; i < l.n_steps; i++)
        assert_int_equal(l.step[i].train, l.step[i].op == AFN_OP_LINEAR);
    assert_int_equal(l.cut, l.output); /* the linear layer is the first that trains */
    afn_lowered_free(&l);
    test_free(t);
    afn_graph_free(g);
}

static void bn_batch_keeps_batch_statistics_in_a_frozen_backbone(void **state)
{
    (void)state;
    afn_graph *g = resnet18();
    bool *t = trainable_of(g, "fc.*");
    const afn_plan_opts o = { .train = true, .trainable = t, .bn = AFN_BN_BATCH };
    afn_lowered l = lower(g, o, &afn_backend_cpu);
    assert_int_equal(count_steps(&l, AFN_OP_BATCH_NORM), 20);
    for (int i = 0; i < l.n_steps; i++) {
        if (l.step[i].op != AFN_OP_BATCH_NORM) continue;
        assert_true(l.step[i].batch_stats);
        assert_false(l.step[i].train);
    }
    afn_lowered_free(&l);
    test_free(t);
    afn_graph_free(g);
}

static void a_part_that_trains_cuts_the_network_there(void **state)
{
    (void)state;
    afn_graph *g = resnet18();
    bool *t = trainable_of(g, "layer4.*,fc.*");
    afn_lowered l =
        lower(g, (afn_plan_opts){ .train = true, .trainable = t }, &afn_backend_cpu);
    every_input_is_made_by_an_earlier_step(&l);
    const afn_node *cut = afn_graph_node(g, l.cut);
    assert_string_equal(cut->name, "layer4.0.conv1");
    assert_int_equal(count_steps(&l, AFN_OP_BATCH_NORM), 5); /* layer4's */
    for (int i = 0; i < l.n_steps; i++) {
        const afn_step *s = &l.step[i];
        assert_int_equal(s->train, s->output >= l.cut);
        if (s->op == AFN_OP_CONV2D && strcmp(s->node->name, "layer4.0.conv1") == 0)
            assert_false(s->grad_input[0]); /* nobody below wants it */
    }
    afn_lowered_free(&l);
    test_free(t);
    afn_graph_free(g);
}

static void idle_dropout_disappears_and_active_dropout_does_not(void **state)
{
    (void)state;
    afn_arch arch;
    afn_graph *g;
    assert_ok(afn_zoo_find(&arch, "alexnet"));
    assert_ok(afn_zoo_build(&g, &arch, 10, 64, 64));
    bool *t = trainable_of(g, "*");
    afn_lowered l = lower(g, (afn_plan_opts){ .train = false }, &afn_backend_cpu);
    assert_int_equal(count_steps(&l, AFN_OP_DROPOUT), 0);
    afn_lowered_free(&l);
    l = lower(g, (afn_plan_opts){ .train = true, .trainable = t }, &afn_backend_cpu);
    assert_int_equal(count_steps(&l, AFN_OP_DROPOUT), 2);
    afn_lowered_free(&l);
    test_free(t);
    afn_graph_free(g);
}

static void the_reference_backend_gets_plain_steps(void **state)
{
    (void)state;
    afn_graph *g = resnet18();
    afn_lowered l = lower(g, (afn_plan_opts){ .train = false }, &afn_backend_ref);
    assert_int_equal(l.n_steps, afn_graph_n_nodes(g));
    for (int i = 0; i < l.n_steps; i++) {
        assert_null(l.step[i].norm);
        assert_false(l.step[i].add);
        assert_int_equal(l.step[i].act, AFN_NO_ACT);
    }
    afn_lowered_free(&l);
    afn_graph_free(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            inference_folds_every_batch_norm_and_addition_into_convolutions),
        cmocka_unit_test(training_fuses_addition_and_activation_into_batch_norm),
        cmocka_unit_test(a_frozen_backbone_is_an_inference_prefix),
        cmocka_unit_test(bn_batch_keeps_batch_statistics_in_a_frozen_backbone),
        cmocka_unit_test(a_part_that_trains_cuts_the_network_there),
        cmocka_unit_test(idle_dropout_disappears_and_active_dropout_does_not),
        cmocka_unit_test(the_reference_backend_gets_plain_steps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
