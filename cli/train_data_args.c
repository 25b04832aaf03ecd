/* SPDX-License-Identifier: Apache-2.0 */
#include "train_data_args.h"

#include "train_args.h"

static const char *const samplers[] = { "shuffle", "balanced", NULL };
static const char *const fits[] = { "crop", "squash", "letterbox", "pad", NULL };
_Static_assert(sizeof fits / sizeof fits[0] == AFN_N_FITS + 1,
               "fits[] as afn_fit_mode");

int cli_train_image_check(const cli_command *c, const train_image_args *a)
{
    if (a->fit > AFN_FIT_CROP && a->resize >= 0)
        return cli_usage(c, "--resize is for --fit crop, --image-size sets the side");
    return CLI_GO_ON;
}

/* Another --image-size without --resize keeps the proportion of the two. */
afn_status cli_train_image_set(afn_model *m, const train_image_args *a)
{
    const afn_status st =
        a->channels ? afn_model_set_channels(m, (int)a->channels) : AFN_OK;
    if (st != AFN_OK) return st;
    afn_preprocess p = afn_model_preprocess(m);
    if (a->image_size && a->resize < 0)
        p.resize = (int)((a->image_size * p.resize + p.crop / 2) / p.crop);
    if (a->image_size) p.crop = (int)a->image_size;
    if (a->resize >= 0) p.resize = (int)a->resize;
    if (a->fit >= 0) p.fit = (afn_fit_mode)a->fit;
    if (a->no_exif) p.exif = false;
    if (a->fast_decode) p.fast = true;
    for (int c = 0; a->no_normalize && c < afn_preprocess_channels(&p); c++) {
        p.mean[c] = 0;
        p.std[c] = 1;
    }
    return afn_model_set_preprocess(m, &p);
}

const cli_option cli_train_data_options[] = {
    { .section = "data",
      .name = "val",
      .type = CLI_REAL,
      .metavar = "FRACTION",
      .at = offsetof(train_args, data.val),
      .low = 0,
      .high = 1,
      .below_high = true,
      .initial = "0.2",
      .help = "of the images kept for validation where DATA has no parts" },
    { .name = "test",
      .type = CLI_REAL,
      .metavar = "FRACTION",
      .at = offsetof(train_args, data.test),
      .low = 0,
      .high = 1,
      .below_high = true,
      .initial = "0",
      .help = "of them kept for 'afina eval --split test'" },
    { .name = "plain-split",
      .type = CLI_FLAG,
      .at = offsetof(train_args, data.plain_split),
      .help = "draw them without a look at the images, which takes about as long as "
              "decoding each once, leaves out what cannot be read and keeps "
              "near-duplicates on one side" },
    { .name = "class-order",
      .type = CLI_CHOICE,
      .at = offsetof(train_args, data.order),
      .choice = cli_class_orders,
      .initial = "string",
      .help = cli_class_order_help },
    { .name = "class-weights",
      .type = CLI_TEXT,
      .metavar = "none|balanced|FILE",
      .at = offsetof(train_args, class_weights),
      .initial = "none",
      .help = "what each class counts in the loss: balanced as much as its images are "
              "few, FILE lines of class,weight" },
    { .name = "sampler",
      .type = CLI_CHOICE,
      .at = offsetof(train_args, sampler),
      .choice = samplers,
      .initial = "shuffle",
      .help = "images of an epoch: each once, or drawn so that classes come equally "
              "often" },
    { .name = "no-shuffle",
      .type = CLI_FLAG,
      .at = offsetof(train_args, no_shuffle),
      .help = "take the images in the same order in every epoch" },
    { .name = "strict",
      .type = CLI_FLAG,
      .at = offsetof(train_args, data.strict),
      .help =
          "stop at the first image that cannot be read, instead of skipping it with "
          "a warning" },
    { .name = "seed",
      .type = CLI_INT,
      .metavar = "N",
      .at = offsetof(train_args, data.seed),
      .min = 0,
      .max = INT64_MAX,
      .initial = "0",
      .help =
          "of the new head, the split, the order of the images and what augmentation "
          "draws" },
    { .name = NULL },
};

const cli_option cli_train_image_options[] = {
    { .section = "images",
      .name = "channels",
      .type = CLI_INT,
      .metavar = "N",
      .at = offsetof(train_args, image.channels),
      .min = 1,
      .max = 4,
      .help = "1 for images in gray, 3 for colour, 4 for colour and transparency; the "
              "first convolution is adapted, its weights summed or repeated (default: "
              "the model's)" },
    { .name = "image-size",
      .type = CLI_INT,
      .metavar = "PIXELS",
      .at = offsetof(train_args, image.image_size),
      .min = 1,
      .max = 16384,
      .help =
          "side of the network's input; without --resize that follows in proportion "
          "(default: the model's)" },
    { .name = "resize",
      .type = CLI_INT,
      .metavar = "PIXELS",
      .at = offsetof(train_args, image.resize),
      .min = 0,
      .max = 65536,
      .help = "shorter side of an image before the crop, 0 for no resize (default: the "
              "model's)" },
    { .name = "fit",
      .type = CLI_CHOICE,
      .at = offsetof(train_args, image.fit),
      .choice = fits,
      .help = "how an image becomes a square: crop resizes it and cuts out the centre, "
              "letterbox shows all of it on black, pad does so without enlarging small "
              "ones, squash ignores its proportions (default: the model's, crop at "
              "first); recorded in the model" },
    { .name = "no-normalize",
      .type = CLI_FLAG,
      .at = offsetof(train_args, image.no_normalize),
      .help = "leave pixels in [0, 1] instead of normalising by ImageNet's mean and "
              "deviation" },
    { .name = "no-exif",
      .type = CLI_FLAG,
      .at = offsetof(train_args, image.no_exif),
      .help = "do not turn photos as their camera's EXIF orientation says, which is "
              "what torchvision's loader does; recorded in the model" },
    { .name = "fast-decode",
      .type = CLI_FLAG,
      .at = offsetof(train_args, image.fast_decode),
      .help = "decode JPEGs at 1/2, 1/4 or 1/8 of their size where the resize needs no "
              "more: several times faster on large photos, other pixels than "
              "torchvision's; recorded in the model" },
    { .name = NULL },
};
