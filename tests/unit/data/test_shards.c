/* SPDX-License-Identifier: Apache-2.0 */
/* Which files a spec of shards stands for. */
#define _GNU_SOURCE /* nftw */
#include "afn_test.h"

#include "data/shards.h"
#include "make_tree.h"

/* Names of the files below root, each with a blank behind it. */
static const char *found(const char *spec, const char *root)
{
    static char all[4096];
    afn_buf paths = { 0 };
    size_t at = 0;
    all[0] = 0;
    assert_ok(afn_shards_find(&paths, spec, ".tar"));
    for (const char *p = paths.data; p < paths.data + paths.size; p += strlen(p) + 1)
        at += (size_t)snprintf(all + at, sizeof all - at, "%s ", p + strlen(root) + 1);
    afn_buf_free(&paths);
    return all;
}

static void folders_patterns_and_ranges_are_spelt_out(void **state)
{
    (void)state;
    static const struct {
        const char *spec, *want;
    } row[] = {
        { "%s", "a-0.tar a-1.tar b-0.tar " },
        { "%s/a-*.tar", "a-0.tar a-1.tar " },
        { "%s/?-0.tar", "a-0.tar b-0.tar " },
        { "%s/a-0.tar", "a-0.tar " },
        { "%s/s-{08..11}.tar", "s-08.tar s-09.tar s-10.tar s-11.tar " },
        { "%s/{0..1}/s-{1..2}", "0/s-1 0/s-2 1/s-1 1/s-2 " },
        { "%s/none.tar", "none.tar " },
    };
    char root[1024], spec[1200];
    snprintf(root, sizeof root, "%s", new_tree("shards"));
    put_text(root, "b-0.tar");
    put_text(root, "a-1.tar");
    put_text(root, "a-0.tar");
    put_text(root, "notes.txt");
    put_text(root, ".hidden.tar");
    for (size_t i = 0; i < AFN_COUNT(row); i++) {
        snprintf(spec, sizeof spec, row[i].spec, root);
        assert_string_equal(row[i].want, found(spec, root));
    }
}

static void what_stands_for_nothing_is_named(void **state)
{
    (void)state;
    static const char *const bad[] = { "s-{1}.tar", "s-{3..1}", "s-{a..b}",
                                       "s-{1..2",   "s-{}",     "s-{0..99999999}",
                                       "s-{1..-2}" };
    afn_buf paths = { 0 };
    char spec[1200];
    const char *root = new_tree("shards-none");
    snprintf(spec, sizeof spec, "%s/x*.tar", root);
    assert_fails(AFN_ENOTFOUND, "x*.tar: no files like that",
                 afn_shards_find(&paths, spec, ".tar"));
    assert_fails(AFN_ENOTFOUND, "no files like that",
                 afn_shards_find(&paths, root, ".tar"));
    assert_fails(AFN_EINVAL, "empty", afn_shards_find(&paths, "", ".tar"));
    for (size_t i = 0; i < AFN_COUNT(bad); i++)
        assert_fails(AFN_EINVAL, "need a range such as {000..012}",
                     afn_shards_find(&paths, bad[i], ".tar"));
    afn_buf_free(&paths);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(folders_patterns_and_ranges_are_spelt_out),
        cmocka_unit_test(what_stands_for_nothing_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
