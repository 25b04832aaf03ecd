/* SPDX-License-Identifier: Apache-2.0 */
/* Prints what check_zoo.py compares with torchvision:
 *   zoo_tool                  the name of every architecture, one a line
 *   zoo_tool NAME             "name dtype dim,dim,..." of every parameter, in order
 *   zoo_tool NAME init SEED   the same, followed by mean, deviation, smallest and
 *                             largest of freshly initialised values */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "zoo/zoo.h"

static void print_names(void)
{
    for (int i = 0; i < afn_zoo_count(); i++) puts(afn_zoo_get(i).variant->name);
}

static void print_shape(const afn_param *p)
{
    printf("%s %s ", p->name, afn_dtype_name(p->dtype));
    for (int i = 0; i < p->shape.rank; i++)
        printf("%s%lld", i ? "," : "", (long long)p->shape.dim[i]);
    if (p->shape.rank == 0) printf("scalar");
}

static void print_distribution(const float *v, int64_t n)
{
    double sum = 0, squares = 0, min = INFINITY, max = -INFINITY;
    for (int64_t i = 0; i < n; i++) {
        sum += v[i];
        squares += (double)v[i] * v[i];
        min = fmin(min, v[i]);
        max = fmax(max, v[i]);
    }
    const double mean = sum / (double)n;
    const double variance = fmax(0.0, squares / (double)n - mean * mean);
    printf(" %.9g %.9g %.9g %.9g", mean, sqrt(variance), min, max);
}

static afn_status print_params(const char *name, const char *seed)
{
    afn_status st = AFN_OK;
    afn_arch arch;
    afn_graph *g = NULL;
    afn_params *p = NULL;

    AFN_TRY(afn_zoo_find(&arch, name));
    AFN_TRY(afn_zoo_build(&g, &arch, 1000, 224, 224));
    if (seed) {
        AFN_TRY(afn_params_new(&p, g));
        afn_params_init_all(p, g, strtoull(seed, NULL, 10));
    }
    for (int i = 0; i < afn_graph_n_params(g); i++) {
        print_shape(afn_graph_param(g, i));
        if (p && afn_params_f32(p, i))
            print_distribution(afn_params_f32(p, i), afn_params_size(p, i));
        putchar('\n');
    }
done:
    afn_params_free(p);
    afn_graph_free(g);
    return st;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        print_names();
        return 0;
    }
    const bool init = argc == 4 && strcmp(argv[2], "init") == 0;
    if (print_params(argv[1], init ? argv[3] : NULL) == AFN_OK) return 0;
    fprintf(stderr, "zoo_tool: %s\n", afn_error_message());
    return 1;
}
