/* SPDX-License-Identifier: Apache-2.0 */
/* A whole run: phases of epochs, validation, the best model, the run folder.
 *
 * Each phase freezes everything but its pattern and starts a fresh trainer, as the
 * tutorial makes a fresh optimiser.  Where frozen layers come first, its plan and the
 * one that validates are split, and what those layers yield is kept from epoch to
 * epoch. Files: metrics.csv after every epoch, model.safetensors as best.c says;
 * model.pth and last.pth at the end of the run, also one that was stopped. */
#include <math.h>
#include <stdio.h>

#include "train/best.h"
#include "train/evaluate.h"
#include "train/metrics.h"
#include "train/trainer.h"

afn_phase afn_phase_defaults(void)
{
    return (afn_phase){ .name = "head",
                        .epochs = 5,
                        .optim = afn_optim_defaults("sgd"),
                        .schedule = afn_schedule_defaults() };
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
    };
}

/* All that a run carries. */
typedef struct fit {
    afn_model *model;
    afn_fit_opts o;
    int *train_map, *val_map; /* data set's class -> model's */
    int *labels, *other;      /* [batch] of the batch at hand, mapped */
    bool *changes;            /* [params] what the phase at hand changes */
    float *class_weight;      /* [classes of the model], NULL = all alike */
    int64_t image_room;       /* bytes that preprocessed images may still take */
    afn_batches train, val;
    afn_predictor *predictor; /* for validation, NULL = none */
    afn_run_folder folder;
    afn_best best;
    int run_epoch, run_of;
    double val_seconds; /* of the last validation */
    int64_t told_kept;  /* images, what on_features was told last */
} fit;

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static afn_status open_train(fit *f, const afn_dataset *d)
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
    f->image_room -=
        least(f->image_room, afn_dataset_count(d) * pre.crop * pre.crop * 3);
    return afn_batches_open(&f->train, d, &pre, &o);
}

static afn_status open_val(fit *f, const afn_dataset *d)
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
static afn_status map_weights(fit *f, const afn_dataset *d)
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

static afn_status fit_open(fit *f, const afn_dataset *train, const afn_dataset *val)
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
    AFN_TRY(afn_run_folder_open(&f->folder, f->o.out));
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

static void fit_close(fit *f)
{
    afn_batches_close(&f->train);
    afn_batches_close(&f->val);
    afn_predictor_free(f->predictor);
    afn_run_folder_close(&f->folder);
    afn_best_free(&f->best);
    afn_free(f->changes);
    afn_free(f->class_weight);
    afn_free(f->train_map);
    afn_free(f->val_map);
    afn_free(f->labels);
    afn_free(f->other);
}

/* ---- features ---- */

static afn_features describe_features(const fit *f, const afn_phase *phase)
{
    const afn_batches *const part[] = { &f->train, &f->val };
    afn_features t = { .phase = phase->name, .views = 1 };
    for (size_t i = 0; i < AFN_COUNT(part); i++) {
        const afn_batches *b = part[i];
        if (!b->plan) continue;
        if (!t.before) t.before = b->prefix.before;
        if (!b->cache.count) {
            if (!t.why) t.why = b->cache.why;
            continue;
        }
        t.kept = true;
        t.images += b->cache.samples;
        t.bytes += b->cache.count * (int64_t)b->prefix.bytes;
        t.bytes_on_disk += afn_feature_cache_file(&b->cache);
        if (b == &f->train) t.views = b->views;
    }
    return t;
}

static afn_status tell_features(fit *f, const afn_phase *phase)
{
    const afn_features t = describe_features(f, phase);
    f->told_kept = t.images;
    if (!f->o.feature_cache || !t.before || !f->o.on_features) return AFN_OK;
    return f->o.on_features(&t, f->o.user) ? afn_fail(AFN_ECANCELLED, "stopped")
                                           : AFN_OK;
}

/* Split both plans for a phase.  Validation's room is what training leaves. */
static afn_status split(fit *f, afn_trainer *t)
{
    afn_status st = AFN_OK;
    afn_cache_room room = { .memory = f->o.feature_memory, .folder = f->folder.path };
    if (!room.memory) room.memory = afn_memory_available() / 4;
    const afn_cache_room *const give = f->o.feature_cache ? &room : NULL;
    AFN_TRY(afn_batches_split(&f->train, afn_trainer__plan(t), f->changes, give));
    room.memory -= afn_feature_cache_memory(&f->train.cache);
    if (!f->predictor) goto done;
    AFN_TRY(afn_predictor_refresh(f->predictor)); /* what the phase before changed */
    AFN_TRY(afn_batches_split(&f->val, afn_predictor__plan(f->predictor), f->changes,
                              give));
done:
    return st;
}

static void join(fit *f)
{
    afn_batches_join(&f->train);
    afn_batches_join(&f->val);
}

/* ---- an epoch ---- */

/* Seconds of the later epochs of a phase where this one takes epoch_s: without the
 * prefix those that find what this one and others before still make.  Backward counts
 * as two forward passes. */
static double later_epochs(const fit *f, const afn_epoch *e, double epoch_s)
{
    const afn_batches *b = &f->train;
    const int left = e->of - e->epoch, made = b->views - e->epoch;
    if (!b->cache.count || b->cached) return left * epoch_s;
    const int alike = made > 0 ? made : 0; /* that make another view */
    const double all = afn_graph_macs(afn_model__graph(f->model));
    const double rest = 3 * (all - b->prefix.macs);
    return epoch_s * (alike + (left - alike) * rest / (b->prefix.macs + rest));
}

static afn_status report_step(const fit *f, const afn_epoch *e, const afn_progress *now,
                              double elapsed)
{
    afn_progress p = *now;
    if (!f->o.on_step) return AFN_OK;
    const double step_s = elapsed / (double)p.step;
    const double left_in_epoch = step_s * (double)(p.steps - p.step) + f->val_seconds;
    const double epoch_s = step_s * (double)p.steps + f->val_seconds;
    p.images_per_second = elapsed > 0 ? (double)p.images / elapsed : 0;
    p.seconds_left = left_in_epoch + later_epochs(f, e, epoch_s);
    return f->o.on_step(&p, f->o.user) ? afn_fail(AFN_ECANCELLED, "stopped") : AFN_OK;
}

static afn_status train_batch(fit *f, afn_trainer *t, const afn_batch *b,
                              const void *features, afn_step_result *r)
{
    afn_batch mapped = *b;
    for (int64_t i = 0; i < b->n; i++) f->labels[i] = f->train_map[b->labels[i]];
    for (int64_t i = 0; b->other && i < b->n; i++)
        f->other[i] = f->train_map[b->other[i]];
    mapped.labels = f->labels;
    if (b->other) mapped.other = f->other;
    return afn_trainer__step(t, &mapped, features, r);
}

/* One pass over the training images; fills the training part of e. */
static afn_status train_epoch(fit *f, afn_trainer *t, afn_epoch *e)
{
    afn_status st = AFN_OK;
    afn_batch b = { 0 };
    const void *features = NULL;
    afn_step_result r = { 0 };
    afn_progress p = { .phase = e->phase, .epoch = e->epoch, .of = e->of };
    double loss = 0;
    int64_t correct = 0;
    const double start = afn_now_s();

    p.steps = afn_batches_count(&f->train);
    AFN_TRY(afn_batches_start(&f->train, f->run_epoch));
    for (;;) {
        AFN_TRY(afn_batches_next(&f->train, &b, &features));
        if (!b.n) break;
        p.lr = afn_trainer_lr(t);
        AFN_TRY(train_batch(f, t, &b, features, &r));
        loss += r.loss * (double)b.n;
        correct += r.correct;
        p.step++;
        p.images += b.n;
        p.loss = loss / (double)p.images;
        AFN_TRY(report_step(f, e, &p, afn_now_s() - start));
    }
    AFN_TRY(afn_trainer_end_epoch(t));
    e->lr = p.lr;
    e->train_loss = loss / (double)p.images;
    e->train_acc = (double)correct / (double)p.images;
    e->images_per_second = (double)p.images / (afn_now_s() - start);
done:
    return st;
}

static afn_status validate(fit *f, afn_epoch *e)
{
    afn_status st = AFN_OK;
    afn_eval v = { 0 };
    e->val_loss = e->val_acc = NAN;
    if (!f->predictor) return AFN_OK;
    AFN_TRY(afn_plan_refresh_rest(afn_predictor__plan(f->predictor)));
    AFN_TRY(afn_train__evaluate(&v, f->predictor, &f->val, f->val_map,
                                afn_model_classes(f->model)));
    e->val_loss = v.loss;
    e->val_acc = (double)v.correct / (double)v.count;
    f->val_seconds = v.seconds;
done:
    afn_eval_free(&v);
    return st;
}

static afn_status run_epoch(fit *f, afn_trainer *t, const afn_phase *phase, int epoch)
{
    afn_status st = AFN_OK;
    const double start = afn_now_s();
    afn_epoch e = { .phase = phase->name,
                    .epoch = epoch,
                    .of = phase->epochs,
                    .run_epoch = f->run_epoch + 1,
                    .run_of = f->run_of };
    AFN_TRY(train_epoch(f, t, &e));
    AFN_TRY(afn_trainer_sync_average(t));
    AFN_TRY(validate(f, &e));
    afn_trainer_report(t, f->predictor ? e.val_loss : e.train_loss);
    e.skipped = afn_loader_bad(f->train.loader);
    if (f->val.loader) e.skipped += afn_loader_bad(f->val.loader);
    e.seconds = afn_now_s() - start;
    AFN_TRY(afn_best_offer(&f->best, &e, f->model));
    AFN_TRY(afn_best_save_if_due(&f->best, f->model, &f->folder));
    AFN_TRY(afn_run_folder_epoch(&f->folder, &e));
    f->run_epoch++;
    if (describe_features(f, phase).images < f->told_kept)
        AFN_TRY(tell_features(f, phase));
    if (f->o.on_epoch && f->o.on_epoch(&e, f->o.user))
        st = afn_fail(AFN_ECANCELLED, "stopped");
done:
    return st;
}

static afn_status report_profile(const fit *f, afn_trainer *t, const afn_phase *phase)
{
    afn_profile p;
    const afn_status st = afn_plan_read_profile(&p, afn_trainer__plan(t));
    if (st == AFN_OK) f->o.on_profile(phase->name, &p, f->o.user);
    afn_profile_free(&p);
    return st;
}

/* What was not due yet. */
static afn_status save_all(fit *f)
{
    const afn_status st = afn_best_save(&f->best, f->model, &f->folder);
    return st == AFN_OK ? afn_run_folder_flush(&f->folder) : st;
}

static afn_status run_phase(fit *f, const afn_phase *phase)
{
    afn_status st = AFN_OK;
    afn_trainer *t = NULL;
    afn_trainer_opts o = afn_trainer_defaults();
    if (phase->epochs <= 0) return AFN_OK;
    AFN_TRY(afn_model_freeze(f->model, "*"));
    AFN_TRY(afn_model_unfreeze(f->model, phase->trainable ? phase->trainable
                                                          : afn_model_head(f->model)));
    o.optim = phase->optim;
    o.schedule = phase->schedule;
    o.epochs = phase->epochs;
    o.epoch_steps = afn_batches_count(&f->train);
    o.class_weight = f->class_weight;
    o.label_smoothing = phase->label_smoothing;
    o.bn = f->o.bn;
    o.batch = f->train.opts.batch;
    o.seed = f->o.seed + (uint64_t)f->run_epoch; /* dropout differs between phases */
    o.threads = f->o.threads;
    o.exact = f->o.exact;
    o.backend = f->o.backend;
    o.precision = f->o.precision;
    AFN_TRY(afn_trainer_new(&t, f->model, &o));
    afn_plan_changes(afn_trainer__plan(t), f->changes);
    AFN_TRY(afn_best_expect(&f->best, f->model, f->changes));
    AFN_TRY(
        afn_batches_augment(&f->train, &phase->augment, f->run_epoch, phase->epochs));
    AFN_TRY(split(f, t));
    AFN_TRY(tell_features(f, phase));
    if (f->o.on_profile) AFN_TRY(afn_plan_profile(afn_trainer__plan(t), true));
    for (int e = 1; e <= phase->epochs; e++) AFN_TRY(run_epoch(f, t, phase, e));
    AFN_TRY(afn_trainer_sync(t)); /* where the next phase begins */
    AFN_TRY(save_all(f));
    if (f->o.on_profile) AFN_TRY(report_profile(f, t, phase));
done:
    join(f);
    afn_trainer_free(t);
    return st;
}

/* Calibrate the model as it is now on the validation images and save it again; one that
 * has diverged stays without. */
static afn_status calibrate(fit *f)
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

/* What the end of a run leaves: last.pth, then the best model in m and model.pth; where
 * the run was not stopped, calibrated. */
static afn_status finish(fit *f, bool stopped)
{
    afn_status st = AFN_OK;
    if (!f->run_epoch) return AFN_OK;
    AFN_TRY(save_all(f));
    AFN_TRY(afn_run_folder_save(&f->folder, f->model, afn_model__params(f->model),
                                "last.pth"));
    afn_best_restore(&f->best, f->model);
    if (!stopped) AFN_TRY(calibrate(f));
    AFN_TRY(afn_run_folder_save(&f->folder, f->model, afn_model__params(f->model),
                                "model.pth"));
done:
    return st;
}

static afn_status check_phases(const fit *f)
{
    for (int i = 0; i < f->o.n_phases; i++) {
        const afn_phase *p = &f->o.phase[i];
        if (p->epochs < 0)
            return afn_fail(AFN_EINVAL, "phase %s has %d epochs", p->name, p->epochs);
        afn_status st = afn_optim_check(&p->optim);
        if (st == AFN_OK) st = afn_schedule_check(&p->schedule);
        if (st == AFN_OK) st = afn_augment_check(&p->augment);
        if (st != AFN_OK) return afn_context(st, "phase %s", p->name);
        if (!(p->label_smoothing >= 0 && p->label_smoothing <= 1))
            return afn_fail(AFN_EINVAL, "phase %s: label smoothing is %g, need 0 to 1",
                            p->name, (double)p->label_smoothing);
    }
    return f->run_of > 0 ? AFN_OK : afn_fail(AFN_EINVAL, "no phase has any epochs");
}

/* A stopped run is finished as well, but stays stopped; a failed one saves its best
 * epoch and goes on failing for its own reason. */
static afn_status finish_after(fit *f, afn_status st)
{
    char why[1024];
    if (st == AFN_OK) return finish(f, false);
    if (st == AFN_ECANCELLED) {
        const afn_status end = finish(f, true);
        return end == AFN_OK ? afn_fail(AFN_ECANCELLED, "stopped") : end;
    }
    snprintf(why, sizeof why, "%s", afn_error_message());
    (void)save_all(f);
    return afn_fail(st, "%s", why);
}

afn_status afn_fit(afn_model *m, const afn_dataset *train, const afn_dataset *val,
                   const afn_fit_opts *opts, afn_epoch *best)
{
    afn_status st = AFN_OK;
    afn_phase phases[2];
    fit f = { .model = m, .o = opts ? *opts : afn_fit_defaults() };

    if (best) *best = (afn_epoch){ 0 };
    afn_default_phases(phases);
    if (!f.o.phase) {
        f.o.phase = phases;
        f.o.n_phases = 2;
    }
    for (int i = 0; i < f.o.n_phases; i++) f.run_of += f.o.phase[i].epochs;
    AFN_TRY(check_phases(&f));
    AFN_REQUIRE(f.o.unknown_quantile < 1, AFN_EINVAL,
                "quantile of unknown images is %g, must be below 1",
                f.o.unknown_quantile);
    AFN_TRY(afn_model_set_calibration(m, NULL)); /* of other weights */
    AFN_TRY(fit_open(&f, train, val));
    for (int i = 0; st == AFN_OK && i < f.o.n_phases; i++)
        st = run_phase(&f, &f.o.phase[i]);
    st = finish_after(&f, st);
    if (best) *best = f.best.epoch;
done:
    fit_close(&f);
    return st;
}
