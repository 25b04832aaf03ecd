/* SPDX-License-Identifier: Apache-2.0 */
/* Private to src/train: config.json, what a run was told and where it ran, for people
 * and for the report.  Documented in docs/run-folder.md. */
#ifndef AFN_TRAIN_RUN_CONFIG_H
#define AFN_TRAIN_RUN_CONFIG_H

#include "train/train.h"

/* Write config.json into a run folder.
 *   val      may be NULL
 * Errors     AFN_EINVAL where o->config is no JSON object; AFN_EIO, AFN_ENOMEM */
afn_status afn_run_config_write(const char *folder, const afn_model *m,
                                const afn_dataset *train, const afn_dataset *val,
                                const afn_fit_opts *o);

#endif
