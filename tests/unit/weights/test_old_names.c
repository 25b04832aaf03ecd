/* SPDX-License-Identifier: Apache-2.0 */
#include "afn_test.h"
#include "weights/weights.h"

/* A file of scalars with these names, opened. */
static afn_status open_with(afn_weights **out, const char *const *name, int n)
{
    const afn_shape shape = AFN_SHAPE(1);
    char path[2048];
    afn_weights *w;
    snprintf(path, sizeof path, "%s/old.pth", test_dir("old_names"));
    assert_ok(afn_weights_new(&w));
    for (int i = 0; i < n; i++) {
        const float value = (float)i;
        assert_ok(afn_weights_add(w, name[i], AFN_F32, &shape, &value));
    }
    assert_ok(afn_weights_save(w, path));
    afn_weights_free(w);
    return afn_weights_open(out, path);
}

static void names_of_the_first_densenets_are_renewed(void **state)
{
    (void)state;
    static const char *const old[] = {
        "features.norm0.weight",
        "features.denseblock1.denselayer1.norm.1.weight",
        "features.denseblock1.denselayer12.norm.2.running_var",
        "features.denseblock1.denselayer1.conv.1.weight",
        "features.denseblock1.denselayer1.conv.2.weight",
        "features.transition1.norm.weight",
        "stage.norm.1.weight", /* another network's */
    };
    static const char *const now[] = {
        "features.norm0.weight",
        "features.denseblock1.denselayer1.norm1.weight",
        "features.denseblock1.denselayer12.norm2.running_var",
        "features.denseblock1.denselayer1.conv1.weight",
        "features.denseblock1.denselayer1.conv2.weight",
        "features.transition1.norm.weight",
        "stage.norm.1.weight",
    };
    afn_weights *w;
    assert_ok(open_with(&w, old, AFN_COUNT(old)));
    for (size_t i = 0; i < AFN_COUNT(now); i++) {
        float value;
        const afn_weight *t = afn_weights_find(w, now[i]);
        assert_non_null(t);
        assert_ptr_equal(t, afn_weights_get(w, i));
        assert_string_equal(t->name, now[i]);
        assert_ok(afn_weights_read_f32(w, t, &value, 1));
        assert_true(value == (float)i);
    }
    assert_null(afn_weights_find(w, old[1]));
    afn_weights_free(w);
}

static void both_names_of_one_tensor_are_refused(void **state)
{
    (void)state;
    static const char *const both[] = { "denselayer1.norm1.weight",
                                        "denselayer1.norm.1.weight" };
    afn_weights *w;
    assert_fails(AFN_EFORMAT, "denselayer1.norm1.weight is there under its old name",
                 open_with(&w, both, AFN_COUNT(both)));
    assert_null(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_of_the_first_densenets_are_renewed),
        cmocka_unit_test(both_names_of_one_tensor_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
