/* SPDX-License-Identifier: Apache-2.0 */
/* gzip on zlib: a compressed file's bytes in memory. */
#ifndef AFN_IO_GZIP_H
#define AFN_IO_GZIP_H

#include "base/base.h"

/* Do these bytes begin like a gzip file? */
bool afn_is_gzip(const void *bytes, size_t n);

/* Decompress all of it.
 *   out      to be freed with afn_free()
 *   limit    bytes that come out at most
 * Errors     AFN_EFORMAT damaged, cut off or over the limit; AFN_ENOMEM */
afn_status afn_gunzip(uint8_t **out, size_t *size, const void *bytes, size_t n,
                      size_t limit);

#endif
