/* SPDX-License-Identifier: Apache-2.0 */
/* Augmentation: training pictures changed at random, as torchvision changes them. */
#ifndef AFINA_AUGMENT_H
#define AFINA_AUGMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "afina/image.h"
#include "afina/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What is done to the pictures of a training; all zero means nothing. */
typedef struct afn_augment_opts {
    const char *spec; /* for each picture: see afn_augment_new(); NULL = none */
    double mixup;     /* > 0: blend each picture of a batch with the one before it, and
                       * the labels alike; the share is drawn from Beta(mixup, mixup)
                       * for each batch; 0 = off, up to 1000 */
    double cutmix;    /* > 0: the same with a rectangle of the one before it pasted in.
                       * With both on, each batch gets one of the two */
    int views;        /* K > 0: K views of each picture in turn, epoch after epoch, so
                       * that features of frozen layers can be kept; 0 = another view
                       * in every epoch; up to 1000 */
} afn_augment_opts;

/* Steps that change a picture at random. */
typedef struct afn_augment afn_augment;

/* Read a specification.
 *
 *   spec     NULL, or presets and steps in the order of their application, separated by
 *            commas; values of a step follow it and may be left out from the right:
 *            "light,vflip", "crop=0.5,hflip,color=0.2:0.2:0.2:0.05"
 *
 *            none, light, medium, strong  presets
 *            crop=0.08:1:0.75:1.3333      RandomResizedCrop: area, aspect ratio; for
 *                                         resize and crop, first wherever it stands
 *            hflip=0.5, vflip=0.5         flips: probability
 *            rotate=15:nearest            RandomRotation: degrees, filter
 *            color=0.2:0.2:0.2:0          ColorJitter: brightness, contrast, saturation
 *                                         (both as brightness where left out), hue
 *            grayscale=0.1                RandomGrayscale: probability
 *            blur=5:0.1:2:1               GaussianBlur: taps, deviation from and to,
 *                                         probability
 *            trivial                      TrivialAugmentWide
 *            rand=2:9                     RandAugment: operations, magnitude
 *            erase=0.5:0.02:0.33:0.3:3.3  RandomErasing: probability, area, aspect
 *                                         ratio; erased is the mean colour
 *
 * Errors     AFN_EINVAL, naming the step and what it takes; AFN_ENOMEM */
AFN_API afn_status afn_augment_new(afn_augment **out, const char *spec);
AFN_API void afn_augment_free(afn_augment *a);

/* The steps with presets written out: "crop=0.5,hflip"; empty where there are none. */
AFN_API const char *afn_augment_text(const afn_augment *a);

/* AFN_EINVAL where an option is out of range, or the specification wrong. */
AFN_API afn_status afn_augment_check(const afn_augment_opts *o);

/* What the random numbers of a picture depend on. */
typedef struct afn_augment_draw {
    uint64_t seed;
    int64_t epoch;  /* or view; 0 to 2^24 - 1 */
    int64_t sample; /* place in the data set, 0 to 2^32 - 1 */
} afn_augment_draw;

/* From a picture to a network's input, as afn_preprocess_apply(), with the steps.
 *   out      (crop, crop, 3), filled
 * Threads    any number at once
 * Errors     those of afn_preprocess_apply() */
AFN_API afn_status afn_augment_apply(const afn_augment *a, const afn_preprocess *p,
                                     const afn_image *in, const afn_augment_draw *at,
                                     uint8_t *out);

#ifdef __cplusplus
}
#endif
#endif
