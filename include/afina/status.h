/* SPDX-License-Identifier: Apache-2.0 */
/* Status codes, error text, version and the log sink: what every other header uses.
 *
 * Every function that can fail returns afn_status: AFN_OK or a negative code.  The
 * text of the last failure is kept per thread; nothing is ever printed. */
#ifndef AFINA_STATUS_H
#define AFINA_STATUS_H

#if defined(__GNUC__)
#define AFN_API __attribute__((visibility("default")))
#else
#define AFN_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

typedef enum afn_status {
    AFN_OK = 0,
    AFN_ENOMEM = -1,       /* memory ran out */
    AFN_EIO = -2,          /* the operating system refused a file operation */
    AFN_EFORMAT = -3,      /* a file is not what it claims to be, or is damaged */
    AFN_EUNSUPPORTED = -4, /* well formed, but outside what afina does */
    AFN_EINVAL = -5,       /* an argument is out of range */
    AFN_ESHAPE = -6,       /* shapes do not fit together */
    AFN_ENOTFOUND = -7,    /* no such file, name, class or layer */
    AFN_EBACKEND = -8,     /* the compute library failed */
    AFN_ECANCELLED = -9,   /* the caller's callback asked to stop */
} afn_status;

/* Text of this thread's last failure: one line, lower case, no full stop.
 * Memory     owned by the library, valid until this thread's next failing call */
AFN_API const char *afn_error_message(void);

/* Messages are in the language of the program's locale, where a translation is
 * installed: call setlocale(LC_CTYPE, "") and setlocale(LC_MESSAGES, "") at the start
 * to have them so.  The library never calls setlocale(); LC_NUMERIC is best left alone,
 * for its files are full of numbers.
 *
 *   folder   of the catalogues, FOLDER/es/LC_MESSAGES/afina.mo; NULL (the state at
 *            start) = where the library was installed
 * Threads    call it before other threads use the library
 * Errors     AFN_ENOMEM */
AFN_API afn_status afn_locale_set(const char *folder);

/* Short name of a code: "ok", "format", ...  Never NULL. */
AFN_API const char *afn_status_name(afn_status st);

/* Version of the library that is running: "0.1.0". */
AFN_API const char *afn_version(void);

typedef enum afn_log_level {
    AFN_LOG_WARNING, /* something was skipped or looks wrong, work goes on */
    AFN_LOG_INFO,    /* what is being done */
    AFN_LOG_DEBUG    /* how: passes, chosen kernels, memory plan */
} afn_log_level;

/* Receives log lines, without a newline.  May be called from any thread. */
typedef void (*afn_log_fn)(afn_log_level level, const char *line, void *user);

/* Send log lines to fn; NULL (the state at start) drops them.
 * Threads    call it before other threads use the library */
AFN_API void afn_log_set(afn_log_fn fn, void *user);

#ifdef __cplusplus
}
#endif
#endif
