/* SPDX-License-Identifier: Apache-2.0 */
/* Class names of a model. */
#include "model/state.h"

void afn_model__names_free(char **name, int n)
{
    for (int i = 0; name && i < n; i++) afn_free(name[i]);
    afn_free(name);
}

afn_status afn_model__names_copy(char ***out, const char *const *name, int n)
{
    afn_status st = AFN_OK;
    char **copy = NULL;

    *out = NULL;
    if (n == 0) return AFN_OK;
    copy = afn_alloc_array((size_t)n, sizeof *copy);
    AFN_REQUIRE(copy, AFN_ENOMEM, "out of memory");
    for (int i = 0; i < n; i++) {
        AFN_REQUIRE(name[i], AFN_EINVAL, "the name of class %d is missing", i);
        copy[i] = afn_strdup(name[i]);
        AFN_REQUIRE(copy[i], AFN_ENOMEM, "out of memory");
    }
    *out = copy;
    copy = NULL;
done:
    afn_model__names_free(copy, n);
    return st;
}

const char *afn_model_class_name(const afn_model *m, int i)
{
    return m->class_name && i >= 0 && i < m->classes ? m->class_name[i] : NULL;
}

afn_status afn_model_set_class_names(afn_model *m, const char *const *name, int n)
{
    afn_status st = AFN_OK;
    char **copy = NULL;

    AFN_REQUIRE(n == (name ? m->classes : 0), AFN_EINVAL,
                "%d class names for a network of %d classes", n, m->classes);
    AFN_TRY(afn_model__names_copy(&copy, name, n));
    afn_model__names_free(m->class_name, m->classes);
    m->class_name = copy;
done:
    return st;
}
