/* SPDX-License-Identifier: Apache-2.0 */
/* Prints what check_zoo.py compares with torchvision:
 *   zoo_tool                  the name of every architecture, one a line
 *   zoo_tool NAME             "name dtype dim,dim,..." of every parameter, in order
 *   zoo_tool NAME init SEED   the same, followed by mean, deviation, smallest and
 *                             largest of freshly initialised values
 *   zoo_tool NAME macs        multiply-accumulates of one image of the usual size
 *   zoo_tool weights          the table of published weights, a row a line
 *   zoo_tool default ARCH     name of its default weights
 *   zoo_tool of ARCH FILE     name of the weights in a file of this name, or "none" */
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
    AFN_TRY(afn_zoo_build(&g, &arch, 1000, 320, 320));
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

static afn_status print_macs(const char *name)
{
    afn_status st = AFN_OK;
    afn_arch arch;
    afn_graph *g = NULL;
    AFN_TRY(afn_zoo_find(&arch, name));
    const int crop = afn_zoo_published(&arch)->preprocess.crop;
    AFN_TRY(afn_zoo_build(&g, &arch, 1000, crop, crop));
    printf("%.0f\n", afn_graph_macs(g));
done:
    afn_graph_free(g);
    return st;
}

static void print_weights(void)
{
    for (int i = 0; i < afn_pretrained_count(); i++) {
        const afn_pretrained *w = afn_pretrained_get(i);
        const afn_preprocess *p = &w->preprocess;
        printf("%s %s %s %d %d %s %lld %.3f %.3f %.3f %.3f", w->arch, w->name, w->file,
               p->resize, p->crop, afn_filter_name(p->filter), (long long)w->parameters,
               w->top1, w->top5, w->gmacs, w->mib);
        for (int c = 0; c < 3; c++) printf(" %.9g", (double)p->mean[c]);
        for (int c = 0; c < 3; c++) printf(" %.9g", (double)p->std[c]);
        putchar('\n');
    }
}

static afn_status print_default(const char *arch)
{
    const afn_pretrained *w;
    const afn_status st = afn_pretrained_find(&w, arch, NULL);
    if (st == AFN_OK) puts(w->name);
    return st;
}

static afn_status print_of(const char *arch, const char *file)
{
    const afn_pretrained *w = afn_pretrained_of_file(arch, file);
    puts(w ? w->name : "none");
    return AFN_OK;
}

static afn_status run(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "weights") == 0) {
        print_weights();
        return AFN_OK;
    }
    if (argc == 3 && strcmp(argv[1], "default") == 0) return print_default(argv[2]);
    if (argc == 4 && strcmp(argv[1], "of") == 0) return print_of(argv[2], argv[3]);
    if (argc == 3 && strcmp(argv[2], "macs") == 0) return print_macs(argv[1]);
    const bool init = argc == 4 && strcmp(argv[2], "init") == 0;
    return print_params(argv[1], init ? argv[3] : NULL);
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        print_names();
        return 0;
    }
    if (run(argc, argv) == AFN_OK) return 0;
    fprintf(stderr, "zoo_tool: %s\n", afn_error_message());
    return 1;
}
