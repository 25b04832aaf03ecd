/* SPDX-License-Identifier: Apache-2.0 */
/* The options of train that say which images it sees, and how they are prepared. */
#ifndef AFN_CLI_TRAIN_DATA_ARGS_H
#define AFN_CLI_TRAIN_DATA_ARGS_H

#include "cli.h"

/* Places in the choices of --sampler. */
enum { CLI_SAMPLER_SHUFFLE, CLI_SAMPLER_BALANCED };

typedef struct train_image_args {
    int64_t image_size; /* 0 = the model's */
    int64_t channels;   /* likewise */
    int64_t resize;     /* -1 = not given */
    int fit;            /* an afn_fit_mode, -1 = the model's */
    bool no_normalize, no_exif, fast_decode;
} train_image_args;

/* Their rows: of the `data` and the `image` in a train_args, and of what is beside
 * them. */
extern const cli_option cli_train_data_options[], cli_train_image_options[];

/* Check the latter, with a usage message: CLI_GO_ON or an exit code. */
int cli_train_image_check(const cli_command *c, const train_image_args *a);

/* Change how a model prepares images. */
afn_status cli_train_image_set(afn_model *m, const train_image_args *a);

#endif
