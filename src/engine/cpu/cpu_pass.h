/* SPDX-License-Identifier: Apache-2.0 */
/* One pass of a product (forward, backward data, backward weights) behind one
 * interface, whatever algorithm computes it.  An algorithm is a row; a pass is a row
 * made ready for one shape. */
#ifndef AFN_CPU_PASS_H
#define AFN_CPU_PASS_H

#include "engine/cpu/cpu.h"

typedef struct cpu_algo cpu_algo;

/* A pass made ready; read by all, filled by the algorithm's prepare(). */
typedef struct cpu_pass {
    const cpu_algo *algo;
    const cpu_device *device;
    void *state;           /* the algorithm's own */
    const dnn_md *weights; /* how it reads weights, or writes their gradient */
    size_t scratch_bytes;  /* that run() needs */
    size_t held_bytes;     /* kept from the first run over a batch to the last */
    size_t packed_bytes;   /* if not 0, run() reads weights that pack() made */
    bool sums;             /* of backward weights: several runs add up; else each makes
                            * the gradient of its own samples */
} cpu_pass;

/* One run of a pass over some samples of a batch.  Weights are the same in all. */
typedef struct cpu_run {
    void *const *buffer; /* by slot, as the oneDNN primitive of that pass takes them */
    void *scratch, *held;
    bool first, last; /* of the runs over a batch */
} cpu_run;

struct cpu_algo {
    const char *name;
    /* AFN_EUNSUPPORTED where the algorithm does not apply. */
    afn_status (*prepare)(cpu_pass *p, dnn_pass kind, const dnn_product *d);
    afn_status (*run)(const cpu_pass *p, const cpu_run *r);
    /* Optional: weights, laid out as p->weights says, made ready for many calls. */
    void (*pack)(const cpu_pass *p, const float *weights, void *packed);
    void (*free)(void *state); /* NULL-safe */
};

extern const cpu_algo
    cpu_algo_direct,       /* oneDNN's direct convolution, or linear layer */
    cpu_algo_winograd_dnn, /* oneDNN's Winograd */
    cpu_algo_winograd,     /* our own */
    cpu_algo_depthwise,    /* our own depthwise convolution */
    cpu_algo_merged,       /* direct, of groups merged until they are whole blocks */
    cpu_algo_reordered,    /* direct, in the layouts that oneDNN likes best */
    cpu_algo_pairs,        /* our own gradient of weights in bf16 */
    cpu_algo_winograd_f2,  /* our own Winograd in bf16: forward, backward data, */
    cpu_algo_winograd_f2_weights; /* and the gradient of weights */

afn_status cpu_pass_new(cpu_pass **out, const cpu_algo *algo, const cpu_device *device,
                        dnn_pass kind, const dnn_product *d);
void cpu_pass_free(cpu_pass *p);
afn_status cpu_pass_run(const cpu_pass *p, const cpu_run *r);

/* For algorithms that are not for everything: is this a 3 x 3 window of stride 1, as
 * Winograd's algorithm computes it? */
bool cpu_winograd_window(const afn_conv_attr *c);

/* Has this product groups that are not whole blocks of channels, nor single channels?
 * Only cpu_algo_merged computes them fast. */
bool cpu_merges_groups(const cpu_device *d, const dnn_product *p);

/* AFN_EUNSUPPORTED unless md is a (n, C, H, W) value in this format. */
afn_status cpu_need_format(const dnn_md *md, cpu_format f);

#endif
