/* SPDX-License-Identifier: Apache-2.0 */
/* Manifests as comma-separated values: with names of columns and without. */
#define _GNU_SOURCE /* nftw */
#include "afn_test.h"

#include "make_tree.h"

/* "name=class ..." of the samples, or the message. */
static const char *open_text(const char *text, afn_status want)
{
    static char all[2048];
    char spec[1300], root[1024];
    afn_dataset *d;
    size_t at = 0;
    snprintf(root, sizeof root, "%s", new_tree("csv"));
    put_file(root, "list.txt", text, strlen(text));
    snprintf(spec, sizeof spec, "csv:%s/list.txt", root);
    assert_int_equal(want, afn_dataset_open(&d, spec));
    if (want != AFN_OK) {
        snprintf(all, sizeof all, "%s", strstr(afn_error_message(), "list.txt: "));
        return all;
    }
    for (int64_t i = 0; i < afn_dataset_count(d); i++)
        at += (size_t)snprintf(all + at, sizeof all - at, "%s=%s ",
                               name_below(d, i, root),
                               afn_dataset_class_name(d, afn_dataset_label(d, i)));
    afn_dataset_free(d);
    return all;
}

static void rows_become_samples(void **state)
{
    (void)state;
    static const struct {
        const char *text, *want;
    } row[] = {
        { "1.png,cat\n2.png,dog\n", "1.png=cat 2.png=dog " },
        { "path,label\n1.png,cat\n", "1.png=cat " },
        { "id,Label,Width,File\n7,cat,9,1.png\n8,dog,9,2.png\n",
          "1.png=cat 2.png=dog " },
        { "\"a,1.png\";cat\r\n2.png;dog\r\n", "a,1.png=cat 2.png=dog " },
        { "image,category\n1.png,3\n2.png,12\n", "1.png=3 2.png=12 " },
        { "label,1\nx.png,2\n",
          "label=1 x.png=2 " }, /* no column for paths: no names */
    };
    for (size_t i = 0; i < AFN_COUNT(row); i++)
        assert_string_equal(row[i].want, open_text(row[i].text, AFN_OK));
}

static void what_cannot_be_meant_is_named_with_its_line(void **state)
{
    (void)state;
    static const struct {
        const char *text, *want;
    } row[] = {
        { "1.png\n", "list.txt: line 1: 1 field, need path and label" },
        { "path,label\n1.png,a\n2.png\n",
          "list.txt: line 3: 1 field, need path and label" },
        { "path,colour\n1.png,a\n",
          "list.txt: line 1: no column label, class, category or target" },
        { "path,label,file\n", "list.txt: line 1: columns 'path' and 'file' are one" },
        { "1.png,\"a\n", "list.txt: line 1: a quote does not end" },
    };
    for (size_t i = 0; i < AFN_COUNT(row); i++)
        assert_string_equal(row[i].want, open_text(row[i].text, AFN_EFORMAT));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_become_samples),
        cmocka_unit_test(what_cannot_be_meant_is_named_with_its_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
