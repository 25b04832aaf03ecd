/* SPDX-License-Identifier: Apache-2.0 */
/* The one door to src/train.  What others need is public: see afina/train.h and
 * afina/bench.h.  Hides the order of the loop and the files of a run. */
#ifndef AFN_TRAIN_H
#define AFN_TRAIN_H

#include "afina/train.h"
#include "data/data.h"
#include "model/model.h"

#endif
