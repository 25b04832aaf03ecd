/* SPDX-License-Identifier: Apache-2.0 */
/* Private to src/train: the best epoch so far, in memory at once and on disk soon. */
#ifndef AFN_TRAIN_BEST_H
#define AFN_TRAIN_BEST_H

#include "train/run/run_folder.h"

typedef struct afn_best {
    afn_epoch epoch;    /* run_epoch 0 = none yet */
    afn_params *params; /* its values */
    bool *changed;      /* [params] those that any phase so far has changed */
    bool pending;       /* not saved yet */
    afn_pace pace;
} afn_best;

void afn_best_free(afn_best *b);

/* Tell of the parameters that will change from now on.
 *   changes  [params] */
afn_status afn_best_expect(afn_best *b, const afn_model *m, const bool *changes);

/* Is this epoch better than the best so far? By validation accuracy, then loss; without
 * validation always.  If so, e->best is set and the model's values are kept. */
afn_status afn_best_offer(afn_best *b, afn_epoch *e, const afn_model *m);

/* Write model.safetensors where the best epoch is not on disk: now, or only where it is
 * due. */
afn_status afn_best_save(afn_best *b, const afn_model *m, const afn_run_folder *f);
afn_status afn_best_save_if_due(afn_best *b, const afn_model *m,
                                const afn_run_folder *f);

/* Put the best epoch's values into the model. */
void afn_best_restore(const afn_best *b, afn_model *m);

#endif
