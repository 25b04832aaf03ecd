/* SPDX-License-Identifier: Apache-2.0 */
/* Our side of check_data.py.
 *
 *   data_tool SPEC            lines "class NAME", then "sample LABEL NAME"
 *   data_tool SPEC RESIZE N   batches of N in order: "batch ROWS", then the bytes
 *                             of (ROWS, 224, 224, 3)
 * A failure is one line "error TEXT" and exit status 1. */
#include <stdio.h>
#include <stdlib.h>

#include "data/data.h"

static void list(const afn_dataset *d)
{
    char name[8192];
    for (int i = 0; i < afn_dataset_classes(d); i++)
        printf("class %s\n", afn_dataset_class_name(d, i));
    for (int64_t i = 0; i < afn_dataset_count(d); i++)
        printf("sample %d %s\n", afn_dataset_label(d, i),
               afn_dataset_sample_name(d, i, name, sizeof name));
}

static afn_status write_batches(const afn_dataset *d, int resize, int batch)
{
    afn_status st = AFN_OK;
    afn_loader *l = NULL;
    afn_batch b;
    afn_preprocess p = afn_preprocess_imagenet();
    afn_loader_opts o = afn_loader_defaults();
    p.resize = resize;
    o.batch = batch;
    o.shuffle = false;
    AFN_TRY(afn_loader_new(&l, d, &p, &o));
    AFN_TRY(afn_loader_start(l, 0));
    for (;;) {
        AFN_TRY(afn_loader_next(l, &b));
        if (!b.n) break;
        printf("batch %lld\n", (long long)b.n);
        fwrite(b.pixels, (size_t)p.crop * (size_t)p.crop * 3, (size_t)b.n, stdout);
    }
done:
    afn_loader_free(l);
    return st;
}

int main(int argc, char **argv)
{
    afn_status st = AFN_OK;
    afn_dataset *d = NULL;
    AFN_REQUIRE(argc == 2 || argc == 4, AFN_EINVAL, "need SPEC or SPEC RESIZE N");
    AFN_TRY(afn_dataset_open(&d, argv[1]));
    if (argc == 2)
        list(d);
    else
        AFN_TRY(write_batches(d, atoi(argv[2]), atoi(argv[3])));
done:
    if (st != AFN_OK) printf("error %s\n", afn_error_message());
    afn_dataset_free(d);
    return st == AFN_OK ? 0 : 1;
}
