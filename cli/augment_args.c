/* SPDX-License-Identifier: Apache-2.0 */
#include "augment_args.h"

#include <string.h>

#include "train_args.h"

static afn_augment_opts opts_of(const augment_args *a, const char *spec)
{
    return (afn_augment_opts){
        .spec = spec, .mixup = a->mixup, .cutmix = a->cutmix, .views = (int)a->views
    };
}

static bool is_plain(const char *spec)
{
    return !spec || !strcmp(spec, "none");
}

int cli_augment_check(const cli_command *c, const augment_args *a)
{
    const char *const specs[] = { a->spec, a->head_spec };
    for (int i = 0; i < 2; i++) {
        const afn_augment_opts o = opts_of(a, specs[i]);
        if (afn_augment_check(&o) != AFN_OK)
            return cli_usage(c, "%s", afn_error_message());
    }
    if (a->views && is_plain(a->spec) && is_plain(a->head_spec))
        return cli_usage(c, "--views needs --augment");
    if (a->views && (a->mixup > 0 || a->cutmix > 0))
        return cli_usage(c, "--views keeps features, --mixup and --cutmix have none");
    return CLI_GO_ON;
}

void cli_augment_set(afn_phase *phase, const augment_args *a, const char *spec)
{
    phase->augment = opts_of(a, spec);
    phase->label_smoothing = (float)a->smoothing;
}

/* ", " before all but the first. */
static void put_comma(bool *first)
{
    printf("%s", *first ? " " : ", ");
    *first = false;
}

void cli_augment_put(const afn_phase *phase)
{
    const afn_augment_opts *o = &phase->augment;
    const struct {
        const char *name;
        double value;
    } number[] = { { "mixup", o->mixup },
                   { "cutmix", o->cutmix },
                   { "label smoothing", (double)phase->label_smoothing } };
    afn_augment *a;
    bool first = true;
    if (afn_augment_new(&a, o->spec) != AFN_OK) return; /* checked before */
    const bool changes = *afn_augment_text(a) != 0;
    bool any = changes;
    for (int i = 0; i < 3; i++) any = any || number[i].value > 0;
    if (any) cli_say("augment  %s:", phase->name);
    if (changes) {
        put_comma(&first);
        cli_put(stdout, afn_augment_text(a));
    }
    if (changes && o->views) {
        put_comma(&first);
        printf("%d %s", o->views, cli_plural(o->views, "view", "views in turn"));
    }
    for (int i = 0; i < 3; i++) {
        if (number[i].value <= 0) continue;
        put_comma(&first);
        printf("%s %g", number[i].name, number[i].value);
    }
    if (any) printf("\n");
    afn_augment_free(a);
}

const cli_option cli_augment_options[] = {
    { .section = "augmentation",
      .name = "augment",
      .type = CLI_TEXT,
      .metavar = "SPEC",
      .at = offsetof(train_args, augment.spec),
      .initial = "none",
      .help = "change training images at random, anew in each epoch: none, light, "
              "medium, strong, or steps such as 'crop=0.5,hflip,color=0.2', see below; "
              "validation sees images as they are" },
    { .name = "head-augment",
      .type = CLI_TEXT,
      .metavar = "SPEC",
      .at = offsetof(train_args, augment.head_spec),
      .help = "the same for the first phase (default: as --augment)" },
    { .name = "views",
      .type = CLI_INT,
      .metavar = "K",
      .at = offsetof(train_args, augment.views),
      .min = 0,
      .max = 1000,
      .initial = "0",
      .help = "augmented views of each image that epochs see in turn, so that features "
              "of frozen layers are made once for each and kept; 0 for another view in "
              "every epoch, and no features" },
    { .name = "mixup",
      .type = CLI_REAL,
      .metavar = "A",
      .at = offsetof(train_args, augment.mixup),
      .low = 0,
      .high = 1000,
      .initial = "0",
      .help = "blend pairs of training images and their labels, by a share from "
              "Beta(A, A) for each step; 0 for no" },
    { .name = "cutmix",
      .type = CLI_REAL,
      .metavar = "A",
      .at = offsetof(train_args, augment.cutmix),
      .low = 0,
      .high = 1000,
      .initial = "0",
      .help = "paste rectangles of other training images, and mix the labels by area; "
              "with --mixup too each step does one of the two" },
    { .name = "label-smoothing",
      .type = CLI_REAL,
      .metavar = "E",
      .at = offsetof(train_args, augment.smoothing),
      .low = 0,
      .high = 1,
      .initial = "0",
      .help = "part of each training label that is spread over all classes" },
    { .name = NULL },
};
