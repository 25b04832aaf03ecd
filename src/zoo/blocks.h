/* SPDX-License-Identifier: Apache-2.0 */
/* Inside src/zoo only: layers that several families are built of, with the names that
 * torchvision gives them. */
#ifndef AFN_ZOO_BLOCKS_H
#define AFN_ZOO_BLOCKS_H

#include "graph/graph.h"

/* Convolution "<name>.0", batch norm "<name>.1": torchvision's Conv2dNormActivation. */
afn_value afn_zoo__conv_bn(afn_graph *g, afn_value x, const char *name, afn_conv c,
                           afn_bn bn);

/* The same and an activation. */
afn_value afn_zoo__conv_bn_act(afn_graph *g, afn_value x, const char *name, afn_conv c,
                               afn_bn bn, afn_act act);

/* Squeeze-excitation.  Hu et al. 2017, https://arxiv.org/abs/1709.01507. */
typedef struct afn_squeeze {
    int channels; /* between its two layers */
    afn_act inner, gate;
    const afn_init *init; /* of both; NULL = the graph's current rule */
} afn_squeeze;

/* Each channel of x times a factor that the means of all channels give:
 * gate(fc2(inner(fc1(mean)))). */
afn_value afn_zoo__squeeze_excite(afn_graph *g, afn_value x, const char *name,
                                  afn_squeeze s);

/* Channels scaled by `width`, rounded to a multiple of 8 that is at most a tenth
 * smaller: the MobileNet authors' rule. */
int afn_zoo__scale_channels(int channels, double width);

#endif
