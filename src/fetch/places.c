/* SPDX-License-Identifier: Apache-2.0 */
/* The folders where weight files lie: ours, then those of torch.hub (get_dir() in
 * torch/hub.py of PyTorch 1.6 and later). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fetch/fetch.h"

/* A folder is $VARIABLE and something below it. */
static const struct {
    const char *variable, *below;
} place[] = {
    { "XDG_CACHE_HOME", "afina/weights" },
    { "HOME", ".cache/afina/weights" },
    { "TORCH_HOME", "hub/checkpoints" },
    { "XDG_CACHE_HOME", "torch/hub/checkpoints" },
    { "HOME", ".cache/torch/hub/checkpoints" },
};
enum { OURS = 2, PLACES = AFN_COUNT(place) };

/* "" where the variable does not say an absolute path, or it is too long. */
static void folder(char path[AFN_PATH_BYTES], int i)
{
    const char *root = getenv(place[i].variable);
    path[0] = '\0';
    if (!root || root[0] != '/') return;
    const int n = snprintf(path, AFN_PATH_BYTES, "%s/%s", root, place[i].below);
    if (n >= AFN_PATH_BYTES) path[0] = '\0';
}

static bool join(char path[AFN_PATH_BYTES], const char *dir, const char *file)
{
    return snprintf(path, AFN_PATH_BYTES, "%s/%s", dir, file) < AFN_PATH_BYTES;
}

afn_status afn_fetch__folder(char path[AFN_PATH_BYTES])
{
    for (int i = 0; i < OURS; i++) {
        folder(path, i);
        if (path[0]) return AFN_OK;
    }
    return afn_fail(AFN_ENOTFOUND, "no folder for weights: HOME is not set");
}

/* How to get what is not here. */
static afn_status missing(const afn_weights_file *p, const char *path)
{
    if (p->arch)
        return afn_fail(AFN_ENOTFOUND,
                        "%s (%s of %s) is not on this machine: 'afina fetch %s/V%c' "
                        "downloads it, or put it there as %s",
                        p->file, p->recipe, p->arch, p->arch,
                        p->recipe[strlen(p->recipe) - 1], path);
    return afn_fail(AFN_ENOTFOUND,
                    "%s is not on this machine: 'afina fetch %s' downloads it, or put "
                    "it there as %s",
                    p->file, p->file, path);
}

afn_status afn_weights_file_find(char path[AFN_PATH_BYTES], const afn_weights_file *p)
{
    char dir[AFN_PATH_BYTES];
    afn_status damaged = AFN_OK; /* a good copy may lie elsewhere */

    for (int i = 0; i < PLACES; i++) {
        folder(dir, i);
        if (!dir[0] || !join(path, dir, p->file) || !afn_is_file(path)) continue;
        const afn_status st = afn_fetch__check(path, p->file);
        if (st == AFN_OK) return st;
        damaged = st;
    }
    path[0] = '\0';
    const afn_status st = afn_fetch__folder(dir);
    if (st != AFN_OK) return st;
    if (!join(path, dir, p->file))
        return afn_fail(AFN_ENOTFOUND, "%s: name too long", dir);
    return damaged != AFN_OK ? damaged : missing(p, path);
}
