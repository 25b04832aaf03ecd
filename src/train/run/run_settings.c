/* SPDX-License-Identifier: Apache-2.0 */
/* Left out is what changes no result: threads, kept features and images, callbacks,
 * when to stop and when to save. */
#include "train/run/run_settings.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* ---- data ---- */

/* FNV-1a, http://www.isthe.com/chongo/tech/comp/fnv/ */
static uint64_t hash(uint64_t h, const void *bytes, size_t n)
{
    const unsigned char *b = bytes;
    for (size_t i = 0; i < n; i++) h = (h ^ b[i]) * 0x100000001b3u;
    return h;
}

static const uint64_t hash_begin = 0xcbf29ce484222325u;

/* A path without the folder that the data lie in, which may move: the last two parts.
 */
static const char *tail_of(const char *name)
{
    const char *at = name + strlen(name);
    for (int slashes = 0; at > name; at--)
        if (at[-1] == '/' && ++slashes == 2) break;
    return at;
}

uint64_t afn_settings_hash_images(const afn_dataset *d)
{
    char name[1024];
    uint64_t h = hash_begin;
    const int64_t n = d ? afn_dataset_count(d) : 0;
    for (int64_t i = 0; i < n; i++) {
        const char *tail = tail_of(afn_dataset_sample_name(d, i, name, sizeof name));
        const int label = afn_dataset_label(d, i);
        h = hash(hash(h, tail, strlen(tail) + 1), &label, sizeof label);
    }
    return h;
}

static void add_images(afn_buf *b, const char *what, const afn_dataset *d)
{
    afn_buf_fmt(b, "%s\t%" PRId64 " (list %016" PRIx64 ")\n", what,
                d ? afn_dataset_count(d) : 0, afn_settings_hash_images(d));
}

static void add_classes(afn_buf *b, const afn_model *m, const afn_dataset *d)
{
    uint64_t h = hash_begin;
    for (int c = 0; c < afn_dataset_classes(d); c++) {
        const char *name = afn_dataset_class_name(d, c);
        h = hash(h, name, strlen(name) + 1);
    }
    for (int c = 0; c < afn_model_classes(m); c++) {
        const char *name = afn_model_class_name(m, c);
        if (name) h = hash(h, name, strlen(name) + 1);
    }
    afn_buf_fmt(b, "classes\t%d (names %016" PRIx64 ")\n", afn_model_classes(m), h);
}

/* ---- options ---- */

#define PHASE(name, kind, member)                                                      \
    {                                                                                  \
        name, AFN_SETTING_##kind, offsetof(afn_phase, member)                          \
    }
const afn_setting afn_phase_settings[] = {
    PHASE("epochs", INT, epochs),
    PHASE("trainable", TEXT, trainable),
    PHASE("solver", INT, solver),
    PHASE("l2", DOUBLE, lbfgs.l2),
    PHASE("max iterations", INT, lbfgs.max_iter),
    PHASE("history size", INT, lbfgs.history_size),
    PHASE("gradient tolerance", DOUBLE, lbfgs.tolerance_grad),
    PHASE("label smoothing", FLOAT, label_smoothing),
    PHASE("augmentation", TEXT, augment.spec),
    PHASE("mixup", DOUBLE, augment.mixup),
    PHASE("cutmix", DOUBLE, augment.cutmix),
    PHASE("views", INT, augment.views),
    PHASE("optimizer", TEXT, optim.optimizer),
    PHASE("lr", FLOAT, optim.lr),
    PHASE("weight decay", FLOAT, optim.weight_decay),
    PHASE("momentum", FLOAT, optim.momentum),
    PHASE("dampening", FLOAT, optim.dampening),
    PHASE("nesterov", BOOL, optim.nesterov),
    PHASE("beta1", FLOAT, optim.beta1),
    PHASE("beta2", FLOAT, optim.beta2),
    PHASE("eps", FLOAT, optim.eps),
    PHASE("alpha", FLOAT, optim.alpha),
    PHASE("centered", BOOL, optim.centered),
    PHASE("layer decay", FLOAT, optim.layer_decay),
    PHASE("head lr factor", FLOAT, optim.head_lr_factor),
    PHASE("no decay of norm and bias", BOOL, optim.no_decay_norm_bias),
    PHASE("clip norm", FLOAT, optim.clip_norm),
    PHASE("clip value", FLOAT, optim.clip_value),
    PHASE("accumulate", INT, optim.accumulate),
    PHASE("ema decay", FLOAT, optim.ema_decay),
    PHASE("ema warm-up", BOOL, optim.ema_warmup),
    PHASE("schedule", TEXT, schedule.schedule),
    PHASE("schedule on updates", BOOL, schedule.on_updates),
    PHASE("warm-up epochs", INT, schedule.warmup_epochs),
    PHASE("warm-up steps", INT64, schedule.warmup_steps),
    PHASE("warm-up factor", FLOAT, schedule.warmup_factor),
    PHASE("step size", INT, schedule.step_size),
    PHASE("gamma", FLOAT, schedule.gamma),
    PHASE("eta min", FLOAT, schedule.eta_min),
    PHASE("pct start", FLOAT, schedule.pct_start),
    PHASE("div factor", FLOAT, schedule.div_factor),
    PHASE("final div factor", FLOAT, schedule.final_div_factor),
    PHASE("cycle momentum", BOOL, schedule.cycle_momentum),
    PHASE("base momentum", FLOAT, schedule.base_momentum),
    PHASE("max momentum", FLOAT, schedule.max_momentum),
    PHASE("plateau factor", FLOAT, schedule.factor),
    PHASE("plateau patience", INT, schedule.patience),
    PHASE("plateau threshold", FLOAT, schedule.threshold),
    PHASE("plateau cooldown", INT, schedule.cooldown),
    PHASE("plateau min lr", FLOAT, schedule.min_lr),
    { .name = NULL },
};

static void add_value(afn_buf *b, afn_setting_kind k, const void *at)
{
    const char *text = k == AFN_SETTING_TEXT ? *(const char *const *)at : NULL;
    switch (k) {
    case AFN_SETTING_BOOL:
        afn_buf_str(b, *(const bool *)at ? "yes" : "no");
        break;
    case AFN_SETTING_INT:
        afn_buf_fmt(b, "%d", *(const int *)at);
        break;
    case AFN_SETTING_INT64:
        afn_buf_fmt(b, "%" PRId64, *(const int64_t *)at);
        break;
    case AFN_SETTING_FLOAT:
        afn_buf_fmt(b, "%.9g", (double)*(const float *)at);
        break;
    case AFN_SETTING_DOUBLE:
        afn_buf_fmt(b, "%.17g", *(const double *)at);
        break;
    case AFN_SETTING_TEXT:
        afn_buf_str(b, text ? text : "default");
        break;
    }
}

static void add_phase(afn_buf *b, const afn_phase *p)
{
    for (const afn_setting *d = afn_phase_settings; d->name; d++) {
        afn_buf_fmt(b, "phase %s: %s\t", p->name, d->name);
        add_value(b, d->kind, (const char *)p + d->at);
        afn_buf_str(b, "\n");
    }
    for (int i = 0; i < p->schedule.n_milestones; i++)
        afn_buf_fmt(b, "phase %s: milestone %d\t%d\n", p->name, i + 1,
                    p->schedule.milestone[i]);
}

static void add_image(afn_buf *b, const afn_model *m)
{
    const afn_preprocess p = afn_model_preprocess(m);
    afn_buf_fmt(b, "image size\t%d\nresize\t%d\nfit\t%s\nfilter\t%s\n", p.crop,
                p.resize, afn_fit_mode_name(p.fit), afn_filter_name(p.filter));
    afn_buf_fmt(b, "exif\t%s\nfast decode\t%s\n", p.exif ? "yes" : "no",
                p.fast ? "yes" : "no");
    for (int c = 0; c < afn_preprocess_channels(&p); c++)
        afn_buf_fmt(b, "mean and deviation %d\t%.9g, %.9g\n", c, (double)p.mean[c],
                    (double)p.std[c]);
}

static void add_class_weights(afn_buf *b, const afn_fit_opts *o, int classes)
{
    uint64_t h = hash_begin;
    if (!o->class_weight) {
        afn_buf_str(b, "class weights\tnone\n");
        return;
    }
    h = hash(h, o->class_weight, (size_t)classes * sizeof *o->class_weight);
    afn_buf_fmt(b, "class weights\t%d (list %016" PRIx64 ")\n", classes, h);
}

const char *afn_settings_bn(afn_bn_mode bn)
{
    static const char *const name[] = { "auto", "batch", "frozen" };
    return name[bn];
}

void afn_settings_list(afn_buf *b, const afn_model *m, const afn_dataset *train,
                       const afn_dataset *val, const afn_fit_opts *o)
{
    afn_buf_fmt(b, "model\t%s\n", afn_model_arch(m));
    add_classes(b, m, train);
    add_images(b, "training images", train);
    add_images(b, "validation images", val);
    add_image(b, m);
    afn_buf_fmt(b, "batch\t%" PRId64 "\nseed\t%" PRIu64 "\nbn\t%s\n", o->batch, o->seed,
                afn_settings_bn(o->bn));
    afn_buf_fmt(b, "shuffle\t%s\nsampler\t%s\n", o->shuffle ? "yes" : "no",
                o->balanced ? "balanced" : "each once");
    afn_buf_fmt(b, "backend\t%s\nprecision\t%s\nexact\t%s\n", o->backend,
                o->precision == AFN_PRECISION_BF16 ? "bf16" : "fp32",
                o->exact ? "yes" : "no");
    afn_buf_fmt(b, "quantile of unknown images\t%.17g\n", o->unknown_quantile);
    add_class_weights(b, o, afn_dataset_classes(train));
    afn_buf_fmt(b, "phases\t%d\n", o->n_phases);
    for (int i = 0; i < o->n_phases; i++) add_phase(b, &o->phase[i]);
}

/* ---- comparing ---- */

static afn_status differ(const char *before, const char *now)
{
    const int name = (int)strcspn(before, "\t\n"), other = (int)strcspn(now, "\t\n");
    const char *was = before + name + (before[name] == '\t');
    const char *is = now + other + (now[other] == '\t');
    if (name != other || strncmp(before, now, (size_t)name) != 0)
        return afn_fail(AFN_EINVAL, "settings of another version of afina");
    return afn_fail(AFN_EINVAL, "%.*s: was %.*s when the run began, is %.*s now", name,
                    before, (int)strcspn(was, "\n"), was, (int)strcspn(is, "\n"), is);
}

afn_status afn_settings_compare(const char *before, const char *now)
{
    while (*before || *now) {
        const size_t n = strcspn(before, "\n");
        if (n != strcspn(now, "\n") || strncmp(before, now, n) != 0)
            return differ(before, now);
        before += n + (before[n] == '\n');
        now += n + (now[n] == '\n');
    }
    return AFN_OK;
}
