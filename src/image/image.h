/* SPDX-License-Identifier: Apache-2.0 */
/* The one door to src/image.  Everything here is public: see afina/image.h.  Hides the
 * codec libraries and the arithmetic of sampling. */
#ifndef AFN_IMAGE_H
#define AFN_IMAGE_H

#include "afina/image.h"
#include "tensor/tensor.h"

#endif
