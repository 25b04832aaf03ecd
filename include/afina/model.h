/* SPDX-License-Identifier: Apache-2.0 */
/* A network with its weights, class names and preprocessing. */
#ifndef AFINA_MODEL_H
#define AFINA_MODEL_H

#include <stddef.h>
#include <stdint.h>

#include "afina/image.h"
#include "afina/status.h"
#include "afina/weights.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Which statistics a batch-norm layer uses while training. */
typedef enum afn_bn_mode {
    AFN_BN_AUTO,  /* frozen layers: running ones, unchanged; trained layers: the batch's,
                   * and the running ones follow (Keras's rule) */
    AFN_BN_BATCH, /* all layers as PyTorch's model.train(), frozen or not */
    AFN_BN_FROZEN /* running ones everywhere, even where weights train */
} afn_bn_mode;

#ifdef __cplusplus
}
#endif
#endif
