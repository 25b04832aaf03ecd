/* SPDX-License-Identifier: Apache-2.0 */
/* last.ckpt: a model file with the weights of the last step, and beside them, under
 * names that begin with "afina.", what a run is made of:
 *
 *   afina.best.NAME     weights of the best epoch, of what any phase changed
 *   afina.optim.K.NAME  optimiser state, PyTorch's layout
 *   afina.bad.train     samples found to be unreadable, afina.bad.val likewise
 *   afina.checkpoint    in the metadata: all that is no tensor
 *
 * Random numbers need no state: each is a function of (seed, purpose, position).  A run
 * that has only begun has a file without tensors, and so has one that is finished. */
#include "train/run/checkpoint.h"

#include <stdio.h>
#include <string.h>

#include "train/run/run_settings.h"
#include "train/run/snapshot.h"

enum { VERSION = 2, NAME_BYTES = 512 };

static const char *const state_begun = "begun", *const state_running = "running",
                         *const state_finished = "finished";

/* ---- what there is, written and read alike ---- */

static void place_fields(afn_place *p, afn_fields *d)
{
    afn_field_int(d, "at.phase", &p->phase);
    afn_field_int(d, "at.start", &p->start);
    afn_field_int(d, "at.epoch", &p->epoch);
    afn_field_int(d, "at.batches", &p->batches);
    afn_field_int(d, "at.steps", &p->steps);
    afn_field_int(d, "at.images", &p->images);
    afn_field_int(d, "at.correct", &p->correct);
    afn_field_real(d, "at.loss", &p->loss);
    afn_field_real(d, "at.lr", &p->lr);
    afn_field_real(d, "at.rate", &p->rate);
    afn_field_bool(d, "at.trained", &p->trained);
}

static void int_field(afn_fields *d, const char *name, int *v)
{
    int64_t wide = *v;
    afn_field_int(d, name, &wide);
    if (wide < 0 || wide > INT32_MAX) afn_fields_fail(d, name);
    *v = (int)wide;
}

/* The best epoch; its phase is one of the run's. */
static void best_fields(afn_fit_run *f, afn_fields *d)
{
    afn_epoch *e = &f->best.epoch;
    double lr = (double)e->lr;
    int phase = 0;
    for (int i = 0; i < f->o.n_phases; i++)
        if (e->phase == f->o.phase[i].name) phase = i;
    int_field(d, "best.phase", &phase);
    int_field(d, "best.epoch", &e->epoch);
    int_field(d, "best.of", &e->of);
    int_field(d, "best.run_epoch", &e->run_epoch);
    int_field(d, "best.run_of", &e->run_of);
    afn_field_real(d, "best.train_loss", &e->train_loss);
    afn_field_real(d, "best.train_acc", &e->train_acc);
    afn_field_real(d, "best.val_loss", &e->val_loss);
    afn_field_real(d, "best.val_acc", &e->val_acc);
    afn_field_real(d, "best.lr", &lr);
    afn_field_real(d, "best.images_per_second", &e->images_per_second);
    afn_field_real(d, "best.seconds", &e->seconds);
    afn_field_int(d, "best.skipped", &e->skipped);
    e->lr = (float)lr;
    e->best = e->run_epoch > 0;
    if (phase >= f->o.n_phases)
        afn_fields_fail(d, "best.phase");
    else
        e->phase = f->o.phase[phase].name;
}

static void run_fields(afn_fit_run *f, afn_fields *d)
{
    bool reached = f->end == AFN_END_TARGET;
    int64_t lines = f->records.lines.size, events = f->records.events.size;
    place_fields(&f->at, d);
    int_field(d, "run_epoch", &f->run_epoch);
    afn_field_bool(d, "reached", &reached);
    afn_field_int(d, "records.lines", &lines);
    afn_field_int(d, "records.events", &events);
    best_fields(f, d);
    afn_stop_fields(&f->rules, d);
    if (!d->reading) return;
    if (reached) f->end = AFN_END_TARGET;
    f->records.lines_then = lines;
    f->records.events_then = events;
}

static const char *name_of(char buf[NAME_BYTES], const char *kind, const char *name)
{
    snprintf(buf, NAME_BYTES, AFN_MODEL_BESIDE "%s.%s", kind, name);
    return buf;
}

static void param_field(afn_fields *d, const char *name, const afn_param *p,
                        afn_params *params, int i)
{
    if (p->dtype == AFN_F32)
        afn_field_f32(d, name, &p->shape, afn_params_f32(params, i));
    else
        afn_field_i64(d, name, &p->shape, afn_params_i64(params, i));
}

/* Parameters of the best epoch that any phase has changed. */
static void best_params(afn_fit_run *f, afn_fields *d)
{
    const afn_graph *g = afn_model__graph(f->model);
    char name[NAME_BYTES];
    for (int i = 0; f->best.params && i < afn_graph_n_params(g); i++) {
        const afn_param *p = afn_graph_param(g, i);
        name_of(name, "best", p->name);
        if (d->reading) f->best.changed[i] = afn_fields_has(d, name);
        if (f->best.changed[i]) param_field(d, name, p, f->best.params, i);
    }
}

/* One state of one parameter, through a block of memory. */
static afn_status state_field(afn_fields *d, afn_plan *plan, const afn_param *p, int i,
                              int k, float *block)
{
    static const char *const kind[] = { "optim.0", "optim.1", "optim.2", "gathered",
                                        "average" };
    static_assert(AFN_COUNT(kind) == AFN_N_STATES && AFN_STATE_GATHERED == 3 &&
                      AFN_STATE_AVERAGE == 4,
                  "one name each");
    char name[NAME_BYTES];
    name_of(name, kind[k], p->name);
    if (d->reading ? !afn_fields_has(d, name) : !afn_plan_has_state(plan, i, k))
        return AFN_OK;
    if (!d->reading) {
        const afn_status st = afn_plan_read_state(plan, i, k, block);
        if (st != AFN_OK) return st;
    }
    afn_field_f32_copied(d, name, &p->shape, block);
    if (!d->reading || afn_fields_status(d) != AFN_OK) return afn_fields_status(d);
    return afn_plan_write_state(plan, i, k, block);
}

/* What the trainer and its plan carry. */
static afn_status trainer_fields(afn_fit_run *f, afn_trainer *t, afn_fields *d)
{
    afn_status st = AFN_OK;
    afn_plan *plan = afn_trainer__plan(t);
    const afn_graph *g = afn_model__graph(f->model);
    int64_t calls = (int64_t)afn_plan_calls(plan);
    float *block = NULL;
    afn_field_int(d, "calls", &calls);
    afn_plan_set_calls(plan, (uint64_t)calls);
    afn_trainer__fields(t, d);
    for (int i = 0; i < afn_graph_n_params(g); i++) {
        const afn_param *p = afn_graph_param(g, i);
        if (p->dtype != AFN_F32) continue;
        afn_free(block);
        block = afn_alloc_array((size_t)afn_shape_count(&p->shape), sizeof *block);
        AFN_REQUIRE(block, AFN_ENOMEM, "out of memory");
        for (int k = 0; k < AFN_N_STATES; k++)
            AFN_TRY(state_field(d, plan, p, i, k, block));
    }
    st = afn_fields_status(d);
done:
    afn_free(block);
    return st;
}

/* ---- samples that cannot be read ---- */

static afn_status write_bad(afn_fields *d, const char *kind, const afn_batches *b)
{
    char name[NAME_BYTES];
    int64_t n = 0;
    if (!b->loader || !afn_loader_bad(b->loader)) return AFN_OK;
    afn_shape shape = { .rank = 1, .dim = { afn_loader_bad(b->loader) } };
    int64_t *index = afn_alloc_array((size_t)shape.dim[0], sizeof *index);
    if (!index) return afn_fail(AFN_ENOMEM, "out of memory");
    for (int64_t i = 0; i < afn_dataset_count(b->data) && n < shape.dim[0]; i++)
        if (afn_loader__is_bad(b->loader, i)) index[n++] = i;
    const afn_status st =
        afn_weights_add(d->set, name_of(name, "bad", kind), AFN_I64, &shape, index);
    afn_free(index);
    return st;
}

static afn_status read_bad(const afn_fields *d, const char *kind, const afn_batches *b)
{
    afn_status st = AFN_OK;
    char name[NAME_BYTES];
    int64_t *index = NULL;
    const afn_weight *t = afn_weights_find(d->set, name_of(name, "bad", kind));
    if (!t || !b->loader) return AFN_OK;
    const int64_t n = afn_shape_count(&t->shape), count = afn_dataset_count(b->data);
    AFN_REQUIRE(n > 0 && n <= count && t->dtype == AFN_I64, AFN_EFORMAT, "%s: damaged",
                name);
    index = afn_alloc_array((size_t)n, sizeof *index);
    AFN_REQUIRE(index, AFN_ENOMEM, "out of memory");
    AFN_TRY(afn_weights_read_i64(d->set, t, index, (size_t)n));
    for (int64_t i = 0; i < n; i++) {
        AFN_REQUIRE(index[i] >= 0 && index[i] < count, AFN_EFORMAT, "%s: damaged",
                    name);
        afn_loader__set_bad(b->loader, index[i]);
    }
done:
    afn_free(index);
    return st;
}

/* ---- writing ---- */

/* What every checkpoint says, and where the run is for who only looks. */
static void write_head(afn_fit_run *f, afn_fields *d, const char *state)
{
    int64_t version = VERSION;
    const bool over = f->at.phase >= f->o.n_phases;
    const afn_phase *phase = over ? NULL : &f->o.phase[f->at.phase];
    int of = phase ? phase->epochs : 0;
    char *text[] = { (char *)state, f->settings.data, (char *)f->o.note,
                     (char *)(phase ? phase->name : "") };
    afn_field_int(d, "version", &version);
    afn_field_text(d, "state", &text[0]);
    afn_field_text(d, "settings", &text[1]);
    afn_field_text(d, "note", &text[2]);
    afn_field_text(d, "phase", &text[3]);
    int_field(d, "of", &of);
    int_field(d, "run_of", &f->run_of);
}

static afn_status save_to_folder(const afn_fit_run *f, afn_fields *d)
{
    char *path = afn_path_join(f->folder.path, AFN_CHECKPOINT_FILE);
    if (!path) return afn_fail(AFN_ENOMEM, "out of memory");
    const afn_status st = afn_fields_save(d, path);
    afn_free(path);
    return st;
}

/* A file without tensors. */
static afn_status save_state(afn_fit_run *f, const char *state)
{
    afn_status st = AFN_OK;
    afn_fields d = { 0 };
    if (!f->folder.path) return AFN_OK;
    AFN_TRY(afn_fields_new(&d));
    write_head(f, &d, state);
    run_fields(f, &d);
    AFN_TRY(save_to_folder(f, &d));
done:
    afn_fields_close(&d);
    return st;
}

afn_status afn_checkpoint_begin(afn_fit_run *f)
{
    return save_state(f, state_begun);
}

afn_status afn_checkpoint_finish(afn_fit_run *f)
{
    f->at = (afn_place){ .phase = f->o.n_phases };
    return save_state(f, state_finished);
}

/* All of it; the model's weights are first made those of the last step. */
static afn_status write_all(afn_fit_run *f, afn_trainer *t, afn_fields *d)
{
    afn_status st = AFN_OK;
    char *metrics = f->folder.metrics.data;
    bool in_phase = t != NULL;
    if (t) AFN_TRY(afn_trainer_sync(t));
    AFN_TRY(afn_model__describe(d->set, f->model, afn_model__params(f->model)));
    write_head(f, d, state_running);
    run_fields(f, d);
    afn_field_text(d, "metrics", &metrics);
    afn_field_bool(d, "in_phase", &in_phase);
    best_params(f, d);
    if (t) AFN_TRY(trainer_fields(f, t, d));
    AFN_TRY(write_bad(d, "train", &f->train));
    AFN_TRY(write_bad(d, "val", &f->val));
done:
    return st;
}

static afn_status save(afn_fit_run *f, afn_trainer *t)
{
    afn_status st = AFN_OK;
    afn_fields d = { 0 };
    const double start = afn_now_s();
    if (!f->folder.path || f->ckpt.current) return AFN_OK;
    AFN_TRY(afn_fields_new(&d));
    AFN_TRY(write_all(f, t, &d));
    AFN_TRY(save_to_folder(f, &d));
    afn_pace_wrote(&f->ckpt.pace, start);
    f->ckpt.steps = 0;
    f->ckpt.current = true;
done:
    afn_fields_close(&d);
    return st;
}

afn_status afn_checkpoint_save_if_due(afn_fit_run *f, afn_trainer *t)
{
    return afn_pace_is_due(&f->ckpt.pace) ? save(f, t) : AFN_OK;
}

afn_status afn_checkpoint_save_if_asked(afn_fit_run *f, afn_trainer *t)
{
    const afn_fit_opts *o = &f->o;
    const bool steps = o->checkpoint_steps && f->ckpt.steps >= o->checkpoint_steps;
    const bool late =
        o->checkpoint_s > 0 && afn_now_s() - f->ckpt.pace.at >= o->checkpoint_s;
    return steps || late ? save(f, t) : AFN_OK;
}

afn_status afn_checkpoint_save_stopped(afn_fit_run *f, afn_trainer *t, afn_status st)
{
    const afn_status saved = save(f, t);
    if (saved != AFN_OK || st == AFN_OK) return saved;
    return afn_fail(st, "stopped");
}

/* ---- reading ---- */

/* The model's own tensors, which are the weights of the last step. */
static void read_params(afn_fit_run *f, afn_fields *d)
{
    const afn_graph *g = afn_model__graph(f->model);
    for (int i = 0; i < afn_graph_n_params(g); i++) {
        const afn_param *p = afn_graph_param(g, i);
        param_field(d, p->name, p, afn_model__params(f->model), i);
    }
}

/* Room for the best epoch's: what no phase changed is as in the model. */
static afn_status read_best(afn_fit_run *f, afn_fields *d)
{
    afn_status st = AFN_OK;
    const int n = afn_graph_n_params(afn_model__graph(f->model));
    if (!f->best.epoch.run_epoch) return AFN_OK;
    AFN_TRY(afn_snapshot_take(&f->best.params, f->model, NULL));
    f->best.changed = afn_alloc_array((size_t)n, sizeof *f->best.changed);
    AFN_REQUIRE(f->best.changed, AFN_ENOMEM, "out of memory");
    best_params(f, d);
    f->best.pending = true; /* the file may be an older one, or a newer */
    st = afn_fields_status(d);
done:
    return st;
}

static afn_status check_place(const afn_fit_run *f)
{
    const afn_place *at = &f->at;
    const bool over = at->phase == f->o.n_phases;
    const int64_t epochs = over || at->phase < 0 || at->phase > f->o.n_phases
                               ? 0
                               : f->o.phase[at->phase].epochs;
    const bool phase = at->phase >= 0 && at->phase <= f->o.n_phases && at->epoch >= 0 &&
                       at->epoch <= epochs;
    const bool epoch = at->start >= 0 && f->run_epoch == at->start + at->epoch &&
                       f->run_epoch <= f->run_of;
    const bool step = at->batches >= 0 && at->steps >= 0 && at->steps <= at->batches &&
                      at->images >= at->steps &&
                      at->batches <= afn_batches_count(&f->train);
    if (phase && epoch && step) return AFN_OK;
    return afn_fail(AFN_EFORMAT, "at: missing or damaged");
}

static afn_status read_metrics(afn_fit_run *f, afn_fields *d)
{
    char *text = NULL;
    afn_field_text(d, "metrics", &text);
    if (text) {
        afn_buf_free(&f->folder.metrics);
        f->folder.metrics = (afn_buf){ 0 };
        afn_buf_str(&f->folder.metrics, text);
        f->folder.unwritten = true;
    }
    afn_free(text);
    return afn_fields_status(d);
}

/* Whether this run may go on from the file. */
static afn_status read_head(const afn_fit_run *f, afn_fields *d, bool *running)
{
    afn_status st = AFN_OK;
    int64_t version = 0;
    char *state = NULL, *settings = NULL;
    afn_field_int(d, "version", &version);
    afn_field_text(d, "state", &state);
    afn_field_text(d, "settings", &settings);
    AFN_TRY(afn_fields_status(d));
    AFN_REQUIRE(version == VERSION, AFN_EUNSUPPORTED,
                "of another version of afina (%lld, not %d)", (long long)version,
                (int)VERSION);
    AFN_REQUIRE(strcmp(state, state_finished) != 0, AFN_EINVAL, "the run is finished");
    AFN_TRY(afn_settings_compare(settings, f->settings.data));
    *running = strcmp(state, state_running) == 0;
done:
    afn_free(state);
    afn_free(settings);
    return st;
}

static afn_status read_run(afn_fit_run *f, afn_fields *d)
{
    afn_status st = AFN_OK;
    bool in_phase = false;
    run_fields(f, d);
    afn_field_bool(d, "in_phase", &in_phase);
    read_params(f, d);
    AFN_TRY(afn_fields_status(d));
    AFN_TRY(check_place(f));
    AFN_TRY(read_best(f, d));
    AFN_TRY(read_metrics(f, d));
    AFN_TRY(read_bad(d, "train", &f->train));
    AFN_TRY(read_bad(d, "val", &f->val));
    if (!in_phase) afn_fields_close(d);
done:
    return st;
}

afn_status afn_checkpoint_load(afn_fit_run *f)
{
    afn_status st = AFN_OK;
    bool running = false;
    char *path = afn_path_join(f->folder.path, AFN_CHECKPOINT_FILE);
    AFN_REQUIRE(path, AFN_ENOMEM, "out of memory");
    AFN_REQUIRE(afn_is_file(path), AFN_ENOTFOUND, "%s: no %s, so no run to go on with",
                f->folder.path, AFN_CHECKPOINT_FILE);
    AFN_TRY(afn_fields_open(&f->resumed, path));
    AFN_TRY(afn_context(read_head(f, &f->resumed, &running), "%s", path));
    if (running)
        AFN_TRY(afn_context(read_run(f, &f->resumed), "%s", path));
    else
        afn_fields_close(&f->resumed);
    f->ckpt.current = true;
done:
    afn_free(path);
    return st;
}

afn_status afn_checkpoint_load_trainer(afn_fit_run *f, afn_trainer *t)
{
    if (!f->resumed.set) return AFN_OK;
    const afn_status st = trainer_fields(f, t, &f->resumed);
    afn_fields_close(&f->resumed);
    return afn_context(st, "%s/" AFN_CHECKPOINT_FILE, f->folder.path);
}
