/* SPDX-License-Identifier: Apache-2.0 */
/* A look at a run folder, for who decides whether to resume, to replace or to refuse.
 */
#include <string.h>

#include "train/run/checkpoint.h"

static int int_of(afn_fields *d, const char *name)
{
    int64_t v = 0;
    afn_field_int(d, name, &v);
    if (v < 0 || v > INT32_MAX) afn_fields_fail(d, name);
    return (int)v;
}

static void read_state(afn_run_state *s, afn_fields *d)
{
    char *state = NULL;
    afn_field_text(d, "state", &state);
    afn_field_text(d, "note", &s->note);
    afn_field_text(d, "phase", &s->phase);
    s->run_epoch = int_of(d, "run_epoch");
    s->run_of = int_of(d, "run_of");
    s->epoch = int_of(d, "at.epoch");
    s->of = int_of(d, "of");
    afn_field_int(d, "at.steps", &s->step);
    s->begun = state && strcmp(state, "running") == 0;
    s->finished = state && strcmp(state, "finished") == 0;
    if (s->epoch < s->of) s->epoch++; /* at hand */
    if (s->phase && !*s->phase) {
        afn_free(s->phase);
        s->phase = NULL;
    }
    afn_free(state);
}

afn_status afn_run_look(afn_run_state *out, const char *folder)
{
    afn_status st = AFN_OK;
    afn_fields d = { 0 };
    *out = (afn_run_state){ 0 };
    char *path = afn_path_join(folder, AFN_CHECKPOINT_FILE);
    AFN_REQUIRE(path, AFN_ENOMEM, "out of memory");
    AFN_REQUIRE(afn_is_file(path), AFN_ENOTFOUND, "%s: no %s, so no run to go on with",
                folder, AFN_CHECKPOINT_FILE);
    AFN_TRY(afn_fields_open(&d, path));
    read_state(out, &d);
    AFN_TRY(afn_context(afn_fields_status(&d), "%s", path));
done:
    if (st != AFN_OK) afn_run_state_free(out);
    afn_fields_close(&d);
    afn_free(path);
    return st;
}

void afn_run_state_free(afn_run_state *s)
{
    afn_free(s->phase);
    afn_free(s->note);
    *s = (afn_run_state){ 0 };
}
