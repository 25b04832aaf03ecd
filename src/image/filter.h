/* SPDX-License-Identifier: Apache-2.0 */
/* The weight functions of the resize filters. */
#ifndef AFN_IMAGE_FILTER_H
#define AFN_IMAGE_FILTER_H

#include "image/image.h"

typedef struct afn_filter_kernel {
    const char *name;
    double (*weight)(double x); /* x in source pixels from the centre; NULL: nearest */
    double support;             /* weight is 0 for |x| beyond this */
} afn_filter_kernel;

/* f is one of the enum's. */
const afn_filter_kernel *afn_image__filter(afn_filter f);

#endif
