/* SPDX-License-Identifier: Apache-2.0 */
/* requires_grad by name pattern.  Every alternative of a pattern must match something,
 * so a misspelt layer is an error and not a layer that quietly trains. */
#include "model/state.h"

#include <string.h>

enum { MAX_LISTED = 12 };

/* Does one alternative name this parameter, or a layer above it? */
static bool matches(const char *alternative, const char *below, const char *name)
{
    return afn_glob(alternative, name) || afn_glob(below, name);
}

/* Is this the first parameter whose name begins with these n bytes? */
static bool is_first(const afn_graph *g, int i, size_t n)
{
    const char *name = afn_graph_param(g, i)->name;
    for (int k = 0; k < i; k++)
        if (strncmp(afn_graph_param(g, k)->name, name, n) == 0 &&
            (afn_graph_param(g, k)->name[n] == '.' ||
             afn_graph_param(g, k)->name[n] == 0))
            return false;
    return true;
}

/* Names one level below the first `depth` bytes of `prefix`: "conv1, bn1, layer1"; how
 * many there are. */
static int list_below(afn_buf *text, const afn_graph *g, const char *prefix,
                      size_t depth)
{
    int found = 0;
    for (int i = 0; i < afn_graph_n_params(g); i++) {
        const char *name = afn_graph_param(g, i)->name;
        if (afn_graph_param(g, i)->buffer || strncmp(name, prefix, depth) != 0)
            continue;
        const size_t n = depth + strcspn(name + depth, ".");
        if (!is_first(g, i, n)) continue;
        if (found < MAX_LISTED)
            afn_buf_fmt(text, "%s%.*s", found ? ", " : "", (int)n, name);
        else if (found == MAX_LISTED)
            afn_buf_str(text, ", ...");
        found++;
    }
    return found;
}

/* Lists the layers beside the one that was asked for, as deep as its name is right. */
static afn_status fail_unmatched(const afn_graph *g, const char *alternative)
{
    afn_status st = AFN_OK;
    afn_buf text = { 0 };
    size_t depth = strlen(alternative);
    for (;;) { /* ends: there are layers at depth 0 */
        while (depth > 0 && alternative[depth - 1] != '.') depth--;
        if (list_below(&text, g, alternative, depth) > 0) break;
        depth--; /* step over the dot */
    }
    AFN_TRY(afn_buf_finish(&text));
    st = afn_fail(AFN_ENOTFOUND, "no parameter matches '%s': there are %s", alternative,
                  text.data);
done:
    afn_buf_free(&text);
    return st;
}

/* Mark what one alternative matches. */
static afn_status mark(bool *marked, const afn_graph *g, const char *alternative)
{
    afn_status st = AFN_OK;
    int found = 0;
    char *below = afn_format("%s.*", alternative);
    AFN_REQUIRE(below, AFN_ENOMEM, "out of memory");
    for (int i = 0; i < afn_graph_n_params(g); i++) {
        const afn_param *p = afn_graph_param(g, i);
        if (p->buffer || !matches(alternative, below, p->name)) continue;
        marked[i] = true;
        found++;
    }
    if (!found) AFN_TRY(fail_unmatched(g, alternative));
done:
    afn_free(below);
    return st;
}

/* Cut the next alternative off *rest, without the blanks around it. */
static char *next_alternative(char **rest)
{
    char *start = *rest + strspn(*rest, " \t");
    char *end = start + strcspn(start, ",");
    *rest = *end ? end + 1 : NULL;
    while (end > start && strchr(" \t", end[-1])) end--;
    *end = 0;
    return start;
}

static afn_status set_trainable(afn_model *m, const char *pattern, bool trainable)
{
    afn_status st = AFN_OK;
    const int n = afn_graph_n_params(m->net.graph);
    bool *marked = afn_alloc_array((size_t)n, sizeof *marked);
    char *copy = afn_strdup(pattern);
    AFN_REQUIRE(marked && copy, AFN_ENOMEM, "out of memory");
    for (char *rest = copy; rest;)
        AFN_TRY(mark(marked, m->net.graph, next_alternative(&rest)));
    for (int i = 0; i < n; i++)
        if (marked[i]) m->net.trainable[i] = trainable;
done:
    afn_free(marked);
    afn_free(copy);
    return st;
}

afn_status afn_model_freeze(afn_model *m, const char *pattern)
{
    return set_trainable(m, pattern, false);
}

afn_status afn_model_unfreeze(afn_model *m, const char *pattern)
{
    return set_trainable(m, pattern, true);
}
