/* SPDX-License-Identifier: Apache-2.0 */
/* Which file is meant: "default", "V1", "resnet50", "resnet50/V2", or a file's name. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "afina/pretrained.h"
#include "fetch/fetch.h"
#include "zoo/zoo.h"

static bool same_word(const char *a, const char *b)
{
    while (*a && tolower((unsigned char)*a) == tolower((unsigned char)*b)) a++, b++;
    return !*a && !*b;
}

/* Could the word be a recipe's: default, V1, IMAGENET1K_V2, IMAGENET1K_SWAG_E2E_V1? */
static bool is_recipe(const char *word)
{
    static const char prefix[] = "IMAGENET1K_";
    if (same_word(word, "default")) return true;
    for (size_t i = 0; prefix[i]; i++) {
        if (toupper((unsigned char)word[i]) == prefix[i]) continue;
        if (i > 0) return false;
        return toupper((unsigned char)*word) == 'V' && isdigit((unsigned char)word[1]);
    }
    return true;
}

static afn_status by_recipe(afn_weights_file *out, const char *arch, const char *word)
{
    const afn_pretrained *found = NULL;
    afn_arch known;
    afn_status st = afn_zoo_find(&known, arch);
    if (st == AFN_OK) st = afn_pretrained_find(&found, arch, word);
    if (st != AFN_OK) return st;
    out->arch = found->arch;
    out->recipe = found->name;
    snprintf(out->file, sizeof out->file, "%s", found->file);
    return AFN_OK;
}

/* "resnet50/V1" in its two parts; false where the first is too long for a name. */
static bool split_spec(const char *spec, char arch[64], const char **recipe)
{
    const size_t n = strcspn(spec, "/");
    *recipe = spec[n] ? spec + n + 1 : "default";
    return snprintf(arch, 64, "%.*s", (int)n, spec) < 64;
}

int afn_weights_file_is_name(const char *spec)
{
    const char *slash = strchr(spec, '/');
    if (!*spec || strchr(spec, '.') || slash == spec) return 0;
    return !slash || is_recipe(slash + 1);
}

afn_status afn_weights_file_named(afn_weights_file *out, const char *arch,
                                  const char *spec)
{
    char name[64];
    const char *recipe, *digits;

    *out = (afn_weights_file){ .arch = NULL };
    if (afn_fetch__name_digits(spec, &digits)) {
        snprintf(out->file, sizeof out->file, "%s", spec);
        return AFN_OK;
    }
    if (is_recipe(spec)) {
        if (arch) return by_recipe(out, arch, spec);
        return afn_fail(AFN_EINVAL, "weights %s: of which model?", spec);
    }
    if (!split_spec(spec, name, &recipe))
        return afn_fail(AFN_ENOTFOUND, "%s: no such model", spec);
    afn_arch known;
    const afn_status st = afn_zoo_find(&known, name);
    if (st != AFN_OK) return st;
    return by_recipe(out, name, recipe);
}
