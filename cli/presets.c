/* SPDX-License-Identifier: Apache-2.0 */
#include "presets.h"

#include <assert.h>

/* Pairs of an option and its value, as they would be typed; NULL behind the last. */
typedef const char *const recipe[];

static recipe none = { NULL };
static recipe tutorial = {
    "head-epochs", "5",      "head-lr",   "0.001", "tune-epochs", "5",
    "tune-lr",     "0.0001", "optimizer", "sgd",   NULL,
};
static recipe quick = { "head-solver", "lbfgs", "tune-epochs", "0", NULL };
static recipe thorough = {
    "head-solver", "lbfgs",  "tune-epochs",   "10", "tune-lr", "0.003",
    "schedule",    "cosine", "warmup-epochs", "1",  "augment", "light",
    NULL,
};
static recipe few = {
    "head-solver", "lbfgs",       "views", "8",  "head-augment",
    "light",       "tune-epochs", "0",     NULL,
};
static recipe uneven = {
    "class-weights", "balanced", "head-solver", "lbfgs", "tune-epochs", "0", NULL,
};
static recipe small = {
    "batch", "8", "accumulate", "4", "bn", "frozen", "cache-images", "off", NULL,
};

const char *const cli_presets[] = { "none",   "tutorial", "quick", "few",
                                    "uneven", "thorough", "small", NULL };
static const char *const *const recipes[] = { none,   tutorial, quick, few,
                                              uneven, thorough, small };
_Static_assert(sizeof recipes / sizeof recipes[0] + 1 ==
                   sizeof cli_presets / sizeof cli_presets[0],
               "a recipe for each name");

void cli_preset_take(train_args *o, const cli_command *c, cli_args *given)
{
    for (const char *const *pair = recipes[o->preset]; *pair; pair += 2) {
        const int place = cli_option_find(c, pair[0]);
        assert(place >= 0);
        if (given->given[place]) continue;
        given->given[place] = true;
        const bool is_set = cli_option_set(cli_option_at(c, place), pair[1], o);
        assert(is_set);
        (void)is_set;
    }
}
