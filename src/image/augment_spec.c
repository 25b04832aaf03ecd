/* SPDX-License-Identifier: Apache-2.0 */
/* From the text of an augmentation to its steps:
 *
 *   spec = item { "," item }        item = preset | step [ "=" value { ":" value } ]
 *
 * What a step takes is in its kind's table, and so are the messages. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "image/augment.h"

/* From what flowers and faces bear to what ImageNet is trained with today; the last is
 * the picture part of torchvision's recipe for its second set of weights. */
static const struct {
    const char *name, *spec;
} presets[] = {
    { "none", "" },
    { "light", "crop=0.5,hflip" },
    { "medium", "crop=0.25,hflip,color=0.3:0.3:0.3:0.05" },
    { "strong", "crop=0.08,hflip,trivial,erase=0.1" },
};

enum { MAX_ITEM = 128 };

static const char *preset(const char *name)
{
    for (size_t i = 0; i < AFN_COUNT(presets); i++)
        if (strcmp(presets[i].name, name) == 0) return presets[i].spec;
    return NULL;
}

static afn_status unknown_step(const char *name)
{
    const char *known[64];
    size_t n = 0;
    afn_buf list = { 0 };
    for (size_t i = 0; i < AFN_COUNT(presets); i++) known[n++] = presets[i].name;
    for (int i = 0; afn_augment__kind(i); i++) known[n++] = afn_augment__kind(i)->name;
    const char *near = afn_nearest(name, known, n);
    if (near)
        return afn_fail(AFN_EINVAL, "no step \"%s\", did you mean %s", name, near);
    for (size_t i = 0; i < n; i++) afn_buf_fmt(&list, "%s%s", i ? ", " : "", known[i]);
    const afn_status st = afn_fail(AFN_EINVAL, "no step \"%s\", there are %s", name,
                                   list.data ? list.data : "others");
    afn_buf_free(&list);
    return st;
}

/* ---- values ---- */

static afn_status parse_word(double *out, const afn_step_param *p, const char *text)
{
    char known[64] = "";
    for (int i = 0; p->word[i]; i++) {
        if (strcmp(p->word[i], text) == 0) {
            *out = i;
            return AFN_OK;
        }
        const size_t used = strlen(known);
        snprintf(known + used, sizeof known - used, "%s%s", i ? " or " : "",
                 p->word[i]);
    }
    return afn_fail(AFN_EINVAL, "%s is \"%s\", need %s", p->name, text, known);
}

static afn_status parse_number(double *out, const afn_step_param *p, const char *text)
{
    char *end;
    errno = 0;
    const double v = strtod(text, &end);
    if (end == text || *end || errno)
        return afn_fail(AFN_EINVAL, "%s is \"%s\", need a number", p->name, text);
    if (!(v >= p->low && v <= p->high))
        return afn_fail(AFN_EINVAL, "%s is %s, need %g to %g", p->name, text, p->low,
                        p->high);
    if ((p->whole && v != floor(v)) || (p->odd && fmod(v, 2) != 1))
        return afn_fail(AFN_EINVAL, "%s is %s, need %s number", p->name, text,
                        p->odd ? "an odd" : "a whole");
    *out = v;
    return AFN_OK;
}

static int count_params(const afn_step_kind *k)
{
    int n = 0;
    while (n < AFN_MAX_STEP_PARAMS && k->param[n].name) n++;
    return n;
}

/* Values separated by colons; text is cut up. */
static afn_status parse_values(double *out, const afn_step_kind *k, char *text)
{
    const int n = count_params(k);
    int i = 0;
    for (char *next; text; text = next, i++) {
        next = strchr(text, ':');
        if (next) *next++ = 0;
        if (i == n) return afn_fail(AFN_EINVAL, "too many values, takes at most %d", n);
        const afn_status st = k->param[i].word
                                  ? parse_word(&out[i], &k->param[i], text)
                                  : parse_number(&out[i], &k->param[i], text);
        if (st != AFN_OK) return st;
    }
    for (; i < n; i++) out[i] = k->param[i].as_first ? out[0] : k->param[i].initial;
    for (i = 1; i < n; i++)
        if (k->param[i].ascends && out[i] < out[i - 1])
            return afn_fail(AFN_EINVAL, "%s is %g, below the %s of %g",
                            k->param[i].name, out[i], k->param[i - 1].name, out[i - 1]);
    return AFN_OK;
}

/* ---- steps ---- */

static const afn_step_kind *find_kind(const char *name)
{
    for (int i = 0; afn_augment__kind(i); i++)
        if (strcmp(afn_augment__kind(i)->name, name) == 0) return afn_augment__kind(i);
    return NULL;
}

/* Append a step, or put the one that cuts in front. */
static afn_status add_step(afn_augment *a, const afn_augment_step *s)
{
    if (a->n_steps == AFN_MAX_STEPS)
        return afn_fail(AFN_EINVAL, "more than %d steps", (int)AFN_MAX_STEPS);
    if (s->kind->cut && a->n_steps && a->step[0].kind->cut)
        return afn_fail(AFN_EINVAL, "stands there twice");
    const int at = s->kind->cut ? 0 : a->n_steps;
    memmove(a->step + at + 1, a->step + at, (size_t)(a->n_steps - at) * sizeof *s);
    a->step[at] = *s;
    a->n_steps++;
    return AFN_OK;
}

static afn_status parse_item(afn_augment *a, const char *item)
{
    char name[MAX_ITEM];
    snprintf(name, sizeof name, "%s", item);
    char *values = strchr(name, '=');
    if (values) *values++ = 0;

    const char *expanded = values ? NULL : preset(name);
    if (expanded) return *expanded ? afn_augment__parse(a, expanded) : AFN_OK;
    afn_augment_step s = { .kind = find_kind(name) };
    if (!s.kind) return unknown_step(name);
    afn_status st = parse_values(s.param, s.kind, values);
    if (st == AFN_OK) st = add_step(a, &s);
    if (st != AFN_OK) return afn_context(st, "%s", name);
    afn_buf_fmt(&a->text, "%s%s", a->text.size ? "," : "", item);
    return AFN_OK;
}

afn_status afn_augment__parse(afn_augment *a, const char *spec)
{
    afn_status st = AFN_OK;
    if (!*spec) return afn_fail(AFN_EINVAL, "empty, need none or steps");
    for (const char *next; st == AFN_OK && spec; spec = next) {
        char item[MAX_ITEM];
        const size_t n = strcspn(spec, ",");
        next = spec[n] ? spec + n + 1 : NULL;
        if (n >= sizeof item)
            return afn_fail(AFN_EINVAL, "a step of %zu characters", n);
        snprintf(item, sizeof item, "%.*s", (int)n, spec);
        st = parse_item(a, item);
    }
    return st;
}
