/* SPDX-License-Identifier: Apache-2.0 */
/* Keys of a weight file against the state dict of a network: does it fit, and if not,
 * what differs and what would fit. */
#include "model/state.h"

#include <string.h>

enum { MAX_EXAMPLES = 3 };

/* One kind of difference: how often, and the first few, "a.weight, b.bias, ...". */
typedef struct difference {
    const char *between; /* examples */
    int count;
    afn_buf examples;
} difference;

/* Count one more; true where it is to be shown as an example. */
static bool one_more(difference *d)
{
    d->count++;
    if (d->count <= MAX_EXAMPLES) {
        if (d->count > 1) afn_buf_str(&d->examples, d->between);
        return true;
    }
    if (d->count == MAX_EXAMPLES + 1) afn_buf_fmt(&d->examples, "%s...", d->between);
    return false;
}

int afn_model__file_channels(const afn_weights *w, const afn_graph *g)
{
    const int i = afn_model__input_param(g);
    const afn_weight *t =
        i < 0 ? NULL : afn_weights_find(w, afn_graph_param(g, i)->name);
    const bool usable = t && t->shape.rank == 4 && t->shape.dim[1] >= 1 &&
                        t->shape.dim[1] <= AFN_MAX_CHANNELS;
    return usable ? (int)t->shape.dim[1] : 3;
}

int afn_model__head_classes(const afn_weights *w, const afn_arch *arch)
{
    const char *head = arch->family->head;
    for (size_t i = 0; i < afn_weights_count(w); i++) {
        const afn_weight *t = afn_weights_get(w, i);
        if (!afn_model__below(t->name, head)) continue;
        if (strcmp(t->name + strlen(head) + 1, "weight") != 0) continue;
        const bool usable =
            t->shape.rank > 0 && t->shape.dim[0] > 0 && t->shape.dim[0] <= MAX_CLASSES;
        return usable ? (int)t->shape.dim[0] : 0;
    }
    return 0;
}

bool afn_model__has_aux(const afn_weights *w, const afn_arch *arch)
{
    for (size_t i = 0; i < afn_weights_count(w); i++)
        if (afn_zoo_aux_of(arch, afn_weights_get(w, i)->name)) return true;
    return false;
}

/* PyTorch 0.3 wrote scalars with one dimension, and load_state_dict() still takes them.
 */
static bool same_shape(const afn_shape *have, const afn_shape *want)
{
    if (want->rank == 0 && have->rank == 1) return have->dim[0] == 1;
    return afn_shape_equal(have, want);
}

static void compare_param(difference *missing, difference *misshapen,
                          const afn_weights *w, const afn_param *p, const char *arch)
{
    char have[96], want[96];
    const afn_weight *t = afn_weights_find(w, p->name);
    if (!t && p->slot == AFN_NUM_BATCHES) return; /* files before PyTorch 0.4.1 */
    if (!t) {
        if (one_more(missing)) afn_buf_str(&missing->examples, p->name);
    } else if (!same_shape(&t->shape, &p->shape) && one_more(misshapen)) {
        afn_buf_fmt(&misshapen->examples, "%s is %s, %s needs %s", p->name,
                    afn_shape_text(&t->shape, have, sizeof have), arch,
                    afn_shape_text(&p->shape, want, sizeof want));
    }
}

static void add_difference(afn_buf *text, const difference *d, const char *kind)
{
    if (!d->count) return;
    afn_buf_fmt(text, "%s%d %s (%s)", text->size ? ", " : "", d->count, kind,
                d->examples.data ? d->examples.data : "");
}

/* Is a tensor of this name no part of the state dict? */
static bool is_unexpected(const afn_graph *g, const afn_arch *arch, const char *name)
{
    if (afn_graph_find_param(g, name) >= 0) return false;
    return afn_graph_n_aux(g) > 0 || !afn_zoo_aux_of(arch, name);
}

/* The differences in one line, or NULL where there are none; free it. */
static afn_status compare(char **out, const afn_weights *w, const afn_graph *g,
                          const afn_arch *arch)
{
    afn_status st = AFN_OK;
    difference missing = { .between = ", " }, unexpected = missing;
    difference misshapen = { .between = "; " };
    afn_buf text = { 0 };

    *out = NULL;
    for (int i = 0; i < afn_graph_n_params(g); i++)
        compare_param(&missing, &misshapen, w, afn_graph_param(g, i),
                      arch->variant->name);
    for (size_t i = 0; i < afn_weights_count(w); i++) {
        const char *name = afn_weights_get(w, i)->name;
        if (afn_starts_with(name, AFN_MODEL_BESIDE)) continue;
        if (!is_unexpected(g, arch, name) || !one_more(&unexpected)) continue;
        afn_buf_fmt(&unexpected.examples, "%.80s", name);
    }
    add_difference(&text, &missing, "missing");
    add_difference(&text, &unexpected, "unexpected");
    add_difference(&text, &misshapen, "misshapen");
    AFN_TRY(afn_buf_finish(&missing.examples));
    AFN_TRY(afn_buf_finish(&unexpected.examples));
    AFN_TRY(afn_buf_finish(&misshapen.examples));
    AFN_TRY(afn_buf_finish(&text));
    *out = text.data;
    text = (afn_buf){ 0 };
done:
    afn_buf_free(&missing.examples);
    afn_buf_free(&unexpected.examples);
    afn_buf_free(&misshapen.examples);
    afn_buf_free(&text);
    return st;
}

/* Are these the tensors of this architecture with the classes of its head? */
static afn_status is_state(bool *out, const afn_weights *w, const afn_arch *arch)
{
    afn_status st = AFN_OK;
    afn_graph *g = NULL;
    char *differences = NULL;
    const int classes = afn_model__head_classes(w, arch);
    const int crop = afn_zoo_published(arch)->preprocess.crop;

    *out = false;
    if (classes == 0) return AFN_OK; /* most are ruled out before a graph is built */
    afn_zoo_form f = { classes, 3, crop, crop, !afn_model__has_aux(w, arch) };
    AFN_TRY(afn_zoo_build_form(&g, arch, &f));
    f.channels = afn_model__file_channels(w, g);
    if (f.channels != 3) {
        afn_graph_free(g);
        AFN_TRY(afn_zoo_build_form(&g, arch, &f));
    }
    AFN_TRY(compare(&differences, w, g, arch));
    *out = !differences;
done:
    afn_graph_free(g);
    afn_free(differences);
    return st;
}

/* Does the file fit, by torchvision's names or timm's? */
static afn_status fits(bool *out, const afn_weights *w, const afn_arch *arch)
{
    afn_status st = AFN_OK;
    afn_weights *renamed = NULL;
    *out = false;
    AFN_TRY(afn_model__from_timm(&renamed, w, arch));
    if (renamed && afn_zoo_timm_refusal(arch, "", true)) goto done;
    AFN_TRY(is_state(out, renamed ? renamed : w, arch));
done:
    afn_weights_free(renamed);
    return st;
}

afn_status afn_arch_fitting(const char **name, const afn_weights *w)
{
    afn_status st = AFN_OK;
    *name = NULL;
    for (int i = 0; i < afn_zoo_count() && !*name; i++) {
        const afn_arch arch = afn_zoo_get(i);
        bool found;
        AFN_TRY(fits(&found, w, &arch));
        if (found) *name = arch.variant->name;
    }
done:
    return st;
}

afn_status afn_model__match(const afn_weights *w, const afn_graph *g,
                            const afn_arch *arch)
{
    afn_status st = AFN_OK;
    char *differences = NULL;
    const char *other = NULL;

    AFN_TRY(compare(&differences, w, g, arch));
    if (!differences) return AFN_OK;
    AFN_TRY(afn_arch_fitting(&other, w));
    st = afn_fail(AFN_ESHAPE, "not %s: %s%s%s", arch->variant->name, differences,
                  other ? ", its keys fit " : "", other ? other : "");
done:
    afn_free(differences);
    return st;
}
