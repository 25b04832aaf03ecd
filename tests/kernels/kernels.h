/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by check_kernels and check_gradients: graphs to run, ways to run them, and the
 * numbers that come out.
 *
 *   cases.c         the table of hand-picked graphs: every operator at its edges
 *   random_graph.c  seeded graphs that mix everything
 *   run_graph.c     one graph on one backend -> a list of named tensors; comparing two
 *
 * These are test programs: a failure to set up ends the process. */
#ifndef KERNELS_H
#define KERNELS_H

#include "engine/engine.h"

/* ---- graphs ---- */

/* A graph in a table.  build() reads the fields it needs. */
typedef struct kernel_case {
    const char *name;
    int c, h, w; /* input */
    afn_value (*build)(afn_graph *g, afn_value x, const struct kernel_case *k);
    afn_conv conv;
    afn_pool pool;
    int out_h, out_w; /* adaptive pooling */
    afn_act act;
    bool between; /* put 1x1 convolutions around: values in the backend's format */
} kernel_case;

extern const kernel_case kernel_cases[];
extern const int n_kernel_cases;

/* NULL where the case is not a legal graph; the reason is the error message. */
afn_graph *case_graph(const kernel_case *k);

/* A network of about `size` random layers, residual blocks and branches among them;
 * always a legal graph. */
afn_graph *random_graph(uint64_t seed, int size);

/* Values for every parameter that keep activations near 1. */
afn_params *random_params(const afn_graph *g, uint64_t seed);

/* ---- running ---- */

enum { MAX_CALLS = 4 };

/* One way to run a graph. */
typedef struct setup {
    const char *name;
    bool train;
    afn_bn_mode bn;
    double trained; /* share of the parameters that train */
    bool input_gradient;
    bool pixels; /* 8-bit input where the graph has 3 channels */
    afn_algorithms algorithms;
    afn_precision precision;
    double slice_bytes;   /* as in afn_plan_opts */
    int batch;            /* samples the plan is made for */
    int calls[MAX_CALLS]; /* samples of each call, 0 = no more */
} setup;

extern const setup setups[];
extern const int n_setups;

/* A named result. */
typedef struct tensor {
    char name[112];
    bool gradient; /* else a value */
    int64_t count;
    float *v;
} tensor;

typedef struct results {
    afn_status status; /* AFN_ESHAPE: too few values for batch statistics */
    tensor *t;
    int n, cap;
} results;

/* Run forward, backward and an update for every call of the setup; collect outputs,
 * gradients and, at the end, all parameters. */
void run_graph(results *out, const afn_graph *g, const setup *s, const char *backend,
               uint64_t seed);
void free_results(results *r);

/* Relative error that this graph may show: see the table in run_graph.c. */
typedef struct tolerance {
    double value, gradient;
    bool of_norm; /* of a tensor's, not of each element: rounding decides sign and rank
                   * of some, and with them where a gradient goes */
} tolerance;
tolerance graph_tolerance(const afn_graph *g, const setup *s);

/* Largest error in units of what is allowed: up to 1 is equal.  Writes the name of the
 * worst tensor with its numbers into text. */
double compare_results(const results *expected, const results *got,
                       const tolerance *allowed, char *text, size_t text_bytes);

/* Seconds of one forward and one forward + backward call. */
void time_graph(const afn_graph *g, const char *backend, int batch, double *forward_s,
                double *both_s);

/* Ends the process with the library's message where st is an error. */
void must(afn_status st, const char *what);

#endif
