/* SPDX-License-Identifier: Apache-2.0 */
/* torchvision's weight files by name: which there are, whether they lie on this
 * machine, and how to download one.  Nothing is downloaded unless afn_fetch() is
 * called. */
#ifndef AFINA_FETCH_H
#define AFINA_FETCH_H

#include <stddef.h>
#include <stdint.h>

#include "afina/status.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { AFN_WEIGHTS_FILE_BYTES = 128, AFN_PATH_BYTES = 4096 };

/* One weight file. */
typedef struct afn_weights_file {
    const char *arch;   /* "resnet50"; NULL where a file was named */
    const char *recipe; /* "IMAGENET1K_V2"; NULL where a file was named */
    char file[AFN_WEIGHTS_FILE_BYTES]; /* "resnet50-11ad3fa6.pth": the digits begin the
                                        * SHA-256 of the whole file */
} afn_weights_file;

/* Which file is meant.
 *
 *   arch     architecture that a spec without one speaks of, or NULL
 *   spec     "default" (torchvision's DEFAULT: the newest recipe), "IMAGENET1K_V1",
 *            "V1", "IMAGENET1K_V2", "V2"; an architecture, "resnet50", or with a
 *            recipe, "resnet50/V1"; or the name of any file that ends its stem in a
 *            dash and 8 to 64 hexadecimal digits of its SHA-256
 *
 * Errors     AFN_ENOTFOUND  no such architecture or recipe; the message names what is
 *                           near, or what there is
 *            AFN_EINVAL     the spec needs an architecture and there is none */
AFN_API afn_status afn_weights_file_named(afn_weights_file *out, const char *arch,
                                          const char *spec);

/* Whether spec is one of the words and names above, known or not, rather than the path
 * of a file: it has neither a dot nor a slash other than "/V1", "/V2". */
AFN_API int afn_weights_file_is_name(const char *spec);

/* Where a file lies on this machine: in afina's cache ($XDG_CACHE_HOME/afina/weights or
 * ~/.cache/afina/weights) or in PyTorch's ($TORCH_HOME, $XDG_CACHE_HOME/torch or
 * ~/.cache/torch, below it hub/checkpoints).  Its SHA-256 is checked against the name.
 *
 *   path     written, also on AFN_ENOTFOUND: where it should be put
 *
 * Errors     AFN_ENOTFOUND  it is in none of them; the message says how to get it
 *            AFN_EFORMAT    it is there with another hash: damaged, or not that file
 *            AFN_EIO, AFN_ENOMEM */
AFN_API afn_status afn_weights_file_find(char path[AFN_PATH_BYTES],
                                         const afn_weights_file *p);

typedef struct afn_fetch_progress {
    const char *url;
    int64_t done, total; /* bytes; total is -1 until the server has said */
    int64_t resumed;     /* bytes that were there from an earlier attempt */
    int attempt;         /* from 1 */
    const char *trouble; /* why the last attempt ended and this waits; NULL = none */
    double wait_s;       /* until the next attempt, where there is trouble */
} afn_fetch_progress;

/* Called several times a second; not 0 stops, and what has come stays for next time. */
typedef int (*afn_fetch_fn)(const afn_fetch_progress *at, void *user);

typedef struct afn_fetch_opts {
    const char *url; /* folder of the files; NULL (default): $AFINA_WEIGHTS_URL, or
                      * PyTorch's own server */
    int attempts;    /* default 5; waits of 1, 2, 4 ... seconds lie between them */
    int timeout_s;   /* default 30: without a byte for so long, an attempt has failed */
    afn_fetch_fn on_progress; /* default NULL */
    void *user;
} afn_fetch_opts;
AFN_API afn_fetch_opts afn_fetch_defaults(void);

/* Download a file into afina's cache unless afn_weights_file_find() finds it.  What an
 * earlier attempt has left is gone on with; the file gets its name only after its
 * SHA-256 has been checked.  Proxies are taken from the environment (http_proxy,
 * https_proxy, all_proxy, no_proxy).
 *
 *   path     written: where the file lies, or should be put
 *   opts     NULL means defaults
 *
 * Errors     AFN_ECANCELLED    on_progress asked to stop
 *            AFN_ENOTFOUND     the server has no such file
 *            AFN_EFORMAT       what came has another hash
 *            AFN_EIO           network, server or disk; the message says which, and
 *                              where the file may be put by other means
 *            AFN_EUNSUPPORTED  built without libcurl, or libcurl is not installed */
AFN_API afn_status afn_fetch(char path[AFN_PATH_BYTES], const afn_weights_file *p,
                             const afn_fetch_opts *opts);

#ifdef __cplusplus
}
#endif
#endif
