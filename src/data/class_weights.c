/* SPDX-License-Identifier: Apache-2.0 */
/* What each class counts in the loss. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "data/data.h"
#include "data/dataset.h"
#include "io/io.h"

void afn_class_weights_balanced(float *weight, const afn_dataset *d)
{
    for (int c = 0; c < d->n_classes; c++) weight[c] = 0;
    for (int64_t i = 0; i < d->count; i++) weight[d->label[i]]++;
    for (int c = 0; c < d->n_classes; c++)
        if (weight[c] > 0)
            weight[c] = (float)((double)d->count / d->n_classes / (double)weight[c]);
}

/* A number from 0 that fills the text. */
static bool read_weight(float *out, const char *text)
{
    char *end;
    *out = strtof(text, &end);
    return end != text && !*end && isfinite(*out) && *out >= 0;
}

static int find_class(const afn_dataset *d, const char *name)
{
    int c = 0;
    while (c < d->n_classes && strcmp(d->class_name[c], name) != 0) c++;
    return c;
}

static afn_status fail_unknown(const afn_dataset *d, const afn_csv *c)
{
    const char *near = afn_nearest(c->field[0], (const char *const *)d->class_name,
                                   (size_t)d->n_classes);
    if (near)
        return afn_fail(AFN_EINVAL,
                        "line %lld: class '%s' is not in the data, did you mean '%s'?",
                        (long long)c->line, c->field[0], near);
    return afn_fail(AFN_EINVAL, "line %lld: class '%s' is not in the data",
                    (long long)c->line, c->field[0]);
}

static afn_status take_record(float *weight, const afn_dataset *d, const afn_csv *c)
{
    if (c->n != 2)
        return afn_fail(AFN_EFORMAT, "line %lld: %d fields, need class and weight",
                        (long long)c->line, c->n);
    const int k = find_class(d, c->field[0]);
    if (k == d->n_classes) return fail_unknown(d, c);
    if (!isnan(weight[k]))
        return afn_fail(AFN_EINVAL, "line %lld: class '%s' comes twice",
                        (long long)c->line, c->field[0]);
    if (!read_weight(&weight[k], c->field[1])) {
        weight[k] = NAN;
        return afn_fail(AFN_EFORMAT, "line %lld: weight '%s', need a number from 0",
                        (long long)c->line, c->field[1]);
    }
    return AFN_OK;
}

/* The names of columns: "class,weight". */
static bool is_header(const afn_csv *c)
{
    float ignored;
    return c->n == 2 && strcasecmp(c->field[0], "class") == 0 &&
           !read_weight(&ignored, c->field[1]);
}

static afn_status read_all(float *weight, const afn_dataset *d, const afn_map *file)
{
    afn_status st = AFN_OK;
    afn_csv c;
    bool more, first = true;
    for (int k = 0; k < d->n_classes; k++) weight[k] = NAN;
    afn_csv_open(&c, file->data, file->size);
    for (;; first = false) {
        AFN_TRY(afn_csv_next(&c, &more));
        if (!more) break;
        if (!first || !is_header(&c)) AFN_TRY(take_record(weight, d, &c));
    }
    for (int k = 0; k < d->n_classes; k++)
        AFN_REQUIRE(!isnan(weight[k]), AFN_EINVAL, "has no weight for class '%s'",
                    d->class_name[k]);
done:
    afn_csv_close(&c);
    return st;
}

afn_status afn_class_weights_read(float *weight, const afn_dataset *d, const char *path)
{
    afn_map file;
    afn_status st = afn_map_open(&file, path);
    if (st == AFN_OK) st = read_all(weight, d, &file);
    afn_map_close(&file);
    return afn_context(st, "%s", path);
}
