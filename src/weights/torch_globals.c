/* SPDX-License-Identifier: Apache-2.0 */
/* The globals a PyTorch weight file may name.  None is ever called: each only labels a
 * value.  What is not here ends the reading, see afn_weights__torch_pickle(). */
#include "weights/torch_globals.h"

#include "weights/torch_tree.h"

#define CALL AFN_PICKLE_AS_CALL
#define DICT AFN_PICKLE_AS_DICT

static const afn_pickle_global permitted[] = {
    { "collections", "OrderedDict", DICT, TORCH_PLAIN },
    { "collections", "Counter", DICT, TORCH_PLAIN },

    { "torch._utils", "_rebuild_tensor", CALL, TORCH_REBUILD_TENSOR },
    { "torch._utils", "_rebuild_tensor_v2", CALL, TORCH_REBUILD_TENSOR },
    { "torch._utils", "_rebuild_tensor_v3", CALL, TORCH_REBUILD_TENSOR_V3 },
    { "torch._utils", "_rebuild_parameter", CALL, TORCH_WRAP_FIRST },
    { "torch._utils", "_rebuild_parameter_with_state", CALL, TORCH_WRAP_FIRST },
    { "torch._tensor", "_rebuild_from_type_v2", CALL, TORCH_REBUILD_TYPE },
    { "torch.tensor", "_rebuild_from_type_v2", CALL, TORCH_REBUILD_TYPE },
    { "torch.nn.parameter", "Parameter", CALL, TORCH_PARAMETER },
    { "torch.nn.parameter", "Buffer", CALL, TORCH_PARAMETER },
    { "torch.autograd.variable", "Variable", CALL, TORCH_PARAMETER },
    { "torch", "Tensor", CALL, TORCH_PLAIN },
    { "torch", "Size", CALL, TORCH_SIZE },
    { "torch", "device", CALL, TORCH_PLAIN },
    { "torch.serialization", "_get_layout", CALL, TORCH_PLAIN },

#define STORAGE(name, dtype)                                                           \
    {                                                                                  \
        "torch", name "Storage", CALL, TORCH_STORAGE + (dtype)                         \
    }
    STORAGE("Float", AFN_F32),
    STORAGE("Half", AFN_F16),
    STORAGE("BFloat16", AFN_BF16),
    STORAGE("Double", AFN_F64),
    STORAGE("Long", AFN_I64),
    STORAGE("Int", AFN_I32),
    STORAGE("Short", AFN_I16),
    STORAGE("Char", AFN_I8),
    STORAGE("Byte", AFN_U8),
    STORAGE("Bool", AFN_BOOL),
    STORAGE("ComplexFloat", AFN_C64),
    STORAGE("ComplexDouble", AFN_C128),
    { "torch.storage", "UntypedStorage", CALL, TORCH_UNTYPED_STORAGE },
    { "torch", "UntypedStorage", CALL, TORCH_UNTYPED_STORAGE },

#define DTYPE(name, dtype)                                                             \
    {                                                                                  \
        "torch", name, CALL, TORCH_DTYPE + (dtype)                                     \
    }
    DTYPE("float32", AFN_F32),
    DTYPE("float", AFN_F32),
    DTYPE("float16", AFN_F16),
    DTYPE("half", AFN_F16),
    DTYPE("bfloat16", AFN_BF16),
    DTYPE("float64", AFN_F64),
    DTYPE("double", AFN_F64),
    DTYPE("int64", AFN_I64),
    DTYPE("long", AFN_I64),
    DTYPE("int32", AFN_I32),
    DTYPE("int", AFN_I32),
    DTYPE("int16", AFN_I16),
    DTYPE("short", AFN_I16),
    DTYPE("int8", AFN_I8),
    DTYPE("uint8", AFN_U8),
    DTYPE("bool", AFN_BOOL),
    DTYPE("complex64", AFN_C64),
    DTYPE("complex128", AFN_C128),

/* Types of tensors before PyTorch 0.4, named beside the tensors of a tar file. */
#define TENSOR(name)                                                                   \
    {                                                                                  \
        "torch", name "Tensor", CALL, TORCH_PLAIN                                      \
    }
    TENSOR("Float"),
    TENSOR("Half"),
    TENSOR("Double"),
    TENSOR("Long"),
    TENSOR("Int"),
    TENSOR("Short"),
    TENSOR("Char"),
    TENSOR("Byte"),

    /* Plain data beside the tensors: kept as opaque values and passed over. */
    { "_codecs", "encode", CALL, TORCH_PLAIN },
    { "builtins", "set", CALL, TORCH_PLAIN },
    { "__builtin__", "set", CALL, TORCH_PLAIN },
    { "builtins", "frozenset", CALL, TORCH_PLAIN },
    { "__builtin__", "frozenset", CALL, TORCH_PLAIN },
    { "builtins", "complex", CALL, TORCH_PLAIN },
    { "builtins", "bytearray", CALL, TORCH_PLAIN },
    { "numpy", "dtype", CALL, TORCH_PLAIN },
    { "numpy", "ndarray", CALL, TORCH_PLAIN },
    { "numpy.core.multiarray", "scalar", CALL, TORCH_PLAIN },
    { "numpy.core.multiarray", "_reconstruct", CALL, TORCH_PLAIN },
    { "numpy._core.multiarray", "scalar", CALL, TORCH_PLAIN },
    { "numpy._core.multiarray", "_reconstruct", CALL, TORCH_PLAIN },
};

/* A whole nn.Module names its class first; say what to do about it. */
static afn_status explain(afn_status st, const afn_pickle_refusal *r)
{
    if (st != AFN_EUNSUPPORTED || !r->is_root_class) return st;
    return afn_fail(st,
                    "a whole model was pickled (class %s at byte %zu), "
                    "save its state_dict() instead",
                    r->name, r->at);
}

afn_status afn_weights__torch_pickle(afn_pickle **out, const uint8_t *bytes,
                                     size_t size, size_t base)
{
    afn_pickle_refusal refusal;
    const afn_pickle_rules rules = { .global = permitted,
                                     .count = AFN_COUNT(permitted),
                                     .base = base,
                                     .refusal = &refusal };
    return explain(afn_pickle_read(out, bytes, size, &rules), &refusal);
}

afn_status afn_weights__torch_dtype(afn_dtype *out, bool *untyped,
                                    const afn_pickle_value *type)
{
    const int id = type->kind == AFN_PICKLE_GLOBAL ? type->global : TORCH_PLAIN;
    *untyped = id == TORCH_UNTYPED_STORAGE;
    *out = AFN_U8;
    if (*untyped) return AFN_OK;
    if (id < TORCH_STORAGE || id >= TORCH_STORAGE + AFN_N_DTYPES)
        return afn_fail(AFN_EFORMAT, "storage at byte %zu has no type", type->at);
    *out = (afn_dtype)(id - TORCH_STORAGE);
    return AFN_OK;
}
