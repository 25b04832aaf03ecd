/* SPDX-License-Identifier: Apache-2.0 */
/* Remembered choices: kept in a file, merged with others', never in the way. */
#define _GNU_SOURCE /* mkdtemp, setenv */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "afn_test.h"
#include "engine/cpu/tune.h"

static char folder[] = "/tmp/afina-tune-XXXXXX";
static char file[64], deep[80];

static int make_folder(void **state)
{
    (void)state;
    if (!mkdtemp(folder)) return -1;
    snprintf(file, sizeof file, "%s/choices", folder);
    snprintf(deep, sizeof deep, "%s/a/b/choices", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

static int no_file(void **state)
{
    (void)state;
    unlink(file);
    return 0;
}

static tune *opened(const char *path)
{
    tune *t;
    assert_ok(tune_open(&t, path));
    return t;
}

static void a_choice_outlives_its_process(void **state)
{
    (void)state;
    tune *t = opened(deep);
    assert_null(tune_find(t, "layer"));
    tune_keep(t, "layer", "direct");
    tune_keep(t, "other layer", "winograd");
    tune_keep(t, "layer", "winograd");
    tune_close(t);
    t = opened(deep);
    assert_string_equal(tune_find(t, "layer"), "winograd");
    assert_string_equal(tune_find(t, "other layer"), "winograd");
    assert_null(tune_find(t, "lay"));
    tune_close(t);
}

static void two_processes_add_to_one_file(void **state)
{
    (void)state;
    tune *a = opened(file), *b = opened(file);
    tune_keep(a, "a", "direct");
    tune_keep(b, "b", "winograd");
    assert_string_equal(tune_find(b, "a"), "direct");
    tune_close(a);
    tune_close(b);
    a = opened(file);
    assert_string_equal(tune_find(a, "a"), "direct");
    assert_string_equal(tune_find(a, "b"), "winograd");
    tune_close(a);
}

static void damage_costs_only_the_lines_it_hit(void **state)
{
    (void)state;
    static const char text[] = "direct\tfirst\nno tab\n\tno choice\nno key\t\n"
                               "di\x01rect\tcontrol\ndirect\t\xff\nwinograd\tgood\n"
                               "a\0b\tzero\nwinograd\tcut sho";
    assert_ok(afn_file_write(file, text, sizeof text - 1));
    tune *t = opened(file);
    assert_string_equal(tune_find(t, "first"), "direct");
    assert_string_equal(tune_find(t, "good"), "winograd");
    assert_null(tune_find(t, "control"));
    assert_null(tune_find(t, "zero"));
    assert_null(tune_find(t, "cut sho"));
    assert_null(tune_find(t, ""));
    tune_close(t);
}

static void a_place_that_cannot_be_written_is_no_error(void **state)
{
    (void)state;
    tune *t = opened("/dev/null/choices");
    tune_keep(t, "layer", "direct");
    assert_string_equal(tune_find(t, "layer"), "direct");
    tune_close(t);
    t = opened(NULL);
    tune_keep(t, "layer", "direct");
    assert_string_equal(tune_find(t, "layer"), "direct");
    tune_close(t);
}

static void expect_path(const char *want)
{
    char *path = tune_path();
    if (want)
        assert_string_equal(path, want);
    else
        assert_null(path);
    afn_free(path);
}

static void the_file_lies_where_xdg_says(void **state)
{
    (void)state;
    setenv("AFINA_CACHE", "/own", 1);
    setenv("XDG_CACHE_HOME", "/cache", 1);
    setenv("HOME", "/home/me", 1);
    expect_path("/own/algorithms.txt");
    assert_false(tune_off());
    setenv("AFINA_CACHE", "off", 1);
    assert_true(tune_off());
    unsetenv("AFINA_CACHE");
    assert_false(tune_off());
    expect_path("/cache/afina/algorithms.txt");
    setenv("XDG_CACHE_HOME", "not/absolute", 1); /* the specification ignores it */
    expect_path("/home/me/.cache/afina/algorithms.txt");
    unsetenv("XDG_CACHE_HOME");
    unsetenv("HOME");
    expect_path(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_choice_outlives_its_process),
        cmocka_unit_test_setup(two_processes_add_to_one_file, no_file),
        cmocka_unit_test(damage_costs_only_the_lines_it_hit),
        cmocka_unit_test(a_place_that_cannot_be_written_is_no_error),
        cmocka_unit_test(the_file_lies_where_xdg_says),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
