/* SPDX-License-Identifier: Apache-2.0 */
#include "optim_args.h"

#include <float.h>
#include <stdio.h>
#include <string.h>

#include "train_args.h"

static const char *const optimizers[] = { "sgd", "adam", "adamw", "rmsprop", NULL };

static afn_optim_opts opts_of(const optim_args *a, double lr)
{
    afn_optim_opts o = afn_optim_defaults(optimizers[a->optimizer]);
    o.lr = (float)lr;
    o.momentum = (float)a->momentum;
    o.dampening = (float)a->dampening;
    o.nesterov = a->nesterov;
    o.weight_decay = (float)a->weight_decay;
    o.beta1 = (float)a->beta1;
    o.beta2 = (float)a->beta2;
    o.eps = (float)a->eps;
    o.alpha = (float)a->alpha;
    o.centered = a->centered;
    o.layer_decay = (float)a->layer_decay;
    o.head_lr_factor = (float)a->head_lr_factor;
    o.no_decay_norm_bias = a->no_decay_norm_bias;
    o.clip_norm = (float)a->clip_norm;
    o.clip_value = (float)a->clip_value;
    o.accumulate = (int)a->accumulate;
    o.ema_decay = (float)a->ema_decay;
    o.ema_warmup = a->ema_warmup;
    return o;
}

int cli_optim_check(const cli_command *c, const cli_args *args, optim_args *a)
{
    const afn_optim_opts d = afn_optim_defaults(optimizers[a->optimizer]);
    if (!cli_given(c, args, "momentum")) a->momentum = (double)d.momentum;
    if (!cli_given(c, args, "weight-decay")) a->weight_decay = (double)d.weight_decay;
    if (a->nesterov && a->momentum == 0)
        return cli_usage(c, "--nesterov needs a --momentum above 0");
    if (a->nesterov && a->dampening > 0)
        return cli_usage(c, "--nesterov has no --dampening");
    if (a->ema_warmup && a->ema_decay == 0)
        return cli_usage(c, "--ema-warmup needs --ema-decay");
    const afn_optim_opts o = opts_of(a, 0);
    if (afn_optim_check(&o) != AFN_OK) return cli_usage(c, "%s", afn_error_message());
    return CLI_GO_ON;
}

void cli_optim_set(afn_phase *phase, const optim_args *a, double lr)
{
    phase->optim = opts_of(a, lr);
}

void cli_optim_put(const afn_phase *phase)
{
    const afn_optim_opts *o = &phase->optim;
    if (strcmp(o->optimizer, "sgd")) printf(" of %s", o->optimizer);
    if (o->accumulate > 1) printf(", %d batches a step", o->accumulate);
    if (o->ema_decay > 0) printf(", average of weights");
}

/* Bits of with_choice, in the order of optimizers[]. */
enum { SGD = 1, ADAM = 2, ADAMW = 4, RMSPROP = 8 };
#define OF(optimizers) .with = "optimizer", .with_choice = (optimizers)

const cli_option cli_optim_options[] = {
    { .section = "optimiser",
      .name = "optimizer",
      .type = CLI_CHOICE,
      .at = offsetof(train_args, optim.optimizer),
      .choice = optimizers,
      .initial = "sgd",
      .help = "how weights follow gradients" },
    { .name = "momentum",
      .type = CLI_REAL,
      .metavar = "M",
      .at = offsetof(train_args, optim.momentum),
      .low = 0,
      .high = 1,
      .below_high = true,
      OF(SGD | RMSPROP),
      .help = "of SGD (default 0.9) and RMSprop (default 0)" },
    { .name = "nesterov",
      .type = CLI_FLAG,
      .at = offsetof(train_args, optim.nesterov),
      OF(SGD),
      .help = "use Nesterov's momentum" },
    { .name = "dampening",
      .type = CLI_REAL,
      .metavar = "D",
      .at = offsetof(train_args, optim.dampening),
      .low = 0,
      .high = 1,
      .initial = "0",
      OF(SGD),
      .help = "of what momentum takes up of a gradient" },
    { .name = "weight-decay",
      .type = CLI_REAL,
      .metavar = "D",
      .at = offsetof(train_args, optim.weight_decay),
      .low = 0,
      .high = 1000,
      .help = "part of each weight that joins its gradient, with adamw that is taken "
              "off beside it (default 0, adamw 0.01)" },
    { .name = "beta1",
      .type = CLI_REAL,
      .metavar = "B",
      .at = offsetof(train_args, optim.beta1),
      .low = 0,
      .high = 1,
      .below_high = true,
      .initial = "0.9",
      OF(ADAM | ADAMW),
      .help = "decay of the mean of gradients" },
    { .name = "beta2",
      .type = CLI_REAL,
      .metavar = "B",
      .at = offsetof(train_args, optim.beta2),
      .low = 0,
      .high = 1,
      .below_high = true,
      .initial = "0.999",
      OF(ADAM | ADAMW),
      .help = "decay of the mean of their squares" },
    { .name = "alpha",
      .type = CLI_REAL,
      .metavar = "A",
      .at = offsetof(train_args, optim.alpha),
      .low = 0,
      .high = 1,
      .below_high = true,
      .initial = "0.99",
      OF(RMSPROP),
      .help = "decay of the mean of their squares" },
    { .name = "centered",
      .type = CLI_FLAG,
      .at = offsetof(train_args, optim.centered),
      OF(RMSPROP),
      .help = "divide by the deviation of gradients about their mean" },
    { .name = "eps",
      .type = CLI_REAL,
      .metavar = "E",
      .at = offsetof(train_args, optim.eps),
      .low = 0,
      .high = 1,
      .initial = "1e-8",
      OF(ADAM | ADAMW | RMSPROP),
      .help = "added to what gradients are divided by" },
    { .name = "layer-decay",
      .type = CLI_REAL,
      .metavar = "P",
      .at = offsetof(train_args, optim.layer_decay),
      .low = 0,
      .high = 1,
      .initial = "1",
      .help = "each layer learns at this part of the rate of the one behind it, the "
              "head at the full rate" },
    { .name = "head-lr-factor",
      .type = CLI_REAL,
      .metavar = "F",
      .at = offsetof(train_args, optim.head_lr_factor),
      .low = 0,
      .high = 1000000,
      .initial = "1",
      .help = "the head learns at so many times the rate" },
    { .name = "no-decay-norm-bias",
      .type = CLI_FLAG,
      .at = offsetof(train_args, optim.no_decay_norm_bias),
      .help = "no weight decay of biases and of normalisation" },
    { .name = "clip-norm",
      .type = CLI_REAL,
      .metavar = "L",
      .at = offsetof(train_args, optim.clip_norm),
      .low = 0,
      .high = DBL_MAX,
      .initial = "0",
      .help = "limit of the norm of all gradients together, 0 for none" },
    { .name = "clip-value",
      .type = CLI_REAL,
      .metavar = "L",
      .at = offsetof(train_args, optim.clip_value),
      .low = 0,
      .high = DBL_MAX,
      .initial = "0",
      .help = "limit of each gradient, 0 for none" },
    { .name = "accumulate",
      .type = CLI_INT,
      .metavar = "N",
      .at = offsetof(train_args, optim.accumulate),
      .min = 1,
      .max = 100000,
      .initial = "1",
      .help = "batches that make one step of the optimiser" },
    { .name = "ema-decay",
      .type = CLI_REAL,
      .metavar = "D",
      .at = offsetof(train_args, optim.ema_decay),
      .low = 0,
      .high = 1,
      .below_high = true,
      .initial = "0",
      .help = "validate and save an exponential average of the weights with this "
              "decay, such as 0.999; 0 for none" },
    { .name = "ema-warmup",
      .type = CLI_FLAG,
      .at = offsetof(train_args, optim.ema_warmup),
      .help = "with a smaller decay in the first steps, so that a short run's average "
              "forgets where it began" },
    { .name = NULL },
};
