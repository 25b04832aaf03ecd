/* SPDX-License-Identifier: Apache-2.0 */
/* Opens bytes as a data set of a kind and looks at all that its index says. */
#ifndef AFN_FUZZ_DATASET_H
#define AFN_FUZZ_DATASET_H

#define _GNU_SOURCE /* memfd_create */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "data/data.h"
#include "data/dataset.h"
#include "fuzz.h"

enum { MOST_SAMPLES = 200 };

/* Read every byte that a sample claims to have: a sanitizer sees one that is not there.
 */
static inline void touch(const afn_dataset *d, int64_t i)
{
    afn_stored s;
    unsigned sum = 0;
    if (afn_data__load(d, i, &s) != AFN_OK) return;
    for (size_t k = 0; k < s.size; k++) sum += s.data[k];
    if (sum == 0xffffffff) abort(); /* the sum is used */
    afn_data__unload(&s);
}

static inline void look_at(const afn_dataset *d, bool load)
{
    char name[4096];
    if (d->count < 1 || d->n_classes < 1) abort();
    for (int c = 0; c < d->n_classes; c++)
        if (!*afn_dataset_class_name(d, c)) abort();
    for (int64_t i = 0; i < d->count; i++)
        if (d->label[i] < 0 || d->label[i] >= d->n_classes) abort();
    for (int64_t i = 0; i < d->count && i < MOST_SAMPLES; i++) {
        afn_dataset_sample_name(d, i, name, sizeof name);
        if (load) touch(d, i);
    }
}

/* As a file without a name, which any path of its descriptor opens.
 *   load     read the samples too; not of lists of files, which may name any */
static inline int open_as(const char *kind, const uint8_t *data, size_t size, bool load)
{
    char spec[64];
    afn_dataset *d;
    const int fd = memfd_create("fuzz", MFD_CLOEXEC);
    if (fd < 0) return 0;
    if (write(fd, data, size) == (ssize_t)size) {
        snprintf(spec, sizeof spec, "%s:/proc/self/fd/%d", kind, fd);
        const afn_status st = afn_dataset_open(&d, spec);
        if ((st == AFN_OK) != (d != NULL)) abort();
        if (d) look_at(d, load);
        afn_dataset_free(d);
    }
    close(fd);
    return 0;
}

#endif
