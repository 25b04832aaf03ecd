/* SPDX-License-Identifier: Apache-2.0 */
/* Objects are put together by jansson; a member that there is no memory for is left
 * out. */
#define _POSIX_C_SOURCE 200809L /* gmtime_r */
#include "train/run/run_config.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "io/io.h"
#include "train/run/run_settings.h"

/* ---- values ---- */

static json_t *number(double v)
{
    return isfinite(v) ? json_real(v) : json_null();
}

/* As short as a float can be told, so that 0.1 stays 0.1. */
static json_t *float_number(float v)
{
    char text[32];
    snprintf(text, sizeof text, "%.7g", (double)v);
    return number(strtod(text, NULL));
}

/* Text that a JSON string can be; bytes that are not UTF-8 become U+FFFD. */
static json_t *text_value(const char *v)
{
    afn_buf b = { 0 };
    if (!v) return json_null();
    afn_json_add_string(&b, v);
    json_t *text = b.failed ? NULL : json_loads(b.data, JSON_DECODE_ANY, NULL);
    afn_buf_free(&b);
    return text;
}

/* ---- parts ---- */

static json_t *describe_machine(void)
{
    char cpu[AFN_CPU_NAME_BYTES];
    static const char *const isa[] = { "x86-64", "avx2", "avx512" };
    return json_pack("{s:s, s:i, s:s, s:I}", "processor", afn_cpu_name(cpu),
                     "processors", afn_cpu_count(), "instructions", isa[afn_best_isa()],
                     "memory_available_bytes", (json_int_t)afn_memory_available());
}

static json_t *describe_model(const afn_model *m)
{
    json_t *classes = json_array();
    int64_t parameters = 0;
    const afn_graph *g = afn_model__graph(m);
    for (int c = 0; c < afn_model_classes(m); c++)
        json_array_append_new(classes, text_value(afn_model_class_name(m, c)));
    for (int i = 0; i < afn_graph_n_params(g); i++)
        if (!afn_graph_param(g, i)->buffer)
            parameters += afn_shape_count(&afn_graph_param(g, i)->shape);
    return json_pack("{s:s, s:s, s:I, s:o}", "arch", afn_model_arch(m), "head",
                     afn_model_head(m), "parameters", (json_int_t)parameters, "classes",
                     classes);
}

static json_t *describe_images(const afn_dataset *d)
{
    char hash[24];
    if (!d) return json_null();
    snprintf(hash, sizeof hash, "%016" PRIx64, afn_settings_hash_images(d));
    return json_pack("{s:I, s:s}", "images", (json_int_t)afn_dataset_count(d),
                     "list_hash", hash);
}

static json_t *describe_preprocessing(const afn_model *m)
{
    const afn_preprocess p = afn_model_preprocess(m);
    json_t *mean = json_array(), *deviation = json_array();
    for (int c = 0; c < 3; c++) {
        json_array_append_new(mean, float_number(p.mean[c]));
        json_array_append_new(deviation, float_number(p.std[c]));
    }
    return json_pack("{s:i, s:i, s:s, s:s, s:b, s:b, s:o, s:o}", "size", p.crop,
                     "resize", p.resize, "fit", afn_fit_mode_name(p.fit), "filter",
                     afn_filter_name(p.filter), "exif", p.exif, "fast_decode", p.fast,
                     "mean", mean, "std", deviation);
}

static json_t *describe_class_weights(const afn_fit_opts *o, int classes)
{
    if (!o->class_weight) return json_null();
    json_t *list = json_array();
    for (int c = 0; c < classes; c++)
        json_array_append_new(list, float_number(o->class_weight[c]));
    return list;
}

static json_t *describe_settings(const afn_fit_opts *o, int classes)
{
    json_t *s =
        json_pack("{s:I, s:I, s:s, s:b, s:b, s:b}", "batch", (json_int_t)o->batch,
                  "seed", (json_int_t)o->seed, "bn", afn_settings_bn(o->bn), "shuffle",
                  o->shuffle, "balanced", o->balanced, "strict", o->strict);
    json_t *machine = json_pack(
        "{s:s, s:s, s:b, s:i, s:b, s:I, s:I}", "backend", o->backend, "precision",
        o->precision == AFN_PRECISION_BF16 ? "bf16" : "fp32", "exact", o->exact,
        "threads", o->threads, "feature_cache", o->feature_cache,
        "feature_memory_bytes", (json_int_t)o->feature_memory, "image_memory_bytes",
        (json_int_t)o->image_memory);
    json_object_update(s, machine);
    json_decref(machine);
    json_object_set_new(s, "class_weights", describe_class_weights(o, classes));
    json_object_set_new(s, "unknown_quantile", number(o->unknown_quantile));
    json_object_set_new(
        s, "monitor",
        json_string(o->monitor == AFN_MONITOR_LOSS ? "loss" : "accuracy"));
    json_object_set_new(s, "time_limit_s", number(o->time_limit_s));
    json_object_set_new(s, "target_accuracy", number(o->target_accuracy));
    json_object_set_new(s, "checkpoint_steps", json_integer(o->checkpoint_steps));
    json_object_set_new(s, "checkpoint_s", number(o->checkpoint_s));
    return s;
}

static json_t *setting_value(afn_setting_kind kind, const void *at)
{
    switch (kind) {
    case AFN_SETTING_BOOL:
        return json_boolean(*(const bool *)at);
    case AFN_SETTING_INT:
        return json_integer(*(const int *)at);
    case AFN_SETTING_INT64:
        return json_integer(*(const int64_t *)at);
    case AFN_SETTING_FLOAT:
        return float_number(*(const float *)at);
    case AFN_SETTING_DOUBLE:
        return number(*(const double *)at);
    case AFN_SETTING_TEXT:
        return text_value(*(const char *const *)at);
    }
    return NULL;
}

static json_t *describe_phase(const afn_phase *p)
{
    char key[64];
    json_t *phase = json_object(), *milestones = json_array();
    json_object_set_new(phase, "name", text_value(p->name));
    for (const afn_setting *d = afn_phase_settings; d->name; d++) {
        snprintf(key, sizeof key, "%s", d->name);
        for (char *c = key; *c; c++)
            if (*c == ' ' || *c == '-') *c = '_';
        json_object_set_new(phase, key,
                            setting_value(d->kind, (const char *)p + d->at));
    }
    for (int i = 0; i < p->schedule.n_milestones; i++)
        json_array_append_new(milestones, json_integer(p->schedule.milestone[i]));
    json_object_set_new(phase, "milestones", milestones);
    json_object_set_new(phase, "patience", json_integer(p->patience));
    json_object_set_new(phase, "min_delta", number(p->min_delta));
    return phase;
}

static json_t *describe_phases(const afn_fit_opts *o)
{
    json_t *phases = json_array();
    for (int i = 0; i < o->n_phases; i++)
        json_array_append_new(phases, describe_phase(&o->phase[i]));
    return phases;
}

static json_t *now(void)
{
    char date[40] = "";
    const time_t t = time(NULL);
    struct tm utc;
    if (gmtime_r(&t, &utc)) strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%SZ", &utc);
    return json_string(date);
}

/* ---- the whole ---- */

static afn_status write_text(const char *folder, const json_t *config)
{
    afn_status st = AFN_OK;
    char *path = afn_path_join(folder, "config.json");
    char *text =
        config ? json_dumps(config, JSON_INDENT(2) | JSON_REAL_PRECISION(10)) : NULL;
    AFN_REQUIRE(path && text, AFN_ENOMEM, "out of memory");
    AFN_TRY(afn_file_write(path, text, strlen(text)));
done:
    free(text); /* jansson's own */
    afn_free(path);
    return st;
}

static afn_status parse_command(json_t **out, const char *text)
{
    *out = NULL;
    if (!text) return AFN_OK;
    afn_status st = afn_json_parse(out, text, strlen(text));
    if (st == AFN_OK && !json_is_object(*out))
        st = afn_fail(AFN_EINVAL, "it is no JSON object");
    return afn_context(st, "what config.json is to say of the command");
}

afn_status afn_run_config_write(const char *folder, const afn_model *m,
                                const afn_dataset *train, const afn_dataset *val,
                                const afn_fit_opts *o)
{
    json_t *command = NULL, *c = NULL;
    afn_status st = parse_command(&command, o->config);
    if (st != AFN_OK) goto done;
    c = json_pack("{s:s, s:o, s:{s:s, s:s, s:s}}", "afina", afn_version(), "written",
                  now(), "versions", "afina", afn_version(), "onednn",
                  afn_onednn_version(), "jansson", JANSSON_VERSION);
    json_object_set_new(c, "machine", describe_machine());
    json_object_set_new(c, "model", describe_model(m));
    json_object_set_new(c, "data",
                        json_pack("{s:o, s:o}", "train", describe_images(train), "val",
                                  describe_images(val)));
    json_object_set_new(c, "image", describe_preprocessing(m));
    json_object_set_new(c, "settings",
                        describe_settings(o, afn_dataset_classes(train)));
    json_object_set_new(c, "phases", describe_phases(o));
    if (command) json_object_set(c, "command", command);
    st = write_text(folder, c);
done:
    json_decref(c);
    json_decref(command);
    return st;
}
