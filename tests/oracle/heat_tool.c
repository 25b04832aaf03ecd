/* SPDX-License-Identifier: Apache-2.0 */
/* What check_heat.py compares with PyTorch:
 *   heat_tool ARCH FILE IMAGE BACKEND CLASS...
 * prints rows and columns, then the map for each class, one value a line.  All classes
 * are asked for in one call, two pictures at a time. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "afina/afina.h"

enum { MOST = 8 };

static afn_status print_maps(const afn_model *m, const afn_image *image,
                             const char *backend, const int *classes, int n)
{
    const afn_preprocess p = afn_model_preprocess(m);
    const size_t bytes = (size_t)p.crop * (size_t)p.crop * 3;
    afn_predict_opts o = afn_predict_defaults();
    afn_heat *h = NULL;
    float *map = NULL;
    uint8_t *pixels = malloc(MOST * bytes);
    afn_status st = pixels ? afn_preprocess_apply(&p, image, pixels) : AFN_ENOMEM;
    o.batch = 2;
    o.backend = backend;
    if (st == AFN_OK) st = afn_heat_new(&h, m, &o);
    if (st == AFN_OK) {
        const size_t places = (size_t)(afn_heat_rows(h) * afn_heat_columns(h));
        for (int i = 1; i < n; i++) memcpy(pixels + (size_t)i * bytes, pixels, bytes);
        map = calloc((size_t)n * places, sizeof *map);
        st = map ? afn_heat_run(h, pixels, n, classes, map) : AFN_ENOMEM;
        if (st == AFN_OK) printf("%d %d\n", afn_heat_rows(h), afn_heat_columns(h));
        for (size_t k = 0; st == AFN_OK && k < (size_t)n * places; k++)
            printf("%.9g\n", (double)map[k]);
    }
    afn_heat_free(h);
    free(map);
    free(pixels);
    return st;
}

int main(int argc, char **argv)
{
    afn_model *m = NULL;
    afn_image image = { 0 };
    int classes[MOST];
    const int n = argc - 5;
    if (n < 1 || n > MOST) return 2;
    for (int i = 0; i < n; i++) classes[i] = atoi(argv[5 + i]);
    afn_status st = afn_model_open(&m, argv[1], argv[2]);
    if (st == AFN_OK) st = afn_image_read(&image, argv[3], NULL);
    if (st == AFN_OK) st = print_maps(m, &image, argv[4], classes, n);
    if (st != AFN_OK) fprintf(stderr, "%s\n", afn_error_message());
    afn_image_free(&image);
    afn_model_free(m);
    return st != AFN_OK;
}
