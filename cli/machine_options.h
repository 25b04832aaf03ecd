/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of option tables that several commands have word for word.  Each is what stands
 * between the braces of a cli_option:
 *     { CLI_THREADS(eval_args, data.threads) },
 * with the command's struct and the field that takes the value. */
#ifndef AFN_CLI_MACHINE_OPTIONS_H
#define AFN_CLI_MACHINE_OPTIONS_H

#include "cli.h"

/* int64_t */
#define CLI_THREADS(args, field)                                                       \
    .name = "threads", .type = CLI_INT, .metavar = "N", .at = offsetof(args, field),   \
    .min = 0, .max = 1024, .initial = "0", .help = "processors to use, 0 for all"

/* int: for cli_precision() */
#define CLI_PRECISION(args, field)                                                     \
    .name = "precision", .type = CLI_CHOICE, .at = offsetof(args, field),              \
    .choice = cli_precisions, .initial = "fp32", .help = cli_precision_help

/* int: an afn_bn_mode */
#define CLI_BN(args, field)                                                            \
    .name = "bn", .type = CLI_CHOICE, .at = offsetof(args, field),                     \
    .choice = cli_bn_modes, .initial = "auto", .help = cli_bn_help

/* bool */
#define CLI_EXACT(args, field)                                                         \
    .name = "exact", .type = CLI_FLAG, .at = offsetof(args, field),                    \
    .help = "no Winograd convolutions: slower, rounds as PyTorch does"

/* int: place in cli_backends; for tests */
#define CLI_BACKEND(args, field)                                                       \
    .name = "backend", .type = CLI_CHOICE, .at = offsetof(args, field),                \
    .choice = cli_backends, .initial = "cpu", .hidden = true, .help = "what computes"

extern const char *const cli_backends[];

/* Choices of --precision, in the order of afn_precision, and its help. */
extern const char *const cli_precisions[];
extern const char cli_precision_help[];

/* Choices of --bn, in the order of afn_bn_mode, and its help. */
extern const char *const cli_bn_modes[];
extern const char cli_bn_help[];

/* What a choice becomes on this machine; prints a warning where that is another. */
afn_precision cli_precision(int choice);

#endif
