/* SPDX-License-Identifier: Apache-2.0 */
/* The one error idiom: a code and a thread-local line of text, set together. */
#ifndef AFN_BASE_ERROR_H
#define AFN_BASE_ERROR_H

#include "afina/status.h"

#define AFN_PRINTF(string, first) __attribute__((format(printf, string, first)))

/* Set this thread's error text and return code, so that the two cannot part. */
afn_status afn_fail(afn_status code, const char *fmt, ...) AFN_PRINTF(2, 3);

/* Put "where: " in front of the error text; AFN_OK passes through untouched. */
afn_status afn_context(afn_status st, const char *fmt, ...) AFN_PRINTF(2, 3);

/* afn_fail() for a failed system call: maps errno to a code, appends its text. */
afn_status afn_fail_errno(int errnum, const char *fmt, ...) AFN_PRINTF(2, 3);

/* Control flow of the idiom: both need a local `afn_status st` and a label `done`. */
#define AFN_TRY(call)                                                                  \
    do {                                                                               \
        st = (call);                                                                   \
        if (st != AFN_OK) goto done;                                                   \
    } while (0)
#define AFN_REQUIRE(cond, ...)                                                         \
    do {                                                                               \
        if (!(cond)) {                                                                 \
            st = afn_fail(__VA_ARGS__);                                                \
            goto done;                                                                 \
        }                                                                              \
    } while (0)

#endif
