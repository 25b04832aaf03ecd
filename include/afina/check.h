/* SPDX-License-Identifier: Apache-2.0 */
/* A look at a data set before training: what cannot be read, what is there twice, what
 * is odd, and labels that the pictures themselves speak against. */
#ifndef AFINA_CHECK_H
#define AFINA_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "afina/data.h"
#include "afina/model.h"
#include "afina/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What can be found of a sample; the first AFN_N_PROBLEMS are worth doing something
 * about, the others are good to know. */
typedef enum afn_finding {
    AFN_FOUND_BAD,     /* it cannot be read */
    AFN_FOUND_TINY,    /* a picture file with a side below `tiny` pixels */
    AFN_FOUND_SAME,    /* another sample has the same bytes */
    AFN_FOUND_ALIKE,   /* another sample is a near-duplicate, but not the same bytes */
    AFN_FOUND_ACROSS,  /* one that is the same or alike belongs to another part */
    AFN_FOUND_LABELS,  /* one that is the same or alike has another label */
    AFN_FOUND_SUSPECT, /* its neighbours have another label: see afn_check_labels() */
    AFN_N_PROBLEMS,
    AFN_FOUND_ROTATED = AFN_N_PROBLEMS, /* EXIF says to turn or mirror it */
    AFN_FOUND_GRAY,
    AFN_FOUND_ALPHA,
    AFN_FOUND_DEEP, /* over 8 bits for each value */
    AFN_FOUND_CMYK,
    AFN_N_FINDINGS
} afn_finding;

/* Short name: "bad", "tiny", ... */
AFN_API const char *afn_finding_name(afn_finding f);

/* One sample. */
typedef struct afn_checked {
    int part;              /* 0 = train, 1 = val, 2 = test */
    int64_t index;         /* place in its part */
    int label;             /* class, as the parts number them */
    unsigned found;        /* bits 1 << afn_finding */
    int64_t width, height; /* pixels, 0 where it is bad */
    char *why;             /* it is bad, else NULL; owned */
    int64_t same, alike;   /* place, in `sample`, of the first one with the same bytes,
                            * of the first near-duplicate; its own for most */
    int looks_like; /* where it is suspect the class of its neighbours, else -1 */
    float agree;    /* share of its neighbours with its own label; 1 if unknown */
} afn_checked;

typedef struct afn_check {
    int64_t count;
    afn_checked *sample;           /* [count] train, then val, then test; owned */
    int64_t found[AFN_N_FINDINGS]; /* samples of each */
} afn_check;

typedef struct afn_check_opts {
    int tiny;    /* pixels, default 32 */
    int threads; /* 0 (default) = every processor */
    /* As in afn_data_opts. */
    int (*on_look)(int64_t done, int64_t of, void *user);
    void *user;
} afn_check_opts;
AFN_API afn_check_opts afn_check_defaults(void);

/* Read and decode every sample.
 *   opts     NULL means defaults
 * Errors     AFN_ENOMEM, AFN_ECANCELLED; a sample that cannot be read is none */
AFN_API afn_status afn_check_data(afn_check *out, const afn_data_parts *parts,
                                  const afn_check_opts *opts);
AFN_API void afn_check_free(afn_check *c); /* a zeroed one is a no-op */

/* Find labels that are probably wrong: with what the network sees before its last
 * layer, most of a sample's ten nearest neighbours agree on another class and hardly
 * any has its own.  Near-duplicates do not vouch for each other, and classes of fewer
 * than six samples are not judged.
 *
 *   c        of the same parts; its samples get looks_like and agree
 *   m        any network with pretrained weights, whatever its classes
 *   opts     batch and what computes; NULL means defaults with a batch of 32 */
AFN_API afn_status afn_check_labels(afn_check *c, const afn_data_parts *parts,
                                    const afn_model *m, const afn_predict_opts *opts);

#ifdef __cplusplus
}
#endif
#endif
