/* SPDX-License-Identifier: Apache-2.0 */
/* The options that change training images and labels. */
#ifndef AFN_CLI_AUGMENT_ARGS_H
#define AFN_CLI_AUGMENT_ARGS_H

#include "cli.h"

typedef struct augment_args {
    const char *spec;
    const char *head_spec; /* of the first phase, NULL = spec */
    double mixup, cutmix, smoothing;
    int64_t views;
} augment_args;

/* Their rows: of the `augment` in a train_args. */
extern const cli_option cli_augment_options[];

/* Check them, with a usage message: CLI_GO_ON or an exit code. */
int cli_augment_check(const cli_command *c, const augment_args *a);

/* Give them to a phase.
 *   spec     a's or another */
void cli_augment_set(afn_phase *phase, const augment_args *a, const char *spec);

/* Print what a phase does to its images, a line where it does anything. */
void cli_augment_put(const afn_phase *phase);

/* The steps there are, for the end of a help text. */
#define CLI_AUGMENT_NOTES                                                              \
    "steps of --augment, with their defaults:\n"                                       \
    "  crop=0.08:1:0.75:1.333   part of the image: area, aspect ratio\n"               \
    "  hflip=0.5, vflip=0.5     flips: probability\n"                                  \
    "  rotate=15:nearest        degrees, nearest or bilinear\n"                        \
    "  color=0.2:0.2:0.2:0      brightness, contrast, saturation, hue\n"               \
    "  grayscale=0.1            probability\n"                                         \
    "  blur=5:0.1:2:1           taps, deviation from, to, probability\n"               \
    "  trivial                  TrivialAugmentWide\n"                                  \
    "  rand=2:9                 RandAugment: operations, magnitude\n"                  \
    "  erase=0.5:0.02:0.33      probability, area\n\n"

#endif
