/* SPDX-License-Identifier: Apache-2.0 */
/* How weights follow gradients: optimisers, parameter groups, clipping, averages of
 * weights, and schedules of the learning rate.  Names, meanings and arithmetic are
 * those of torch.optim and torch.optim.lr_scheduler; what PyTorch leaves to recipes
 * has timm's names.
 * See docs/training.md. */
#ifndef AFINA_OPTIM_H
#define AFINA_OPTIM_H

#include <stdbool.h>
#include <stdint.h>

#include "afina/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- optimiser ---- */

/* Fields that an optimiser does not know are not read. */
typedef struct afn_optim_opts {
    const char *optimizer; /* "sgd" (default), "adam", "adamw", "rmsprop" */
    float lr;              /* default 0.001; rmsprop 0.01 */
    float weight_decay;    /* default 0; adamw 0.01 */

    float momentum;  /* sgd, from 0, default 0.9; rmsprop 0 */
    float dampening; /* sgd, default 0 */
    bool nesterov;   /* sgd, default false; needs momentum, and no dampening */
    float beta1;     /* adam, adamw: [0, 1), default 0.9 */
    float beta2;     /* adam, adamw: [0, 1), default 0.999 */
    float eps;       /* adam, adamw, rmsprop: default 1e-8 */
    float alpha;     /* rmsprop: [0, 1), default 0.99 */
    bool centered;   /* rmsprop: default false */

    /* Parameter groups */
    float layer_decay; /* (0, 1]: each layer learns at this part of the rate of the one
                        * behind it, the head at the full rate; default 1 */
    float head_lr_factor;    /* above 0: of the head's learning rate, default 1 */
    bool no_decay_norm_bias; /* default false; true: no weight decay of biases and of
                              * the parameters of normalisation */

    /* Gradients */
    float clip_norm;  /* as torch.nn.utils.clip_grad_norm_(), over all that trains; 0
                       * (default) = no limit */
    float clip_value; /* as clip_grad_value_(), before the norm's; 0 = no limit */
    int accumulate;   /* batches whose gradients make one step of the optimiser, from 1
                       * (default): as one batch of all their images where batch norm
                       * uses fixed statistics */

    /* Average of weights: an exponential one after each step of the optimiser, of
     * running statistics too; what is validated and saved then.
     *   ema = ema_decay ema + (1 - ema_decay) w,  from ema = w after the first step */
    float ema_decay; /* [0, 1), 0 (default) = none */
    bool ema_warmup; /* default false; true: at most (1 + t) / (10 + t) after t steps,
                      * so that the average of a short run forgets where it began */
} afn_optim_opts;

/* Defaults of an optimiser; NULL means "sgd".  SGD's are the tutorial's, lr 0.001 and
 * momentum 0.9, the others' are PyTorch's. */
AFN_API afn_optim_opts afn_optim_defaults(const char *optimizer);

/* Errors     AFN_ENOTFOUND for an unknown optimiser, naming those there are;
 *            AFN_EINVAL for a number out of range */
AFN_API afn_status afn_optim_check(const afn_optim_opts *o);

/* ---- schedule ---- */

enum { AFN_MAX_MILESTONES = 16 };

/* The learning rate over a phase.  Time t counts epochs, or steps of the optimiser
 * where on_updates is true: step_size and milestones are then numbers of steps, and the
 * rate moves in each step of a warm-up epoch.
 *
 *   constant    lr
 *   step        lr gamma^floor(t / step_size)              StepLR
 *   multistep   lr gamma^(milestones up to t)              MultiStepLR
 *   exponential lr gamma^t                                 ExponentialLR
 *   cosine      from lr down to eta_min at the end         CosineAnnealingLR
 *   onecycle    up to lr and down to about 0, and momentum (beta1) the other way, in
 *               each step of the optimiser                 OneCycleLR
 *   plateau     times factor where the validation loss no longer falls
 *                                                          ReduceLROnPlateau */
typedef struct afn_schedule_opts {
    const char *schedule; /* default "constant" */
    bool on_updates;      /* default false; timm's --sched-on-updates */

    /* Warm-up: the rate rises in a line from warmup_factor to all of it, as LinearLR;
     * not with onecycle, which has its own.  With epochs the rest of the schedule
     * begins after them, as in SequentialLR, and plateau counts no loss before; steps
     * lie over its beginning. */
    int warmup_epochs;    /* default 0 */
    int64_t warmup_steps; /* of the optimiser, default 0; not with warmup_epochs */
    float warmup_factor;  /* (0, 1], default 0.01, as torchvision's recipes */

    int step_size;                     /* step: default 1 */
    float gamma;                       /* step, multistep, exponential: default 0.1 */
    int milestone[AFN_MAX_MILESTONES]; /* multistep: rising */
    int n_milestones;                  /* default 0 */
    float eta_min;                     /* cosine: default 0 */

    float pct_start;        /* onecycle: part of the steps that rise, default 0.3 */
    float div_factor;       /* onecycle: begins at lr / div_factor, default 25 */
    float final_div_factor; /* onecycle: ends at this part of that, default 1e4 */
    bool cycle_momentum;    /* onecycle: default true */
    float base_momentum;    /* onecycle: where lr is largest, default 0.85 */
    float max_momentum;     /* onecycle: at both ends, default 0.95 */

    float factor;    /* plateau: (0, 1), default 0.1 */
    int patience;    /* plateau: epochs without a better one, default 10 */
    float threshold; /* plateau: better is below best (1 - threshold), default 1e-4 */
    int cooldown;    /* plateau: epochs after a change that do not count, default 0 */
    float min_lr;    /* plateau: default 0 */
} afn_schedule_opts;
AFN_API afn_schedule_opts afn_schedule_defaults(void);

/* Errors     AFN_ENOTFOUND for an unknown schedule, naming those there are;
 *            AFN_EINVAL for a number out of range */
AFN_API afn_status afn_schedule_check(const afn_schedule_opts *o);

#ifdef __cplusplus
}
#endif
#endif
