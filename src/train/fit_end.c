/* SPDX-License-Identifier: Apache-2.0 */
/* The end of a run: the files that it leaves. */
#include <stdio.h>

#include "train/fit.h"
#include "train/run/checkpoint.h"
#include "train/run/records.h"
#include "train/score/metrics.h"

afn_status afn_fit__save_all(afn_fit_run *f)
{
    const afn_status st = afn_best_save(&f->best, f->model, &f->folder);
    return st == AFN_OK ? afn_run_folder_flush(&f->folder) : st;
}

/* Calibrate the model as it is now on the validation images and save it again; one that
 * has diverged stays without. */
static afn_status calibrate(afn_fit_run *f)
{
    afn_status st = AFN_OK;
    afn_scores s = { 0 };
    afn_calibration c;
    const afn_scoring w = { f->val.data, f->val.loader, f->predictor, f->val_map,
                            afn_model_classes(f->model) };
    if (!f->predictor || f->o.unknown_quantile < 0) return AFN_OK;
    AFN_TRY(afn_predictor_refresh(f->predictor));
    AFN_TRY(afn_train__score(&s, &w, NULL));
    st = afn_calibrate(&c, &s, f->o.unknown_quantile);
    if (st == AFN_EINVAL)
        st = AFN_OK;
    else if (st == AFN_OK)
        st = afn_model_set_calibration(f->model, &c);
    if (st == AFN_OK)
        st = afn_run_folder_save(&f->folder, f->model, afn_model__params(f->model),
                                 "model.safetensors");
done:
    afn_scores_free(&s);
    return st;
}

/* last.pth, then the best model in m and model.pth; where the run is over, calibrated,
 * and the checkpoint says so. */
static afn_status leave(afn_fit_run *f, bool over)
{
    afn_status st = AFN_OK;
    if (!f->run_epoch) return AFN_OK;
    AFN_TRY(afn_fit__save_all(f));
    AFN_TRY(afn_run_folder_save(&f->folder, f->model, afn_model__params(f->model),
                                "last.pth"));
    afn_best_restore(&f->best, f->model);
    if (over) AFN_TRY(calibrate(f));
    AFN_TRY(afn_run_folder_save(&f->folder, f->model, afn_model__params(f->model),
                                "model.pth"));
    if (over) AFN_TRY(afn_checkpoint_finish(f));
done:
    return st;
}

afn_status afn_fit__finish(afn_fit_run *f, afn_status st)
{
    char why[1024];
    if (st == AFN_OK || st == AFN_ECANCELLED) {
        afn_status left = leave(f, st == AFN_OK && f->end != AFN_END_TIME);
        if (left == AFN_OK) left = afn_record_end(f, st);
        if (left != AFN_OK || st == AFN_OK) return left;
        return afn_fail(AFN_ECANCELLED, "stopped");
    }
    snprintf(why, sizeof why, "%s", afn_error_message());
    (void)afn_fit__save_all(f);
    (void)afn_record_end(f, afn_fail(st, "%s", why));
    return afn_fail(st, "%s", why);
}
