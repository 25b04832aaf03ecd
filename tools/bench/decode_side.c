/* SPDX-License-Identifier: Apache-2.0 */
/* How many pictures one core makes of files a second, through the loader: decoded,
 * resized and cropped to what a network takes, 8-bit RGB.
 *
 *   decode_side DATA exact|fast    DATA as for `afina train`
 *
 * An epoch to warm up, then the median of three.  Prints one line of JSON. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "afina/afina.h"

enum { EPOCHS = 3 };

static double now_s(void)
{
    struct timespec t;
    timespec_get(&t, TIME_UTC);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Seconds for all pictures. */
static afn_status epoch(afn_loader *loader, int64_t number, double *seconds)
{
    afn_batch batch;
    const double begun = now_s();
    afn_status st = afn_loader_start(loader, number);
    do
        if (st == AFN_OK) st = afn_loader_next(loader, &batch);
    while (st == AFN_OK && batch.n);
    *seconds = now_s() - begun;
    return st;
}

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static afn_status measure(const char *spec, bool fast, double *rate)
{
    afn_dataset *data = NULL;
    afn_loader *loader = NULL;
    double seconds[EPOCHS + 1];
    afn_preprocess p = afn_preprocess_imagenet();
    afn_loader_opts opts = afn_loader_defaults();
    p.fast = fast;
    opts.threads = 1;
    opts.keep = 0;  /* decode in every epoch, */
    opts.ahead = 0; /* and on no thread but this one */
    afn_status st = afn_dataset_open(&data, spec);
    if (st == AFN_OK) st = afn_loader_new(&loader, data, &p, &opts);
    for (int i = 0; st == AFN_OK && i <= EPOCHS; i++)
        st = epoch(loader, i, &seconds[i]);
    if (st == AFN_OK) {
        qsort(seconds + 1, EPOCHS, sizeof *seconds, by_value);
        *rate = (double)afn_dataset_count(data) / seconds[1 + EPOCHS / 2];
    }
    afn_loader_free(loader);
    afn_dataset_free(data);
    return st;
}

int main(int argc, char **argv)
{
    double rate;
    if (argc != 3 || (strcmp(argv[2], "exact") != 0 && strcmp(argv[2], "fast") != 0)) {
        fprintf(stderr, "usage: decode_side DATA exact|fast\n");
        return 2;
    }
    if (measure(argv[1], argv[2][0] == 'f', &rate) != AFN_OK) {
        fprintf(stderr, "decode_side: %s\n", afn_error_message());
        return 1;
    }
    printf("{\"images_per_second\": %.2f, \"versions\": {\"afina\": \"%s\"}}\n", rate,
           afn_version());
    return 0;
}
