/* SPDX-License-Identifier: Apache-2.0 */
#include "train_forecast.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json_out.h"

/* What the first steps of each phase warn of is said when the run gets there. */
static void no_log(afn_log_level level, const char *line, void *user)
{
    (void)level;
    (void)line;
    (void)user;
}

static afn_status forecast(training *s, const afn_fit_opts *opts)
{
    afn_forecast_free(&s->forecast);
    afn_log_set(no_log, NULL);
    cli_progress_line(&s->progress, cli_text("timing the first steps of each phase"));
    const afn_status st = afn_fit_forecast(&s->forecast, s->m, s->train, s->val, opts);
    cli_progress_clear(&s->progress);
    afn_log_set(cli_log, NULL);
    return st;
}

/* The run's phases, whose seconds it tells itself. */
static void keep_seconds(training *s, afn_fit_opts *opts)
{
    for (int i = 0; i < s->forecast.n_phases; i++)
        s->phase_seconds[i] = s->forecast.phase[i].seconds;
    opts->phase_seconds = s->phase_seconds;
}

/* Half the batch, and twice as many of them in a step of the optimiser. */
static void halve_batch(training *s, afn_fit_opts *opts)
{
    opts->batch /= 2;
    for (int i = 0; i < s->n_phases; i++) s->phase[i].optim.accumulate *= 2;
}

int cli_train_forecast(training *s, afn_fit_opts *opts)
{
    const int64_t wanted = opts->batch;
    afn_status st = forecast(s, opts);
    while (st == AFN_ENOMEM && s->o->batch_auto && opts->batch > 1) {
        halve_batch(s, opts);
        st = forecast(s, opts);
    }
    if (st == AFN_ENOMEM && !s->o->batch_auto) {
        cli_error("%s: try a smaller --batch, or --batch auto", afn_error_message());
        return CLI_FAILED;
    }
    if (st != AFN_OK) return cli_fail(st);
    if (opts->batch < wanted)
        cli_error("warning: a batch of %lld does not fit into memory: taking %lld, of "
                  "which %d make a step",
                  (long long)wanted, (long long)opts->batch,
                  (int)(wanted / opts->batch));
    keep_seconds(s, opts);
    return CLI_OK;
}

void cli_train_put_forecast(const training *s)
{
    char span[CLI_SPAN_BYTES];
    const afn_forecast *f = &s->forecast;
    for (int i = 0; i < f->n_phases; i++) {
        const afn_phase_forecast *p = &f->phase[i];
        cli_say("expect   %s: about %s, ", p->name, cli_span(p->seconds, span));
        cli_put_bytes(p->memory_bytes);
        cli_say(" of memory\n");
    }
    cli_say("expect   in all: about %s, ", cli_span(f->seconds, span));
    cli_put_bytes(f->memory_bytes);
    cli_say(" of the ");
    cli_put_bytes(f->available_bytes);
    cli_say(" that are available\n");
    fflush(stdout);
}

static json_t *describe_phase(const training *s, int i)
{
    const afn_phase_forecast *p = &s->forecast.phase[i];
    return json_pack("{s:s, s:i, s:I, s:I, s:f, s:f, s:f, s:I}", "phase", p->name, "of",
                     s->phase[i].epochs, "trained_parameters", (json_int_t)p->trained,
                     "frozen_parameters", (json_int_t)p->frozen, "first_epoch_seconds",
                     p->first_epoch_s, "epoch_seconds", p->epoch_s, "seconds",
                     p->seconds, "memory_bytes", (json_int_t)p->memory_bytes);
}

int cli_train_put_forecast_json(const training *s, bool event)
{
    const afn_forecast *f = &s->forecast;
    json_t *object = json_object(), *phases = json_array(), *classes = json_array();
    if (event) json_object_set_new(object, "event", json_string("forecast"));
    for (int i = 0; i < f->n_phases; i++)
        json_array_append_new(phases, describe_phase(s, i));
    for (int c = 0; c < afn_dataset_classes(s->train); c++)
        json_array_append_new(classes,
                              cli_json_text(afn_dataset_class_name(s->train, c)));
    json_object_set_new(object, "data", cli_json_text(s->o->source));
    json_object_set_new(object, "train_images",
                        json_integer(afn_dataset_count(s->train)));
    json_object_set_new(object, "val_images",
                        json_integer(s->val ? afn_dataset_count(s->val) : 0));
    json_object_set_new(object, "classes", classes);
    json_object_set_new(object, "model", json_string(afn_model_arch(s->m)));
    json_object_set_new(object, "batch", json_integer(f->batch));
    json_object_set_new(object, "phases", phases);
    json_object_set_new(object, "seconds", cli_json_number(f->seconds));
    json_object_set_new(object, "memory_bytes", json_integer(f->memory_bytes));
    json_object_set_new(object, "memory_available_bytes",
                        json_integer(f->available_bytes));
    return cli_json_print(object);
}
