/* SPDX-License-Identifier: Apache-2.0 */
/* Inside src/io only: the central directory of a zip archive. */
#ifndef AFN_IO_ZIP_DIR_H
#define AFN_IO_ZIP_DIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"

typedef struct zip_dir_entry {
    const char *name; /* borrowed, not 0-terminated */
    size_t name_size;
    size_t size, packed; /* bytes after and before inflating */
    size_t header;       /* of the local header, from the start of the archive */
    unsigned method;
    bool encrypted;
} zip_dir_entry;

typedef struct zip_dir {
    zip_dir_entry *entry;
    size_t count;
    size_t start; /* where the directory begins: entries end before it */
} zip_dir;

afn_status afn_io__zip_dir_read(zip_dir *out, const uint8_t *bytes, size_t size);
void afn_io__zip_dir_free(zip_dir *d);

/* Where a stored entry's bytes begin: behind its local header, which must bear the same
 * name, and they end before the directory. */
afn_status afn_io__zip_dir_locate(const uint8_t **data, const zip_dir_entry *e,
                                  const uint8_t *bytes, const zip_dir *d);

#endif
