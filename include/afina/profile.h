/* SPDX-License-Identifier: Apache-2.0 */
/* Where the time of a step goes: one row for each operation of the compiled network and
 * each pass over it. */
#ifndef AFINA_PROFILE_H
#define AFINA_PROFILE_H

#include <stdint.h>

#include "afina/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum afn_pass {
    AFN_PASS_FORWARD,
    AFN_PASS_RECOMPUTE, /* a cheap value made again for the backward pass */
    AFN_PASS_BACKWARD,
    AFN_PASS_UPDATE, /* the optimiser */
    AFN_N_PASSES
} afn_pass;

/* "forward", "recompute", "backward", "update" */
AFN_API const char *afn_pass_name(afn_pass pass);

typedef struct afn_profile_row {
    const char *name; /* of the layer, "layer1.0.conv1"; of the operation where the
                       * layer has none; "" in a sum over a kind */
    const char *kind; /* of the operation: "conv2d", "batch_norm", ...; an operation
                       * that others were fused into counts as a whole */
    afn_pass pass;
    double seconds; /* in all calls */
    int64_t calls;
    double flops; /* operations of the products in all calls, 2 for each
                   * multiply-accumulate; 0 for what is no product */
} afn_profile_row;

typedef struct afn_profile {
    afn_profile_row *row; /* [n], owned; names belong to the model and live until its
                           * head or preprocessing changes */
    int n;
} afn_profile;

AFN_API void afn_profile_free(afn_profile *p); /* a zeroed one is a no-op */

AFN_API afn_status afn_profile_copy(afn_profile *out, const afn_profile *p);

/* Seconds of all rows. */
AFN_API double afn_profile_seconds(const afn_profile *p);

/* Rows of one kind and pass added up, the longest first. */
AFN_API afn_status afn_profile_by_kind(afn_profile *out, const afn_profile *p);

/* The longest first. */
AFN_API void afn_profile_sort(afn_profile *p);

#ifdef __cplusplus
}
#endif
#endif
