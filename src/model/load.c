/* SPDX-License-Identifier: Apache-2.0 */
/* Opening a model: which architecture a file is, whether its tensors are that one's,
 * and their values. */
#include "model/state.h"

#include <string.h>

/* Architecture by the caller's word and the file's; they must agree. */
static afn_status choose_arch(afn_arch *out, const char *wanted, const model_meta *meta,
                              const afn_weights *w)
{
    const char *fitting;
    if (wanted && meta->arch && strcmp(wanted, meta->arch) != 0)
        return afn_fail(AFN_ESHAPE, "is a %s, not a %s", meta->arch, wanted);
    if (wanted) return afn_zoo_find(out, wanted);
    if (meta->arch) {
        if (afn_zoo_find(out, meta->arch) == AFN_OK) return AFN_OK;
        return afn_fail(AFN_EFORMAT, "afina.arch: %s", afn_error_message());
    }
    const afn_status st = afn_arch_fitting(&fitting, w);
    if (st != AFN_OK) return st;
    return afn_fail(AFN_EFORMAT, "does not name its architecture%s%s",
                    fitting ? "; its keys fit " : "", fitting ? fitting : "");
}

/* The network that the file describes, without values.  What it says itself comes
 * before what is known of its name, and that before what is usual for the architecture.
 */
static afn_status new_model(afn_model **out, const afn_weights *w, const afn_arch *arch,
                            const model_meta *meta, const char *path)
{
    afn_status st = AFN_OK;
    const afn_pretrained *known = afn_pretrained_of_file(arch->variant->name, path);
    afn_preprocess p = (known ? known : afn_zoo_published(arch))->preprocess;
    *out = NULL;
    for (int c = 0; arch->family->signed_pixels && c < 3; c++)
        p.mean[c] = p.std[c] = 0.5f;
    if (meta->has_preprocess) {
        p = meta->preprocess;
        st = afn_model__check_preprocess(&p, arch, AFN_EFORMAT);
        if (st != AFN_OK) return afn_context(st, "afina.preprocess");
    }
    /* Where the head is missing or odd, match() says so against the usual 1000. */
    const int classes = afn_model__head_classes(w, arch);
    model_form f = { classes ? classes : 1000, p.crop, !afn_model__has_aux(w, arch),
                     afn_preprocess_channels(&p) };
    st = afn_model__new(out, arch, &f, &p);
    if (st != AFN_OK || meta->has_preprocess) return st;
    f.channels = afn_model__file_channels(w, (*out)->net.graph);
    if (f.channels == 3) return AFN_OK;
    afn_model_free(*out); /* for the usual input: made once more */
    afn_model__adapt_preprocess(&p, f.channels);
    return afn_model__new(out, arch, &f, &p);
}

static afn_status read_values(const model_net *net, const afn_weights *w)
{
    afn_status st = AFN_OK;
    for (int i = 0; i < afn_params_count(net->params); i++) {
        const afn_weight *t = afn_weights_find(w, afn_graph_param(net->graph, i)->name);
        const size_t n = (size_t)afn_params_size(net->params, i);
        float *f = afn_params_f32(net->params, i);
        if (!t) continue; /* a counter the file does not have stays 0 */
        if (f)
            AFN_TRY(afn_weights_read_f32(w, t, f, n));
        else
            AFN_TRY(afn_weights_read_i64(w, t, afn_params_i64(net->params, i), n));
    }
done:
    return st;
}

static afn_status take_class_names(afn_model *m, model_meta *meta)
{
    if (!meta->class_name) return AFN_OK;
    if (meta->n_classes != m->classes)
        return afn_fail(AFN_EFORMAT, "afina.classes: %d names, the head has %d classes",
                        meta->n_classes, m->classes);
    m->class_name = meta->class_name;
    meta->class_name = NULL;
    return AFN_OK;
}

/* A model from an open file; messages do not name it. */
static afn_status load(afn_model **out, const char *arch, const afn_weights *w,
                       const char *path)
{
    afn_status st = AFN_OK;
    afn_model *m = NULL;
    afn_weights *renamed = NULL;
    model_meta meta = { 0 };
    afn_arch a;

    AFN_TRY(afn_model__meta_read(&meta, w));
    AFN_TRY(choose_arch(&a, arch, &meta, w));
    AFN_TRY(afn_model__from_timm(&renamed, w, &a));
    AFN_TRY(afn_model__check_timm(&a, renamed != NULL, path));
    if (renamed) w = renamed;
    AFN_TRY(new_model(&m, w, &a, &meta, path));
    AFN_TRY(afn_model__match(w, m->net.graph, &a));
    AFN_TRY(take_class_names(m, &meta));
    m->calibration = meta.calibration;
    AFN_TRY(afn_model__allocate(&m->net));
    AFN_TRY(read_values(&m->net, w));
    *out = m;
    m = NULL;
done:
    afn_model__meta_free(&meta);
    afn_model_free(m);
    afn_weights_free(renamed);
    return st;
}

afn_status afn_model_open(afn_model **out, const char *arch, const char *path)
{
    afn_status st = AFN_OK;
    afn_weights *w = NULL;
    afn_arch known;

    *out = NULL;
    if (arch) AFN_TRY(afn_zoo_find(&known, arch)); /* before a large file is read */
    AFN_TRY(afn_weights_open(&w, path));
    AFN_TRY(afn_context(load(out, arch, w, path), "%s", path));
done:
    afn_weights_free(w);
    return st;
}
