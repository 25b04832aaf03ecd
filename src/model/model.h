/* SPDX-License-Identifier: Apache-2.0 */
/* The one door to src/model: what src/train needs of a model beyond the public calls.
 */
#ifndef AFN_MODEL_H
#define AFN_MODEL_H

#include "afina/model.h"
#include "engine/engine.h"
#include "graph/graph.h"

/* Graph for the present head and image size; owned by the model. */
const afn_graph *afn_model__graph(const afn_model *m);

/* Values of its parameters; owned by the model. */
afn_params *afn_model__params(const afn_model *m);

/* requires_grad of every parameter, [afn_graph_n_params()]. */
const bool *afn_model__trainable(const afn_model *m);

/* Fill in mean and std of pixel normalisation. */
void afn_model__normalisation(const afn_model *m, afn_plan_opts *opts);

#endif
