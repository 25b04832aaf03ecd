/* SPDX-License-Identifier: Apache-2.0 */
/* Labelled images: data sets, splits, and the loader that turns them into batches. */
#ifndef AFINA_DATA_H
#define AFINA_DATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "afina/augment.h"
#include "afina/image.h"
#include "afina/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A source of labelled images; reading is thread-safe. */
typedef struct afn_dataset afn_dataset;

/* Open a data set.
 *
 *   spec     DIR or "folder:DIR": one folder per class, as torchvision's ImageFolder:
 *            classes are the sub-folders sorted as strings, images of any depth below;
 *            hidden folders and files are passed over
 *            "fake:size=1000,classes=10,height=224,width=224,seed=0": noise with random
 *            labels, as torchvision's FakeData; every key is optional
 *
 * Errors     AFN_ENOTFOUND  no such folder
 *            AFN_EFORMAT    no class folders, a class without images (named), or the
 *                           folder above `train` and `val`
 *            AFN_EINVAL     unknown kind or key, AFN_EIO, AFN_ENOMEM */
AFN_API afn_status afn_dataset_open(afn_dataset **out, const char *spec);

/* Open training and validation parts.
 *
 * A folder with `train` and `val` (or `valid`, `validation`, `test`) sub-folders gives
 * those; both count classes as train does, of which val may lack some.  Any other set
 * is split: from every class the same fraction, at least one image where it has two or
 * more, drawn by seed.
 *
 *   fraction  of images that go to validation, [0, 1); 0 with no val folder gives
 *             *val = NULL
 * Memory     the parts may be freed in either order
 * Errors     also AFN_EINVAL for a fraction out of range, a class that only val has
 *            (named), or no class with two images to split */
AFN_API afn_status afn_dataset_open_split(afn_dataset **train, afn_dataset **val,
                                          const char *spec, double fraction,
                                          uint64_t seed);
AFN_API void afn_dataset_free(afn_dataset *d);

AFN_API int64_t afn_dataset_count(const afn_dataset *d);
AFN_API int afn_dataset_classes(const afn_dataset *d);
AFN_API const char *afn_dataset_class_name(const afn_dataset *d, int i);
AFN_API int afn_dataset_label(const afn_dataset *d, int64_t i);

/* What to call sample i in a message: its path, or "fake sample 7".  Written into buf,
 * cut to fit; returns buf. */
AFN_API char *afn_dataset_sample_name(const afn_dataset *d, int64_t i, char *buf,
                                      size_t bytes);

/* Decode sample i.
 *   opts     NULL means defaults
 * Errors     as afn_image_read(), the message begins with the sample's name */
AFN_API afn_status afn_dataset_read(const afn_dataset *d, int64_t i,
                                    const afn_decode_opts *opts, afn_image *out);

/* ---- loader ---- */

/* Batches of an epoch, each decoded and preprocessed when it is asked for, on all
 * processors: between two steps, never beside them.  The order and the contents,
 * with all that augmentation draws, depend on (seed, epoch) alone, never on the number
 * of threads. */
typedef struct afn_loader afn_loader;

typedef struct afn_loader_opts {
    int64_t batch;            /* samples, default 32 */
    bool shuffle;             /* default true; false: in the data set's order */
    uint64_t seed;            /* default 0 */
    int threads;              /* 0 (default) = every processor */
    bool drop_last;           /* default false: a last, smaller batch is kept */
    afn_augment_opts augment; /* default: nothing; for training only */
} afn_loader_opts;
AFN_API afn_loader_opts afn_loader_defaults(void);

/* One batch; pointers live until the next call on the loader. */
typedef struct afn_batch {
    int64_t n;             /* samples, 0 after the last batch of an epoch */
    const uint8_t *pixels; /* (n, crop, crop, 3) RGB */
    const int *labels;     /* (n) */
    const int64_t *index;  /* (n) places in the data set */
    const int *other;      /* (n) labels of what is mixed in, NULL = nothing is */
    double share; /* with other: of each picture itself, [0, 1]; the rest is other's */
} afn_batch;

/*   opts     NULL means defaults
 * Memory     borrows the data set until afn_loader_free() */
AFN_API afn_status afn_loader_new(afn_loader **out, const afn_dataset *d,
                                  const afn_preprocess *p, const afn_loader_opts *opts);
AFN_API void afn_loader_free(afn_loader *l);

/* Augment in another way; an epoch is to be started then.
 *   o        the specification is copied
 * Errors     AFN_EINVAL as afn_augment_check(), AFN_ENOMEM: the loader is as before */
AFN_API afn_status afn_loader_set_augment(afn_loader *l, const afn_augment_opts *o);

/* Batches in an epoch. */
AFN_API int64_t afn_loader_batches(const afn_loader *l);

/* Begin an epoch (0, 1, ...), dropping whatever was left of the one before. */
AFN_API afn_status afn_loader_start(afn_loader *l, int64_t epoch);

/* The next batch; batch->n is 0 when the epoch is over.
 * Errors     those of reading a sample: the first bad one in the epoch's order */
AFN_API afn_status afn_loader_next(afn_loader *l, afn_batch *batch);

#ifdef __cplusplus
}
#endif
#endif
