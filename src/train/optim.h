/* SPDX-License-Identifier: Apache-2.0 */
/* Optimisers: one file each, src/train/optim_<name>.c, listed in optim.c. */
#ifndef AFN_TRAIN_OPTIM_H
#define AFN_TRAIN_OPTIM_H

#include "engine/engine.h"

/* Find by name.
 * Errors     AFN_ENOTFOUND, naming those there are */
afn_status afn_optimizer_find(const afn_optimizer **out, const char *name);

extern const afn_optimizer afn_optim_sgd;

#endif
