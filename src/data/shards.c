/* SPDX-License-Identifier: Apache-2.0 */
#include "data/shards.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_SHARDS = 100000, MAX_DIGITS = 9 };

static void add(afn_buf *paths, const char *path)
{
    afn_buf_add(paths, path, strlen(path) + 1);
}

/* Files of a folder that match a pattern. */
static afn_status add_matching(afn_buf *paths, const char *dir, const char *shown,
                               const char *pattern)
{
    afn_status st = AFN_OK;
    afn_dir list = { 0 };
    AFN_TRY(afn_context(afn_dir_read(&list, *dir ? dir : "."), "%s", dir));
    const size_t before = paths->size;
    for (size_t i = 0; i < list.count; i++) {
        const afn_dir_entry *e = &list.entry[i];
        if (!e->is_file || e->name[0] == '.' || !afn_glob(pattern, e->name)) continue;
        char *path = *dir ? afn_path_join(dir, e->name) : afn_strdup(e->name);
        AFN_REQUIRE(path, AFN_ENOMEM, "out of memory");
        add(paths, path);
        afn_free(path);
    }
    AFN_REQUIRE(paths->size > before || paths->failed, AFN_ENOTFOUND,
                "%s: no files like that", shown);
done:
    afn_dir_free(&list);
    return st;
}

static afn_status add_pattern(afn_buf *paths, const char *spec)
{
    const char *slash = strrchr(spec, '/');
    char *dir = afn_format("%.*s", slash ? (int)(slash - spec) + 1 : 0, spec);
    if (!dir) return afn_fail(AFN_ENOMEM, "out of memory");
    const afn_status st = add_matching(paths, dir, spec, slash ? slash + 1 : spec);
    afn_free(dir);
    return st;
}

/* A whole number without a sign that ends before `end`; false where it is none. */
static bool read_number(int64_t *out, const char *at, const char *end)
{
    if (at == end || end - at > MAX_DIGITS) return false;
    for (const char *p = at; p < end; p++)
        if (!isdigit((unsigned char)*p)) return false;
    *out = strtoll(at, NULL, 10);
    return true;
}

/* BEFORE{FROM..TO}AFTER; AFTER may have another range. */
static afn_status add_range(afn_buf *paths, const char *spec, const char *open)
{
    afn_status st = AFN_OK;
    char *one = NULL;
    int64_t from, to;
    const char *close = strchr(open, '}'), *dots = strstr(open, "..");
    AFN_REQUIRE(close && dots && dots < close && read_number(&from, open + 1, dots) &&
                    read_number(&to, dots + 2, close) && from <= to &&
                    to - from < MAX_SHARDS,
                AFN_EINVAL, "%s: need a range such as {000..012}", spec);
    for (int64_t k = from; k <= to; k++) {
        afn_free(one);
        one = afn_format("%.*s%0*lld%s", (int)(open - spec), spec,
                         (int)(dots - open - 1), (long long)k, close + 1);
        AFN_REQUIRE(one, AFN_ENOMEM, "out of memory");
        const char *again = strchr(one, '{');
        if (again) {
            AFN_TRY(add_range(paths, one, again));
        } else {
            add(paths, one);
        }
        AFN_REQUIRE(paths->size < (size_t)MAX_SHARDS * 256, AFN_EINVAL,
                    "%s: too many files", spec);
    }
done:
    afn_free(one);
    return st;
}

afn_status afn_shards_find(afn_buf *paths, const char *spec, const char *suffix)
{
    afn_status st = AFN_OK;
    char *pattern = NULL;
    const char *open = strchr(spec, '{');
    AFN_REQUIRE(*spec, AFN_EINVAL, "the name of the file is empty");
    if (afn_is_dir(spec)) {
        pattern = afn_format("*%s", suffix);
        AFN_REQUIRE(pattern, AFN_ENOMEM, "out of memory");
        AFN_TRY(add_matching(paths, spec, spec, pattern));
    } else if (afn_is_file(spec)) {
        add(paths, spec);
    } else if (open) {
        AFN_TRY(add_range(paths, spec, open));
    } else if (strpbrk(spec, "*?")) {
        AFN_TRY(add_pattern(paths, spec));
    } else {
        add(paths, spec); /* opening it will say what is wrong */
    }
    AFN_TRY(afn_buf_finish(paths));
done:
    afn_free(pattern);
    return st;
}
