/* SPDX-License-Identifier: Apache-2.0 */
/* Inside src/model only: what a model is made of. */
#ifndef AFN_MODEL_STATE_H
#define AFN_MODEL_STATE_H

#include "image/image.h"
#include "model/model.h"
#include "weights/weights.h"
#include "zoo/zoo.h"

/* A graph with its values: replaced as a whole when the head or the crop changes. */
typedef struct model_net {
    afn_graph *graph;
    afn_params *params;
    bool *trainable; /* [params], false for a buffer */
} model_net;

struct afn_model {
    afn_arch arch;
    int classes;
    afn_preprocess preprocess;
    char **class_name;           /* [classes], NULL where there are no names */
    afn_calibration calibration; /* images 0 where there is none */
    model_net net;
    bool no_aux;         /* the network has no auxiliary classifiers */
    uint64_t generation; /* of net and preprocess: a predictor of an older one is stale
                          */
};

/* What a model file says beside its tensors; zeroed where it says nothing. */
typedef struct model_meta {
    char *arch;
    char **class_name; /* [n_classes] */
    int n_classes;
    bool has_preprocess;
    afn_preprocess preprocess;
    afn_calibration calibration; /* images 0 where there is none */
} model_meta;

enum { MAX_CLASSES = 1 << 20 };

/* What a network is built for. */
typedef struct model_form {
    int classes, crop;
    bool no_aux;
    int channels;
} model_form;

/* ---- model.c ---- */

/* A model whose parameters have no values yet: net.graph only. */
afn_status afn_model__new(afn_model **out, const afn_arch *arch, const model_form *f,
                          const afn_preprocess *p);

/* Give net.graph its values, all zero, and make every parameter trainable. */
afn_status afn_model__allocate(model_net *net);

/* The form of a model as it is. */
model_form afn_model__form(const afn_model *m);

/* The network rebuilt in this form, with the old values and flags of everything that
 * still has its shape, but for heads (afn_model__in_head()) where fresh_heads, and for
 * the first convolution where it has other channels (input.c). */
afn_status afn_model__rebuild(model_net *out, const afn_model *m, const model_form *f,
                              bool fresh_heads);

/* Is this parameter part of the last layer of the classifier, or of an auxiliary one?
 */
bool afn_model__in_head(const afn_arch *arch, const char *param);
void afn_model__net_free(model_net *net);

/* `code` unless every field is in range and the crop is large enough for arch. */
afn_status afn_model__check_preprocess(const afn_preprocess *p, const afn_arch *arch,
                                       afn_status code);

/* Is this parameter part of the layer, that is, named "<layer>.<something>"? */
bool afn_model__below(const char *name, const char *layer);

/* ---- input.c ---- */

/* The parameter, a weight (oc, channels, kh, kw), that meets the input; -1 for none. */
int afn_model__input_param(const afn_graph *g);

/* Values for other input channels, as afn_model_set_channels() says.
 *   to       (oc, to_channels, pixels), written
 *   from     (oc, from_channels, pixels) */
typedef struct model_input {
    int64_t oc, to_channels, from_channels, pixels;
} model_input;

/* Mean and deviation likewise, and the count of channels. */
void afn_model__adapt_preprocess(afn_preprocess *p, int channels);
void afn_model__adapt_input(float *to, const float *from, const model_input *shape);

/* ---- calibration.c ---- */

/* `code` unless every field is in range. */
afn_status afn_model__check_calibration(const afn_calibration *c, afn_status code);

/* ---- names.c ---- */

/* Copies of n names; *out is NULL on failure or where n is 0. */
afn_status afn_model__names_copy(char ***out, const char *const *name, int n);
void afn_model__names_free(char **name, int n);

/* ---- match.c ---- */

/* Has the file a tensor of an auxiliary classifier? */
bool afn_model__has_aux(const afn_weights *w, const afn_arch *arch);

/* Channels that the file's first convolution takes, by its shape; 3 where that is odd.
 *   g        the network, whatever its channels */
int afn_model__file_channels(const afn_weights *w, const afn_graph *g);

/* Classes of the file's head by the shape of its weight, 0 where it has none. */
int afn_model__head_classes(const afn_weights *w, const afn_arch *arch);

/* Does the file hold exactly the state dict of this graph?  Auxiliary classifiers that
 * the graph is without, it may have.
 * Errors     AFN_ESHAPE, counting and naming what differs */
afn_status afn_model__match(const afn_weights *w, const afn_graph *g,
                            const afn_arch *arch);

/* ---- timm.c ---- */

/* The tensors of a file that timm wrote, under torchvision's names; NULL where it is
 * none.  Values stay w's.
 * Errors     AFN_EINVAL where two would have one name */
afn_status afn_model__from_timm(afn_weights **out, const afn_weights *w,
                                const afn_arch *arch);

/* Errors     AFN_EUNSUPPORTED where it is a network that only looks like arch
 *   renamed  afn_model__from_timm() found it to be timm's */
afn_status afn_model__check_timm(const afn_arch *arch, bool renamed, const char *path);

/* ---- meta.c ---- */

/* Read and check what a model file says of itself; free with ..._meta_free().
 * Errors     AFN_EFORMAT naming the key */
afn_status afn_model__meta_read(model_meta *out, const afn_weights *w);
void afn_model__meta_free(model_meta *meta);
afn_status afn_model__meta_write(afn_weights *w, const afn_model *m);

#endif
