/* SPDX-License-Identifier: Apache-2.0 */
/* Pickle documents: the memory that values live in, and looking into values.
 *
 * All values of a pickle lie in chunks that are freed together.  The sum is limited to
 * a multiple of the pickle's size, so that a small file cannot ask for much memory by
 * copying memoised lists. */
#include "io/pickle.h"

#include <string.h>

#include "base/base.h"
#include "io/pickle_doc.h"

enum {
    CHUNK_BYTES = 1 << 14,
    ALIGN = 16,
    BYTES_PER_BYTE = 128, /* a one-byte opcode makes a 40-byte value plus its slots */
    FREE_BYTES = 1 << 16  /* granted to every pickle */
};
static const size_t most_bytes = (size_t)1 << 30;

struct pickle_chunk {
    pickle_chunk *next;
    size_t used, size;
    _Alignas(ALIGN) uint8_t data[];
};

static pickle_chunk *new_chunk(pickle_chunk *next, size_t bytes)
{
    const size_t size = bytes > CHUNK_BYTES ? bytes : CHUNK_BYTES;
    pickle_chunk *c = afn_alloc(sizeof *c + size);
    if (!c) return NULL;
    *c = (pickle_chunk){ .next = next, .size = size };
    return c;
}

afn_status afn_io__pickle_take(void **out, afn_pickle *p, size_t bytes)
{
    *out = NULL;
    if (bytes > p->limit - p->used)
        return afn_fail(AFN_EFORMAT,
                        "pickle needs more memory than its size justifies");
    bytes = (bytes + ALIGN - 1) / ALIGN * ALIGN;
    if (!p->chunks || bytes > p->chunks->size - p->chunks->used) {
        pickle_chunk *c = new_chunk(p->chunks, bytes);
        if (!c) return afn_fail(AFN_ENOMEM, "out of memory");
        p->chunks = c;
    }
    *out = p->chunks->data + p->chunks->used;
    p->chunks->used += bytes;
    p->used = bytes > p->limit - p->used ? p->limit : p->used + bytes;
    return AFN_OK;
}

afn_status afn_pickle_read(afn_pickle **out, const void *bytes, size_t size,
                           const afn_pickle_rules *rules)
{
    afn_status st = AFN_OK;
    afn_pickle *p = NULL;

    *out = NULL;
    if (rules->refusal) *rules->refusal = (afn_pickle_refusal){ 0 };
    p = afn_alloc(sizeof *p);
    AFN_REQUIRE(p, AFN_ENOMEM, "out of memory");
    p->limit = size > most_bytes / BYTES_PER_BYTE ? most_bytes
                                                  : size * BYTES_PER_BYTE + FREE_BYTES;
    AFN_TRY(afn_io__pickle_run(p, bytes, size, rules));
    *out = p;
    p = NULL;
done:
    afn_pickle_free(p);
    return st;
}

void afn_pickle_free(afn_pickle *p)
{
    if (!p) return;
    while (p->chunks) {
        pickle_chunk *next = p->chunks->next;
        afn_free(p->chunks);
        p->chunks = next;
    }
    afn_free(p);
}

const afn_pickle_value *afn_pickle_root(const afn_pickle *p)
{
    return p->root;
}

size_t afn_pickle_size(const afn_pickle *p)
{
    return p->size;
}

const afn_pickle_value *afn_pickle_persids(const afn_pickle *p)
{
    return p->last_persid;
}

bool afn_pickle_is_text(const afn_pickle_value *v, const char *s)
{
    if (v->kind != AFN_PICKLE_TEXT && v->kind != AFN_PICKLE_BYTES) return false;
    return v->u.text.size == strlen(s) && memcmp(v->u.text.data, s, strlen(s)) == 0;
}

const afn_pickle_value *afn_pickle_get(const afn_pickle_value *dict, const char *key)
{
    if (dict->kind != AFN_PICKLE_DICT) return NULL;
    for (size_t i = dict->u.seq.count; i >= 2; i -= 2)
        if (afn_pickle_is_text(dict->u.seq.item[i - 2], key))
            return dict->u.seq.item[i - 1];
    return NULL;
}

const char *afn_pickle_kind_name(afn_pickle_kind kind)
{
    static const char *const name[] = {
        [AFN_PICKLE_NONE] = "None",   [AFN_PICKLE_BOOL] = "bool",
        [AFN_PICKLE_INT] = "int",     [AFN_PICKLE_LONG] = "long int",
        [AFN_PICKLE_FLOAT] = "float", [AFN_PICKLE_TEXT] = "str",
        [AFN_PICKLE_BYTES] = "bytes", [AFN_PICKLE_TUPLE] = "tuple",
        [AFN_PICKLE_LIST] = "list",   [AFN_PICKLE_SET] = "set",
        [AFN_PICKLE_DICT] = "dict",   [AFN_PICKLE_GLOBAL] = "class",
        [AFN_PICKLE_CALL] = "object", [AFN_PICKLE_PERSID] = "storage",
    };
    static_assert(AFN_COUNT(name) == AFN_N_PICKLE_KINDS, "one name per kind");
    return name[kind];
}
