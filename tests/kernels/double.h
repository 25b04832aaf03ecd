/* SPDX-License-Identifier: Apache-2.0 */
/* Put in front of every source of check_gradients: the graph, the plan and the naive
 * backend, compiled from the same files with `float` meaning double.  Finite
 * differences then have sixteen digits to work with.  System headers come first, as
 * they are. */
#ifndef KERNELS_DOUBLE_H
#define KERNELS_DOUBLE_H

#include <inttypes.h>
#include <math.h>
#include <omp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define float double

#endif
