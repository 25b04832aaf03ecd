/* SPDX-License-Identifier: Apache-2.0 */
/* Names that PyTorch has given up: published files still have them, its loaders rename.
 */
#include <string.h>

#include "weights/set.h"

/* A part of a name that comes somewhere behind `layer`, and what it is now, no longer
 * than before.  DenseNet: since names of modules may have no dot (torchvision's
 * densenet.py, _load_state_dict). */
static const struct {
    const char *layer, *old, *now;
} rule[] = {
    { "denselayer", ".norm.1.", ".norm1." },
    { "denselayer", ".norm.2.", ".norm2." },
    { "denselayer", ".conv.1.", ".conv1." },
    { "denselayer", ".conv.2.", ".conv2." },
};

/* Change the name in place; true where it changed. */
static bool renew(char *name)
{
    for (size_t i = 0; i < AFN_COUNT(rule); i++) {
        const char *layer = strstr(name, rule[i].layer);
        char *at = layer ? strstr(name + (layer - name), rule[i].old) : NULL;
        if (!at) continue;
        const char *rest = at + strlen(rule[i].old);
        const size_t n = strlen(rule[i].now);
        memcpy(at, rule[i].now, n);
        memmove(at + n, rest, strlen(rest) + 1);
        return true;
    }
    return false;
}

afn_status afn_weights__renew_names(afn_weights *w)
{
    afn_status st = AFN_OK;
    bool changed = false;

    for (size_t i = 0; i < w->count; i++)
        if (renew((char *)w->entry[i]->pub.name)) changed = true;
    if (!changed) return AFN_OK;
    afn_weights__keymap_free(&w->names);
    for (size_t i = 0; i < w->count; i++) {
        const char *name = w->entry[i]->pub.name;
        AFN_REQUIRE(!afn_weights_find(w, name), AFN_EFORMAT,
                    "%s is there under its old name, too", name);
        AFN_TRY(afn_weights__keymap_set(&w->names, name, strlen(name), i));
    }
done:
    return st;
}
