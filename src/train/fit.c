/* SPDX-License-Identifier: Apache-2.0 */
/* A whole run: phases of epochs, validation, the best model, the run folder.
 *
 * Each phase freezes everything but its pattern and starts a fresh trainer, as the
 * tutorial makes a fresh optimiser.  Where frozen layers come first, its plan and the
 * one that validates are split, and what those layers yield is kept from epoch to
 * epoch.  Files: config.json, run.jsonl all along, metrics.csv after every epoch,
 * model.safetensors as best.c says, last.ckpt as checkpoint.c says; model.pth and
 * last.pth at the end of the run, also one that was stopped. */
#include "train/fit.h"

#include <math.h>

#include "train/run/checkpoint.h"
#include "train/run/records.h"
#include "train/run/run_config.h"
#include "train/run/run_settings.h"

afn_lbfgs_opts afn_lbfgs_defaults(void)
{
    return (afn_lbfgs_opts){
        .l2 = -1, .max_iter = 1000, .history_size = 10, .tolerance_grad = 1e-6
    };
}

afn_phase afn_phase_defaults(void)
{
    return (afn_phase){ .name = "head",
                        .epochs = 5,
                        .optim = afn_optim_defaults("sgd"),
                        .schedule = afn_schedule_defaults(),
                        .lbfgs = afn_lbfgs_defaults() };
}

void afn_default_phases(afn_phase phase[2])
{
    phase[0] = phase[1] = afn_phase_defaults();
    phase[1].name = "tune";
    phase[1].trainable = "*";
    phase[1].optim.lr = 0.0001f;
}

afn_fit_opts afn_fit_defaults(void)
{
    return (afn_fit_opts){
        .bn = AFN_BN_AUTO,
        .batch = 32,
        .shuffle = true,
        .backend = "cpu",
        .feature_cache = true,
        .image_memory = -1,
        .unknown_quantile = 0.05,
        .tensorboard = true,
        .record_s = 1,
    };
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static afn_status open_train(afn_fit_run *f, const afn_dataset *d)
{
    const afn_preprocess pre = afn_model_preprocess(f->model);
    afn_loader_opts o = afn_loader_defaults();
    o.batch = f->o.batch;
    o.shuffle = f->o.shuffle;
    o.balanced = f->o.balanced;
    o.strict = f->o.strict;
    o.seed = f->o.seed;
    o.threads = f->o.threads;
    o.keep = f->image_room;
    f->image_room -= least(f->image_room,
                           afn_dataset_count(d) * (int64_t)afn_preprocess_bytes(&pre));
    return afn_batches_open(&f->train, d, &pre, &o);
}

static afn_status open_val(afn_fit_run *f, const afn_dataset *d)
{
    const afn_preprocess pre = afn_model_preprocess(f->model);
    afn_loader_opts o = afn_loader_defaults();
    o.batch = f->o.batch;
    o.shuffle = false;
    o.strict = f->o.strict;
    o.threads = f->o.threads;
    o.keep = f->run_of > 1 ? f->image_room : 0;
    return afn_batches_open(&f->val, d, &pre, &o);
}

/* The weights of the data's classes in the model's order; those that only the model has
 * weigh 0. */
static afn_status map_weights(afn_fit_run *f, const afn_dataset *d)
{
    if (!f->o.class_weight) return AFN_OK;
    f->class_weight =
        afn_alloc_array((size_t)afn_model_classes(f->model), sizeof *f->class_weight);
    if (!f->class_weight) return afn_fail(AFN_ENOMEM, "out of memory");
    for (int c = 0; c < afn_dataset_classes(d); c++)
        f->class_weight[f->train_map[c]] = f->o.class_weight[c];
    return AFN_OK;
}

static afn_status map_classes(int **map, const afn_model *m, const afn_dataset *d)
{
    *map = afn_alloc_array((size_t)afn_dataset_classes(d), sizeof **map);
    if (!*map) return afn_fail(AFN_ENOMEM, "out of memory");
    return afn_train__map_classes(*map, m, d);
}

afn_status afn_fit__open(afn_fit_run *f, const afn_dataset *train,
                         const afn_dataset *val, const char *out)
{
    afn_status st = AFN_OK;
    const int n_params = afn_graph_n_params(afn_model__graph(f->model));
    afn_predict_opts po = { .batch = f->o.batch,
                            .threads = f->o.threads,
                            .backend = f->o.backend,
                            .precision = f->o.precision,
                            .exact = f->o.exact };
    AFN_REQUIRE(f->o.batch > 0, AFN_EINVAL, "batch is %lld, need at least 1",
                (long long)f->o.batch);
    f->image_room = f->o.image_memory;
    if (f->image_room < 0) f->image_room = afn_memory_available() / 4;
    f->labels = afn_alloc_array((size_t)f->o.batch, sizeof *f->labels);
    f->other = afn_alloc_array((size_t)f->o.batch, sizeof *f->other);
    f->changes = afn_alloc_array((size_t)n_params, sizeof *f->changes);
    AFN_REQUIRE(f->labels && f->other && f->changes, AFN_ENOMEM, "out of memory");
    AFN_TRY(map_classes(&f->train_map, f->model, train));
    AFN_TRY(afn_run_folder_open(&f->folder, out));
    if (out) AFN_TRY(afn_dir_lock(&f->lock, out));
    if (out) afn_out_clean(out);
    AFN_TRY(map_weights(f, train));
    AFN_TRY(open_train(f, train));
    if (!val || !afn_dataset_count(val)) goto done;
    AFN_TRY(map_classes(&f->val_map, f->model, val));
    AFN_TRY(open_val(f, val));
    po.batch = f->val.opts.batch;
    AFN_TRY(afn_predictor_new(&f->predictor, f->model, &po));
done:
    return st;
}

void afn_fit__close(afn_fit_run *f)
{
    afn_batches_close(&f->train);
    afn_batches_close(&f->val);
    afn_predictor_free(f->predictor);
    afn_run_folder_close(&f->folder);
    afn_record_files_close(&f->records);
    afn_best_free(&f->best);
    afn_fields_close(&f->resumed);
    afn_buf_free(&f->settings);
    afn_dir_unlock(f->lock);
    afn_free(f->changes);
    afn_free(f->class_weight);
    afn_free(f->train_map);
    afn_free(f->val_map);
    afn_free(f->labels);
    afn_free(f->other);
}

/* What lbfgs cannot solve, or is told wrongly. */
static afn_status check_lbfgs(const afn_fit_opts *o, const afn_phase *p)
{
    afn_status st = AFN_OK;
    const afn_lbfgs_opts *l = &p->lbfgs;
    AFN_REQUIRE(p->epochs <= 1, AFN_EINVAL, "lbfgs takes 1 epoch, not %d", p->epochs);
    AFN_REQUIRE(isfinite(l->l2), AFN_EINVAL, "l2 is %g", l->l2);
    AFN_REQUIRE(l->max_iter >= 1, AFN_EINVAL, "max_iter is %d, need at least 1",
                l->max_iter);
    AFN_REQUIRE(l->history_size >= 1 && l->history_size <= 1000, AFN_EINVAL,
                "history_size is %d, need 1 to 1000", l->history_size);
    AFN_REQUIRE(l->tolerance_grad >= 0, AFN_EINVAL,
                "tolerance_grad is %g, need 0 or more", l->tolerance_grad);
    AFN_REQUIRE(o->bn != AFN_BN_BATCH, AFN_EINVAL,
                "lbfgs needs fixed statistics, not those of each batch");
    AFN_REQUIRE(!o->balanced, AFN_EINVAL,
                "lbfgs takes all images: weigh classes instead of drawing images");
done:
    return st;
}

static afn_status check_phase(const afn_fit_opts *o, const afn_phase *p)
{
    afn_status st = p->solver == AFN_SOLVER_LBFGS ? check_lbfgs(o, p) : AFN_OK;
    if (st == AFN_OK) st = afn_optim_check(&p->optim);
    if (st == AFN_OK) st = afn_schedule_check(&p->schedule);
    if (st == AFN_OK) st = afn_augment_check(&p->augment);
    return st;
}

static afn_status check_phases(const afn_fit_run *f)
{
    for (int i = 0; i < f->o.n_phases; i++) {
        const afn_phase *p = &f->o.phase[i];
        if (p->epochs < 0)
            return afn_fail(AFN_EINVAL, "phase %s has %d epochs", p->name, p->epochs);
        const afn_status st = check_phase(&f->o, p);
        if (st != AFN_OK) return afn_context(st, "phase %s", p->name);
        if (!(p->label_smoothing >= 0 && p->label_smoothing <= 1))
            return afn_fail(AFN_EINVAL, "phase %s: label smoothing is %g, need 0 to 1",
                            p->name, (double)p->label_smoothing);
    }
    return f->run_of > 0 ? AFN_OK : afn_fail(AFN_EINVAL, "no phase has any epochs");
}

static afn_status check(const afn_fit_run *f, const afn_dataset *val)
{
    afn_status st = AFN_OK;
    AFN_TRY(check_phases(f));
    AFN_TRY(afn_stop_check(&f->o, val && afn_dataset_count(val)));
    AFN_REQUIRE(f->o.unknown_quantile < 1, AFN_EINVAL,
                "quantile of unknown images is %g, must be below 1",
                f->o.unknown_quantile);
    AFN_REQUIRE(f->o.checkpoint_steps >= 0 && f->o.checkpoint_s >= 0, AFN_EINVAL,
                "checkpoints every %lld steps or %g s",
                (long long)f->o.checkpoint_steps, f->o.checkpoint_s);
    AFN_REQUIRE(f->o.record_steps >= 0 && f->o.record_s >= 0, AFN_EINVAL,
                "records every %lld steps or %g s", (long long)f->o.record_steps,
                f->o.record_s);
    AFN_REQUIRE(!f->o.resume || f->o.out, AFN_EINVAL, "to resume needs a run folder");
done:
    return st;
}

/* Where the run begins: at its start, or where the one before was. */
static afn_status begin(afn_fit_run *f, const afn_dataset *train,
                        const afn_dataset *val)
{
    afn_status st = AFN_OK;
    afn_settings_list(&f->settings, f->model, train, val, &f->o);
    AFN_TRY(afn_buf_finish(&f->settings));
    afn_stop_begin_phase(&f->rules);
    if (f->o.resume) AFN_TRY(afn_checkpoint_load(f));
    if (f->folder.path)
        AFN_TRY(afn_run_config_write(f->folder.path, f->model, train, val, &f->o));
    AFN_TRY(afn_records_open(f, train, val));
    if (!f->o.resume) AFN_TRY(afn_checkpoint_begin(f));
    afn_stop_begin_run(&f->rules);
done:
    return st;
}

afn_status afn_fit__begin(afn_fit_run *f, afn_phase phases[2], afn_model *m,
                          const afn_dataset *val, const afn_fit_opts *opts)
{
    f->model = m;
    f->o = opts ? *opts : afn_fit_defaults();
    afn_default_phases(phases);
    if (!f->o.phase) {
        f->o.phase = phases;
        f->o.n_phases = 2;
    }
    for (int i = 0; i < f->o.n_phases; i++) f->run_of += f->o.phase[i].epochs;
    return check(f, val);
}

afn_status afn_fit(afn_model *m, const afn_dataset *train, const afn_dataset *val,
                   const afn_fit_opts *opts, afn_epoch *best)
{
    afn_status st = AFN_OK;
    afn_phase phases[2];
    afn_fit_run f = { .lock = -1 };

    if (best) *best = (afn_epoch){ 0 };
    AFN_TRY(afn_fit__begin(&f, phases, m, val, opts));
    AFN_TRY(afn_model_set_calibration(m, NULL)); /* of other weights */
    AFN_TRY(afn_fit__open(&f, train, val, f.o.out));
    AFN_TRY(begin(&f, train, val));
    while (st == AFN_OK && f.end == AFN_END_ALL && f.at.phase < f.o.n_phases)
        st = afn_fit__phase(&f);
    st = afn_fit__finish(&f, st);
    if (best) *best = f.best.epoch;
    if (st == AFN_OK && f.o.on_end) f.o.on_end(f.end, f.o.user);
done:
    afn_fit__close(&f);
    return st;
}
