/* SPDX-License-Identifier: Apache-2.0 */
/* The one door to src/zoo: architectures by torchvision's names. */
#ifndef AFN_ZOO_H
#define AFN_ZOO_H

#include "afina/pretrained.h"
#include "graph/graph.h"
#include "zoo/family.h"

/* An architecture: a family and one of its variants. */
typedef struct afn_arch {
    const afn_family *family;
    const afn_variant *variant;
} afn_arch;

/* Number of architectures, and each in the registry's order. */
int afn_zoo_count(void);
afn_arch afn_zoo_get(int i);

/* Find by name.
 * Errors     AFN_ENOTFOUND, naming the nearest known name where one is near */
afn_status afn_zoo_find(afn_arch *out, const char *name);

/* Smallest height and width that the network takes. */
int afn_zoo_min_size(const afn_arch *arch);

/* The first weights that torchvision published of it: where no file says more, their
 * preprocessing is the network's.  Every architecture has an entry in the table. */
const afn_pretrained *afn_zoo_published(const afn_arch *arch);

/* Bytes that training it takes: see memory_table.c. */
double afn_zoo_train_bytes(const afn_arch *arch);

/* Build the graph of an architecture for square or oblong inputs.
 *   classes  width of the output, 1000 for torchvision's weights
 * Errors     AFN_EINVAL for classes < 1, AFN_ESHAPE for an image that is too small */
afn_status afn_zoo_build(afn_graph **out, const afn_arch *arch, int classes, int height,
                         int width);

/* The same for another input, or with what is left out: a 0 means 3 channels. */
typedef struct afn_zoo_form {
    int classes, channels, height, width;
    bool no_aux;
} afn_zoo_form;
afn_status afn_zoo_build_form(afn_graph **out, const afn_arch *arch,
                              const afn_zoo_form *form);

/* The same without the family's auxiliary classifiers, where it has some.  In
 * afn_zoo_build() a network is without them only where the image is too small. */
afn_status afn_zoo_build_plain(afn_graph **out, const afn_arch *arch, int classes,
                               int height, int width);

/* ---- model files of timm ---- */

/* What torchvision calls a parameter of timm's. */
typedef struct afn_timm_name {
    char name[256];
    int rank; /* dimensions that it has there; 0 = the same */
} afn_timm_name;

/* False where no rule says so. */
bool afn_zoo_timm_name(afn_timm_name *out, const afn_arch *arch, const char *timm);

/* A parameter that only timm's files of the family have; NULL where names are the same.
 */
const char *afn_zoo_timm_sign(const afn_arch *arch);

/* Why a file is another network than arch though its names could be mapped; NULL where
 * it may be the same.
 *   renamed  the file has the sign */
const char *afn_zoo_timm_refusal(const afn_arch *arch, const char *path, bool renamed);

/* The auxiliary classifier that this parameter is part of, NULL for none. */
const afn_aux_head *afn_zoo_aux_of(const afn_arch *arch, const char *param);

#endif
