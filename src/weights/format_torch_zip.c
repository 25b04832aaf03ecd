/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the zip .pth of PyTorch 1.6 and later.
 *
 *   ROOT/data.pkl    the object; tensors name their storage by a persistent id
 *                    ('storage', class, key, location, element count)
 *   ROOT/data/KEY    the storage's raw bytes, stored at a multiple of 64
 *   ROOT/byteorder   "little" or "big", since 2.1
 *   ROOT/version     "3\n" or so
 *   ROOT/extra/metadata.json   ours alone: an object of strings
 *
 * Source: torch/serialization.py, caffe2/serialize/inline_container.h */
#include <inttypes.h>
#include <string.h>

#include "weights/format_torch_zip.h"
#include "weights/torch_tree.h"

typedef struct reader {
    afn_weights *w;
    afn_zip *zip;
    char *root;              /* "archive/" */
    torch_storages storages; /* those met so far */
} reader;

static bool probe(const uint8_t *bytes, size_t size)
{
    return size >= 4 &&
           (memcmp(bytes, "PK\3\4", 4) == 0 || memcmp(bytes, "PK\5\6", 4) == 0);
}

/* Index of ROOT/name, -1 where there is none. */
static afn_status find_in_root(int64_t *out, const reader *r, const char *name,
                               size_t n)
{
    char *path = afn_format("%s%.*s", r->root, (int)n, name);
    *out = -1;
    if (!path) return afn_fail(AFN_ENOMEM, "out of memory");
    *out = afn_zip_find(r->zip, path);
    afn_free(path);
    return AFN_OK;
}

/* Whatever precedes data.pkl; the shortest where several do. */
static afn_status find_root(reader *r)
{
    static const char wanted[] = "data.pkl";
    const char *best = NULL;
    for (size_t i = 0; i < afn_zip_count(r->zip); i++) {
        const char *name = afn_zip_name(r->zip, i);
        if (!name || !afn_ends_with_nocase(name, wanted)) continue;
        const size_t n = strlen(name) - (sizeof wanted - 1);
        if (strcmp(name + n, wanted) != 0 || (n && name[n - 1] != '/')) continue;
        if (!best || strlen(name) < strlen(best)) best = name;
    }
    if (!best)
        return afn_fail(AFN_EFORMAT,
                        "zip archive without data.pkl: not from torch.save");
    r->root = afn_format("%.*s", (int)(strlen(best) - (sizeof wanted - 1)), best);
    return r->root ? AFN_OK : afn_fail(AFN_ENOMEM, "out of memory");
}

/* Bytes of an entry; memory for an inflated one goes to the set. */
static afn_status read_entry(reader *r, int64_t i, const uint8_t **data, size_t *size)
{
    void *owned;
    const afn_status st = afn_zip_read(r->zip, (size_t)i, data, size, &owned);
    return st == AFN_OK ? afn_weights__adopt(r->w, owned) : st;
}

static afn_status check_kind(const reader *r)
{
    int64_t i;
    afn_status st = find_in_root(&i, r, "constants.pkl", 13);
    if (st == AFN_OK && i >= 0)
        st = afn_fail(AFN_EUNSUPPORTED,
                      "a TorchScript archive (%sconstants.pkl): save "
                      "the model's state_dict() instead",
                      r->root);
    return st;
}

static afn_status check_byte_order(reader *r)
{
    afn_status st = AFN_OK;
    const uint8_t *text;
    size_t n;
    int64_t i;
    AFN_TRY(find_in_root(&i, r, "byteorder", 9));
    if (i < 0) return AFN_OK;
    AFN_TRY(read_entry(r, i, &text, &n));
    AFN_REQUIRE(n == 6 && memcmp(text, "little", 6) == 0, AFN_EUNSUPPORTED,
                "byte order is \"%.*s\", only \"little\" is read",
                (int)(n < 16 ? n : 16), (const char *)text);
done:
    return st;
}

/* The pickle's key as a path: ROOT/data/KEY. */
static afn_status find_storage(int64_t *out, const reader *r,
                               const afn_pickle_value *key)
{
    afn_buf path = { 0 };
    afn_status st;
    afn_buf_str(&path, "data/");
    afn_buf_add(&path, key->u.text.data, key->u.text.size);
    st = afn_buf_finish(&path);
    *out = -1;
    if (st == AFN_OK) st = find_in_root(out, r, path.data, path.size);
    afn_buf_free(&path);
    return st;
}

static afn_status get_storage(void *user, torch_storage *out,
                              const afn_pickle_value *id)
{
    afn_status st = AFN_OK;
    reader *r = user;
    torch_persid p;
    int64_t entry;

    *out = (torch_storage){ 0 };
    AFN_TRY(afn_weights__torch_persid(&p, id));
    const torch_storage *known = afn_weights__storages_get(&r->storages, p.key);
    if (known) *out = *known;
    out->dtype = p.dtype;
    out->untyped = p.untyped;
    if (!known) {
        AFN_TRY(find_storage(&entry, r, p.key));
        AFN_REQUIRE(entry >= 0, AFN_EFORMAT, "storage %.*s is missing (no %sdata/%.*s)",
                    TORCH_KEY(p.key), r->root, TORCH_KEY(p.key));
        AFN_TRY(read_entry(r, entry, &out->data, &out->bytes));
        AFN_TRY(afn_weights__storages_add(&r->storages, p.key, out));
    }
    const size_t element = afn_dtype_bytes(p.dtype);
    AFN_REQUIRE((uint64_t)p.count <= out->bytes / element, AFN_EFORMAT,
                "storage %.*s has %zu bytes, needs %" PRId64 " elements of %zu",
                TORCH_KEY(p.key), out->bytes, p.count, element);
done:
    return st;
}

static afn_status read_object(reader *r)
{
    afn_status st = AFN_OK;
    afn_pickle *p = NULL;
    const uint8_t *bytes;
    size_t n;
    int64_t i;
    const torch_source source = { .user = r, .storage = get_storage };
    AFN_TRY(find_in_root(&i, r, "data.pkl", 8));
    AFN_REQUIRE(i >= 0, AFN_EFORMAT, "zip archive without data.pkl");
    AFN_TRY(read_entry(r, i, &bytes, &n));
    AFN_TRY(afn_weights__torch_pickle(&p, bytes, n, 0));
    AFN_TRY(afn_weights__torch_flatten(r->w, afn_pickle_root(p), &source));
done:
    afn_pickle_free(p);
    return st;
}

static afn_status read_metadata(reader *r)
{
    static const char name[] = AFN_TORCH_ZIP_METADATA;
    afn_status st = AFN_OK;
    json_t *object = NULL;
    const uint8_t *text;
    size_t n;
    int64_t i;
    AFN_TRY(find_in_root(&i, r, name, sizeof name - 1));
    if (i < 0) return AFN_OK;
    AFN_TRY(read_entry(r, i, &text, &n));
    AFN_TRY(afn_json_parse(&object, text, n));
    AFN_TRY(afn_weights__take_metadata(r->w, object));
done:
    json_decref(object);
    return afn_context(st, "%s", name);
}

static afn_status read(afn_weights *w)
{
    afn_status st = AFN_OK;
    reader r = { .w = w };
    AFN_TRY(afn_zip_open(&r.zip, w->bytes, w->size));
    AFN_TRY(find_root(&r));
    AFN_TRY(check_kind(&r));
    AFN_TRY(check_byte_order(&r));
    AFN_TRY(read_object(&r));
    AFN_TRY(read_metadata(&r));
done:
    afn_weights__storages_free(&r.storages);
    afn_free(r.root);
    afn_zip_free(r.zip);
    return st;
}

static const char *const extensions[] = { ".pth", ".pt", ".th", NULL };

const weights_format afn_weights__torch_zip = {
    .name = "torch-zip",
    .probe = probe,
    .read = read,
    .extensions = extensions,
    .write = afn_weights__write_torch_zip,
};
