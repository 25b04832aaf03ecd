/* SPDX-License-Identifier: Apache-2.0 */
/* Weights as people name them: a file, or a name of torchvision's. */
#ifndef AFN_CLI_WEIGHTS_ARG_H
#define AFN_CLI_WEIGHTS_ARG_H

#include <stdbool.h>

#include <afina/afina.h>

#define CLI_WEIGHTS_HELP                                                               \
    "a file, .pth or .safetensors; or default, V1 or V2: torchvision's for --model; "  \
    "or resnet50, resnet50/V1: those of that model (see 'afina fetch')"

/* The file that weights mean.
 *
 *   path     written
 *   model    what --model says, or NULL; where it is NULL and a name says the model,
 *            that one is written
 *   weights  what --weights says */
afn_status cli_weights_path(char path[AFN_PATH_BYTES], const char **model,
                            const char *weights);

/* afn_model_open() with weights that may be a name. */
afn_status cli_model_open(afn_model **out, const char *model, const char *weights);

/* Download with a progress line on a terminal; path is written.  Returns CLI_OK, or an
 * exit code after a message. */
int cli_weights_download(char path[AFN_PATH_BYTES], const afn_weights_file *p,
                         int tries, int timeout_s, bool quiet);

#endif
