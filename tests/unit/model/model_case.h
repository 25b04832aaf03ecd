/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of src/model share: small models, files, comparisons. */
#ifndef AFN_MODEL_CASE_H
#define AFN_MODEL_CASE_H

#include "afn_test.h"
#include "model/state.h"

/* The smallest network of the zoo. */
#define SMALL "squeezenet1_1"

static inline afn_model *new_model(const char *arch, int classes)
{
    afn_model *m;
    assert_ok(afn_model_new(&m, arch, classes, 7));
    return m;
}

/* Path of a file in this test's folder; the text lives until the next call. */
static inline const char *file_in(const char *test, const char *name)
{
    static char path[2048];
    snprintf(path, sizeof path, "%s/%s", test_dir(test), name);
    return path;
}

/* Empties this test's folder, as models are large. */
static inline void remove_files(const char *test)
{
    afn_dir d;
    if (afn_dir_read(&d, test_dir(test)) != AFN_OK) return;
    for (size_t i = 0; i < d.count; i++) (void)unlink(file_in(test, d.entry[i].name));
    afn_dir_free(&d);
}

/* Copy of a float parameter; free with free(). */
static inline float *values_of(const afn_model *m, const char *name, size_t n)
{
    float *v = malloc(n * sizeof *v);
    assert_non_null(v);
    assert_ok(afn_model_read_param(m, name, v, n));
    return v;
}

/* Values of parameter i are the same bits in both models. */
static inline void assert_same_param(const afn_model *a, const afn_model *b, int i)
{
    const afn_params *x = afn_model__params(a), *y = afn_model__params(b);
    const size_t n = (size_t)afn_params_size(x, i);
    assert_int_equal(n, afn_params_size(y, i));
    if (afn_params_f32(x, i))
        assert_memory_equal(afn_params_f32(x, i), afn_params_f32(y, i),
                            n * sizeof(float));
    else
        assert_int_equal(*afn_params_i64(x, i), *afn_params_i64(y, i));
}

static inline void assert_same_values(const afn_model *a, const afn_model *b)
{
    assert_string_equal(afn_model_arch(a), afn_model_arch(b));
    assert_int_equal(afn_model_classes(a), afn_model_classes(b));
    assert_int_equal(afn_model_n_params(a), afn_model_n_params(b));
    for (int i = 0; i < afn_model_n_params(a); i++) assert_same_param(a, b, i);
}

#endif
