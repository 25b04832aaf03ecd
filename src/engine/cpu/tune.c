/* SPDX-License-Identifier: Apache-2.0 */
/* The memory of choices, see tune.h.  A few hundred short lines at most, so a list
 * searched from end to end is enough, and the file is written anew for each choice:
 * measuring took a thousand times longer. */
#include "engine/cpu/tune.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_ENTRIES = 4096, LONGEST_LINE = 400 };

typedef struct entry {
    char *key, *choice;
} entry;

struct tune {
    char *path; /* NULL = memory alone */
    entry *entry;
    size_t n, cap;
};

static entry *entry_of(const tune *t, const char *key)
{
    for (size_t i = 0; i < t->n; i++)
        if (strcmp(t->entry[i].key, key) == 0) return &t->entry[i];
    return NULL;
}

const char *tune_find(const tune *t, const char *key)
{
    const entry *e = entry_of(t, key);
    return e ? e->choice : NULL;
}

static bool grow(tune *t)
{
    if (t->n < t->cap) return true;
    if (t->n >= MOST_ENTRIES) return false;
    const size_t cap = t->cap ? 2 * t->cap : 64;
    entry *more = afn_alloc_array(cap, sizeof *more);
    if (!more) return false;
    if (t->n) memcpy(more, t->entry, t->n * sizeof *more);
    afn_free(t->entry);
    t->entry = more;
    t->cap = cap;
    return true;
}

/* An entry without memory for it is forgotten: it will be measured again. */
static void add(tune *t, const char *key, const char *choice)
{
    if (!grow(t)) return;
    const entry e = { afn_strdup(key), afn_strdup(choice) };
    if (e.key && e.choice) {
        t->entry[t->n++] = e;
        return;
    }
    afn_free(e.key);
    afn_free(e.choice);
}

/* ---- the file ---- */

static bool printable(const char *s)
{
    for (; *s; s++)
        if (*s < ' ' || *s > '~') return false;
    return true;
}

/* One line, which may be anything at all. */
static void read_line(tune *t, const uint8_t *from, size_t n)
{
    char line[LONGEST_LINE + 1];
    if (n > LONGEST_LINE) return;
    memcpy(line, from, n);
    line[n] = '\0';
    char *tab = strchr(line, '\t');
    if (!tab || tab == line || !tab[1]) return;
    *tab = '\0';
    if (printable(line) && printable(tab + 1) && !entry_of(t, tab + 1))
        add(t, tab + 1, line);
}

/* Add what the file has and memory has not. */
static void merge(tune *t)
{
    uint8_t *data = NULL;
    size_t size = 0;
    if (afn_file_read(&data, &size, t->path) != AFN_OK) return;
    for (size_t at = 0; at < size;) {
        const uint8_t *end = memchr(data + at, '\n', size - at);
        if (!end) break; /* a line cut short */
        const size_t n = (size_t)(end - data) - at;
        read_line(t, data + at, n);
        at += n + 1;
    }
    afn_free(data);
}

static void save(const tune *t)
{
    afn_buf text = { 0 };
    char *folder = afn_strdup(t->path);
    char *slash = folder ? strrchr(folder, '/') : NULL;
    if (slash) {
        *slash = '\0';
        if (*folder) (void)afn_make_dirs(folder);
    }
    for (size_t i = 0; i < t->n; i++)
        afn_buf_fmt(&text, "%s\t%s\n", t->entry[i].choice, t->entry[i].key);
    if (afn_buf_finish(&text) == AFN_OK)
        (void)afn_file_write(t->path, text.data, text.size);
    afn_buf_free(&text);
    afn_free(folder);
}

void tune_keep(tune *t, const char *key, const char *choice)
{
    entry *e = entry_of(t, key);
    char *copy = e ? afn_strdup(choice) : NULL;
    if (!e) add(t, key, choice);
    if (copy) {
        afn_free(e->choice);
        e->choice = copy;
    }
    if (!t->path) return;
    merge(t);
    save(t);
}

/* ---- opening ---- */

afn_status tune_open(tune **out, const char *path)
{
    *out = afn_alloc(sizeof **out);
    if (!*out) return afn_fail(AFN_ENOMEM, "out of memory");
    if (path) (*out)->path = afn_strdup(path);
    if ((*out)->path) merge(*out);
    return AFN_OK;
}

void tune_close(tune *t)
{
    if (!t) return;
    for (size_t i = 0; i < t->n; i++) {
        afn_free(t->entry[i].key);
        afn_free(t->entry[i].choice);
    }
    afn_free(t->entry);
    afn_free(t->path);
    afn_free(t);
}

bool tune_off(void)
{
    const char *own = getenv("AFINA_CACHE");
    return own && strcmp(own, "off") == 0;
}

char *tune_path(void)
{
    const char *own = getenv("AFINA_CACHE"), *cache = getenv("XDG_CACHE_HOME");
    const char *home = getenv("HOME");
    if (own && *own) return afn_path_join(own, "algorithms.txt");
    if (cache && *cache == '/') return afn_path_join(cache, "afina/algorithms.txt");
    return home && *home ? afn_path_join(home, ".cache/afina/algorithms.txt") : NULL;
}
