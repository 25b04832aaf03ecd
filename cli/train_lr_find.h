/* SPDX-License-Identifier: Apache-2.0 */
/* 'afina train --lr-find': which learning rates the phases of the run can take. */
#ifndef AFN_CLI_TRAIN_LR_FIND_H
#define AFN_CLI_TRAIN_LR_FIND_H

#include "training.h"

/* Test the rates of each phase and print what came out, in lines or with --json as one
 * object.  Returns an exit code. */
int cli_train_lr_find(training *s, const afn_fit_opts *opts);

#endif
