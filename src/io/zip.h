/* SPDX-License-Identifier: Apache-2.0 */
/* Zip archives: reading on libzip, writing stored entries only.
 *
 * A stored entry is read where it lies, without a copy; others are inflated, within a
 * budget that a zip bomb exceeds. */
#ifndef AFN_IO_ZIP_H
#define AFN_IO_ZIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"

typedef struct afn_zip afn_zip;

/* Index an archive in memory; bytes must outlive it.
 * Errors     AFN_EFORMAT cut off or damaged, AFN_ENOMEM */
afn_status afn_zip_open(afn_zip **out, const void *bytes, size_t size);
void afn_zip_free(afn_zip *z);

size_t afn_zip_count(const afn_zip *z);
const char *afn_zip_name(const afn_zip *z, size_t i); /* borrowed */

/* Index of an entry, -1 where there is none of this name. */
int64_t afn_zip_find(const afn_zip *z, const char *name);

/* Values of one entry.
 *   data     into the archive for a stored entry, else into *owned
 *   owned    memory to be freed with afn_free(), NULL for a stored entry
 *
 * The checksum of a stored entry is not compared: that would read the whole file at
 * opening.  (PyTorch does not compare it either.)
 *
 * Errors     AFN_EFORMAT damaged, or it expands beyond what the archive's size
 *            justifies; AFN_EUNSUPPORTED encrypted or an unknown method; AFN_ENOMEM */
afn_status afn_zip_read(afn_zip *z, size_t i, const uint8_t **data, size_t *size,
                        void **owned);

/* An archive being written. */
typedef struct afn_zip_out afn_zip_out;

/* Begin at the present end of file, which the caller commits or discards. */
afn_status afn_zip_out_new(afn_zip_out **out, afn_out *file);

/* Add a stored entry whose bytes begin at a multiple of align (a power of two up to
 * 4096, 1 = anywhere) from the start of the file. */
afn_status afn_zip_out_add(afn_zip_out *z, const char *name, size_t align,
                           const void *bytes, size_t size);
afn_status afn_zip_out_finish(afn_zip_out *z); /* writes the directory */
void afn_zip_out_free(afn_zip_out *z);

#endif
