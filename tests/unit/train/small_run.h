/* SPDX-License-Identifier: Apache-2.0 */
/* What a run needs, small: a fresh network for pictures of noise with 32 x 32 pixels, a
 * quarter of them to validate, and the two usual phases. */
#ifndef AFN_TEST_SMALL_RUN_H
#define AFN_TEST_SMALL_RUN_H

#include "afn_test.h"
#include "train/train.h"

typedef struct small_run {
    afn_model *m;
    afn_dataset *train, *val;
    afn_phase phase[2];
    afn_fit_opts o;
} small_run;

static inline void small_run_open(small_run *s, const char *arch, int images,
                                  int classes)
{
    enum { SIDE = 32 };
    char spec[80];
    afn_preprocess p = afn_preprocess_imagenet();
    *s = (small_run){ .o = afn_fit_defaults() };
    snprintf(spec, sizeof spec, "fake:size=%d,classes=%d,height=%d,width=%d", images,
             classes, SIDE, SIDE);
    assert_ok(afn_dataset_open_split(&s->train, &s->val, spec, 0.25, 1));
    assert_ok(afn_model_new(&s->m, arch, classes, 1));
    p.resize = p.crop = SIDE;
    assert_ok(afn_model_set_preprocess(s->m, &p));
    afn_default_phases(s->phase);
    s->o.phase = s->phase;
    s->o.n_phases = 2;
}

static inline void small_run_close(small_run *s)
{
    afn_model_free(s->m);
    afn_dataset_free(s->train);
    afn_dataset_free(s->val);
}

#endif
