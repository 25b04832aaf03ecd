/* SPDX-License-Identifier: Apache-2.0 */
/* Weights, pixels and labels by formula, and tensors as 17 numbers: the C half of what
 * make_goldens.py does and documents, so that only PyTorch's answers are stored. */
#ifndef AFN_TEST_FORMULA_H
#define AFN_TEST_FORMULA_H

#include "graph/graph.h"

/* What a model of the goldens is run with, from the file's metadata. */
typedef struct spec {
    int n, h, w;
    int seed;                 /* of the pixels */
    double fan;               /* weights are uniform in +-sqrt(fan / fan_in) */
    const char *end_norm;     /* pattern of the batch norms that end a block */
    double end_low, end_high; /* their weight */
    double var_low, var_high; /* running_var */
} spec;

/* Give every parameter its starting value. */
void formula_fill(afn_params *p, const afn_graph *g, const spec *s);

/* values[i] -= starting value of parameter i. */
void formula_subtract(float *values, const afn_graph *g, int param, const spec *s);

/* (n, h, w, 3) bytes and n labels. */
void formula_pixels(uint8_t *pixels, const spec *s);
void formula_labels(int *labels, const spec *s, int classes);

/* Norm of v, then its products with 16 vectors of random signs. */
enum { SIGNS = 16, SKETCH = 1 + SIGNS };
void formula_sketch(double out[SKETCH], int param, const float *v, int64_t n);

/* Estimated norm of the difference of two sketched tensors. */
double formula_distance(const double a[SKETCH], const float b[SKETCH]);

#endif
