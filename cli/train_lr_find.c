/* SPDX-License-Identifier: Apache-2.0 */
#include "train_lr_find.h"

#include <stdio.h>

#include "json_out.h"
#include "stop.h"

/* Rows that are printed of a curve. */
enum { ROWS = 20 };

static int on_step(const afn_progress *at, void *user)
{
    char line[128];
    training *s = user;
    snprintf(line, sizeof line, cli_text("trying rates: %s, step %lld of %lld"),
             at->phase, (long long)at->step, (long long)at->steps);
    cli_progress_line(&s->progress, line);
    return cli_stop_signal() != 0;
}

static void put_curve(const afn_lr_curve *c)
{
    const int every = c->n > ROWS ? (c->n + ROWS - 1) / ROWS : 1;
    if (!c->n) {
        cli_say("rates    %s: it has none to be found\n", c->phase);
        return;
    }
    cli_say("rates    %s: %d steps from %g to %g, loss smoothed\n", c->phase, c->n,
            (double)c->lr[0], (double)c->lr[c->n - 1]);
    for (int i = every - 1; i < c->n; i += every)
        printf("         %8.2g  %.4f\n", (double)c->lr[i], c->loss[i]);
    if (c->diverged) cli_say("         then it diverges\n");
    if (c->steepest > 0)
        cli_say("suggest  %s: %.2g, where the loss falls fastest; a tenth of where it "
                "is least is %.2g\n",
                c->phase, (double)c->steepest, (double)c->tenth);
    else
        cli_say("suggest  %s: nothing, the loss does not fall\n", c->phase);
}

static json_t *describe(const afn_lr_curve *c)
{
    json_t *lr = json_array(), *loss = json_array();
    for (int i = 0; i < c->n; i++) {
        json_array_append_new(lr, cli_json_number((double)c->lr[i]));
        json_array_append_new(loss, cli_json_number(c->loss[i]));
    }
    return json_pack("{s:s, s:o, s:o, s:b, s:f, s:f}", "phase", c->phase, "lr", lr,
                     "loss", loss, "diverged", c->diverged, "steepest",
                     (double)c->steepest, "tenth_of_least", (double)c->tenth);
}

static int put_json(const afn_lr_find *f)
{
    json_t *phases = json_array();
    for (int i = 0; i < f->n_phases; i++)
        json_array_append_new(phases, describe(&f->phase[i]));
    return cli_json_print(json_pack("{s:o}", "phases", phases));
}

int cli_train_lr_find(training *s, const afn_fit_opts *opts)
{
    afn_lr_find found;
    afn_fit_opts o = *opts;
    o.on_step = on_step;
    o.user = s;
    cli_stop_watch();
    const afn_status st = afn_fit_lr_find(&found, s->m, s->train, s->val, &o, NULL);
    cli_progress_clear(&s->progress);
    if (st == AFN_ECANCELLED && cli_stop_signal()) return 128 + cli_stop_signal();
    if (st != AFN_OK) return cli_fail(st);
    int code = CLI_OK;
    if (s->o->json)
        code = put_json(&found);
    else
        for (int i = 0; i < found.n_phases; i++) put_curve(&found.phase[i]);
    afn_lr_find_free(&found);
    return code;
}
