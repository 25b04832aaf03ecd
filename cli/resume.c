/* SPDX-License-Identifier: Apache-2.0 */
/* The note in a checkpoint is lines: the folder that the run was begun in, so that
 * relative names mean the same again, then each argument; '%' and line ends in them are
 * written as %25 and %0A. */
#define _XOPEN_SOURCE 700

#include "resume.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- the note ---- */

static void put_line(FILE *f, const char *text)
{
    for (; *text; text++) {
        if (*text == '%' || *text == '\n')
            fprintf(f, "%%%02X", (unsigned)*text);
        else
            fputc(*text, f);
    }
    fputc('\n', f);
}

/* Is an argument an option that --resume does not take up?  Beside those of the call
 * alone: the limit is a new one, what a configuration said is in the note.
 *   value    it has one, in the next argument */
static bool is_own(const char *arg, bool *value)
{
    const cli_option *o = cli_option_named(&cli_cmd_train, arg, value);
    return o &&
           (o->of_call || !strcmp(o->name, "time-limit") || !strcmp(o->name, "config"));
}

char *cli_resume_note(const cli_resume *r, const char *config, int64_t batch, int parts)
{
    char *text = NULL, folder[PATH_MAX];
    size_t size;
    bool value, options = true;
    FILE *f = open_memstream(&text, &size);
    if (!f) return NULL;
    put_line(f, getcwd(folder, sizeof folder) ? folder : "");
    if (config && *config) {
        put_line(f, "--config-text");
        put_line(f, config);
    }
    for (int i = 1; i < r->argc; i++) {
        if (options && !strcmp(r->argv[i], "--")) {
            options = false;
            continue;
        }
        /* an operand that looks like an option is one below this folder */
        if (!options && r->argv[i][0] == '-') fputs("./", f);
        if (options && is_own(r->argv[i], &value))
            i += value;
        else
            put_line(f, r->argv[i]);
    }
    if (batch) fprintf(f, "--batch\n%lld\n", (long long)batch);
    if (batch && parts > 1) fprintf(f, "--batch-parts\n%d\n", parts);
    return fclose(f) == 0 ? text : NULL;
}

/* Undo put_line() in place; returns what follows the line, NULL behind the last. */
static char *take_line(char *line)
{
    char *to = line, *at = line;
    for (; *at && *at != '\n'; at++) {
        if (!strncmp(at, "%25", 3) || !strncmp(at, "%0A", 3)) {
            *to++ = at[1] == '2' ? '%' : '\n';
            at += 2;
        } else {
            *to++ = *at;
        }
    }
    char *next = *at ? at + 1 : NULL;
    *to = '\0';
    return next && *next ? next : NULL;
}

/* ---- opening ---- */

/* The folder to resume, NULL where none is asked for. */
static const char *find_folder(int argc, char **argv)
{
    const char *found = NULL;
    for (int i = 1; i < argc && strcmp(argv[i], "--"); i++) {
        if (!strncmp(argv[i], "--resume=", 9)) found = argv[i] + 9;
        if (!strcmp(argv[i], "--resume") && i + 1 < argc) found = argv[++i];
    }
    return found;
}

/* Go to where the run was begun, and have its folder's name still mean the same. */
static int enter(cli_resume *r, const char *begun_in)
{
    char here[PATH_MAX];
    if (!getcwd(here, sizeof here) || !strcmp(here, begun_in)) return CLI_GO_ON;
    char *full = realpath(r->folder, NULL);
    if (!full || !*begun_in || chdir(begun_in) != 0) {
        free(full);
        return CLI_GO_ON; /* moved: names are as they are from here */
    }
    free(r->folder);
    r->folder = full;
    return CLI_GO_ON;
}

static int join_lines(cli_resume *r, int argc, char **argv)
{
    int lines = 0;
    for (const char *at = r->memory; *at; at++) lines += *at == '\n';
    r->argv = calloc((size_t)(argc + lines + 4), sizeof *r->argv);
    if (!r->argv) return cli_error("out of memory");
    r->argv[r->argc++] = argv[0];
    char *line = take_line(r->memory);
    while (line) {
        r->argv[r->argc++] = line;
        line = take_line(line);
    }
    for (int i = 1; i < argc; i++) r->argv[r->argc++] = argv[i];
    r->argv[r->argc++] = "--out";
    r->argv[r->argc++] = r->folder;
    return CLI_GO_ON;
}

int cli_resume_open(cli_resume *r, int argc, char **argv)
{
    const char *folder = find_folder(argc, argv);
    *r = (cli_resume){ .argc = argc, .argv = argv };
    if (!folder || !*folder) return CLI_GO_ON;
    if (afn_run_look(&r->state, folder) != AFN_OK) return cli_fail(AFN_EIO);
    if (r->state.finished) {
        return cli_error("%s: the run is finished: %d %s, nothing is left to do",
                         folder, r->state.run_epoch,
                         cli_plural(r->state.run_epoch, "epoch", "epochs"));
    }
    r->begun = r->state.begun;
    r->argc = 0;
    r->argv = NULL;
    r->folder = strdup(folder);
    r->memory = strdup(r->state.note);
    char *first = strdup(r->state.note);
    if (!r->folder || !r->memory || !first) {
        free(first);
        return cli_error("out of memory");
    }
    take_line(first);
    int code = *r->memory ? enter(r, first)
                          : cli_error("%s: was not begun by 'afina train'", folder);
    free(first);
    if (code == CLI_GO_ON) code = join_lines(r, argc, argv);
    return code;
}

void cli_resume_close(cli_resume *r)
{
    if (r->folder) free(r->argv);
    free(r->memory);
    free(r->folder);
    afn_run_state_free(&r->state);
}

/* ---- new runs ---- */

int cli_resume_check_new(const char *folder, bool overwrite)
{
    afn_run_state s;
    if (overwrite) return CLI_OK; /* file by file, as the new run has them */
    const afn_status st = afn_run_look(&s, folder);
    if (st == AFN_ENOTFOUND) return CLI_OK;
    if (st != AFN_OK) return cli_fail(st);
    int code = CLI_OK;
    if (s.finished)
        code = cli_error("--out %s: holds a finished run, --overwrite replaces it",
                         folder);
    else if (s.begun)
        code =
            cli_error("--out %s: holds a run that was stopped: 'afina train --resume "
                      "%s' goes on with it, --overwrite replaces it",
                      folder, folder);
    afn_run_state_free(&s);
    return code;
}

/* text as a shell takes it for one word; NULL where memory ran out. */
static char *shell_word(const char *text)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                "0123456789_./,:@%+-=";
    char *word = malloc(4 * strlen(text) + 3), *to = word;
    if (!word) return NULL;
    if (text[strspn(text, plain)] == '\0') return strcpy(word, text);
    *to++ = '\'';
    for (; *text; text++) {
        if (*text == '\'') { /* out of the quotes for it, and in again */
            memcpy(to, "'\\'", 3);
            to += 3;
        }
        *to++ = *text;
    }
    strcpy(to, "'");
    return word;
}

void cli_resume_hint(const char *why, const char *folder)
{
    afn_run_state s = { 0 };
    char *word = shell_word(folder);
    if (!word || afn_run_look(&s, folder) != AFN_OK || !s.phase)
        cli_error("%s", why);
    else
        cli_error("%s in %s %d/%d, go on with: afina train --resume %s", why, s.phase,
                  s.epoch, s.of, word);
    afn_run_state_free(&s);
    free(word);
}
