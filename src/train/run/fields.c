/* SPDX-License-Identifier: Apache-2.0 */
/* A safetensors file whose metadata has one object of JSON beside the tensors.  Reals
 * have 17 digits, which any double survives; JSON has no NaN and no infinity, they are
 * text. */
#include "train/run/fields.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "io/io.h"

#define KEY "afina.checkpoint"

enum { DIGITS = 17 };

afn_status afn_fields_new(afn_fields *f)
{
    *f = (afn_fields){ .plain = json_object() };
    if (!f->plain) return afn_fail(AFN_ENOMEM, "out of memory");
    return afn_weights_new(&f->set);
}

afn_status afn_fields_open(afn_fields *f, const char *path)
{
    afn_status st = AFN_OK;
    *f = (afn_fields){ .reading = true };
    AFN_TRY(afn_weights_open(&f->set, path));
    const char *text = afn_weights_metadata(f->set, KEY);
    AFN_REQUIRE(text, AFN_EFORMAT, "%s: is no checkpoint", path);
    AFN_TRY(
        afn_context(afn_json_parse(&f->plain, text, strlen(text)), "%s: " KEY, path));
    AFN_REQUIRE(json_is_object(f->plain), AFN_EFORMAT, "%s: is no checkpoint", path);
done:
    if (st != AFN_OK) afn_fields_close(f);
    return st;
}

void afn_fields_close(afn_fields *f)
{
    json_decref(f->plain);
    afn_weights_free(f->set);
    *f = (afn_fields){ 0 };
}

afn_status afn_fields_save(afn_fields *f, const char *path)
{
    afn_status st = f->st;
    char *text = NULL;
    if (st != AFN_OK) return st;
    text = json_dumps(f->plain, JSON_COMPACT | JSON_REAL_PRECISION(DIGITS));
    AFN_REQUIRE(text, AFN_ENOMEM, "out of memory");
    AFN_TRY(afn_weights_set_metadata(f->set, KEY, text));
    AFN_TRY(afn_weights__save_as(f->set, path, "safetensors"));
done:
    free(text); /* jansson's own */
    return st;
}

afn_status afn_fields_status(const afn_fields *f)
{
    return f->st;
}

void afn_fields_fail(afn_fields *f, const char *name)
{
    if (f->st == AFN_OK) f->st = afn_fail(AFN_EFORMAT, "%s: missing or damaged", name);
}

/* ---- plain values ---- */

/* Takes v over. */
static void put(afn_fields *f, const char *name, json_t *v)
{
    if (f->st != AFN_OK)
        json_decref(v);
    else if (!v || json_object_set_new(f->plain, name, v) != 0)
        f->st = afn_fail(AFN_ENOMEM, "out of memory");
}

static const json_t *get(afn_fields *f, const char *name)
{
    return f->st == AFN_OK ? json_object_get(f->plain, name) : NULL;
}

void afn_field_int(afn_fields *f, const char *name, int64_t *v)
{
    if (!f->reading) {
        put(f, name, json_integer(*v));
        return;
    }
    const json_t *j = get(f, name);
    if (json_is_integer(j))
        *v = json_integer_value(j);
    else
        afn_fields_fail(f, name);
}

static const struct {
    const char *name;
    double value;
} specials[] = { { "nan", (double)NAN },
                 { "inf", (double)INFINITY },
                 { "-inf", -(double)INFINITY } };

static json_t *real_value(double v)
{
    if (isfinite(v)) return json_real(v);
    return json_string(specials[isnan(v) ? 0 : v > 0 ? 1 : 2].name);
}

void afn_field_real(afn_fields *f, const char *name, double *v)
{
    if (!f->reading) {
        put(f, name, real_value(*v));
        return;
    }
    const json_t *j = get(f, name);
    const char *text = json_string_value(j);
    if (json_is_number(j)) {
        *v = json_number_value(j);
        return;
    }
    for (size_t i = 0; text && i < AFN_COUNT(specials); i++) {
        if (strcmp(text, specials[i].name) != 0) continue;
        *v = specials[i].value;
        return;
    }
    afn_fields_fail(f, name);
}

void afn_field_bool(afn_fields *f, const char *name, bool *v)
{
    if (!f->reading) {
        put(f, name, json_boolean(*v));
        return;
    }
    const json_t *j = get(f, name);
    if (json_is_boolean(j))
        *v = json_is_true(j);
    else
        afn_fields_fail(f, name);
}

/* JSON takes UTF-8 alone; what is none becomes U+FFFD. */
static json_t *text_value(const char *v)
{
    afn_buf b = { 0 };
    afn_json_add_string(&b, v);
    json_t *j = afn_buf_finish(&b) == AFN_OK
                    ? json_loadb(b.data, b.size, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL)
                    : NULL;
    afn_buf_free(&b);
    return j;
}

void afn_field_text(afn_fields *f, const char *name, char **v)
{
    if (!f->reading) {
        put(f, name, text_value(*v ? *v : ""));
        return;
    }
    const char *text = json_string_value(get(f, name));
    if (!text) {
        afn_fields_fail(f, name);
        return;
    }
    afn_free(*v);
    *v = afn_strdup(text);
    if (!*v) f->st = afn_fail(AFN_ENOMEM, "out of memory");
}

/* ---- tensors ---- */

bool afn_fields_has(const afn_fields *f, const char *name)
{
    return afn_weights_find(f->set, name) != NULL;
}

/* The tensor to be read, or NULL with the failure noted. */
static const afn_weight *find(afn_fields *f, const char *name, const afn_shape *shape,
                              afn_dtype dtype)
{
    const afn_weight *t = afn_weights_find(f->set, name);
    bool good = t && t->dtype == dtype && t->shape.rank == shape->rank;
    for (int d = 0; good && d < shape->rank; d++)
        good = t->shape.dim[d] == shape->dim[d];
    if (!good) afn_fields_fail(f, name);
    return good ? t : NULL;
}

static void read_tensor(afn_fields *f, const char *name, const afn_shape *shape,
                        afn_dtype dtype, void *v)
{
    const afn_weight *t = find(f, name, shape, dtype);
    const size_t bytes = (size_t)afn_shape_count(shape) * afn_dtype_bytes(dtype);
    if (t) f->st = afn_weights_read_raw(f->set, t, v, bytes);
}

void afn_field_f32(afn_fields *f, const char *name, const afn_shape *shape, float *v)
{
    if (f->st != AFN_OK) return;
    if (f->reading)
        read_tensor(f, name, shape, AFN_F32, v);
    else
        f->st = afn_weights__borrow(f->set, name, AFN_F32, shape, v);
}

void afn_field_f32_copied(afn_fields *f, const char *name, const afn_shape *shape,
                          float *v)
{
    if (f->st != AFN_OK) return;
    if (f->reading)
        read_tensor(f, name, shape, AFN_F32, v);
    else
        f->st = afn_weights_add(f->set, name, AFN_F32, shape, v);
}

void afn_field_i64(afn_fields *f, const char *name, const afn_shape *shape, int64_t *v)
{
    if (f->st != AFN_OK) return;
    if (f->reading)
        read_tensor(f, name, shape, AFN_I64, v);
    else
        f->st = afn_weights__borrow(f->set, name, AFN_I64, shape, v);
}
