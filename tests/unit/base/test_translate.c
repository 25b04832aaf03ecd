/* SPDX-License-Identifier: Apache-2.0 */
/* Messages in another language, from a catalogue that the test writes. */
#define _XOPEN_SOURCE 700

#include <errno.h>
#include <gnu/libc-version.h>
#include <locale.h>
#include <sys/stat.h>

#include "afn_test.h"

/* A catalogue as msgfmt makes it: magic, revision, n, places of two tables of (length,
 * offset), no hash table; then the tables, then the texts, each ended by 0.
 * Source     https://www.gnu.org/software/gettext/manual/html_node/MO-Files.html */
static void write_catalogue(const char *path)
{
    static const char *const text[][2] = {
        /* sorted by the first of each */
        { "", "Content-Type: text/plain; charset=UTF-8\n" },
        { "%d of %s", "%2$s: %1$d" },
        { "no such file or folder", "no existe" },
        { "shape", "forma" },
    };
    enum { N = sizeof text / sizeof text[0] };
    uint32_t head[7] = { 0x950412de, 0, N, 28, 28 + 8 * N, 0, 28 + 16 * N };
    uint32_t table[2][N][2], at = 28 + 16 * N;
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    for (int k = 0; k < 2; k++) {
        for (int i = 0; i < N; i++) {
            table[k][i][0] = (uint32_t)strlen(text[i][k]);
            table[k][i][1] = at;
            at += table[k][i][0] + 1;
        }
    }
    fwrite(head, sizeof head, 1, f);
    fwrite(table, sizeof table, 1, f);
    for (int k = 0; k < 2; k++)
        for (int i = 0; i < N; i++) fwrite(text[i][k], strlen(text[i][k]) + 1, 1, f);
    assert_int_equal(fclose(f), 0);
}

static char folder[] = "/tmp/afn-locale-XXXXXX";

static int make_folder(void **state)
{
    (void)state;
    char path[128];
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/es", folder);
    assert_int_equal(mkdir(path, 0777), 0);
    strcat(path, "/LC_MESSAGES");
    assert_int_equal(mkdir(path, 0777), 0);
    strcat(path, "/afina.mo");
    write_catalogue(path);
    setenv("LANGUAGE", "es", 1);
    assert_ok(afn_locale_set(folder));
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    static const char *const below[] = { "/es/LC_MESSAGES/afina.mo", "/es/LC_MESSAGES",
                                         "/es", "" };
    char path[128];
    for (int i = 0; i < 4; i++) {
        snprintf(path, sizeof path, "%s%s", folder, below[i]);
        assert_int_equal(remove(path), 0);
    }
    return 0;
}

static void formats_are_translated_and_arguments_are_not(void **state)
{
    (void)state;
    (void)afn_fail(AFN_EINVAL, "%d of %s", 3, "shape");
    assert_string_equal(afn_error_message(), "shape: 3");
    (void)afn_fail(AFN_EINVAL, "%d of %s", 3, afn_translated("shape"));
    assert_string_equal(afn_error_message(), "forma: 3");
    (void)afn_fail_errno(ENOENT, "%s", "x");
    assert_string_equal(afn_error_message(), "x: no existe");
    (void)afn_context(AFN_EIO, "%d of %s", 1, "y");
    assert_string_equal(afn_error_message(), "y: 1: x: no existe");
}

static void other_texts_stay_as_they_are(void **state)
{
    (void)state;
    assert_string_equal(afn_translated(""), "");
    assert_string_equal(afn_translated("n is %d"), "n is %d");
}

static void without_a_locale_everything_is_english(void **state)
{
    (void)state;
    assert_non_null(setlocale(LC_ALL, "C"));
    assert_string_equal(afn_translated("shape"), "shape");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(formats_are_translated_and_arguments_are_not),
        cmocka_unit_test(other_texts_stay_as_they_are),
        cmocka_unit_test(without_a_locale_everything_is_english),
    };
    /* The one locale that is always there; from 2.39 on it has no languages. */
    if (strcmp(gnu_get_libc_version(), "2.39") >= 0 || !setlocale(LC_ALL, "C.UTF-8"))
        return 77;
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
