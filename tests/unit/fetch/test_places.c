/* SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L

#include "afn_test.h"
#include "fetch/fetch.h"

/* SHA-256 of "abc" begins so: FIPS 180-4's example. */
static const afn_weights_file abc = { .file = "abc-ba7816bf8f01cfea.pth" };

static char *below(const char *path)
{
    return afn_path_join(test_dir("places"), path);
}

static void put(const char *folder, const char *text)
{
    char *dir = below(folder), *path = afn_path_join(dir, abc.file);
    assert_ok(afn_make_dirs(dir));
    assert_ok(afn_file_write(path, text, strlen(text)));
    afn_free(path);
    afn_free(dir);
}

static void assert_found(const char *folder)
{
    char path[AFN_PATH_BYTES];
    char *dir = below(folder), *expected = afn_path_join(dir, abc.file);
    assert_ok(afn_weights_file_find(path, &abc));
    assert_string_equal(path, expected);
    afn_free(expected);
    afn_free(dir);
}

static void point(const char *variable, const char *folder)
{
    char *dir = below(folder);
    setenv(variable, dir, 1);
    afn_free(dir);
}

/* Each folder comes before those that were filled earlier. */
static void folders_are_asked_in_order(void **state)
{
    (void)state;
    char path[AFN_PATH_BYTES];
    point("HOME", "home");
    unsetenv("XDG_CACHE_HOME");
    unsetenv("TORCH_HOME");
    assert_fails(AFN_ENOTFOUND, "'afina fetch abc-ba7816bf8f01cfea.pth'",
                 afn_weights_file_find(path, &abc));
    assert_non_null(strstr(path, "home/.cache/afina/weights/abc-"));
    put("home/.cache/torch/hub/checkpoints", "abc");
    assert_found("home/.cache/torch/hub/checkpoints");
    point("XDG_CACHE_HOME", "xdg");
    put("xdg/torch/hub/checkpoints", "abc");
    assert_found("xdg/torch/hub/checkpoints");
    point("TORCH_HOME", "torch");
    put("torch/hub/checkpoints", "abc");
    assert_found("torch/hub/checkpoints");
    put("home/.cache/afina/weights", "abc");
    assert_found("home/.cache/afina/weights");
    put("xdg/afina/weights", "abc");
    assert_found("xdg/afina/weights");
    put("xdg/afina/weights", "abd"); /* damaged: the next is good */
    assert_found("home/.cache/afina/weights");
}

static void damage_is_told_with_both_hashes(void **state)
{
    (void)state;
    char path[AFN_PATH_BYTES];
    point("HOME", "alone");
    unsetenv("XDG_CACHE_HOME");
    unsetenv("TORCH_HOME");
    put("alone/.cache/afina/weights", "abd");
    assert_fails(AFN_EFORMAT,
                 "SHA-256 begins with a52d159f262b2c6d, its name says ba7816bf8f01cfea",
                 afn_weights_file_find(path, &abc));
}

static void without_a_home_there_is_no_place(void **state)
{
    (void)state;
    char path[AFN_PATH_BYTES];
    unsetenv("HOME");
    unsetenv("XDG_CACHE_HOME");
    unsetenv("TORCH_HOME");
    assert_fails(AFN_ENOTFOUND, "HOME is not set", afn_weights_file_find(path, &abc));
    assert_string_equal(path, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(folders_are_asked_in_order),
        cmocka_unit_test(damage_is_told_with_both_hashes),
        cmocka_unit_test(without_a_home_there_is_no_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
