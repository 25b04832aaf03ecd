/* SPDX-License-Identifier: Apache-2.0 */
/* Private to src/data: mixup and cutmix, which make each picture of a batch from itself
 * and the one before it, as torchvision's reference training does. */
#ifndef AFN_DATA_MIX_H
#define AFN_DATA_MIX_H

#include "data/data.h"

/* How one batch is mixed. */
typedef struct afn_mix {
    bool on, pastes; /* pastes: cutmix, else mixup */
    double share;    /* of a picture itself, [0, 1]; of cutmix what is left of it */
    int64_t left, top, right, bottom; /* pasted: columns left .. right-1 and so on */
} afn_mix;

/* Draw for batch number `batch` of an epoch; side is that of the pictures. */
afn_mix afn_mix_draw(const afn_augment_opts *o, const afn_augment_draw *epoch,
                     int64_t batch, int64_t side);

/* Pixels of a batch. */
typedef struct afn_mix_pixels {
    uint8_t *pixels; /* (n, side, side, channels), changed */
    uint8_t *saved;  /* (side, side, channels) scratch */
    int64_t n, side, channels;
} afn_mix_pixels;

/* Mixup rounds to 8 bits: half of 1/255 at most. */
void afn_mix_run(const afn_mix *m, const afn_mix_pixels *p, int threads);

/* other[i] = labels[i - 1], and the last one's for the first. */
void afn_mix_labels(int *other, const int *labels, int64_t n);

#endif
