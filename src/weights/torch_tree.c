/* SPDX-License-Identifier: Apache-2.0 */
/* Walking the value tree of a PyTorch pickle.
 *
 * The tree may share nodes and may contain itself, and a few bytes of pickle can make a
 * tree of 2^60 paths.  So the walk counts its steps, its depth and the bytes of names,
 * and gives up beyond what any network needs. */
#include "weights/torch_tree.h"

#include <inttypes.h>
#include <string.h>

#include "weights/torch_globals.h"

enum {
    MOST_DEPTH = 64,
    MOST_STEPS = 1 << 22,
    MOST_NAME = 1024,           /* bytes of one joined name */
    MOST_NAME_BYTES = 64 << 20, /* bytes of all names */
    MOST_BROADCAST = 1 << 24    /* elements of a view larger than its storage */
};

typedef const afn_pickle_value *ref;

typedef struct walk {
    afn_weights *w;
    const torch_source *source;
    char name[MOST_NAME + 1];
    size_t name_size;
    size_t steps, name_bytes;
    int depth;
    size_t others; /* values that are no tensors */
} walk;

afn_status afn_weights__torch_view(afn_view *v, const torch_storage *s, int64_t offset)
{
    const size_t element = afn_dtype_bytes(v->dtype);
    const int64_t count = afn_shape_count(&v->shape);
    const int64_t have = (int64_t)(s->bytes / element);
    if (count < 0) return afn_fail(AFN_EFORMAT, "impossible shape");
    if (!afn_view_fits(v, offset, have))
        return afn_fail(AFN_EFORMAT,
                        "reaches outside its storage of %" PRId64 " elements", have);
    if (count > have && count > MOST_BROADCAST)
        return afn_fail(AFN_EFORMAT,
                        "%" PRId64 " elements spread over a storage of %" PRId64, count,
                        have);
    v->data = s->data + (size_t)offset * element;
    return AFN_OK;
}

static bool is_sequence(ref v)
{
    return v->kind == AFN_PICKLE_TUPLE || v->kind == AFN_PICKLE_LIST;
}

/* Item i of a call's arguments, NULL where there are fewer. */
static ref argument(ref call, size_t i)
{
    ref args = call->u.call.args;
    return i < args->u.seq.count ? args->u.seq.item[i] : NULL;
}

/* Sizes or strides: a tuple of ints, or torch.Size of one. */
static afn_status read_ints(int64_t out[AFN_MAX_RANK], int *rank, ref v)
{
    if (v && v->kind == AFN_PICKLE_CALL && v->global == TORCH_SIZE) v = argument(v, 0);
    if (!v || !is_sequence(v)) return afn_fail(AFN_EFORMAT, "sizes are not a tuple");
    if (v->u.seq.count > AFN_MAX_RANK)
        return afn_fail(AFN_EUNSUPPORTED, "%zu dimensions, at most %d are supported",
                        v->u.seq.count, AFN_MAX_RANK);
    *rank = (int)v->u.seq.count;
    for (int i = 0; i < *rank; i++) {
        ref item = v->u.seq.item[i];
        if (item->kind != AFN_PICKLE_INT || item->u.integer < 0)
            return afn_fail(AFN_EFORMAT, "a size or stride is not a natural number");
        out[i] = item->u.integer;
    }
    return AFN_OK;
}

/* Element type of the view: its storage's, or the one _rebuild_tensor_v3 names. */
static afn_status read_dtype(afn_dtype *out, const torch_storage *s, ref call)
{
    ref dtype = call->global == TORCH_REBUILD_TENSOR_V3 ? argument(call, 6) : NULL;
    *out = s->dtype;
    if (!dtype && s->untyped)
        return afn_fail(AFN_EUNSUPPORTED, "untyped storage without an element type");
    if (!dtype) return AFN_OK;
    const int id = dtype->kind == AFN_PICKLE_GLOBAL ? dtype->global : 0;
    if (id < TORCH_DTYPE || id >= TORCH_DTYPE + AFN_N_DTYPES)
        return afn_fail(AFN_EFORMAT, "element type at byte %zu is none", dtype->at);
    *out = (afn_dtype)(id - TORCH_DTYPE);
    return AFN_OK;
}

static afn_status rebuild(walk *k, afn_view *out, ref call)
{
    afn_status st = AFN_OK;
    torch_storage s;
    int rank;
    ref storage = argument(call, 0), offset = argument(call, 1);

    *out = (afn_view){ 0 };
    AFN_REQUIRE(storage && storage->kind == AFN_PICKLE_PERSID, AFN_EFORMAT,
                "tensor without a storage");
    AFN_REQUIRE(offset && offset->kind == AFN_PICKLE_INT, AFN_EFORMAT,
                "tensor without an offset");
    AFN_TRY(read_ints(out->shape.dim, &out->shape.rank, argument(call, 2)));
    AFN_TRY(read_ints(out->stride, &rank, argument(call, 3)));
    AFN_REQUIRE(rank == out->shape.rank, AFN_EFORMAT, "%d strides for %d dimensions",
                rank, out->shape.rank);
    AFN_TRY(k->source->storage(k->source->user, &s, storage->u.persid.id));
    AFN_TRY(read_dtype(&out->dtype, &s, call));
    AFN_TRY(afn_weights__torch_view(out, &s, offset->u.integer));
done:
    return st;
}

/* The call inside wrappers such as Parameter: a value that may be a tensor. */
static ref unwrap(ref v)
{
    for (int i = 0; v && v->kind == AFN_PICKLE_CALL && i < MOST_DEPTH; i++) {
        ref state = v->u.call.state;
        if (v->global == TORCH_WRAP_FIRST)
            v = argument(v, 0);
        else if (v->global != TORCH_PARAMETER)
            break;
        else if (argument(v, 0))
            v = argument(v, 0);
        else
            v = state && is_sequence(state) && state->u.seq.count ? state->u.seq.item[0]
                                                                  : NULL;
    }
    return v;
}

/* _rebuild_from_type_v2(function, type, arguments, state) as the call it stands for. */
static bool typed_call(afn_pickle_value *out, ref v)
{
    ref function = argument(v, 0), args = argument(v, 2);
    if (!function || function->kind != AFN_PICKLE_GLOBAL) return false;
    if (!args || args->kind != AFN_PICKLE_TUPLE) return false;
    *out = (afn_pickle_value){ .kind = AFN_PICKLE_CALL,
                               .global = function->global,
                               .at = v->at,
                               .u.call = { .args = args } };
    return true;
}

/* Is v a tensor?  Then fill *out. */
static afn_status read_tensor(walk *k, bool *is_tensor, afn_view *out, ref v)
{
    afn_pickle_value call;
    *is_tensor = true;
    v = unwrap(v);
    if (v && v->kind == AFN_PICKLE_CALL && v->global == TORCH_REBUILD_TYPE &&
        typed_call(&call, v))
        v = unwrap(&call);
    if (v && v->kind == AFN_PICKLE_CALL &&
        (v->global == TORCH_REBUILD_TENSOR || v->global == TORCH_REBUILD_TENSOR_V3))
        return rebuild(k, out, v);
    if (v && v->kind == AFN_PICKLE_PERSID && k->source->tensor)
        return k->source->tensor(k->source->user, out, v->u.persid.id);
    *is_tensor = false;
    return AFN_OK;
}

/* ---- names ---- */

static afn_status name_add(walk *k, const char *s, size_t n)
{
    if (n > MOST_NAME - k->name_size)
        return afn_fail(AFN_EFORMAT, "%.40s...: name is longer than %d bytes", k->name,
                        MOST_NAME);
    memcpy(k->name + k->name_size, s, n);
    k->name_size += n;
    k->name[k->name_size] = 0;
    return AFN_OK;
}

static afn_status name_push(walk *k, const char *s, size_t n)
{
    afn_status st = AFN_OK;
    if (memchr(s, 0, n)) return afn_fail(AFN_EFORMAT, "a name contains a zero byte");
    if (k->name_size) AFN_TRY(name_add(k, ".", 1));
    AFN_TRY(name_add(k, s, n));
done:
    return st;
}

static afn_status name_push_number(walk *k, int64_t i)
{
    char digits[24];
    const int n = snprintf(digits, sizeof digits, "%" PRId64, i);
    return name_push(k, digits, (size_t)n);
}

/* A dictionary's key: text or a number; anything else counts by its position. */
static afn_status name_push_key(walk *k, ref key, size_t position)
{
    switch (key->kind) {
    case AFN_PICKLE_TEXT:
    case AFN_PICKLE_BYTES:
        return name_push(k, key->u.text.data, key->u.text.size);
    case AFN_PICKLE_INT:
        return name_push_number(k, key->u.integer);
    default:
        return name_push_number(k, (int64_t)position);
    }
}

static void name_cut(walk *k, size_t size)
{
    k->name_size = size;
    k->name[size] = 0;
}

/* ---- the walk ---- */

static afn_status visit(walk *k, ref v);

static afn_status visit_items(walk *k, ref v)
{
    const bool is_dict = v->kind == AFN_PICKLE_DICT;
    const size_t step = is_dict ? 2 : 1;
    const size_t base = k->name_size;
    for (size_t i = 0; i + step <= v->u.seq.count; i += step) {
        ref item = v->u.seq.item[i + step - 1];
        afn_status st = is_dict ? name_push_key(k, v->u.seq.item[i], i / 2)
                                : name_push_number(k, (int64_t)i);
        if (st == AFN_OK) st = visit(k, item);
        if (st != AFN_OK) return st;
        name_cut(k, base);
    }
    return AFN_OK;
}

static afn_status add_tensor(walk *k, const afn_view *v)
{
    const char *name = k->name_size ? k->name : "tensor";
    k->name_bytes += strlen(name);
    if (k->name_bytes > MOST_NAME_BYTES)
        return afn_fail(AFN_EFORMAT, "names take more than %d bytes", MOST_NAME_BYTES);
    if (afn_weights_find(k->w, name))
        return afn_fail(AFN_EFORMAT, "%s: this name appears twice", name);
    return afn_weights__add_view(k->w, name, v);
}

static afn_status visit(walk *k, ref v)
{
    afn_status st = AFN_OK;
    bool is_tensor;
    afn_view view;
    if (++k->steps > MOST_STEPS)
        return afn_fail(AFN_EFORMAT, "more than %d values", MOST_STEPS);
    st = read_tensor(k, &is_tensor, &view, v);
    if (st != AFN_OK) return k->name_size ? afn_context(st, "%s", k->name) : st;
    if (is_tensor) return add_tensor(k, &view);
    if (v->kind != AFN_PICKLE_DICT && !is_sequence(v)) {
        k->others++;
        return AFN_OK;
    }
    if (k->depth == MOST_DEPTH)
        return afn_fail(AFN_EFORMAT, "%.40s...: nested deeper than %d", k->name,
                        MOST_DEPTH);
    k->depth++;
    st = visit_items(k, v);
    k->depth--;
    return st;
}

/* Does a dictionary hold a tensor at its first level? */
static bool holds_tensor(ref dict)
{
    for (size_t i = 1; i < dict->u.seq.count; i += 2) {
        ref v = unwrap(dict->u.seq.item[i]);
        if (!v) continue;
        if (v->kind == AFN_PICKLE_PERSID) return true;
        if (v->kind != AFN_PICKLE_CALL) continue;
        if (v->global == TORCH_REBUILD_TENSOR || v->global == TORCH_REBUILD_TENSOR_V3 ||
            v->global == TORCH_REBUILD_TYPE)
            return true;
    }
    return false;
}

/* The dictionary of weights inside a checkpoint, or root itself. */
static ref open_wrapper(ref root)
{
    static const char *const wrapper[] = { "state_dict", "model_state_dict", "model" };
    for (size_t i = 0; i < AFN_COUNT(wrapper); i++) {
        ref inside = afn_pickle_get(root, wrapper[i]);
        if (inside && inside->kind == AFN_PICKLE_DICT && holds_tensor(inside))
            return inside;
    }
    return root;
}

/* DataParallel puts `module.` before every name. */
static afn_status drop_module_prefix(afn_weights *w)
{
    static const char prefix[] = "module.";
    const size_t n = sizeof prefix - 1;
    for (size_t i = 0; i < w->count; i++)
        if (strncmp(w->entry[i]->pub.name, prefix, n) != 0) return AFN_OK;
    afn_weights__keymap_free(&w->names);
    for (size_t i = 0; i < w->count; i++) {
        char *name = (char *)w->entry[i]->pub.name;
        memmove(name, name + n, strlen(name + n) + 1);
        const afn_status st = afn_weights__keymap_set(&w->names, name, strlen(name), i);
        if (st != AFN_OK) return st;
    }
    return AFN_OK;
}

afn_status afn_weights__torch_flatten(afn_weights *w, const afn_pickle_value *root,
                                      const torch_source *source)
{
    afn_status st = AFN_OK;
    walk *k = afn_alloc(sizeof *k);
    AFN_REQUIRE(k, AFN_ENOMEM, "out of memory");
    k->w = w;
    k->source = source;
    AFN_TRY(visit(k, open_wrapper(root)));
    AFN_REQUIRE(w->count || !k->others, AFN_EUNSUPPORTED,
                "holds no tensors, only other data (%s)",
                afn_pickle_kind_name(root->kind));
    AFN_TRY(drop_module_prefix(w));
done:
    afn_free(k);
    return st;
}
