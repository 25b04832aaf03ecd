/* SPDX-License-Identifier: Apache-2.0 */
/* Private to src/data: every picture of a set looked at once, on all processors. */
#ifndef AFN_DATA_SCAN_H
#define AFN_DATA_SCAN_H

#include "data/dataset.h"
#include "data/look.h"

/* What was seen of one sample. */
typedef struct afn_seen {
    char *bad; /* why it cannot be read, without its name; owned, NULL = it can */
    afn_image_info info;   /* zeroed for bare pixels */
    int64_t width, height; /* as decoded, 0 where it is bad */
    uint64_t content;      /* size and checksum of what is stored */
    afn_look look;
} afn_seen;

typedef struct afn_scan_opts {
    int threads; /* 0 = every processor */
    bool strict; /* the first bad picture in order is an error */
    int (*on_look)(int64_t done, int64_t of, void *user);
    void *user;
    int64_t done, of; /* what on_look is told: this set's samples come on top of done */
} afn_scan_opts;

/*   seen     (count), zeroed by the caller; filled as far as it came, and given back by
 *            afn_data__seen_free() in any case
 * Errors     AFN_ENOMEM, AFN_ECANCELLED; with strict, those of reading a sample */
afn_status afn_data__scan(afn_seen *seen, const afn_dataset *d, const afn_scan_opts *o);
void afn_data__seen_free(afn_seen *seen, int64_t n);

/* Near-duplicates among what was seen, as afn_data__group_alike(). */
afn_status afn_data__seen_alike(int64_t *group, const afn_seen *seen, int64_t n);

#endif
