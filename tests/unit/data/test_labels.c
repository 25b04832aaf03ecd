/* SPDX-License-Identifier: Apache-2.0 */
/* Classes found by name. */
#include "afn_test.h"

#include "data/labels.h"

static const afn_dataset_ops no_ops = { .kind = "none" };

/* A set with a sample for each name, classes in this order. */
static afn_dataset *label_all(const char *const *name, int n, afn_class_order order)
{
    afn_labels l = { 0 };
    afn_dataset *d = afn_data__new(&no_ops, sizeof *d);
    assert_non_null(d);
    d->count = n;
    d->label = afn_alloc_array((size_t)n, sizeof(int));
    for (int i = 0; i < n; i++) assert_ok(afn_labels_id(&l, name[i], &d->label[i]));
    assert_ok(afn_labels_apply(&l, d, order));
    afn_labels_free(&l);
    for (int i = 0; i < n; i++)
        assert_string_equal(name[i], afn_dataset_class_name(d, d->label[i]));
    return d;
}

static void check_order(const char *const *name, int n, afn_class_order order,
                        const char *want)
{
    char got[256];
    size_t at = 0;
    afn_dataset *d = label_all(name, n, order);
    for (int c = 0; c < d->n_classes; c++)
        at += (size_t)snprintf(got + at, sizeof got - at, "%s ", d->class_name[c]);
    assert_string_equal(want, got);
    afn_dataset_free(d);
}

static void classes_are_sorted_as_asked_for(void **state)
{
    (void)state;
    static const char *const mixed[] = { "b2", "a", "b10", "b2", "B", "a", "b1" };
    static const char *const numbers[] = { "10", "2", "0", "2" };
    check_order(mixed, 7, AFN_ORDER_STRING, "B a b1 b10 b2 ");
    check_order(mixed, 7, AFN_ORDER_NATURAL, "B a b1 b2 b10 ");
    check_order(numbers, 4, AFN_ORDER_STRING, "0 2 10 ");
}

static void many_names_keep_apart(void **state)
{
    (void)state;
    afn_labels l = { 0 };
    char name[16];
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < 5000; i++) {
            int id;
            snprintf(name, sizeof name, "class %d", i);
            assert_ok(afn_labels_id(&l, name, &id));
            assert_int_equal(i, id);
        }
    assert_int_equal(5000, afn_labels_count(&l));
    int id;
    assert_fails(AFN_EINVAL, "label is empty", afn_labels_id(&l, "", &id));
    afn_labels_free(&l);
}

static void every_failing_allocation_is_reported(void **state)
{
    (void)state;
    for (int64_t k = 1;; k++) {
        afn_labels l = { 0 };
        int id = 0;
        afn_alloc_fail_at(k);
        const afn_status st = afn_labels_id(&l, "a", &id);
        afn_alloc_fail_at(0);
        afn_labels_free(&l);
        assert_int_equal(k <= 3 ? AFN_ENOMEM : AFN_OK, st);
        if (st == AFN_OK) return;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(classes_are_sorted_as_asked_for),
        cmocka_unit_test(many_names_keep_apart),
        cmocka_unit_test(every_failing_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
