/* SPDX-License-Identifier: Apache-2.0 */
/* Private to src/train: what a run's results depend on, so that one which is taken up
 * again with other data or settings is refused and not quietly another. */
#ifndef AFN_TRAIN_RUN_SETTINGS_H
#define AFN_TRAIN_RUN_SETTINGS_H

#include "train/train.h"

/* A line "name<tab>value" for each, in this order for the same version of the library.
 *   val      may be NULL
 *   text     appended to */
void afn_settings_list(afn_buf *text, const afn_model *m, const afn_dataset *train,
                       const afn_dataset *val, const afn_fit_opts *o);

/* The settings of a phase that are one value each: what they are called and where in an
 * afn_phase they lie. */
typedef enum afn_setting_kind {
    AFN_SETTING_BOOL,
    AFN_SETTING_INT,
    AFN_SETTING_INT64,
    AFN_SETTING_FLOAT,
    AFN_SETTING_DOUBLE,
    AFN_SETTING_TEXT /* NULL = default */
} afn_setting_kind;

typedef struct afn_setting {
    const char *name; /* "weight decay"; NULL behind the last */
    afn_setting_kind kind;
    size_t at;
} afn_setting;

extern const afn_setting afn_phase_settings[];

/* "auto", "batch" or "frozen". */
const char *afn_settings_bn(afn_bn_mode bn);

/* Of a list of images and labels, without the folder that they lie in. */
uint64_t afn_settings_hash_images(const afn_dataset *d);

/* Errors     AFN_EINVAL naming the first setting that was another */
afn_status afn_settings_compare(const char *before, const char *now);

#endif
