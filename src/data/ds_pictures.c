/* SPDX-License-Identifier: Apache-2.0 */
/* Pictures that somebody names, one by one, without labels: files, or bytes that lie in
 * memory.  What a prediction loads its batches from. */
#include <stdio.h>
#include <string.h>

#include "data/data.h"
#include "data/dataset.h"

typedef struct picture_set {
    afn_dataset base;
    afn_picture *picture; /* [count], names in `names` */
    char *names;          /* one after the other, each ended by 0 */
} picture_set;

static const afn_picture *picture_at(const afn_dataset *d, int64_t i)
{
    return &((const picture_set *)d)->picture[i];
}

static afn_status pictures_load(const afn_dataset *d, int64_t i, afn_stored *out)
{
    const afn_picture *p = picture_at(d, i);
    if (!p->bytes) {
        const afn_status st = afn_map_open(&out->file, p->name);
        if (st != AFN_OK) return st;
    }
    out->data = p->bytes ? p->bytes : out->file.data;
    out->size = p->bytes ? p->size : out->file.size;
    return AFN_OK;
}

static void pictures_read_ahead(const afn_dataset *d, int64_t i)
{
    const afn_picture *p = picture_at(d, i);
    if (!p->bytes) afn_file_read_ahead(p->name);
}

static void pictures_sample_name(const afn_dataset *d, int64_t i, char *buf,
                                 size_t bytes)
{
    snprintf(buf, bytes, "%s", picture_at(d, i)->name);
}

static void pictures_close(afn_dataset *d)
{
    picture_set *s = (picture_set *)d;
    afn_free(s->picture);
    afn_free(s->names);
}

/* Not in the list of kinds: it has no spec. */
static const afn_dataset_ops pictures_ops = {
    .kind = "pictures",
    .load = pictures_load,
    .read_ahead = pictures_read_ahead,
    .sample_name = pictures_sample_name,
    .close = pictures_close,
};

static void copy_names(picture_set *s)
{
    char *at = s->names;
    for (int64_t i = 0; i < s->base.count; i++) {
        const size_t size = strlen(s->picture[i].name) + 1;
        s->picture[i].name = memcpy(at, s->picture[i].name, size);
        at += size;
    }
}

afn_status afn_dataset_of_pictures(afn_dataset **out, const afn_picture *picture,
                                   int64_t n)
{
    afn_status st = AFN_OK;
    static const char *const class = "";
    size_t bytes = 1;
    *out = NULL;
    picture_set *s = (picture_set *)afn_data__new(&pictures_ops, sizeof *s);
    AFN_REQUIRE(s, AFN_ENOMEM, "out of memory");
    AFN_REQUIRE(n >= 0, AFN_EINVAL, "%lld pictures, need 0 or more", (long long)n);
    for (int64_t i = 0; i < n; i++) bytes += strlen(picture[i].name) + 1;
    s->picture = afn_alloc_array((size_t)n + 1, sizeof *s->picture);
    s->names = afn_alloc(bytes);
    s->base.label = afn_alloc_array((size_t)n + 1, sizeof *s->base.label);
    AFN_REQUIRE(s->picture && s->names && s->base.label, AFN_ENOMEM, "out of memory");
    AFN_TRY(afn_data__set_classes(&s->base, &class, 1));
    if (n) memcpy(s->picture, picture, (size_t)n * sizeof *picture);
    s->base.count = n;
    copy_names(s);
    *out = &s->base;
    s = NULL;
done:
    afn_dataset_free((afn_dataset *)s);
    return st;
}
