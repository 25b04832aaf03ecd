/* SPDX-License-Identifier: Apache-2.0 */
/* The one door to src/engine: a graph compiled for one purpose.
 *
 * A plan runs a graph forward, and for training backward and through the optimiser.
 * Parameters live in afn_params (PyTorch's layout) between plans; a live plan holds its
 * own packed copies, and afn_plan_sync() writes what it changed back. */
#ifndef AFN_ENGINE_H
#define AFN_ENGINE_H

#include "afina/model.h"
#include "afina/profile.h"
#include "graph/graph.h"

typedef struct afn_plan afn_plan;

/* How a convolution may be computed where there are several ways: directly, or by
 * Winograd's algorithm, 3 x 3 only, faster but rounded differently; in bf16 directly in
 * blocked layouts or in others, with reorders around.  The last four are for tests:
 * always that way where it applies, whatever the time. */
typedef enum afn_algorithms {
    AFN_ALGORITHMS_EXACT,    /* directly */
    AFN_ALGORITHMS_MEASURED, /* whichever was faster here, measured once and kept */
    AFN_ALGORITHMS_WINOGRAD, /* our own */
    AFN_ALGORITHMS_LIBRARY_WINOGRAD,
    AFN_ALGORITHMS_REORDERED,
    AFN_ALGORITHMS_PAIRS
} afn_algorithms;

typedef struct afn_plan_opts {
    int64_t batch;         /* samples of a usual call; other counts work too, each
                            * compiled when first met */
    bool train;            /* false: inference, dropout off, statistics fixed */
    const bool *trainable; /* [params], copied; read where train */
    afn_bn_mode bn;        /* read where train */
    bool no_dropout;       /* train without it: to compare with other programs */
    bool input_gradient;   /* also make the gradient of the input */
    afn_value watch; /* with train: also make the gradient of this value, and keep both
                      * for reading; read by what pools or flattens; 0 = none */
    bool update_at_once; /* for afn_plan_backward_update(): no memory for gradients */
    bool sizes_only;     /* only to be asked about itself: nothing is allocated for
                          * values, nothing runs */
    uint64_t seed;       /* of dropout */
    int threads;         /* 0 = every processor */
    const char *backend; /* "cpu", "ref"; NULL = "cpu" */
    afn_precision precision;   /* bf16: fp32 where the processor has none, which is
                                * logged;   logits and parameters stay fp32 */
    afn_algorithms algorithms; /* of products */
    double slice_bytes;        /* for tests: of the largest value that kernels run on at
                                * a time, 0 = as is usual */
    float mean[AFN_MAX_CHANNELS],
        std[AFN_MAX_CHANNELS]; /* [C] of pixel normalisation: (p/255 - mean) / std; all
                                * std 0 means no normalisation, p/255 alone */
} afn_plan_opts;

/* Compile a graph.
 *
 *   params   values to start from; borrowed with g until afn_plan_free()
 *
 * Errors     AFN_EINVAL, AFN_ENOTFOUND for an unknown backend, AFN_EUNSUPPORTED where a
 *            backend lacks an operation (naming the node) or the precision, AFN_ENOMEM,
 *            AFN_EBACKEND */
afn_status afn_plan_new(afn_plan **out, const afn_graph *g, afn_params *params,
                        const afn_plan_opts *opts);
void afn_plan_free(afn_plan *p);

/* Run forward.  In a training plan this also updates running statistics where batch
 * norm uses the batch's.
 *   pixels   (n, H, W, C)
 *   logits   (n, classes), written */
afn_status afn_plan_forward(afn_plan *p, const uint8_t *pixels, int64_t n,
                            float *logits);

/* Logits that a training plan makes of a sample: those of the network, followed by
 * those of each auxiliary classifier that has something to train or is above it; so
 * `logits` and `dlogits` are (n, heads * classes) there.  1 of an inference plan. */
int afn_plan_heads(const afn_plan *p);

/* The same from values: x is (n, C, H, W), taken as it is. */
afn_status afn_plan_forward_f32(afn_plan *p, const float *x, int64_t n, float *logits);

/* Gradients of everything trainable, for the last forward call.
 *   dlogits  (n, classes): derivative of the loss */
afn_status afn_plan_backward(afn_plan *p, const float *dlogits);

/* ---- the frozen prefix ----
 *
 * What comes before the first step that trains, is random or uses the batch's
 * statistics is a fixed function of each sample.  A plan can be split where that
 * function ends in one value (in a residual network: between blocks): the prefix makes
 * features, the rest goes on from them.  Both together give what a forward call gives,
 * and features are the same bits whichever samples were in the same call: the prefix
 * always runs on the usual batch, a smaller one is filled up. */

typedef struct afn_prefix {
    size_t bytes;       /* of a sample's features, 0 = there is no such prefix */
    double macs;        /* multiply-accumulates that make them */
    const char *before; /* "fc": the first layer of the rest; the graph's */
    afn_value value;    /* what it ends in */
} afn_prefix;

/* Which parameters a training plan changes: those that train, and running statistics
 * that follow the batch.
 *   changes  [params], filled */
void afn_plan_changes(const afn_plan *p, bool *changes);

/* Split a plan as late as may be.  Without a product in the prefix it is not split.
 *   changes  [params], copied: what may change from call to call; a training plan's
 * own, so that the inference plan of the same graph follows its training prefix   what
 * there is, filled; bytes 0 where not split Errors     AFN_ENOMEM */
afn_status afn_plan_split(afn_plan *p, const bool *changes, afn_prefix *prefix);

/* Make features of a split plan.
 *   pixels   (n, H, W, C)
 *   features (n, prefix.bytes), written, in the backend's own layout */
afn_status afn_plan_run_prefix(afn_plan *p, const uint8_t *pixels, int64_t n,
                               void *features);

/* Run forward from features; for training, backward may follow. */
afn_status afn_plan_run_rest(afn_plan *p, const void *features, int64_t n,
                             float *logits);

/* Take the values of params anew that may change, and no others: what
 * afn_plan_refresh() does, where features of before stay right. */
afn_status afn_plan_refresh_rest(afn_plan *p);

/* ---- optimiser ---- */

/* Numbers of one optimiser step; an optimiser reads those it knows. */
typedef struct afn_step_args {
    float lr, momentum, weight_decay;
    float dampening, beta1, beta2, eps, alpha;
    bool nesterov, centered;
    int64_t t; /* which step of the optimiser this is: 1, 2, ... */
} afn_step_args;

/* What a plan may keep beside a parameter, each as large as the parameter: states of
 * the optimiser, gradients gathered over several batches, and the average of its
 * values. */
enum {
    AFN_MAX_STATE = 3,
    AFN_STATE_GATHERED = AFN_MAX_STATE,
    AFN_STATE_AVERAGE,
    AFN_N_STATES
};

/* An optimiser: element by element, so it works in any memory layout. */
typedef struct afn_optimizer {
    const char *name;
    int n_state; /* floats of state per weight, at most AFN_MAX_STATE; start at 0 */
    bool (*uses)(const afn_step_args *h,
                 int k); /* is state k needed?  NULL = all are */
    void (*step)(int64_t n, float *restrict w, const float *restrict g,
                 float *const *state, const afn_step_args *h);
} afn_optimizer;

/* Update every trainable parameter from its gradient.
 *   group    [params] index into args for each parameter, NULL = all 0 */
afn_status afn_plan_update(afn_plan *p, const afn_optimizer *opt,
                           const afn_step_args *args, const int *group);

/* afn_plan_backward() and afn_plan_update() in one.  With opts.update_at_once each
 * parameter is updated as soon as its gradient is made, while it is in the cache, and
 * the gradient is gone: the two calls above and afn_plan_gradient() do not work then.
 */
afn_status afn_plan_backward_update(afn_plan *p, const float *dlogits,
                                    const afn_optimizer *opt, const afn_step_args *args,
                                    const int *group);

/* ---- a step of the optimiser that looks at all gradients, or at several batches' ----
 *
 * Gradients are gathered: each backward call adds its own to a sum, which is then
 * scaled and limited, and makes a step.  The sum takes as much memory as the
 * parameters. */

/* afn_plan_backward() whose gradients are added to those gathered, and gone.
 *   first    they are the first: nothing is gathered yet */
afn_status afn_plan_backward_gather(afn_plan *p, const float *dlogits, bool first);

/* Multiply what is gathered by factor, and then take each into [-limit, limit], where
 * limit is above 0. */
void afn_plan_scale_gathered(afn_plan *p, float factor, float limit);

/* Square root of the sum of all squares of what is gathered. */
double afn_plan_gathered_norm(const afn_plan *p);

/* afn_plan_update() with what is gathered for gradients. */
afn_status afn_plan_update_gathered(afn_plan *p, const afn_optimizer *opt,
                                    const afn_step_args *args, const int *group);

/* ---- average of the weights ---- */

/* average = decay average + (1 - decay) value, of all that training changes, running
 * statistics too; the first call needs a decay of 0.
 * Errors     AFN_ENOMEM, in the first call */
afn_status afn_plan_average(afn_plan *p, float decay);

/* afn_plan_sync() with the averages in place of the values, where there are any. */
afn_status afn_plan_sync_average(afn_plan *p);

/* ---- going on in another plan ----
 *
 * What a plan has beside its parameters: the states above, and how often it ran,
 * which random layers count.  With both, and the same parameters, a new plan of the
 * same graph and options goes on bit for bit as this one would. */

/* Has parameter i a state number k (0 .. AFN_N_STATES-1)?  What needs it first makes
 * it.
 */
bool afn_plan_has_state(const afn_plan *p, int i, int k);

/* State in PyTorch's layout.
 *   out, in  [afn_params_size()]
 * Errors     AFN_EINVAL read: where there is none; write: of what training does not
 *            change */
afn_status afn_plan_read_state(const afn_plan *p, int i, int k, float *out);
afn_status afn_plan_write_state(afn_plan *p, int i, int k, const float *in);

/* Forward calls so far. */
uint64_t afn_plan_calls(const afn_plan *p);
void afn_plan_set_calls(afn_plan *p, uint64_t calls);

/* ---- reading back ---- */

/* Write weights and running statistics that this plan changed into its params. */
afn_status afn_plan_sync(afn_plan *p);

/* Take the values of params anew, after another plan or the caller changed them. */
afn_status afn_plan_refresh(afn_plan *p);

/* Gradient of parameter i in PyTorch's layout.
 *   out      [afn_params_size()]
 * Errors     AFN_EINVAL where it is not trained */
afn_status afn_plan_gradient(const afn_plan *p, int i, float *out);

/* Gradient of the input, (n, C, H, W), where opts.input_gradient was set. */
afn_status afn_plan_input_gradient(const afn_plan *p, float *out);

/* The value opts.watch of the last forward call, and its gradient by the last backward
 * call: (n, C, H, W) each; NULL = not wanted.
 * Errors     AFN_EINVAL without such a value or call */
afn_status afn_plan_watched(const afn_plan *p, float *value, float *gradient);

/* ---- describing ---- */

/* First node that is not part of the frozen prefix; the count of nodes where all is
 * frozen, 0 where nothing is. */
afn_value afn_plan_cut(const afn_plan *p);

/* Bytes of activations, gradients and scratch memory, and of packed parameters with
 * their gradients and optimiser state. */
size_t afn_plan_arena_bytes(const afn_plan *p);
size_t afn_plan_param_bytes(const afn_plan *p);

/* Bytes that an optimiser with n numbers for each weight will keep. */
size_t afn_plan_state_bytes(const afn_plan *p, int n);

/* What the compile passes did: one line per step. */
void afn_plan_dump(const afn_plan *p, afn_buf *out);

/* Multiply-accumulates of one forward pass over the usual batch. */
double afn_plan_macs(const afn_plan *p);

/* ---- measuring ---- */

/* Time every kernel from now on, starting from zero, or stop and forget.  A plan that
 * is not told to takes no times. */
afn_status afn_plan_profile(afn_plan *p, bool on);

/* What was timed since: rows that ran at least once, in order of execution; empty where
 * nothing is timed.  Free with afn_profile_free().
 * Memory     names are borrowed from the graph */
afn_status afn_plan_read_profile(afn_profile *out, const afn_plan *p);

/* Operations (2 for a multiply-accumulate) that the products of one step over the usual
 * batch need: forward, and for training the gradients that are wanted. */
double afn_plan_flops(const afn_plan *p);

/* Seconds that the convolutions of one step take alone: each product that the plan
 * runs, forward and backward, with the fastest of the algorithms there are, the
 * library's in layouts of its own choice, and nothing between them.  Takes several
 * times that long. Errors     AFN_EUNSUPPORTED where the backend has no library to ask
 */
afn_status afn_plan_convolutions_alone(double *seconds, const afn_plan *p);

/* What the cpu backend computes with: "2.6.3" of oneDNN. */
const char *afn_onednn_version(void);

#endif
