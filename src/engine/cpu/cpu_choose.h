/* SPDX-License-Identifier: Apache-2.0 */
/* Which algorithm computes a pass. */
#ifndef AFN_CPU_CHOOSE_H
#define AFN_CPU_CHOOSE_H

#include "engine/cpu/cpu_pass.h"

/* The algorithm for this pass of the step: what the plan asked for, or else the fastest
 * by measurement, once for a shape.  It may still turn out not to apply; direct always
 * does.
 *   blob     how the weights will come, NULL = as the pass likes */
const cpu_algo *cpu_choose(const afn_prepare *p, dnn_pass kind, const dnn_product *d,
                           const dnn_md *blob);

#endif
