/* SPDX-License-Identifier: Apache-2.0 */
/* TOML 1.0, https://toml.io/en/v1.0.0:
 *
 *   document  (blank | comment | key = value | [key] | [[key]])*, each on its line
 *   key       name (. name)*
 *   value     string | scalar | [value, ...] | { key = value, ... }
 *
 * A table says how it came to be, which decides what may be added to it later. */
#include <string.h>

#include "io/toml_scan.h"

enum { MOST_DEPTH = 100 };
static const int64_t most_bytes = 1 << 20;

typedef struct node {
    afn_toml_value v;  /* first: a value is its node */
    struct node *last; /* of its list */
    int depth;
    bool header; /* a table that stood in [] or [[]] */
    bool dotted; /* one that a dotted key made or added to */
    bool closed; /* an array or table written as one value: nothing is added */
} node;

struct afn_toml {
    node root;
    afn_buf text;
    const char *begin; /* of the text, behind a byte-order mark */
};

/* ---- nodes ---- */

static void free_list(const afn_toml_value *v)
{
    while (v) {
        const afn_toml_value *next = v->next;
        free_list(v->first); /* not deeper than MOST_DEPTH */
        afn_free((char *)v->key);
        afn_free((char *)v->text);
        afn_free((void *)v);
        v = next;
    }
}

/* A new node at the end of a list.
 *   key      owned by the node from now on, freed where it cannot be made */
static afn_status add(node **out, const afn_toml_scan *s, node *to, char *key)
{
    afn_status st = AFN_OK;
    node *n = NULL;
    *out = NULL;
    if (to->depth == MOST_DEPTH) {
        st = afn_toml_fail(s, "nested deeper than %d", (int)MOST_DEPTH);
        goto done;
    }
    n = afn_alloc(sizeof *n);
    AFN_REQUIRE(n, AFN_ENOMEM, "out of memory");
    n->v = (afn_toml_value){ .kind = AFN_TOML_TABLE,
                             .key = key,
                             .line = s->line,
                             .column = afn_toml_column(s) };
    n->depth = to->depth + 1;
    if (to->last)
        to->last->v.next = &n->v;
    else
        to->v.first = &n->v;
    to->last = n;
    *out = n;
done:
    if (!n) afn_free(key);
    return st;
}

static node *find(const node *table, const char *key)
{
    return (node *)afn_toml_find(&table->v, key);
}

/* ---- keys ---- */

/* Parts of a dotted key; each is taken out by who uses it. */
typedef struct parts {
    char *part[MOST_DEPTH];
    int n;
    afn_toml_scan at; /* where it begins */
} parts;

static void free_parts(parts *p)
{
    for (int i = 0; i < p->n; i++) afn_free(p->part[i]);
    p->n = 0;
}

static afn_status read_parts(afn_toml_scan *s, parts *p)
{
    afn_status st = AFN_OK;
    *p = (parts){ .at = *s };
    for (;;) {
        if (p->n == MOST_DEPTH) return afn_toml_fail(s, "a key of too many parts");
        AFN_TRY(afn_toml_name(s, &p->part[p->n]));
        p->n++;
        afn_toml_blanks(s);
        if (*s->at != '.') break;
        s->at++;
        afn_toml_blanks(s);
    }
done:
    return st;
}

static char *take_part(parts *p, int i)
{
    char *part = p->part[i];
    p->part[i] = NULL;
    return part;
}

static afn_status in_the_way(const parts *p, const node *there)
{
    return afn_toml_fail(&p->at, "%s is there already, in line %d", there->v.key,
                         there->v.line);
}

/* The table of all parts of a header but the last: made where missing. */
static afn_status walk_header(node **table, parts *p)
{
    for (int i = 0; i + 1 < p->n; i++) {
        node *n = find(*table, p->part[i]);
        if (!n) {
            const afn_status st = add(&n, &p->at, *table, take_part(p, i));
            if (st != AFN_OK) return st;
        }
        if (n->closed || n->v.kind < AFN_TOML_ARRAY) return in_the_way(p, n);
        *table = n->v.kind == AFN_TOML_ARRAY ? n->last : n;
    }
    return AFN_OK;
}

/* The same for a key with a value: it may not reach into what a header made. */
static afn_status walk_key(node **table, parts *p)
{
    for (int i = 0; i + 1 < p->n; i++) {
        node *n = find(*table, p->part[i]);
        if (!n) {
            const afn_status st = add(&n, &p->at, *table, take_part(p, i));
            if (st != AFN_OK) return st;
        }
        if (n->closed || n->header || n->v.kind != AFN_TOML_TABLE)
            return in_the_way(p, n);
        n->dotted = true;
        *table = n;
    }
    return AFN_OK;
}

/* ---- values ---- */

static afn_status read_value(afn_toml_scan *s, node *n);

/* Pass over the comma behind a member, or the end of the list.
 *   more     false at the end */
static afn_status pass_comma(afn_toml_scan *s, char end, bool *more)
{
    *more = *s->at == ',';
    if (*s->at != ',' && *s->at != end)
        return afn_toml_fail(s, "a comma or %c is missing here", end);
    s->at++;
    return AFN_OK;
}

static afn_status read_array(afn_toml_scan *s, node *array)
{
    afn_status st = AFN_OK;
    bool more = true;
    s->at++;
    array->v.kind = AFN_TOML_ARRAY;
    while (more) {
        node *n;
        AFN_TRY(afn_toml_space(s));
        if (*s->at == ']') {
            s->at++;
            break;
        }
        AFN_TRY(add(&n, s, array, NULL));
        AFN_TRY(read_value(s, n));
        AFN_TRY(afn_toml_space(s));
        AFN_TRY(pass_comma(s, ']', &more));
    }
    array->closed = true;
done:
    return st;
}

/* key = value */
static afn_status read_member(afn_toml_scan *s, node *table)
{
    afn_status st = AFN_OK;
    parts p = { 0 };
    node *n;
    AFN_TRY(read_parts(s, &p));
    if (*s->at != '=') {
        st = afn_toml_fail(s, "= is missing here");
        goto done;
    }
    s->at++;
    AFN_TRY(walk_key(&table, &p));
    n = find(table, p.part[p.n - 1]);
    if (n) {
        st = in_the_way(&p, n);
        goto done;
    }
    AFN_TRY(add(&n, &p.at, table, take_part(&p, p.n - 1)));
    afn_toml_blanks(s);
    AFN_TRY(read_value(s, n));
done:
    free_parts(&p);
    return st;
}

static afn_status read_inline_table(afn_toml_scan *s, node *table)
{
    afn_status st = AFN_OK;
    s->at++;
    afn_toml_blanks(s);
    bool more = *s->at != '}';
    if (!more) s->at++;
    while (more) {
        AFN_TRY(read_member(s, table));
        afn_toml_blanks(s);
        AFN_TRY(pass_comma(s, '}', &more));
        afn_toml_blanks(s);
    }
    table->closed = true;
done:
    return st;
}

static afn_status read_value(afn_toml_scan *s, node *n)
{
    if (*s->at == '[') return read_array(s, n);
    if (*s->at == '{') return read_inline_table(s, n);
    if (*s->at != '"' && *s->at != '\'') return afn_toml_scalar(s, &n->v);
    n->v.kind = AFN_TOML_STRING;
    return afn_toml_string(s, (char **)&n->v.text);
}

/* ---- headers ---- */

/* [key] */
static afn_status open_table(node **table, parts *p)
{
    const afn_status st = walk_header(table, p);
    if (st != AFN_OK) return st;
    node *n = find(*table, p->part[p->n - 1]);
    if (!n) {
        const afn_status made = add(&n, &p->at, *table, take_part(p, p->n - 1));
        if (made != AFN_OK) return made;
    } else if (n->v.kind != AFN_TOML_TABLE || n->header || n->dotted || n->closed) {
        return in_the_way(p, n);
    }
    n->header = true;
    *table = n;
    return AFN_OK;
}

/* [[key]] */
static afn_status open_element(node **table, parts *p)
{
    const afn_status st = walk_header(table, p);
    if (st != AFN_OK) return st;
    node *array = find(*table, p->part[p->n - 1]);
    if (!array) {
        const afn_status made = add(&array, &p->at, *table, take_part(p, p->n - 1));
        if (made != AFN_OK) return made;
        array->v.kind = AFN_TOML_ARRAY;
    } else if (array->v.kind != AFN_TOML_ARRAY || array->closed) {
        return in_the_way(p, array);
    }
    const afn_status made = add(table, &p->at, array, NULL);
    if (made == AFN_OK) (*table)->header = true;
    return made;
}

/* A header; table is then what it opens, from the root. */
static afn_status read_header(afn_toml_scan *s, node **table)
{
    afn_status st = AFN_OK;
    parts p = { 0 };
    const int brackets = s->at[1] == '[' ? 2 : 1;
    s->at += brackets;
    afn_toml_blanks(s);
    AFN_TRY(read_parts(s, &p));
    for (int i = 0; i < brackets; i++, s->at++)
        if (*s->at != ']') {
            st = afn_toml_fail(s, "%s is missing here", brackets == 2 ? "]]" : "]");
            goto done;
        }
    AFN_TRY(brackets == 2 ? open_element(table, &p) : open_table(table, &p));
done:
    free_parts(&p);
    return st;
}

/* ---- the document ---- */

static afn_status read_document(afn_toml_scan *s, afn_toml *t)
{
    afn_status st = AFN_OK;
    node *table = &t->root;
    for (;;) {
        AFN_TRY(afn_toml_space(s));
        if (s->at == s->end) break;
        if (*s->at == '[') {
            table = &t->root;
            AFN_TRY(read_header(s, &table));
        } else {
            AFN_TRY(read_member(s, table));
        }
        afn_toml_blanks(s);
        if (!afn_toml_at_line_end(s)) {
            st = afn_toml_fail(s, "the line should end here");
            goto done;
        }
    }
done:
    return st;
}

afn_status afn_toml_read(afn_toml **out, const char *name, const char *text,
                         size_t bytes)
{
    afn_status st = AFN_OK;
    *out = NULL;
    afn_toml *t = afn_alloc(sizeof *t);
    AFN_REQUIRE(t, AFN_ENOMEM, "out of memory");
    t->root.v.kind = AFN_TOML_TABLE;
    afn_buf_str(&t->text, "");
    afn_buf_add(&t->text, text, bytes);
    AFN_TRY(afn_buf_finish(&t->text));
    t->begin = t->text.data + (afn_starts_with(t->text.data, "\xef\xbb\xbf") ? 3 : 0);
    afn_toml_scan s = { name, t->begin, t->text.data + bytes, t->begin, 1 };
    AFN_TRY(read_document(&s, t));
    *out = t;
    t = NULL;
done:
    afn_toml_free(t);
    return st;
}

afn_status afn_toml_open(afn_toml **out, const char *path)
{
    afn_status st = AFN_OK;
    uint8_t *data = NULL;
    size_t size;
    *out = NULL;
    AFN_REQUIRE(afn_file_size(path) <= most_bytes, AFN_EFORMAT,
                "%s: %lld bytes are too many for a configuration", path,
                (long long)afn_file_size(path));
    AFN_TRY(afn_context(afn_file_read(&data, &size, path), "%s", path));
    AFN_TRY(afn_toml_read(out, path, (const char *)data, size));
done:
    afn_free(data);
    return st;
}

void afn_toml_free(afn_toml *t)
{
    if (!t) return;
    free_list(t->root.v.first);
    afn_buf_free(&t->text);
    afn_free(t);
}

const afn_toml_value *afn_toml_root(const afn_toml *t)
{
    return &t->root.v;
}

const char *afn_toml_text(const afn_toml *t)
{
    return t->begin;
}

const afn_toml_value *afn_toml_find(const afn_toml_value *table, const char *key)
{
    const afn_toml_value *v = table->first;
    while (v && strcmp(v->key, key) != 0) v = v->next;
    return v;
}
