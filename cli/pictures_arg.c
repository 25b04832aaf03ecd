/* SPDX-License-Identifier: Apache-2.0 */
#define _DEFAULT_SOURCE /* fts */

#include "pictures_arg.h"

#include <errno.h>
#include <fts.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli.h"

static int add(cli_pictures *p, const char *name, const void *bytes, size_t size)
{
    if (p->n == p->room) {
        const int64_t room = p->room ? 2 * p->room : 64;
        afn_picture *more = realloc(p->picture, (size_t)room * sizeof *more);
        if (!more) return cli_error("out of memory");
        p->picture = more;
        p->room = room;
    }
    char *copy = strdup(name);
    if (!copy) return cli_error("out of memory");
    p->picture[p->n++] = (afn_picture){ .name = copy, .bytes = bytes, .size = size };
    return CLI_OK;
}

/* ---- standard input ---- */

/* All bytes of a stream; NULL where memory ran out or it cannot be read. */
static char *read_all(FILE *f, size_t *size)
{
    size_t room = 1 << 16;
    char *bytes = malloc(room);
    *size = 0;
    while (bytes) {
        *size += fread(bytes + *size, 1, room - *size, f);
        if (*size < room) break;
        char *more = realloc(bytes, room *= 2);
        if (!more) free(bytes);
        bytes = more;
    }
    if (!bytes || !ferror(f)) return bytes;
    free(bytes);
    return NULL;
}

static int add_input(cli_pictures *p)
{
    size_t size;
    if (p->input) return cli_error("standard input can be read only once");
    p->input = read_all(stdin, &size);
    if (!p->input) return cli_error("standard input: cannot be read");
    return add(p, cli_text("standard input"), p->input, size);
}

/* ---- folders ---- */

/* Does a file begin like a picture?  One that cannot be opened may be one. */
static bool looks_like_picture(const char *path)
{
    unsigned char head[16];
    FILE *f = fopen(path, "rb");
    if (!f) return true;
    const size_t n = fread(head, 1, sizeof head, f);
    fclose(f);
    return afn_image_format(head, n) != NULL;
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
    return strcmp((*a)->fts_name, (*b)->fts_name);
}

/* One thing that was found in a folder. */
static int add_entry(cli_pictures *p, FTS *walk, FTSENT *e)
{
    const bool hidden = e->fts_level > 0 && e->fts_name[0] == '.';
    if (hidden && e->fts_info == FTS_D) fts_set(walk, e, FTS_SKIP);
    if (hidden) return CLI_OK;
    if (e->fts_info == FTS_DNR || e->fts_info == FTS_ERR)
        return cli_error("%s: %s", e->fts_path, strerror(e->fts_errno));
    if (e->fts_info != FTS_F || !looks_like_picture(e->fts_path)) return CLI_OK;
    return add(p, e->fts_path, NULL, 0);
}

static int add_folder(cli_pictures *p, const char *path)
{
    char *const roots[] = { (char *)path, NULL };
    const int64_t before = p->n;
    int code = CLI_OK;
    FTS *walk = fts_open(roots, FTS_LOGICAL | FTS_NOCHDIR, by_name);
    if (!walk) return cli_error("%s: %s", path, strerror(errno));
    for (FTSENT *e; (e = fts_read(walk));)
        if (add_entry(p, walk, e) != CLI_OK) code = CLI_FAILED;
    fts_close(walk);
    if (code == CLI_OK && p->n == before)
        code = cli_error("%s: no pictures in this folder", path);
    return code;
}

/* ---- any argument ---- */

/* A file or a folder; what does not exist is noticed when it is opened. */
static int add_path(cli_pictures *p, const char *path)
{
    struct stat info;
    if (stat(path, &info) == 0 && S_ISDIR(info.st_mode)) return add_folder(p, path);
    return add(p, path, NULL, 0);
}

static int add_pattern(cli_pictures *p, const char *pattern)
{
    glob_t found;
    int code = CLI_OK;
    const int error = glob(pattern, 0, NULL, &found);
    if (error == GLOB_NOMATCH) return cli_error("%s: no file matches", pattern);
    if (error) return cli_error("%s: cannot be looked up", pattern);
    for (size_t i = 0; i < found.gl_pathc; i++)
        if (add_path(p, found.gl_pathv[i]) != CLI_OK) code = CLI_FAILED;
    globfree(&found);
    return code;
}

static bool exists(const char *path)
{
    struct stat info;
    return lstat(path, &info) == 0;
}

int cli_pictures_add(cli_pictures *p, const char *arg)
{
    if (!strcmp(arg, "-")) return add_input(p);
    if (strpbrk(arg, "*?[") && !exists(arg)) return add_pattern(p, arg);
    return add_path(p, arg);
}

int cli_pictures_add_list(cli_pictures *p, const char *path)
{
    const bool standard = !strcmp(path, "-");
    int code = CLI_OK;
    size_t size;
    if (standard && p->input) return cli_error("standard input can be read only once");
    FILE *f = standard ? stdin : fopen(path, "r");
    if (!f) return cli_error("%s: cannot open: %s", path, strerror(errno));
    char *text = read_all(f, &size);
    if (!standard) fclose(f);
    if (!text) return cli_error("%s: cannot be read", path);
    for (size_t at = 0; at < size;) {
        const char *end = memchr(text + at, '\n', size - at);
        const size_t length = end ? (size_t)(end - text) - at : size - at;
        char *line = strndup(text + at, length);
        if (line && length && line[length - 1] == '\r') line[length - 1] = '\0';
        if (!line || (*line && add_path(p, line) != CLI_OK)) code = CLI_FAILED;
        free(line);
        at += length + 1;
    }
    free(text);
    return code;
}

void cli_pictures_free(cli_pictures *p)
{
    for (int64_t i = 0; i < p->n; i++) free((char *)p->picture[i].name);
    free(p->picture);
    free(p->input);
}
