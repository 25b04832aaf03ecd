/* SPDX-License-Identifier: Apache-2.0 */
/* Tar archives for tests, made in memory. */
#ifndef AFN_TEST_MAKE_TAR_H
#define AFN_TEST_MAKE_TAR_H

#include "afn_test.h"

/* A header with its checksum. */
static inline void tar_header(afn_buf *b, const char *name, size_t size, char type)
{
    char h[512] = { 0 };
    unsigned sum = 0;
    snprintf(h, 101, "%s", name);
    snprintf(h + 100, 8, "%07o", 0644u);
    snprintf(h + 124, 12, "%011zo", size);
    memset(h + 148, ' ', 8);
    h[156] = type;
    memcpy(h + 257,
           "ustar\0"
           "00",
           8);
    for (int i = 0; i < 512; i++) sum += (unsigned char)h[i];
    snprintf(h + 148, 8, "%06o", sum);
    afn_buf_add(b, h, sizeof h);
}

/* A file of a type, filled up to a block. */
static inline void tar_add(afn_buf *b, const char *name, const void *bytes, size_t n,
                           char type)
{
    static const char zero[512];
    tar_header(b, name, n, type);
    if (n) afn_buf_add(b, bytes, n);
    afn_buf_add(b, zero, (512 - n % 512) % 512);
}

static inline void tar_text(afn_buf *b, const char *name, const char *text)
{
    tar_add(b, name, text, strlen(text), '0');
}

static inline void tar_end(afn_buf *b)
{
    static const char zero[1024];
    afn_buf_add(b, zero, sizeof zero);
    assert_ok(afn_buf_finish(b));
}

#endif
