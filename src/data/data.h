/* SPDX-License-Identifier: Apache-2.0 */
/* The one door to src/data.  Everything outside needs is public: see afina/data.h.
 * Hides storage, threads and order. */
#ifndef AFN_DATA_H
#define AFN_DATA_H

#include "afina/data.h"
#include "image/image.h"

#endif
