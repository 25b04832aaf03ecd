/* SPDX-License-Identifier: Apache-2.0 */
/* Kinds of augmentation steps: one family per file, src/image/augment_<name>.c, each
 * kind a word in augment.c.  Drawing numbers and using them are two functions, so that
 * a test can hold either to torchvision's.
 *
 * A step changes a picture of the size that the network takes; one that cuts it out of
 * the whole comes first.  The pixels' arithmetic is in pixels.h. */
#ifndef AFN_IMAGE_AUGMENT_H
#define AFN_IMAGE_AUGMENT_H

#include "afina/augment.h"
#include "image/pixels.h"

enum { AFN_MAX_STEPS = 16, AFN_MAX_STEP_PARAMS = 5, AFN_MAX_DRAWN = 20 };

/* A value that a step takes. */
typedef struct afn_step_param {
    const char *name; /* NULL ends the list */
    double low, high;
    double initial;          /* where it is left out */
    bool as_first;           /* where it is left out: the first value instead */
    bool ascends;            /* not below the one before */
    bool whole, odd;         /* numbers only */
    const char *const *word; /* instead of a number: its place in this list */
} afn_step_param;

/* The numbers of one step for one picture. */
typedef struct afn_drawn {
    bool on; /* false: the step does nothing this time */
    int n;
    double v[AFN_MAX_DRAWN]; /* [n], what they mean is the kind's affair */
} afn_drawn;

/* A picture on its way through the steps. */
typedef struct afn_canvas {
    afn_image image;
    uint8_t *spare;  /* as many pixels again */
    uint8_t fill[3]; /* the mean colour: 0 after normalising */
    bool alpha;      /* not colours but alpha, three times: steps on colour leave it */
} afn_canvas;

/* Make the spare pixels, which a step has filled, the picture. */
void afn_canvas_swap(afn_canvas *c);

typedef struct afn_step_kind {
    const char *name;
    afn_step_param param[AFN_MAX_STEP_PARAMS];

    /* Draw the numbers for a picture of this size; on and n are preset to true and 0.
     *   size     only its sides are set: of the whole picture for a step that cuts */
    void (*draw)(afn_drawn *d, const double *param, afn_rng *rng,
                 const afn_image *size);

    /* One of the two: change the picture; or cut it out.
     *   out      (crop, crop, channels of in), filled */
    afn_status (*change)(afn_canvas *c, const double *param, const afn_drawn *d);
    afn_status (*cut)(uint8_t *out, const afn_preprocess *p, const afn_image *in,
                      const afn_drawn *d);
    bool of_colour; /* changes nothing but colours: alpha stays */
} afn_step_kind;

/* Add a number to those drawn. */
void afn_drawn_add(afn_drawn *d, double v);

/* From low to high, evenly. */
double afn_draw_between(afn_rng *rng, double low, double high);

typedef struct afn_augment_step {
    const afn_step_kind *kind;
    double param[AFN_MAX_STEP_PARAMS];
} afn_augment_step;

struct afn_augment {
    afn_augment_step step[AFN_MAX_STEPS]; /* one that cuts is the first */
    int n_steps;
    afn_buf text;
};

/* ---- augment.c ---- */

/* Kind i, NULL beyond the last one. */
const afn_step_kind *afn_augment__kind(int i);

/* Draw for every step.
 *   source   of the size of the whole picture, changed of that of the network's input
 *   drawn    [n_steps], filled */
void afn_augment__draw(const afn_augment *a, afn_rng *rng, const afn_image *source,
                       const afn_image *changed, afn_drawn *drawn);

/* The steps that change, with these numbers, on a picture of any size.
 *   drawn    [n_steps]
 *   c        its two buffers may be swapped */
afn_status afn_augment__change(const afn_augment *a, const afn_drawn *drawn,
                               afn_canvas *c);

/* afn_augment_apply() with numbers drawn before.
 *   drawn    [n_steps] */
afn_status afn_augment__apply(const afn_augment *a, const afn_preprocess *p,
                              const afn_image *in, const afn_drawn *drawn,
                              uint8_t *out);

/* ---- augment_spec.c ---- */

/* Add the steps of a specification to a. */
afn_status afn_augment__parse(afn_augment *a, const char *spec);

#endif
