/* SPDX-License-Identifier: Apache-2.0 */
/* 'afina train --preset NAME': sets of options named after what they are for.  What is
 * typed, and what a configuration file says, counts more.  docs/presets.md has what
 * each came to where it was measured. */
#ifndef AFN_CLI_PRESETS_H
#define AFN_CLI_PRESETS_H

#include "train_args.h"

extern const char *const cli_presets[]; /* names, "none" first; NULL behind the last */

/* Set the options of o's preset that are not given yet, and mark them as given. */
void cli_preset_take(train_args *o, const cli_command *c, cli_args *given);

/* What there are, for the end of a help text. */
#define CLI_PRESET_NOTES                                                               \
    "presets, sets of options that what is typed changes:\n"                           \
    "  tutorial   the head, then everything at a tenth of the rate, by plain SGD\n"    \
    "  quick      an answer at once: the best head on the network as it is\n"          \
    "  few        some ten pictures of each class: the head, from views of each\n"     \
    "  uneven     classes of very different size: the head, each counting alike\n"     \
    "  thorough   the head, then everything on changing pictures; takes longest\n"     \
    "  small      little memory: batches of 8, four of them make a step\n\n"

#endif
