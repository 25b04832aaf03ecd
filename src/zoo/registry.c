/* SPDX-License-Identifier: Apache-2.0 */
/* The list of architecture families, and finding a network in it by name.  To add a
 * family: its file, one word here, one word in meson.build. */
#include "zoo/zoo.h"

#include <string.h>

/* clang-format off */
#define FAMILIES(X)  \
    X(alexnet)       \
    X(vgg)           \
    X(squeezenet)    \
    X(resnet)        \
    X(mobilenet_v2)  \
    X(shufflenetv2)  \
    X(convnext)      \
    X(googlenet)     \
    X(inception_v3)  \
    X(densenet)      \
    X(mnasnet)       \
    X(regnet)        \
    X(mobilenet_v3)  \
    X(efficientnet)
/* clang-format on */

#define DECLARE(name) extern const afn_family afn_family_##name;
FAMILIES(DECLARE)

#define ADDRESS(name) &afn_family_##name,
static const afn_family *const family[] = { FAMILIES(ADDRESS) };

enum { MAX_NAMES = AFN_COUNT(family) * AFN_MAX_VARIANTS };

int afn_zoo_count(void)
{
    int n = 0;
    while (afn_zoo_get(n).variant) n++;
    return n;
}

afn_arch afn_zoo_get(int i)
{
    for (size_t f = 0; f < AFN_COUNT(family); f++) {
        const afn_variant *v = family[f]->variant;
        for (; v < family[f]->variant + AFN_MAX_VARIANTS && v->name; v++)
            if (i-- == 0) return (afn_arch){ family[f], v };
    }
    return (afn_arch){ NULL, NULL };
}

afn_status afn_zoo_find(afn_arch *out, const char *name)
{
    const char *known[MAX_NAMES];
    size_t n = 0;
    for (afn_arch a = afn_zoo_get(0); a.variant; a = afn_zoo_get((int)n)) {
        if (strcmp(a.variant->name, name) == 0) {
            *out = a;
            return AFN_OK;
        }
        known[n++] = a.variant->name;
    }
    *out = (afn_arch){ NULL, NULL };
    const char *near = afn_nearest(name, known, n);
    if (near)
        return afn_fail(AFN_ENOTFOUND, "%s: no such model, did you mean %s?", name,
                        near);
    return afn_fail(AFN_ENOTFOUND, "%s: no such model, see 'afina models'", name);
}

int afn_zoo_min_size(const afn_arch *arch)
{
    return arch->variant->min_size ? arch->variant->min_size : arch->family->min_size;
}

const afn_aux_head *afn_zoo_aux_of(const afn_arch *arch, const char *param)
{
    const afn_aux_head *aux = arch->family->aux;
    for (int i = 0; i < AFN_MAX_AUX && aux[i].scope; i++) {
        const size_t n = strlen(aux[i].scope);
        if (strncmp(param, aux[i].scope, n) == 0 && param[n] == '.') return &aux[i];
    }
    return NULL;
}

afn_status afn_zoo_build_form(afn_graph **out, const afn_arch *arch,
                              const afn_zoo_form *f)
{
    afn_status st = AFN_OK;
    afn_graph *g = NULL;
    const int min = afn_zoo_min_size(arch), aux_min = arch->family->aux_min_size;

    *out = NULL;
    AFN_REQUIRE(f->classes >= 1, AFN_EINVAL, "%d classes, need at least 1", f->classes);
    AFN_REQUIRE(f->height >= min && f->width >= min, AFN_ESHAPE,
                "images of %dx%d pixels, need at least %dx%d", f->width, f->height, min,
                min);
    AFN_TRY(afn_graph_new(&g, f->channels ? f->channels : 3, f->height, f->width));
    if (f->no_aux || f->height < aux_min || f->width < aux_min) afn_graph_skip_aux(g);
    const afn_value x = afn_input(g);
    const afn_value y = arch->family->build(g, x, f->classes, arch->variant->config);
    AFN_TRY(afn_graph_finish(g, y));
    *out = g;
    g = NULL;
done:
    afn_graph_free(g);
    return afn_context(st, "%s", arch->variant->name);
}

afn_status afn_zoo_build(afn_graph **out, const afn_arch *arch, int classes, int height,
                         int width)
{
    return afn_zoo_build_form(out, arch,
                              &(afn_zoo_form){ classes, 0, height, width, 0 });
}

afn_status afn_zoo_build_plain(afn_graph **out, const afn_arch *arch, int classes,
                               int height, int width)
{
    return afn_zoo_build_form(out, arch,
                              &(afn_zoo_form){ classes, 0, height, width, 1 });
}
