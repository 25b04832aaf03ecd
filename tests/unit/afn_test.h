/* SPDX-License-Identifier: Apache-2.0 */
/* What every unit test includes: cmocka, and the few helpers that all share. */
#ifndef AFN_TEST_H
#define AFN_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/base.h"

/* The call succeeds; on failure the test shows the library's message. */
#define assert_ok(call)                                                                \
    do {                                                                               \
        const afn_status st_ = (call);                                                 \
        if (st_ != AFN_OK)                                                             \
            fail_msg("%s: %s (%s)", #call, afn_error_message(), afn_status_name(st_)); \
    } while (0)

/* The call fails with this code, and the message contains this text. */
#define assert_fails(code, text, call)                                                 \
    do {                                                                               \
        const afn_status st_ = (call);                                                 \
        if (st_ != (code))                                                             \
            fail_msg("%s: got %s, expected %s", #call, afn_status_name(st_),           \
                     afn_status_name(code));                                           \
        if (!strstr(afn_error_message(), text))                                        \
            fail_msg("%s: message is \"%s\", expected \"%s\"", #call,                  \
                     afn_error_message(), text);                                       \
    } while (0)

/* Path below the data beside the project, or NULL where this checkout has none: then
 * call skip().  The text lives until the next call. */
static inline const char *shared_data(const char *name)
{
    static char path[1024];
    const char *root = getenv("AFN_SHARED_DATA");
    if (!root) return NULL;
    snprintf(path, sizeof path, "%s/%s", root, name);
    return afn_is_dir(path) || afn_is_file(path) ? path : NULL;
}

/* A new empty folder for this test's files, removed by nobody: it lies in the build. */
static inline const char *test_dir(const char *name)
{
    static char path[1024];
    const char *root = getenv("AFN_BUILD_DIR");
    snprintf(path, sizeof path, "%s/test-files/%s.%ld", root ? root : "/tmp", name,
             (long)getpid());
    if (afn_make_dirs(path) != AFN_OK) fail_msg("%s", afn_error_message());
    return path;
}

#endif
