/* SPDX-License-Identifier: Apache-2.0 */
/* The optimiser's part of training, for check_optim.py:
 *
 *   optim_tool given ARCH SIZE KEY=VALUE...     with gradients that it is given
 *   optim_tool trained ARCH SIZE KEY=VALUE...   with those of a network, batch norm
 * fixed
 *
 * Keys are the fields of afn_optim_opts, afn_schedule_opts and afn_trainer_opts, and
 * losses=A,B,...: what is reported after each epoch.  Reads fp32 from standard input:
 * every float parameter in the state dict's order, and then for each step
 *   given     the gradient of every parameter that is no buffer
 *   trained   the number of images, their labels, their pixels (n, SIZE, SIZE, 3)
 * Writes fp32: after each epoch of epoch_steps steps the learning rate and momentum
 * (beta1) of the step that follows, and at the end every parameter that is no buffer,
 * then their averages where ema_decay asks for them. */
#include <stddef.h>
#include <string.h>

#include "floats.h"
#include "train/trainer.h"
#include "train/update.h"

enum { CLASSES = 10, MAX_LOSSES = 32, MAX_BATCH = 64 };

typedef struct job {
    afn_trainer_opts o;
    float loss[MAX_LOSSES];
    int n_losses;
    afn_model *m;
    const afn_graph *g;
    int size;
    afn_plan *plan; /* given */
    afn_updater updater;
    afn_rate rate;
    afn_trainer *trainer; /* trained */
} job;

/* ---- keys ---- */

typedef enum kind { REAL, INT, INT64, YES, TEXT } kind;

#define OPTIM(kind, name)                                                              \
    {                                                                                  \
#name, kind, offsetof(afn_trainer_opts, optim.name)                            \
    }
#define SCHEDULE(kind, name)                                                           \
    {                                                                                  \
#name, kind, offsetof(afn_trainer_opts, schedule.name)                         \
    }
#define TRAINER(kind, name)                                                            \
    {                                                                                  \
#name, kind, offsetof(afn_trainer_opts, name)                                  \
    }
static const struct {
    const char *name;
    kind kind;
    size_t at;
} keys[] = {
    OPTIM(TEXT, optimizer),
    OPTIM(REAL, lr),
    OPTIM(REAL, weight_decay),
    OPTIM(REAL, momentum),
    OPTIM(REAL, dampening),
    OPTIM(YES, nesterov),
    OPTIM(REAL, beta1),
    OPTIM(REAL, beta2),
    OPTIM(REAL, eps),
    OPTIM(REAL, alpha),
    OPTIM(YES, centered),
    OPTIM(REAL, layer_decay),
    OPTIM(REAL, head_lr_factor),
    OPTIM(YES, no_decay_norm_bias),
    OPTIM(REAL, clip_norm),
    OPTIM(REAL, clip_value),
    OPTIM(INT, accumulate),
    OPTIM(REAL, ema_decay),
    OPTIM(YES, ema_warmup),
    SCHEDULE(TEXT, schedule),
    SCHEDULE(YES, on_updates),
    SCHEDULE(INT, warmup_epochs),
    SCHEDULE(INT64, warmup_steps),
    SCHEDULE(REAL, warmup_factor),
    SCHEDULE(INT, step_size),
    SCHEDULE(REAL, gamma),
    SCHEDULE(REAL, eta_min),
    SCHEDULE(REAL, pct_start),
    SCHEDULE(REAL, div_factor),
    SCHEDULE(REAL, final_div_factor),
    SCHEDULE(YES, cycle_momentum),
    SCHEDULE(REAL, base_momentum),
    SCHEDULE(REAL, max_momentum),
    SCHEDULE(REAL, factor),
    SCHEDULE(INT, patience),
    SCHEDULE(REAL, threshold),
    SCHEDULE(INT, cooldown),
    SCHEDULE(REAL, min_lr),
    TRAINER(INT, epochs),
    TRAINER(INT64, epoch_steps),
    TRAINER(TEXT, backend),
};

static void take(void *at, kind k, const char *text)
{
    switch (k) {
    case REAL:
        *(float *)at = strtof(text, NULL);
        break;
    case INT:
        *(int *)at = atoi(text);
        break;
    case INT64:
        *(int64_t *)at = atoll(text);
        break;
    case YES:
        *(bool *)at = atoi(text) != 0;
        break;
    case TEXT:
        *(const char **)at = text;
        break;
    }
}

/* "losses=1,2.5", "milestones=3,5" */
static bool take_list(job *j, const char *arg)
{
    const bool losses = !strncmp(arg, "losses=", 7);
    if (!losses && strncmp(arg, "milestones=", 11) != 0) return false;
    const char *at = strchr(arg, '=');
    for (; at; at = strchr(at + 1, ',')) {
        if (losses)
            j->loss[j->n_losses++] = strtof(at + 1, NULL);
        else
            j->o.schedule.milestone[j->o.schedule.n_milestones++] = atoi(at + 1);
    }
    return true;
}

static afn_status parse(job *j, int argc, char **argv)
{
    j->o = afn_trainer_defaults();
    for (int i = 0; i < argc; i++)
        if (!strncmp(argv[i], "optimizer=", 10))
            j->o.optim = afn_optim_defaults(argv[i] + 10);
    for (int i = 0; i < argc; i++) {
        const size_t n = strcspn(argv[i], "=");
        size_t k = 0;
        if (take_list(j, argv[i])) continue;
        while (k < AFN_COUNT(keys) &&
               (strlen(keys[k].name) != n || strncmp(keys[k].name, argv[i], n) != 0))
            k++;
        if (k == AFN_COUNT(keys))
            return afn_fail(AFN_EINVAL, "%s: no such key", argv[i]);
        take((char *)&j->o + keys[k].at, keys[k].kind, argv[i] + n + 1);
    }
    const afn_status st = afn_optim_check(&j->o.optim);
    return st == AFN_OK ? afn_schedule_check(&j->o.schedule) : st;
}

/* ---- the model ---- */

static afn_status open_model(job *j, const char *arch)
{
    afn_status st = AFN_OK;
    afn_preprocess p = afn_preprocess_imagenet();
    p.resize = p.crop = j->size;
    AFN_TRY(afn_model_new(&j->m, arch, CLASSES, 1));
    AFN_TRY(afn_model_set_preprocess(j->m, &p));
    j->g = afn_model__graph(j->m);
    for (int i = 0; i < afn_graph_n_params(j->g); i++) {
        float *v = afn_params_f32(afn_model__params(j->m), i);
        if (v) AFN_TRY(read_floats(v, afn_params_size(afn_model__params(j->m), i)));
    }
done:
    return st;
}

static void write_params(const job *j)
{
    afn_params *p = afn_model__params(j->m);
    for (int i = 0; i < afn_graph_n_params(j->g); i++)
        if (!afn_graph_param(j->g, i)->buffer)
            write_floats(afn_params_f32(p, i), afn_params_size(p, i));
}

/* ---- given ---- */

static afn_status begin_given(job *j)
{
    afn_status st = AFN_OK;
    const afn_plan_opts p = { .batch = 1,
                              .bn = AFN_BN_FROZEN,
                              .train = true,
                              .update_at_once = true,
                              .trainable = afn_model__trainable(j->m),
                              .backend = j->o.backend };
    AFN_TRY(afn_plan_new(&j->plan, j->g, afn_model__params(j->m), &p));
    AFN_TRY(afn_rate_begin(&j->rate, &j->o));
    AFN_TRY(afn_updater_new(&j->updater, j->m, &j->o.optim));
done:
    return st;
}

/* As if a batch had been gathered, which completes a group. */
static afn_status step_given(job *j)
{
    afn_status st = AFN_OK;
    float *v = NULL;
    for (int i = 0; i < afn_graph_n_params(j->g); i++) {
        const int64_t n = afn_params_size(afn_model__params(j->m), i);
        if (afn_graph_param(j->g, i)->buffer) continue;
        free(v);
        v = numbers(n);
        AFN_TRY(read_floats(v, n));
        AFN_TRY(afn_plan_write_state(j->plan, i, AFN_STATE_GATHERED, v));
    }
    j->updater.batches = 1;
    j->updater.weight = 1;
    AFN_TRY(afn_update_rest(&j->updater, j->plan, &j->rate));
done:
    free(v);
    return st;
}

/* ---- trained ---- */

static afn_status begin_trained(job *j)
{
    j->o.bn = AFN_BN_FROZEN;
    j->o.batch = 4;
    j->o.exact = true;
    return afn_trainer_new(&j->trainer, j->m, &j->o);
}

static afn_status step_trained(job *j)
{
    afn_status st = AFN_OK;
    float n, label[MAX_BATCH], *x = NULL;
    int labels[MAX_BATCH];
    uint8_t *pixels = NULL;
    AFN_TRY(read_floats(&n, 1));
    AFN_REQUIRE(n > 0 && n <= MAX_BATCH, AFN_EINVAL, "a batch of %g", (double)n);
    AFN_TRY(read_floats(label, (int64_t)n));
    const int64_t values = (int64_t)n * j->size * j->size * 3;
    x = numbers(values);
    pixels = malloc((size_t)values);
    AFN_REQUIRE(pixels, AFN_ENOMEM, "out of memory");
    AFN_TRY(read_floats(x, values));
    for (int64_t i = 0; i < values; i++) pixels[i] = (uint8_t)x[i];
    for (int i = 0; i < (int)n; i++) labels[i] = (int)label[i];
    const afn_batch b = { .n = (int64_t)n, .pixels = pixels, .labels = labels };
    AFN_TRY(afn_trainer_step(j->trainer, &b, NULL));
done:
    free(x);
    free(pixels);
    return st;
}

/* ---- both ---- */

static afn_status end_epoch(job *j, int epoch)
{
    const float loss = epoch < j->n_losses ? j->loss[epoch] : 0;
    float now[2] = { 0 };
    afn_status st = AFN_OK;
    if (j->trainer) {
        AFN_TRY(afn_trainer_end_epoch(j->trainer));
        afn_trainer_report(j->trainer, (double)loss);
        now[0] = afn_trainer_lr(j->trainer);
    } else {
        j->rate.epoch++;
        afn_rate_report(&j->rate, (double)loss);
        now[0] = (float)afn_rate_now(&j->rate);
        now[1] = (float)afn_rate_momentum(&j->rate, 0);
    }
    write_floats(now, 2);
done:
    return st;
}

static afn_status write_end(job *j)
{
    afn_status st = AFN_OK;
    afn_plan *p = j->trainer ? afn_trainer__plan(j->trainer) : j->plan;
    AFN_TRY(afn_plan_sync(p));
    write_params(j);
    if (j->o.optim.ema_decay == 0) goto done;
    AFN_TRY(afn_plan_sync_average(p));
    write_params(j);
done:
    return st;
}

static afn_status work(job *j, bool given, const char *arch, int argc, char **argv)
{
    afn_status st = AFN_OK;
    AFN_TRY(parse(j, argc, argv));
    AFN_TRY(open_model(j, arch));
    AFN_TRY(given ? begin_given(j) : begin_trained(j));
    for (int e = 0; e < j->o.epochs; e++) {
        for (int64_t s = 0; s < j->o.epoch_steps; s++)
            AFN_TRY(given ? step_given(j) : step_trained(j));
        AFN_TRY(end_epoch(j, e));
    }
    AFN_TRY(write_end(j));
done:
    return st;
}

int main(int argc, char **argv)
{
    if (argc < 4) return 2;
    job j = { .size = atoi(argv[3]) };
    const bool given = !strcmp(argv[1], "given");
    const afn_status st = work(&j, given, argv[2], argc - 4, argv + 4);
    afn_trainer_free(j.trainer);
    afn_updater_free(&j.updater);
    afn_plan_free(j.plan);
    afn_model_free(j.m);
    if (st != AFN_OK) fprintf(stderr, "%s\n", afn_error_message());
    return st != AFN_OK;
}
