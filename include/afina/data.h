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

/* How classes that have names are numbered. */
typedef enum afn_class_order {
    AFN_ORDER_STRING, /* default: as bytes, as torchvision's ImageFolder: "10" is
                       * before "2" */
    AFN_ORDER_NATURAL /* as people count: "2" is before "10" */
} afn_class_order;

/* Open a data set, all of it.  Every kind is explained in docs/data.md.
 *
 *   spec     DIR or "folder:DIR": one folder per class, as torchvision's ImageFolder:
 *            classes are the sub-folders sorted as strings, images of any depth below;
 *            hidden folders and files are passed over
 *            FILE.csv or "csv:FILE": lines of path, label and, optionally, part
 *            FILE.jsonl or "jsonl:FILE": the same as one JSON object a line
 *            "cifar10:DIR", "cifar100:DIR": the binary version's files
 *            "idx:DIR": MNIST's files, also compressed (.gz)
 *            FILE.tar or "tar:FILES": WebDataset's shards, FILES being a folder, a
 *            pattern with * and ?, or a range: shard-{000..012}.tar
 *            "fake:size=1000,classes=10,height=224,width=224,seed=0": noise with random
 *            labels, as torchvision's FakeData; every key is optional
 *
 * Errors     AFN_ENOTFOUND  no such folder or file
 *            AFN_EFORMAT    no class folders, a class without images (named), or the
 *                           folder above `train` and `val`; a damaged file
 *            AFN_EINVAL     unknown kind or key, AFN_EIO, AFN_ENOMEM */
AFN_API afn_status afn_dataset_open(afn_dataset **out, const char *spec);

/* The parts of a data set; those that it lacks are NULL. */
typedef struct afn_data_parts {
    afn_dataset *train, *val, *test;
    bool drawn;       /* by seed; false: the set came with them, or has none */
    int64_t bad;      /* pictures left out because they cannot be read: each is named in
                       * a warning, see afn_log_set() */
    int64_t together; /* pictures that a draw kept beside a near-duplicate */
} afn_data_parts;

typedef struct afn_data_opts {
    afn_class_order order; /* default AFN_ORDER_STRING */
    double val;            /* fraction drawn for validation, [0, 1); default 0.2 */
    double test;           /* fraction drawn for a test, [0, 1 - val); default 0 */
    uint64_t seed;         /* of the draw, default 0 */
    bool together; /* default true: look at all pictures before a draw, leave out those
                    * that cannot be read, and keep near-duplicates in one part */
    bool strict;   /* default false; true: a picture that cannot be read is an error */
    int threads;   /* for looking at pictures, 0 (default) = every processor */
    /* While pictures are looked at, NULL (default) = not told; anything but 0 stops
     * with AFN_ECANCELLED. */
    int (*on_look)(int64_t done, int64_t of, void *user);
    void *user;
} afn_data_opts;
AFN_API afn_data_opts afn_data_defaults(void);

/* Open the parts of a data set.
 *
 * Parts that a set comes with are taken as they are: a folder's `train` and `val` (or
 * `valid`, `validation`) and `test`, a manifest's third column, CIFAR's and MNIST's
 * files, shards whose names begin with these words.  Where there is a test part but no
 * validation part, it serves as that.  All count classes as train does; the others may
 * lack some.  Any other set is drawn by seed: from every class the same fraction, at
 * least one picture where it has two or more that may be parted.
 *
 *   opts     NULL means defaults; with fractions of 0 nothing is drawn
 * Memory     the parts may be freed in any order, all by afn_data_parts_free()
 * Errors     as afn_dataset_open(); also AFN_EINVAL for a fraction out of range, a
 * class that train lacks (named), or no class with two images to split; AFN_ECANCELLED
 */
AFN_API afn_status afn_data_open(afn_data_parts *out, const char *spec,
                                 const afn_data_opts *opts);
AFN_API void afn_data_parts_free(afn_data_parts *parts); /* a zeroed one is a no-op */

/* afn_data_open() with defaults but these two: the training and validation parts.
 *   val      NULL where there is none */
AFN_API afn_status afn_dataset_open_split(afn_dataset **train, afn_dataset **val,
                                          const char *spec, double fraction,
                                          uint64_t seed);
AFN_API void afn_dataset_free(afn_dataset *d);

/* One picture: a file, or bytes in memory. */
typedef struct afn_picture {
    const char *name;  /* path of the file; of bytes, what to call them in messages */
    const void *bytes; /* (size) of a picture file; NULL = they are in the file */
    size_t size;
} afn_picture;

/* Pictures without labels, for the loader: they are all of one class without a name.
 * Nothing is opened yet.
 *
 *   picture  (n)
 * Memory     names are copied; bytes are borrowed until the set is freed
 * Errors     AFN_EINVAL for a negative n, AFN_ENOMEM */
AFN_API afn_status afn_dataset_of_pictures(afn_dataset **out,
                                           const afn_picture *picture, int64_t n);

AFN_API int64_t afn_dataset_count(const afn_dataset *d);
AFN_API int afn_dataset_classes(const afn_dataset *d);
AFN_API const char *afn_dataset_class_name(const afn_dataset *d, int i);
AFN_API int afn_dataset_label(const afn_dataset *d, int64_t i);

/* What to call sample i in a message: its path, or "fake sample 7".  Written into buf,
 * cut to fit; returns buf. */
AFN_API char *afn_dataset_sample_name(const afn_dataset *d, int64_t i, char *buf,
                                      size_t bytes);

/* Sizes of pictures as they are stored: the least by area, the middle one, the most. */
typedef struct afn_picture_sizes {
    int64_t pictures; /* looked at; 0 where there are none with a size of their own */
    int64_t width[3], height[3];
} afn_picture_sizes;

/* From the headers of at most `most` samples, evenly over the data set.
 * Errors     AFN_ENOMEM; a sample that cannot be read does not count */
AFN_API afn_status afn_dataset_sizes(afn_picture_sizes *out, const afn_dataset *d,
                                     int64_t most);

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
    int64_t batch;  /* samples, default 32 */
    bool shuffle;   /* default true; false: in the data set's order */
    bool balanced;  /* default false; true: as many samples of each class, drawn with
                     * replacement, as many in all as there are; shuffle is not looked at
                     */
    uint64_t seed;  /* default 0 */
    int threads;    /* 0 (default) = every processor */
    bool drop_last; /* default false: a last, smaller batch is kept */
    bool strict;    /* default false; true: a sample that cannot be read is an error */
    int64_t keep;   /* bytes of memory for preprocessed images, which are then made only
                     * once: -1 (default) = a quarter of what is available, 0 = none */
    int ahead;      /* batches read from the disk, but not decoded, before they are
                     * wanted; default 2, 0 = none */
    afn_augment_opts augment; /* default: nothing; for training only */
} afn_loader_opts;
AFN_API afn_loader_opts afn_loader_defaults(void);

/* One batch; pointers live until the next call on the loader. */
typedef struct afn_batch {
    int64_t n;             /* samples, 0 after the last batch of an epoch */
    const uint8_t *pixels; /* (n, crop, crop, channels): RGB, or gray */
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
 *
 * A sample that cannot be read is left out, so that its batch is smaller, and named
 * once in a warning (see afn_log_set()).  Which samples make a batch depends on the
 * epoch's order alone, never on what was found before; a batch that nothing is left of
 * is passed over.
 *
 * Errors     AFN_ENOMEM; with strict, those of reading a sample: the first bad one in
 *            the epoch's order; those of the first one where no sample can be read */
AFN_API afn_status afn_loader_next(afn_loader *l, afn_batch *batch);

/* Samples found so far that cannot be read. */
AFN_API int64_t afn_loader_bad(const afn_loader *l);

/* ---- uneven classes ---- */

/* Weights that make every class count alike, as scikit-learn's "balanced": the number
 * of samples divided by that of classes and by that of the class's own; 0 for a class
 * without samples. weight   (afn_dataset_classes(d)), written */
AFN_API void afn_class_weights_balanced(float *weight, const afn_dataset *d);

/* Weights from a file of comma-separated values: class, weight; a first line that names
 * the columns is passed over.
 *   weight   (afn_dataset_classes(d)), written
 * Errors     AFN_EFORMAT or AFN_EINVAL with the line: a class that d lacks, twice or
 * not at all, a weight that is no number from 0; AFN_ENOTFOUND, AFN_EIO, AFN_ENOMEM
 */
AFN_API afn_status afn_class_weights_read(float *weight, const afn_dataset *d,
                                          const char *path);

#ifdef __cplusplus
}
#endif
#endif
