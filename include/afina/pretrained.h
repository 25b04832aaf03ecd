/* SPDX-License-Identifier: Apache-2.0 */
/* Weights that torchvision publishes: files, what their pictures go through, and how
 * good they are. */
#ifndef AFINA_PRETRAINED_H
#define AFINA_PRETRAINED_H

#include <stddef.h>
#include <stdint.h>

#include "afina/image.h"
#include "afina/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Where the files are: this, then afn_pretrained.file. */
#define AFN_PRETRAINED_URL "https://download.pytorch.org/models/"

/* One published file, trained on ImageNet's 1000 classes. */
typedef struct afn_pretrained {
    const char *arch; /* "resnet50" */
    const char *name; /* torchvision's: "IMAGENET1K_V2" */
    const char *file; /* "resnet50-11ad3fa6.pth" */
    afn_preprocess
        preprocess;     /* of the pictures that the accuracies were measured on */
    double top1, top5;  /* percent of ImageNet's validation pictures; 0 = unknown */
    int64_t parameters; /* as torchvision counts: trained ones, buffers left out */
    double gmacs;       /* 1e9 multiply-accumulates for one picture */
    double mib;         /* size of the file, 1024 x 1024 bytes */
} afn_pretrained;

/* The table: every file of every convolutional classifier, in torchvision's order.  An
 * entry lives as long as the program; NULL where i is no index. */
AFN_API int afn_pretrained_count(void);
AFN_API const afn_pretrained *afn_pretrained_get(int i);

/* Weights by name.
 *   name     as torchvision's, or without "IMAGENET1K_", in upper or lower case; NULL
 * or "default" for what torchvision calls so: the newest recipe Errors AFN_ENOTFOUND,
 * naming what there is */
AFN_API afn_status afn_pretrained_find(const afn_pretrained **out, const char *arch,
                                       const char *name);

/* The entry of a weights file, told by the digest in its name, which browsers and
 * people leave alone: "old/resnet50-11ad3fa6 (1).pth".  Files that torchvision
 * published before under other names, with the same weights, are known too.  NULL where
 * it is none of this architecture's. */
AFN_API const afn_pretrained *afn_pretrained_of_file(const char *arch,
                                                     const char *path);

/* Digits in a file's name that the SHA-256 of a whole download begins with, and their
 * count; NULL, 0 where the name has none. */
AFN_API const char *afn_pretrained_digest(const char *file, size_t *count);

#ifdef __cplusplus
}
#endif
#endif
