/* SPDX-License-Identifier: Apache-2.0 */
/* Manifests as JSON lines. */
#define _GNU_SOURCE /* nftw */
#include "afn_test.h"

#include "make_tree.h"

static afn_status open_text(afn_data_parts *p, const char *text, char root[1024])
{
    char spec[1300];
    snprintf(root, 1024, "%s", new_tree("jsonl"));
    put_file(root, "list.jsonl", text, strlen(text));
    snprintf(spec, sizeof spec, "%s/list.jsonl", root);
    return afn_data_open(p, spec, NULL);
}

static void lines_become_samples(void **state)
{
    (void)state;
    static const char text[] =
        "\xef\xbb\xbf{\"path\": \"a/1.png\", \"label\": \"cat\", \"split\": "
        "\"train\"}\r\n"
        "\n  \n"
        "{\"label\": \"dog\", \"file\": \"2.png\", \"width\": [1, 2], \"split\": "
        "null}\n"
        "{\"image\": \"3.png\", \"class\": \"d\\u00e9j\\u00e0\"}\n"
        "{\"path\": \"4.png\", \"label\": \"dog\", \"split\": \"val\"}";
    char root[1024];
    afn_data_parts p;
    assert_ok(open_text(&p, text, root));
    assert_int_equal(3, afn_dataset_count(p.train));
    assert_int_equal(1, afn_dataset_count(p.val));
    assert_string_equal("a/1.png", name_below(p.train, 0, root));
    assert_string_equal("3.png", name_below(p.train, 2, root));
    assert_string_equal("d\xc3\xa9j\xc3\xa0", afn_dataset_class_name(p.train, 2));
    assert_int_equal(1, afn_dataset_label(p.val, 0));
    afn_data_parts_free(&p);
}

static void whole_numbers_are_labels_in_their_order(void **state)
{
    (void)state;
    char root[1024];
    afn_data_parts p;
    assert_ok(open_text(&p,
                        "{\"path\":\"1.png\",\"label\":10,\"split\":\"train\"}\n"
                        "{\"path\":\"2.png\",\"label\":9,\"split\":\"train\"}\n"
                        "{\"path\":\"3.png\",\"label\":9,\"split\":\"val\"}\n",
                        root));
    assert_string_equal("9", afn_dataset_class_name(p.train, 0));
    assert_int_equal(1, afn_dataset_label(p.train, 0));
    afn_data_parts_free(&p);
}

static void what_cannot_be_meant_is_named_with_its_line(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message;
    } row[] = {
        { "{\"path\": \"1.png\"}\n", "list.jsonl: line 1: no label" },
        { "\n{\"label\": \"a\"}\n", "list.jsonl: line 2: no path" },
        { "{\"path\": \"1.png\", \"label\": 1.5}\n",
          "line 1: label is neither text nor a whole number" },
        { "{\"path\": \"1.png\", \"label\": \"a\", \"class\": \"b\"}\n",
          "line 1: has label, class, category or target twice" },
        { "[1]\n", "list.jsonl: line 1: not an object" },
        { "{\"path\": \n", "list.jsonl: line 1: " },
    };
    char root[1024];
    afn_data_parts p;
    for (size_t i = 0; i < AFN_COUNT(row); i++)
        assert_fails(AFN_EFORMAT, row[i].message, open_text(&p, row[i].text, root));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_become_samples),
        cmocka_unit_test(whole_numbers_are_labels_in_their_order),
        cmocka_unit_test(what_cannot_be_meant_is_named_with_its_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
