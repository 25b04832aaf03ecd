/* SPDX-License-Identifier: Apache-2.0 */
/* A model laid open: its layers, what of it trains, where the feature cache begins, and
 * the memory that training takes. */
#ifndef AFINA_DESCRIBE_H
#define AFINA_DESCRIBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "afina/model.h"
#include "afina/status.h"
#include "afina/tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

/* One layer.  Names, and the array of inputs, are the model's until its head or
 * preprocessing changes. */
typedef struct afn_layer {
    const char *name;     /* torchvision's, "layer1.0.conv1"; "" where it gives none */
    const char *kind;     /* "conv2d" */
    char detail[64];      /* "3x3/2 pad 1"; "" where there is nothing to say */
    afn_shape shape;      /* of what it makes of one image: (C,H,W) or (C) */
    const int32_t *input; /* [n_inputs] indices of layers */
    int n_inputs;
    int64_t parameters; /* values of its own; running statistics are not counted */
    int64_t trainable;  /* that many of them train */
    double macs;        /* multiply-accumulates for one image */
    bool remembered;    /* what it makes, or is needed for, the feature cache keeps */
} afn_layer;

typedef struct afn_description {
    int n;
    afn_layer *layer; /* [n], in the order in which they run */
    int64_t parameters, trainable;
    double macs; /* for one image, auxiliary classifiers left out */

    const char *before;   /* first layer that runs in every epoch; NULL where nothing is
                           * fixed, so that nothing is remembered */
    size_t feature_bytes; /* that are remembered of an image */
    double remembered_macs; /* that this saves for each image and epoch */

    int64_t train_bytes; /* of a training run's network: values, copies of them in the
                          * order that kernels want, momentum, activations and
                          * gradients; 0 where nothing trains */
} afn_description;

/* How it would be trained. */
typedef struct afn_describe_opts {
    int64_t batch;           /* default 32 */
    afn_bn_mode bn;          /* default AFN_BN_AUTO */
    const char *backend;     /* "cpu" (default) or "ref" */
    afn_precision precision; /* default AFN_PRECISION_FP32 */
} afn_describe_opts;
AFN_API afn_describe_opts afn_describe_defaults(void);

/* Describe a model as it is frozen now.  Compiles it for training, runs nothing.
 *
 *   out      zeroed on failure; free with afn_description_free()
 *   opts     NULL means defaults
 *
 * Errors     AFN_EINVAL out of range; AFN_EUNSUPPORTED for a precision that the backend
 *            has not; AFN_ENOMEM, AFN_EBACKEND */
AFN_API afn_status afn_describe(afn_description *out, const afn_model *m,
                                const afn_describe_opts *opts);
AFN_API void afn_description_free(afn_description *d); /* a zeroed one is a no-op */

#ifdef __cplusplus
}
#endif
#endif
