/* SPDX-License-Identifier: Apache-2.0 */
#include "train/run/records.h"

static void add_place(afn_buf *line, const afn_fit_run *f)
{
    const afn_place *at = &f->at;
    const bool over = at->phase >= f->o.n_phases;
    afn_line_text(line, "phase", over ? NULL : f->o.phase[at->phase].name);
    afn_line_int(line, "epoch", over ? 0 : at->epoch + 1);
    afn_line_int(line, "step", at->steps);
    afn_line_int(line, "run_epoch", f->run_epoch);
}

static afn_status start(afn_fit_run *f, const afn_dataset *train,
                        const afn_dataset *val)
{
    afn_buf line;
    afn_line_begin(&line, "start");
    afn_line_text(&line, "afina", afn_version());
    afn_line_text(&line, "model", afn_model_arch(f->model));
    afn_line_int(&line, "classes", afn_model_classes(f->model));
    afn_line_int(&line, "train_images", afn_dataset_count(train));
    afn_line_int(&line, "val_images", val ? afn_dataset_count(val) : 0);
    afn_line_int(&line, "batch", f->train.opts.batch);
    afn_line_int(&line, "phases", f->o.n_phases);
    afn_line_int(&line, "run_of", f->run_of);
    afn_line_int(&line, "seed", (int64_t)f->o.seed);
    return afn_line_end(&f->records, &line);
}

static afn_status go_on(afn_fit_run *f)
{
    afn_buf line;
    afn_line_begin(&line, "resume");
    add_place(&line, f);
    return afn_line_end(&f->records, &line);
}

afn_status afn_records_open(afn_fit_run *f, const afn_dataset *train,
                            const afn_dataset *val)
{
    const bool again = f->records.lines_then > 0;
    f->records.on_line = f->o.on_record;
    f->records.user = f->o.user;
    const afn_status st =
        afn_record_files_open(&f->records, f->folder.path, f->o.tensorboard);
    if (st != AFN_OK) return st;
    return again ? go_on(f) : start(f, train, val);
}

afn_status afn_record_phase(afn_fit_run *f, const afn_phase *phase, int64_t trained)
{
    afn_buf line;
    afn_line_begin(&line, "phase");
    afn_line_text(&line, "phase", phase->name);
    afn_line_int(&line, "of", phase->epochs);
    afn_line_text(&line, "trainable",
                  phase->trainable ? phase->trainable : afn_model_head(f->model));
    afn_line_int(&line, "trained_parameters", trained);
    afn_line_text(&line, "optimizer", phase->optim.optimizer);
    afn_line_real(&line, "lr", (double)phase->optim.lr);
    f->told.phase_s = afn_now_s();
    return afn_line_end(&f->records, &line);
}

afn_status afn_record_phase_end(afn_fit_run *f, const afn_phase *phase)
{
    afn_buf line;
    afn_line_begin(&line, "phase_end");
    afn_line_text(&line, "phase", phase->name);
    afn_line_int(&line, "epochs", f->at.epoch);
    afn_line_int(&line, "run_epoch", f->run_epoch);
    afn_line_real(&line, "seconds", afn_now_s() - f->told.phase_s);
    return afn_line_end(&f->records, &line);
}

/* Steps of the run so far. */
static int64_t run_step(const afn_fit_run *f)
{
    return f->run_epoch * afn_batches_count(&f->train) + f->at.batches;
}

static bool is_due(const afn_fit_run *f, const afn_progress *p)
{
    const afn_fit_opts *o = &f->o;
    if (p->step == p->steps) return true;
    if (o->record_steps) return f->told.steps >= o->record_steps;
    return afn_now_s() - f->told.step_s >= o->record_s;
}

static afn_status step_scalars(afn_fit_run *f, const afn_progress *p, double loss)
{
    const afn_scalar s[] = { { "train/loss", loss },
                             { "train/accuracy", p->acc },
                             { "train/lr", (double)p->lr },
                             { "train/images_per_second", p->images_per_second } };
    return afn_scalars_add(&f->records, run_step(f), s, AFN_COUNT(s));
}

afn_status afn_record_step(afn_fit_run *f, const afn_progress *p, double loss)
{
    afn_buf line;
    f->told.steps++;
    if (!is_due(f, p)) return AFN_OK;
    f->told.steps = 0;
    f->told.step_s = afn_now_s();
    afn_line_begin(&line, "step");
    afn_line_text(&line, "phase", p->phase);
    afn_line_int(&line, "epoch", p->epoch);
    afn_line_int(&line, "of", p->of);
    afn_line_int(&line, "step", p->step);
    afn_line_int(&line, "steps", p->steps);
    afn_line_int(&line, "run_step", run_step(f));
    afn_line_int(&line, "images", p->images);
    afn_line_real(&line, "loss", loss);
    afn_line_real(&line, "mean_loss", p->loss);
    afn_line_real(&line, "mean_acc", p->acc);
    afn_line_real(&line, "lr", (double)p->lr);
    afn_line_real(&line, "images_per_second", p->images_per_second);
    afn_line_real(&line, "seconds_left_phase", p->seconds_left);
    afn_line_real(&line, "seconds_left", p->run_seconds_left);
    const afn_status st = afn_line_end(&f->records, &line);
    return st == AFN_OK ? step_scalars(f, p, loss) : st;
}

static afn_status epoch_scalars(afn_fit_run *f, const afn_epoch *e)
{
    const afn_scalar s[] = { { "epoch/train_loss", e->train_loss },
                             { "epoch/train_accuracy", e->train_acc },
                             { "epoch/val_loss", e->val_loss },
                             { "epoch/val_accuracy", e->val_acc },
                             { "epoch/lr", (double)e->lr },
                             { "epoch/images_per_second", e->images_per_second } };
    return afn_scalars_add(&f->records, e->run_epoch, s, AFN_COUNT(s));
}

/* What an epoch came to, as the end of its own line and of that of the whole run. */
static void add_epoch(afn_buf *line, const afn_epoch *e)
{
    afn_line_text(line, "phase", e->phase);
    afn_line_int(line, "epoch", e->epoch);
    afn_line_int(line, "of", e->of);
    afn_line_int(line, "run_epoch", e->run_epoch);
    afn_line_int(line, "run_of", e->run_of);
    afn_line_real(line, "train_loss", e->train_loss);
    afn_line_real(line, "train_acc", e->train_acc);
    afn_line_real(line, "val_loss", e->val_loss);
    afn_line_real(line, "val_acc", e->val_acc);
    afn_line_real(line, "lr", (double)e->lr);
    afn_line_real(line, "images_per_second", e->images_per_second);
    afn_line_real(line, "seconds", e->seconds);
    afn_line_int(line, "skipped", e->skipped);
}

afn_status afn_record_epoch(afn_fit_run *f, const afn_epoch *e)
{
    afn_buf line;
    afn_line_begin(&line, "epoch");
    add_epoch(&line, e);
    afn_line_bool(&line, "best", e->best);
    const afn_status st = afn_line_end(&f->records, &line);
    return st == AFN_OK ? epoch_scalars(f, e) : st;
}

/* A run that ends before its time: in one text, why, under the name of `key`. */
static afn_status broken_off(afn_fit_run *f, const char *event, const char *key,
                             const char *why)
{
    afn_buf line;
    afn_line_begin(&line, event);
    afn_line_text(&line, key, why);
    add_place(&line, f);
    return afn_line_end(&f->records, &line);
}

static afn_status ended(afn_fit_run *f)
{
    afn_buf line;
    afn_line_begin(&line, "end");
    afn_line_text(&line, "why", f->end == AFN_END_TARGET ? "target" : "all");
    add_epoch(&line, &f->best.epoch);
    return afn_line_end(&f->records, &line);
}

afn_status afn_record_end(afn_fit_run *f, afn_status st)
{
    if (st == AFN_ECANCELLED) return broken_off(f, "stop", "why", "asked");
    if (st != AFN_OK) return broken_off(f, "failed", "error", afn_error_message());
    if (f->end == AFN_END_TIME) return broken_off(f, "stop", "why", "time");
    return ended(f);
}
