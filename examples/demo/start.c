/* SPDX-License-Identifier: Apache-2.0 */
/* Fresh weights that begin to learn from nothing:
 *   start CLASSES SEED OUT
 * SqueezeNet has no batch norm, and a ReLU behind its last layer: a class whose output
 * lies below zero for every picture has no gradient and would never be learnt.  A bias
 * of 10 keeps all of them above it. */
#include <afina/afina.h>
#include <stdio.h>
#include <stdlib.h>

static afn_status make(const char *path, int classes, uint64_t seed)
{
    afn_model *m = NULL;
    float *bias = calloc((size_t)classes, sizeof *bias);
    afn_status st = bias ? AFN_OK : AFN_ENOMEM;

    for (int i = 0; bias && i < classes; i++) bias[i] = 10;
    if (st == AFN_OK) st = afn_model_new(&m, "squeezenet1_1", classes, seed);
    if (st == AFN_OK)
        st = afn_model_write_param(m, "classifier.1.bias", bias, (size_t)classes);
    if (st == AFN_OK) st = afn_model_save(m, path);
    afn_model_free(m);
    free(bias);
    return st;
}

int main(int argc, char **argv)
{
    const int classes = argc == 4 ? atoi(argv[1]) : 0;

    if (classes < 1) {
        fputs("usage: start CLASSES SEED OUT\n", stderr);
        return 2;
    }
    const afn_status st = make(argv[3], classes, strtoull(argv[2], NULL, 10));
    if (st == AFN_OK) return 0;
    fprintf(stderr, "start: %s\n",
            st == AFN_ENOMEM ? "out of memory" : afn_error_message());
    return 1;
}
