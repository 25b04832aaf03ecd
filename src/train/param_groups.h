/* SPDX-License-Identifier: Apache-2.0 */
/* Private to src/train: parameter groups, which differ in learning rate and decay.
 *
 * A layer of layer-wise decay is what a parameter's name says up to the number of its
 * block, as timm groups them:
 *
 *   resnet, resnext      layer1.0, layer1.1, ...: each residual block
 *   regnet               trunk_output.block1.block1-0, ...
 *   densenet             features.denseblock1.denselayer1, ...
 *   shufflenet, mnasnet  stage2.0, ...; layers.8.0, ...
 *   mobilenet, squeezenet, efficientnet, convnext
 *                        features.3, or features.3.0 where stages hold blocks
 *   vgg, alexnet         features.0, features.3, ..., classifier.0, ...: each layer
 *   googlenet, inception inception3a, Mixed_5b, ...
 *
 * in the order of the state dict.  A normalisation that is no part of a block belongs
 * to the layer before it, so a stem is one layer.  The head is the last layer;
 * auxiliary classifiers count as the head. */
#ifndef AFN_TRAIN_PARAM_GROUPS_H
#define AFN_TRAIN_PARAM_GROUPS_H

#include "train/train.h"

typedef struct afn_param_group {
    double lr; /* part of the learning rate */
    bool decays;
} afn_param_group;

typedef struct afn_param_groups {
    afn_param_group *group; /* [n] */
    int n;
    int *of; /* [params] index into group */
} afn_param_groups;

/* Errors     AFN_ENOMEM */
afn_status afn_param_groups_new(afn_param_groups *g, const afn_model *m,
                                const afn_optim_opts *o);
void afn_param_groups_free(afn_param_groups *g); /* a zeroed one is a no-op */

/* The layer of each parameter, from 0 at the input; returns how many there are.
 *   layer    [params], filled
 *   norm     [params], filled: does it belong to a normalisation? */
int afn_param_layers(int *layer, bool *norm, const afn_model *m);

#endif
