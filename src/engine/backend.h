/* SPDX-License-Identifier: Apache-2.0 */
/* The contract between the plan and a backend.
 *
 * The plan lowers a graph to steps: one operator each, perhaps with a batch norm folded
 * in, a residual added and an activation applied at the end where the backend can.  It
 * decides what runs, what is kept and where it lies; a backend turns each step into a
 * kernel and says how many bytes it needs.  Memory formats are the backend's own: the
 * plan only carries a value's afn_layout from the kernel that makes it to those that
 * read it.  Gradients of a value have the layout of the value. */
#ifndef AFN_ENGINE_BACKEND_H
#define AFN_ENGINE_BACKEND_H

#include "engine/engine.h"

enum { AFN_NO_ACT = -1 };

/* One operation of a plan. */
typedef struct afn_step {
    afn_op op;
    const afn_node *node;      /* attributes and parameters of the operator */
    const afn_node *norm;      /* batch norm folded into a convolution, or NULL */
    bool add;                  /* the last input is added before the activation */
    int act;                   /* afn_act applied last, or AFN_NO_ACT */
    int n_inputs;              /* with the added one */
    const afn_value *input;    /* [n_inputs] */
    const afn_shape *in_shape; /* [n_inputs], of one sample */
    afn_value output;          /* the last node that this step covers */
    afn_shape out_shape;

    bool train;           /* belongs to the trained part: will run backward */
    bool batch_stats;     /* batch norm: use and record the batch's statistics */
    bool random;          /* dropout: active */
    bool only_feeds_conv; /* every reader of the output is a convolution */
    bool logits;          /* the output is the plan's, or becomes it by flattening: in
                           * fp32 whatever the precision, where the kernel can */
    bool grad_param[AFN_MAX_PARAMS]; /* parameters whose gradient is wanted */
    bool *grad_input;                /* [n_inputs] inputs whose gradient is wanted */
} afn_step;

/* How a value lies in memory: samples one after the other. */
typedef struct afn_layout {
    int format;   /* the backend's own code */
    size_t bytes; /* of one sample, with padding */
} afn_layout;

/* A parameter as a plan holds it: packed in the layout its kernel asked for. */
typedef struct afn_blob {
    int param;
    bool used;      /* some kernel reads it */
    bool trainable; /* has a gradient */
    int64_t count;  /* floats, with padding; padding is 0 and stays 0 */
    void *layout;   /* the backend's own, freed by free_layout(); NULL = PyTorch's */
    float *value;   /* [count] */
    float *grad;    /* [count], NULL where not trainable */
    float *state[AFN_N_STATES]; /* [count] each, once somebody asked */
} afn_blob;

/* What a kernel is told when it is prepared. */
typedef struct afn_prepare {
    void *device; /* from open() */
    const afn_step *step;
    int64_t n;       /* samples per call */
    int64_t batch;   /* samples of all calls of one pass: n, or a multiple of it */
    int64_t usual_n; /* per call of the plan's usual batch: worth measuring for */
    afn_algorithms algorithms;
    const afn_layout *in; /* [step->n_inputs] */
    const afn_graph *graph;
    afn_blob *blob; /* [params]: mark used, set count and layout if unset; a set
                     * layout must be lived with */
} afn_prepare;

/* What a plan asks of a kernel.  A task runs over a batch in one call, or in several,
 * each on some of the samples in order. */
typedef enum afn_task_kind {
    AFN_TASK_FORWARD_SUMS,
    AFN_TASK_FORWARD,
    AFN_TASK_RECOMPUTE,
    AFN_TASK_BACKWARD_SUMS,
    AFN_TASK_BACKWARD,
    AFN_N_TASK_KINDS
} afn_task_kind;

/* A step made executable: what prepare() fills. */
typedef struct afn_kernel {
    void *state; /* the backend's own, freed by its free() */
    afn_layout out;
    bool any_n; /* a call may be of any number of samples, not only the prepared one */
    bool forward_sums, backward_sums; /* needs that task before the other */
    size_t keep_bytes;    /* written by the first task, read by the others: of a call */
    bool keep_whole;      /* the same for all calls */
    size_t scratch_bytes; /* needed during a call, contents lost after it */
    size_t add_bytes;     /* more of it in a backward that adds to a gradient */
    size_t held_bytes[AFN_N_TASK_KINDS]; /* kept from the first call of a task to its
                                          * last */
    bool keep_input;        /* backward reads input 0 (not the added one) */
    bool keep_second;       /* backward reads input 1 */
    bool keep_output;       /* backward reads the output, or if it has sums they do */
    bool two_gradients;     /* backward takes the output's gradient as a sum of two */
    bool hands_on_gradient; /* backward may write the gradient of an input over dout */
    bool cheap; /* the output may be made again for backward instead of being kept */
    int alias;  /* input whose memory the output may take over where nobody reads it
                 * afterwards; -1 = none, which is what prepare() finds here */
} afn_kernel;

/* Arguments of one call.  Pointers are to the first of its samples. */
typedef struct afn_args {
    int64_t n;             /* samples of this call */
    int64_t first, batch;  /* which of the task's they are: first ... first + n - 1 */
    const void *const *in; /* [n_inputs] */
    void *out;
    void *dout;             /* gradient of the output; the kernel may overwrite it */
    const void *dout2;      /* to be added to it, where two_gradients; else NULL */
    void *const *din;       /* [n_inputs], NULL where not wanted */
    const bool *accumulate; /* [n_inputs]: add to din instead of writing it */
    void *keep, *scratch, *held; /* aligned to 64 bytes */
    const afn_blob *blob;        /* [params]; gradients are complete after a task's
                                  * last call */
    uint64_t seed, call;      /* dropout: stream AFN_RNG_DROPOUT, a = node, b = call */
    const uint8_t *pixels;    /* input step: one of the two is set */
    const float *values;      /* (n, C, H, W) */
    const float *pixel_table; /* (C, 256): normalised value of each channel and byte */
} afn_args;

/* Is this the last call of its task? */
static inline bool afn_is_last(const afn_args *a)
{
    return a->first + a->n == a->batch;
}

/* One row of a backend's table. */
typedef struct afn_kernel_ops {
    bool whole; /* every call is of the whole batch */
    afn_status (*prepare)(const afn_prepare *p, afn_kernel *k);
    afn_status (*forward)(void *state, const afn_args *a);
    afn_status (*backward)(void *state, const afn_args *a); /* NULL: none needed */
    void (*free)(void *state);                              /* NULL-safe */
    /* Where the kernel says so: what forward, or backward, must know of all samples
     * before it is called on the first.  Complete after the last call. */
    afn_status (*forward_sums)(void *state, const afn_args *a);
    afn_status (*backward_sums)(void *state, const afn_args *a);
    /* Optional: write the output again, as forward did, from inputs and keep, where
     * the kernel is cheap; nothing else changes.  NULL = forward does just that. */
    afn_status (*recompute)(void *state, const afn_args *a);
    /* Optional: take parameters that are not plain blobs (folded weights) anew. */
    afn_status (*load)(void *state, const afn_params *params);
} afn_kernel_ops;

/* What is done to elements [from, to). */
typedef void (*afn_range_fn)(void *user, int64_t from, int64_t to);

/* Which combined steps a backend takes. */
typedef enum afn_fusion {
    AFN_FUSE_CONV_ACT = 1,     /* convolution, linear: + activation, also in training */
    AFN_FUSE_NORM_ADD_ACT = 2, /* batch norm + add + activation, also in training */
    AFN_FOLD_NORM = 4, /* inference: batch norm into a convolution, + add + act */
} afn_fusion;

typedef struct afn_backend {
    const char *name;
    unsigned fusions; /* of afn_fusion */
    /* Activations that may join a convolution or linear step in training, outside it,
     * and a batch norm: bits 1 << afn_act. */
    unsigned conv_acts, conv_infer_acts, norm_acts;
    bool slices; /* kernels take a batch in several calls */
    bool bf16;   /* computes in it, too, where the processor does */
    afn_status (*open)(void **device, int threads, afn_precision precision);
    void (*close)(void *device);
    /* Called first in every public call, on the calling thread. */
    void (*enter)(void *device);

    /* The row of an operator; NULL where the backend has none. */
    const afn_kernel_ops *(*find)(afn_op op);

    /* Parameters between PyTorch's layout and a blob's; padding is filled with 0. */
    afn_status (*pack)(void *device, const afn_blob *b, const afn_shape *shape,
                       const float *host, float *packed);
    afn_status (*unpack)(void *device, const afn_blob *b, const afn_shape *shape,
                         const float *packed, float *host);
    void (*free_layout)(void *layout);

    /* Values between (n, ...) row-major fp32 and a layout. */
    afn_status (*read_value)(void *device, const afn_layout *l, const afn_shape *shape,
                             int64_t n, const void *value, float *out);
    afn_status (*write_value)(void *device, const afn_layout *l, const afn_shape *shape,
                              int64_t n, const float *in, void *value);

    /* Call fn for all of 0 ... n-1, in ranges [from, to), on all threads: what runs
     * over blobs element by element. */
    void (*each)(void *device, int64_t n, afn_range_fn fn, void *user);

    /* Optional: seconds that the products of a convolution step take at the library's
     * best, for measuring. */
    afn_status (*time_alone)(void *device, const afn_step *s, int64_t n,
                             double *seconds);
} afn_backend;

/* The list of backends (backends.c).
 * Errors     AFN_ENOTFOUND, naming those there are */
afn_status afn_backend_find(const afn_backend **out, const char *name);

extern const afn_backend afn_backend_ref;
extern const afn_backend afn_backend_cpu;

#endif
