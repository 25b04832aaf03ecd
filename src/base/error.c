/* SPDX-License-Identifier: Apache-2.0 */
/* Error text: one buffer per thread, so that failing never needs memory. */
#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "afina_version.h"
#include "base/translate.h"

enum { TEXT_BYTES = 1024 };
static _Thread_local char text[TEXT_BYTES];

/* Error text is one printable line whatever a file name or a pickle contained. */
static void make_printable(char *s)
{
    for (; *s; s++)
        if ((unsigned char)*s < 0x20 || *s == 0x7f) *s = '?';
}

afn_status afn_fail(afn_status code, const char *fmt, ...)
{
    char line[TEXT_BYTES]; /* an argument may be the old text */
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(line, sizeof line, afn_translated(fmt), ap);
    va_end(ap);
    make_printable(line);
    memcpy(text, line, sizeof text);
    return code;
}

afn_status afn_context(afn_status st, const char *fmt, ...)
{
    if (st == AFN_OK) return st;
    char where[TEXT_BYTES];
    char line[2 * TEXT_BYTES + 2];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(where, sizeof where, afn_translated(fmt), ap);
    va_end(ap);
    snprintf(line, sizeof line, "%s: %s", where, text);
    return afn_fail(st, "%s", line);
}

static afn_status code_of_errno(int errnum)
{
    switch (errnum) {
    case ENOMEM:
        return AFN_ENOMEM;
    case ENOENT:
    case ENOTDIR:
        return AFN_ENOTFOUND;
    default:
        return AFN_EIO;
    }
}

static const char *text_of_errno(int errnum, char *buf, size_t bytes)
{
    switch (errnum) { /* lower case, as all messages are */
    case ENOENT:
        return afn_translated("no such file or folder");
    case EACCES:
        return afn_translated("permission denied");
    case EROFS:
        return afn_translated("read-only file system");
    case ENOSPC:
        return afn_translated("no space left on device");
    case EFBIG:
        return afn_translated("file too large");
    case EISDIR:
        return afn_translated("is a folder, not a file");
    case ENOTDIR:
        return afn_translated("not a folder");
    case EEXIST:
        return afn_translated("already exists");
    default:
        snprintf(buf, bytes, afn_translated("system error %d (%s)"), errnum,
                 strerror(errnum));
    }
    return buf;
}

afn_status afn_fail_errno(int errnum, const char *fmt, ...)
{
    char what[TEXT_BYTES - 128];
    char buf[120];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(what, sizeof what, afn_translated(fmt), ap);
    va_end(ap);
    return afn_fail(code_of_errno(errnum), "%s: %s", what,
                    text_of_errno(errnum, buf, sizeof buf));
}

const char *afn_error_message(void)
{
    return text;
}

const char *afn_status_name(afn_status st)
{
    static const char *const name[] = { "ok",       "memory",      "io",
                                        "format",   "unsupported", "invalid argument",
                                        "shape",    "not found",   "backend",
                                        "cancelled" };
    const int i = -(int)st;
    return i >= 0 && i < (int)(sizeof name / sizeof name[0]) ? name[i] : "unknown";
}

const char *afn_version(void)
{
    return AFN_VERSION;
}
