/* SPDX-License-Identifier: Apache-2.0 */
/* What a kind of data set has to provide.  One kind per file, ds_<kind>.c, and one word
 * in dataset.c; the loader, the splitter and the command know a kind by this table
 * alone.  Index and labels are in memory, pictures are read when asked for. */
#ifndef AFN_DATA_DATASET_H
#define AFN_DATA_DATASET_H

#include <stdatomic.h>

#include "afina/data.h"
#include "base/base.h"

/* A sample as it is stored: the bytes of a picture file, or bare pixels. */
typedef struct afn_stored {
    const uint8_t *data;
    size_t size;
    int64_t width, height; /* of bare pixels; 0 = data is a picture file's bytes */
    int channels;          /* of bare pixels: 1 = gray, 3 = RGB */
    bool planar;           /* (channels, h, w); false: (h, w, channels) */

    afn_map file;   /* what data lies in, where that is to be given back: a file, */
    uint8_t *owned; /* or memory */
} afn_stored;

typedef struct afn_dataset_ops {
    const char *kind; /* "folder" in "folder:DIR" */

    /* Optional: endings of names that are of this kind without saying so, NULL after
     * the last. */
    const char *const *suffix;

    /* Read the index, not the pictures.  rest is the text after "kind:". */
    afn_status (*open)(afn_dataset **out, const char *rest, afn_class_order order);

    /* Optional, for a set whose parts are sets themselves: the parts it comes with, all
     * NULL with AFN_OK where it has none.  Labels may differ, split.c maps them by
     * name. */
    afn_status (*open_parts)(afn_data_parts *out, const char *rest,
                             afn_class_order order);

    /* Sample i as it is stored, 0 <= i < count; *out is zeroed.  Many threads call it
     * at once, so nothing in d may change.  The caller puts the sample's name in front
     * of the message, and calls afn_data__unload() also after a failure. */
    afn_status (*load)(const afn_dataset *d, int64_t i, afn_stored *out);

    /* Optional: have the system read sample i from its disk, without waiting for it. */
    void (*read_ahead)(const afn_dataset *d, int64_t i);

    /* Name of sample i for messages, cut to fit `bytes`, which is at least 1. */
    void (*sample_name)(const afn_dataset *d, int64_t i, char *buf, size_t bytes);

    /* Optional: free what the kind added to struct afn_dataset. */
    void (*close)(afn_dataset *d);
} afn_dataset_ops;

/* Which part of its set a sample belongs to. */
typedef enum afn_part { AFN_PART_TRAIN, AFN_PART_VAL, AFN_PART_TEST } afn_part;

/* First member of every kind's own struct.  Filled by open(), constant after it, and
 * freed by afn_dataset_free() with the kind's struct itself. */
struct afn_dataset {
    const afn_dataset_ops *ops;
    int64_t count;     /* samples */
    int n_classes;     /* labels are 0 .. n_classes-1 */
    char **class_name; /* [n_classes], one block with its texts */
    int *label;        /* [count] */
    uint8_t *part;     /* [count] afn_part; NULL = the set does not come in parts */
    bool made_up;      /* samples are drawn, not stored: none is bad or a copy */
    atomic_int refs;   /* owners; the last afn_dataset_free() frees */
};

/* New zeroed struct of a kind, with one owner; bytes is the size of the whole.  NULL
 * where memory ran out.  Free with afn_dataset_free() from any state. */
afn_dataset *afn_data__new(const afn_dataset_ops *ops, size_t bytes);

/* One more owner. */
afn_dataset *afn_data__share(afn_dataset *d);

/* Copy the names of classes into d, in place of those it had.
 * Errors     AFN_ENOMEM, d unchanged */
afn_status afn_data__set_classes(afn_dataset *d, const char *const *name, int n);

/* Give back what load() took; a zeroed one is a no-op. */
void afn_data__unload(afn_stored *s);

/* Sample i as it is stored, with its name in front of the message. */
afn_status afn_data__load(const afn_dataset *d, int64_t i, afn_stored *out);

/* Its picture.
 *   opts     NULL means defaults
 * Memory     may move s->owned into the picture
 * Errors     as afn_image_decode(); AFN_EFORMAT for bare pixels of an odd size */
afn_status afn_data__decode(afn_image *out, afn_stored *s, const afn_decode_opts *opts);

#endif
