/* SPDX-License-Identifier: Apache-2.0 */
/* A best epoch is saved at its file's pace, at the latest when its phase ends or the
 * run does, be it stopped or failed.  What a kill leaves is a whole model, no older
 * than the best one by more than an epoch and a few seconds. */
#include "train/run/best.h"

#include <math.h>

#include "train/run/snapshot.h"

void afn_best_free(afn_best *b)
{
    afn_params_free(b->params);
    afn_free(b->changed);
    *b = (afn_best){ 0 };
}

afn_status afn_best_expect(afn_best *b, const afn_model *m, const bool *changes)
{
    const int n = afn_graph_n_params(afn_model__graph(m));
    if (!b->changed) b->changed = afn_alloc_array((size_t)n, sizeof *b->changed);
    if (!b->changed) return afn_fail(AFN_ENOMEM, "out of memory");
    for (int i = 0; i < n; i++) b->changed[i] |= changes[i];
    return AFN_OK;
}

static bool is_better(const afn_epoch *e, const afn_epoch *best)
{
    if (!best->run_epoch || isnan(e->val_acc)) return true;
    if (e->val_acc != best->val_acc) return e->val_acc > best->val_acc;
    return e->val_loss < best->val_loss;
}

afn_status afn_best_offer(afn_best *b, afn_epoch *e, const afn_model *m)
{
    e->best = is_better(e, &b->epoch);
    if (!e->best) return AFN_OK;
    const afn_status st = afn_snapshot_take(&b->params, m, b->changed);
    if (st != AFN_OK) return st;
    b->epoch = *e;
    b->pending = true;
    return AFN_OK;
}

afn_status afn_best_save(afn_best *b, const afn_model *m, const afn_run_folder *f)
{
    if (!b->pending) return AFN_OK;
    const double start = afn_now_s();
    const afn_status st = afn_run_folder_save(f, m, b->params, "model.safetensors");
    if (st != AFN_OK) return st;
    afn_pace_wrote(&b->pace, start);
    b->pending = false;
    return AFN_OK;
}

afn_status afn_best_save_if_due(afn_best *b, const afn_model *m,
                                const afn_run_folder *f)
{
    return afn_pace_is_due(&b->pace) ? afn_best_save(b, m, f) : AFN_OK;
}

void afn_best_restore(const afn_best *b, afn_model *m)
{
    if (b->params) afn_snapshot_restore(b->params, m);
}
