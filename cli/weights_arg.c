/* SPDX-License-Identifier: Apache-2.0 */
/* Names of weights become files: looked for, and downloaded where that was asked for.
 */
#define _POSIX_C_SOURCE 200809L

#include "weights_arg.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cli.h"
#include "progress.h"
#include "stop.h"

/* What is drawn while a file comes. */
typedef struct download {
    cli_progress progress;
    const char *file;
    int told; /* the attempt whose trouble was told */
} download;

static int on_progress(const afn_fetch_progress *at, void *user)
{
    download *d = user;
    char line[256];

    if (at->trouble && d->told != at->attempt) {
        d->told = at->attempt;
        cli_progress_clear(&d->progress);
        cli_error("%s; again in %.0f s", at->trouble, at->wait_s);
    }
    if (!at->trouble) d->told = 0;
    if (at->total > 0)
        snprintf(line, sizeof line, cli_text("%s  %.1f of %.1f MB  %d %%"), d->file,
                 1e-6 * (double)at->done, 1e-6 * (double)at->total,
                 (int)(100.0 * (double)at->done / (double)at->total));
    else
        snprintf(line, sizeof line, "%s  %.1f MB", d->file, 1e-6 * (double)at->done);
    if (!at->trouble) cli_progress_line(&d->progress, line);
    return cli_stop_signal() != 0;
}

int cli_weights_download(char path[AFN_PATH_BYTES], const afn_weights_file *p,
                         int tries, int timeout_s, bool quiet)
{
    download d = { .file = p->file };
    afn_fetch_opts opts = afn_fetch_defaults();
    if (tries) opts.attempts = tries;
    if (timeout_s) opts.timeout_s = timeout_s;
    opts.on_progress = on_progress;
    opts.user = &d;

    cli_progress_start(&d.progress, quiet ? CLI_PROGRESS_QUIET : CLI_PROGRESS_AUTO);
    cli_stop_watch();
    const afn_status st = afn_fetch(path, p, &opts);
    cli_progress_clear(&d.progress);
    if (st == AFN_ECANCELLED && cli_stop_signal()) {
        cli_error("stopped; 'afina fetch %s' goes on from there",
                  p->arch ? p->arch : p->file);
        return 128 + cli_stop_signal();
    }
    return st == AFN_OK ? CLI_OK : cli_fail(st);
}

/* A name that is none may be a file without an extension. */
static bool exists(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0;
}

/* Is or resembles what stands before the slash the name of a model?  If not, it is
 * taken for a file, and then that file is said to be missing. */
static bool resembles_model(const char *weights)
{
    char typed[64];
    snprintf(typed, sizeof typed, "%.*s", (int)strcspn(weights, "/"), weights);
    for (int i = 0; i < afn_arch_count(); i++) {
        afn_arch_info info;
        const char *near;
        if (afn_arch_get(&info, i) != AFN_OK) return true;
        if (cli_nearest(typed, &info.name, 1, &near, 1)) return true;
    }
    return false;
}

afn_status cli_weights_path(char path[AFN_PATH_BYTES], const char **model,
                            const char *weights)
{
    afn_weights_file file;
    snprintf(path, AFN_PATH_BYTES, "%s", weights);
    if (!afn_weights_file_is_name(weights)) return AFN_OK;
    const afn_status st = afn_weights_file_named(&file, *model, weights);
    const bool a_file = st == AFN_ENOTFOUND && !*model && !resembles_model(weights);
    if (st != AFN_OK) return a_file || exists(weights) ? AFN_OK : st;
    if (!*model) *model = file.arch;
    return afn_weights_file_find(path, &file);
}

afn_status cli_model_open(afn_model **out, const char *model, const char *weights)
{
    char path[AFN_PATH_BYTES];
    const afn_status st = cli_weights_path(path, &model, weights);
    *out = NULL;
    return st == AFN_OK ? afn_model_open(out, model, path) : st;
}
