/* SPDX-License-Identifier: Apache-2.0 */
/* The one door to src/weights.  Everything here is public: see afina/weights.h.  Hides
 * where weights came from. */
#ifndef AFN_WEIGHTS_H
#define AFN_WEIGHTS_H

#include "afina/weights.h"
#include "tensor/tensor.h"

#endif
