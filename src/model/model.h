/* SPDX-License-Identifier: Apache-2.0 */
/* The one door to src/model: what src/train needs of a model beyond the public calls.
 */
#ifndef AFN_MODEL_H
#define AFN_MODEL_H

#include "afina/model.h"
#include "engine/engine.h"
#include "graph/graph.h"
#include "weights/weights.h"

/* Graph for the present head and image size; owned by the model. */
const afn_graph *afn_model__graph(const afn_model *m);

/* Values of its parameters; owned by the model. */
afn_params *afn_model__params(const afn_model *m);

/* requires_grad of every parameter, [afn_graph_n_params()]. */
const bool *afn_model__trainable(const afn_model *m);

/* Is parameter i of a last layer, that is, of those that a new head replaces?  Of an
 * auxiliary classifier? */
bool afn_model__is_head(const afn_model *m, int i);
bool afn_model__is_aux(const afn_model *m, int i);

/* What a predictor runs; owned by it, until it is refreshed or freed. */
afn_plan *afn_predictor__plan(afn_predictor *p);

/* afn_model_save() with these values instead of the model's own. */
afn_status afn_model__save_params(const afn_model *m, const afn_params *params,
                                  const char *path);

/* What a model file holds, put into a set; values are borrowed. */
afn_status afn_model__describe(afn_weights *w, const afn_model *m,
                               const afn_params *params);

/* Names of what may lie beside a model's tensors in its file begin like this. */
#define AFN_MODEL_BESIDE "afina."

/* Fill in mean and std of pixel normalisation. */
void afn_model__normalisation(const afn_model *m, afn_plan_opts *opts);

#endif
