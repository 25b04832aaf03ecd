/* SPDX-License-Identifier: Apache-2.0 */
/* What a file of src/zoo/ includes and fills in: one table per architecture family.
 *
 * A family has one build function; what sets its variants apart is a struct of its own,
 * which each row of the table points to. */
#ifndef AFN_ZOO_FAMILY_H
#define AFN_ZOO_FAMILY_H

#include "graph/graph.h"

typedef struct afn_variant {
    const char *name;   /* torchvision's: "resnet50" */
    const void *config; /* passed to build(); the family's own type */
    int min_size;       /* where it differs from the family's; 0 = it does not */
} afn_variant;

enum { AFN_MAX_VARIANTS = 16 };

/* An auxiliary classifier: the scope of its layers, and the layer that is replaced when
 * the class count differs. */
typedef struct afn_aux_head {
    const char *scope, *head;
} afn_aux_head;

typedef struct afn_family {
    const char *name;
    const char *head; /* layer replaced when the class count differs: "fc" */
    int min_size;     /* smallest height and width that the network takes */
    const char
        *version; /* of its state dict, where torchvision's loader asks; or NULL */

    afn_aux_head aux[AFN_MAX_AUX]; /* those there are first */
    int aux_min_size;              /* smallest image that these take, 0 = as min_size */
    bool signed_pixels; /* its published weights take pixels from -1 to 1: torchvision's
                         * transform_input makes them from what ImageNet's mean and
                         * deviation have normalised */

    /* Build the network on input x, (3,H,W) -> (classes); errors stay in g. */
    afn_value (*build)(afn_graph *g, afn_value x, int classes, const void *config);

    afn_variant variant[AFN_MAX_VARIANTS]; /* ends with a NULL name */
} afn_family;

#endif
