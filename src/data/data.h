/* SPDX-License-Identifier: Apache-2.0 */
/* The one door to src/data.  What other folders use is public: see afina/data.h; the
 * rest here is shared by the files of this folder.  Hides storage, threads and order.
 */
#ifndef AFN_DATA_H
#define AFN_DATA_H

#include "afina/data.h"
#include "base/base.h"
#include "image/image.h"

/* Epochs are numbered below this: what a stream of random numbers can tell apart. */
#define AFN_MAX_EPOCHS ((int64_t)1 << 24)

/* Find the kind that a spec names, without opening anything.
 *   rest     what the kind is to open, inside spec
 * Errors     AFN_EINVAL, naming the nearest kind */
struct afn_dataset_ops;
afn_status afn_data__kind(const struct afn_dataset_ops **kind, const char **rest,
                          const char *spec);

/* Samples index[0 .. n-1] of whole as a data set with the same classes.
 * Memory     copies index; owns a share of whole, which the caller keeps his own of
 * Errors     AFN_ENOMEM */
afn_status afn_data__subset(afn_dataset **out, afn_dataset *whole, const int64_t *index,
                            int64_t n);

/* The part that a word names: "train", "training"; "val", "valid", "validation", "dev";
 * "test"; case is ignored.  Returns false for any other. */
bool afn_data__part_word(uint8_t *part, const char *word);

/* The samples of an epoch in the order of a loader with these options, for who has no
 * need of their pictures.
 *   order    (count), filled
 * Errors     AFN_ENOMEM */
afn_status afn_epoch_order(int64_t *order, const afn_dataset *d,
                           const afn_loader_opts *o, int64_t epoch);

/* Was sample i found to be unreadable? */
bool afn_loader__is_bad(const afn_loader *l, int64_t i);

/* It was, by a run that this one goes on with: not to be tried or named again. */
void afn_loader__set_bad(afn_loader *l, int64_t i);

/* Batches of the epoch that are done with, those that nothing was left of included. */
int64_t afn_loader__given(const afn_loader *l);

/* Pass over the first n batches of an epoch just started, without reading them. */
void afn_loader__skip(afn_loader *l, int64_t n);

/* The order of a shuffled epoch: a permutation of 0 .. n-1 that depends on (seed,
 * epoch) alone. order    (n), filled */
void afn_data__epoch_order(int64_t *order, int64_t n, uint64_t seed, int64_t epoch);

/* The order of a balanced epoch: n samples with replacement, classes that have any
 * being equally likely; depends on (labels, seed, epoch) alone. order    (count),
 * filled Errors     AFN_ENOMEM */
afn_status afn_data__balanced_order(int64_t *order, const afn_dataset *d, uint64_t seed,
                                    int64_t epoch);

#endif
