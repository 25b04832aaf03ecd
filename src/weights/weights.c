/* SPDX-License-Identifier: Apache-2.0 */
/* Opening by content and saving by extension: the list of formats. */
#include <string.h>

#include "weights/set.h"

/* Asked in this order.  safetensors before legacy: a header of 128 bytes begins with
 * 0x80, as every pickle does, but no pickle of torch.save has its other signs. */
static const weights_format *const format[] = {
    &afn_weights__torch_zip,
    &afn_weights__safetensors,
    &afn_weights__torch_legacy,
    &afn_weights__torch_tar,
};

/* Say what a file of no known format probably is. */
static afn_status fail_unknown(const uint8_t *bytes, size_t size)
{
    const struct {
        const char *start, *text;
    } known[] = {
        { "version https://git-lfs",
          afn_translated("a Git LFS pointer, not the file it stands for") },
        { "<!DOCTYPE", afn_translated("a web page, not weights") },
        { "<html", afn_translated("a web page, not weights") },
        { "\x89HDF",
          afn_translated(
              "an HDF5 file (Keras); only PyTorch and safetensors are read") },
        { "\x93NUMPY",
          afn_translated("a NumPy file; only PyTorch and safetensors are read") },
        { "GGUF",
          afn_translated("a GGUF file; only PyTorch and safetensors are read") },
        { "\xff\xd8\xff", afn_translated("a picture, not weights") },
        { "\x89PNG", afn_translated("a picture, not weights") },
        { "\x1f\x8b", afn_translated("compressed with gzip; unpack it first") },
    };
    if (size == 0) return afn_fail(AFN_EFORMAT, "is empty");
    for (size_t i = 0; i < AFN_COUNT(known); i++) {
        const size_t n = strlen(known[i].start);
        if (size >= n && memcmp(bytes, known[i].start, n) == 0)
            return afn_fail(AFN_EFORMAT, "%s", known[i].text);
    }
    return afn_fail(AFN_EFORMAT, "neither a PyTorch nor a safetensors file (%zu bytes)",
                    size);
}

/* Fill w, whose bytes are set. */
static afn_status read_any(afn_weights *w)
{
    for (size_t i = 0; i < AFN_COUNT(format); i++) {
        if (!format[i]->probe(w->bytes, w->size)) continue;
        w->format = format[i]->name;
        const afn_status st = format[i]->read(w);
        return st == AFN_OK ? afn_weights__renew_names(w) : st;
    }
    return fail_unknown(w->bytes, w->size);
}

afn_status afn_weights_open_memory(afn_weights **out, const void *bytes, size_t size)
{
    afn_status st = AFN_OK;
    afn_weights *w = NULL;

    *out = NULL;
    AFN_TRY(afn_weights_new(&w));
    w->bytes = bytes;
    w->size = size;
    AFN_TRY(read_any(w));
    *out = w;
    w = NULL;
done:
    afn_weights_free(w);
    return st;
}

afn_status afn_weights_open(afn_weights **out, const char *path)
{
    afn_status st = AFN_OK;
    afn_weights *w = NULL;

    *out = NULL;
    AFN_TRY(afn_weights_new(&w));
    AFN_TRY(afn_map_open(&w->map, path));
    w->bytes = w->map.data;
    w->size = w->map.size;
    AFN_TRY(read_any(w));
    *out = w;
    w = NULL;
done:
    afn_weights_free(w);
    return afn_context(st, "%s", path);
}

static const weights_format *format_for(const char *path)
{
    for (size_t i = 0; i < AFN_COUNT(format); i++) {
        const char *const *extension = format[i]->extensions;
        if (!format[i]->write || !extension) continue;
        for (; *extension; extension++)
            if (afn_ends_with_nocase(path, *extension)) return format[i];
    }
    return NULL;
}

static afn_status save(const afn_weights *w, const char *path, const weights_format *f)
{
    afn_status st = AFN_OK;
    afn_out *out = NULL;
    AFN_TRY(afn_out_open(&out, path));
    AFN_TRY(afn_context(f->write(w, out), "%s", path));
    st = afn_out_commit(out); /* frees it in any case */
    out = NULL;
done:
    afn_out_discard(out);
    return st;
}

afn_status afn_weights_save(const afn_weights *w, const char *path)
{
    const weights_format *f = format_for(path);
    if (f) return save(w, path, f);
    return afn_fail(AFN_EINVAL,
                    "%s: unknown extension, expected .pth, .pt, .th or .safetensors",
                    path);
}

afn_status afn_weights__save_as(const afn_weights *w, const char *path,
                                const char *name)
{
    for (size_t i = 0; i < AFN_COUNT(format); i++)
        if (format[i]->write && strcmp(format[i]->name, name) == 0)
            return save(w, path, format[i]);
    return afn_fail(AFN_EINVAL, "%s: no format that is written", name);
}
