/* SPDX-License-Identifier: Apache-2.0 */
/* Private to src/data: classes that are found while samples are read, by name. */
#ifndef AFN_DATA_LABELS_H
#define AFN_DATA_LABELS_H

#include "data/dataset.h"

/* Start with { 0 }. */
typedef struct afn_labels {
    afn_buf text; /* names, each ended by 0 */
    afn_buf at;   /* size_t for each: where in text it is */
    int *slot;    /* [n_slots] of a hash table: place of a name, -1 = free */
    size_t n_slots;
} afn_labels;

/* Number of a name in the order of finding, a new one where it was not met before.
 * Errors     AFN_EINVAL for an empty name, AFN_ENOMEM */
afn_status afn_labels_id(afn_labels *l, const char *name, int *id);
int afn_labels_count(const afn_labels *l);
void afn_labels_free(afn_labels *l);

/* Give d the names as classes, sorted, and renumber its labels accordingly.  Where all
 * are whole numbers, they are sorted by value in either order. */
afn_status afn_labels_apply(const afn_labels *l, afn_dataset *d, afn_class_order order);

#endif
