/* SPDX-License-Identifier: Apache-2.0 */
/* The one door to src/fetch: torchvision's weight files by name.  Hides where they
 * lie, how their hashes are checked and how they come over the network.
 *
 * weights_spec.c  which file is meant
 * places.c        the folders where it may lie
 * digest.c        SHA-256, by libcrypto
 * fetch.c         attempts, resuming, the file's way into the cache
 * transfer_*      one attempt, by libcurl; the only code that knows it */
#ifndef AFN_FETCH_H
#define AFN_FETCH_H

#include "afina/fetch.h"
#include "base/base.h"

enum { AFN_SHA256_DIGITS = 64 };

/* SHA-256 of a file as hexadecimal digits. */
afn_status afn_fetch__digest(char out[AFN_SHA256_DIGITS + 1], const char *path);

/* Is the hash in a file's name the file's?
 * Errors     AFN_EFORMAT where it is not, naming both */
afn_status afn_fetch__check(const char *path, const char *file);

/* The digits in "resnet50-11ad3fa6.pth": where they begin, and how many; 0 where the
 * name is not of that form, or not a plain name of this one folder. */
size_t afn_fetch__name_digits(const char *file, const char **digits);

/* Folder of our own, made or not; AFN_ENOTFOUND where neither XDG_CACHE_HOME nor HOME
 * says where. */
afn_status afn_fetch__folder(char path[AFN_PATH_BYTES]);

/* One attempt to get the rest of a file. */
typedef struct afn_transfer {
    const char *url;
    afn_growing *part; /* what came is appended here, or replaces it */
    char etag[128];    /* of the version that the part is of, "" = unknown; updated */
    int timeout_s;
    int64_t resumed; /* bytes of the part that were kept */
    int64_t total;   /* of the whole file, -1 = unknown */
    char type[64];   /* what the server says it is, "text/html" */
    bool again;      /* the attempt failed and another may succeed */
    int (*on_bytes)(struct afn_transfer *t, void *user); /* not 0 stops */
    void *user;
} afn_transfer;

/* Errors     AFN_EIO, AFN_ENOTFOUND, AFN_EUNSUPPORTED, AFN_ECANCELLED; what came stays
 *            in the part */
afn_status afn_fetch__transfer(afn_transfer *t);

/* "bytes 100-199/200": first byte and size of the whole (-1 for '*'); false for
 * anything else. */
bool afn_fetch__content_range(const char *text, int64_t *first, int64_t *total);

#endif
