/* SPDX-License-Identifier: Apache-2.0 */
/* afina describe: the layers of a model, and what training would do with them. */
#include <stddef.h>
#include <string.h>

#include "cli.h"
#include "describe_out.h"
#include "machine_options.h"
#include "weights_arg.h"

typedef struct describe_args {
    const char *weights, *freeze, *unfreeze;
    int64_t batch;
    int64_t classes, image_size, channels; /* 0 = the model's */
    int bn, precision;
    bool dot, json;
} describe_args;

enum { IMAGENET_CLASSES = 1000 };

static bool is_arch(const char *name)
{
    for (int i = 0; i < afn_arch_count(); i++) {
        afn_arch_info info;
        if (afn_arch_get(&info, i) == AFN_OK && !strcmp(info.name, name)) return true;
    }
    return false;
}

/* A name needs no weights: nothing is computed. */
static afn_status open_model(afn_model **m, const char *model, const describe_args *o)
{
    const int classes = o->classes ? (int)o->classes : IMAGENET_CLASSES;
    if (!o->weights && is_arch(model)) return afn_model_new_zero(m, model, classes);
    afn_status st = o->weights ? cli_model_open(m, model, o->weights)
                               : cli_model_open(m, NULL, model);
    if (st == AFN_OK && o->classes) st = afn_model_replace_head(*m, classes, 0);
    return st;
}

static afn_status prepare(afn_model *m, const describe_args *o)
{
    afn_status st = o->channels ? afn_model_set_channels(m, (int)o->channels) : AFN_OK;
    if (st == AFN_OK && o->image_size) {
        afn_preprocess p = afn_model_preprocess(m);
        p.resize = p.crop = (int)o->image_size;
        st = afn_model_set_preprocess(m, &p);
    }
    if (st == AFN_OK && o->freeze) st = afn_model_freeze(m, o->freeze);
    if (st == AFN_OK && o->unfreeze) st = afn_model_unfreeze(m, o->unfreeze);
    return st;
}

static int put(const afn_model *m, const afn_description *d, const describe_args *o)
{
    const cli_described what = { .model = m, .d = d, .batch = o->batch };
    if (o->json) return cli_describe_json(&what);
    (o->dot ? cli_describe_dot : cli_describe_text)(&what);
    return CLI_OK;
}

static int run(int argc, char **argv)
{
    describe_args o = { 0 };
    cli_args args;
    afn_model *m = NULL;
    afn_description d = { 0 };

    int code = cli_parse(&cli_cmd_describe, argc, argv, &o, &args);
    if (code != CLI_GO_ON) return code;
    if (o.dot && o.json)
        return cli_usage(&cli_cmd_describe, "--dot and --json are two outputs");
    afn_describe_opts opts = afn_describe_defaults();
    opts.batch = o.batch;
    opts.bn = (afn_bn_mode)o.bn;
    opts.precision = cli_precision(o.precision);
    afn_status st = open_model(&m, args.operand[0], &o);
    if (st == AFN_OK) st = prepare(m, &o);
    if (st == AFN_OK) st = afn_describe(&d, m, &opts);
    code = st == AFN_OK ? put(m, &d, &o) : cli_fail(st);
    afn_description_free(&d);
    afn_model_free(m);
    return code;
}

static const cli_option options[] = {
    { .name = "freeze",
      .type = CLI_TEXT,
      .metavar = "PATTERN",
      .at = offsetof(describe_args, freeze),
      .help =
          "freeze the parameters with these names: '*', or layers and patterns with "
          "commas between" },
    { .name = "unfreeze",
      .type = CLI_TEXT,
      .metavar = "PATTERN",
      .at = offsetof(describe_args, unfreeze),
      .help = "then let these train: --freeze '*' --unfreeze fc is the head phase of "
              "'afina train'" },
    { CLI_BN(describe_args, bn) },
    { .name = "batch",
      .letter = 'b',
      .type = CLI_INT,
      .metavar = "N",
      .at = offsetof(describe_args, batch),
      .min = 1,
      .max = 4096,
      .initial = "32",
      .help = "images of a step, for the memory" },
    { .name = "image-size",
      .type = CLI_INT,
      .metavar = "N",
      .at = offsetof(describe_args, image_size),
      .min = 1,
      .max = 4096,
      .help = "side of the images, instead of the model's" },
    { .name = "channels",
      .type = CLI_INT,
      .metavar = "N",
      .at = offsetof(describe_args, channels),
      .min = 1,
      .max = AFN_MAX_CHANNELS,
      .help = "of the images, instead of the model's" },
    { .name = "classes",
      .type = CLI_INT,
      .metavar = "N",
      .at = offsetof(describe_args, classes),
      .min = 1,
      .max = 1 << 20,
      .help = "classes, instead of the model's or 1000" },
    { .name = "weights",
      .letter = 'w',
      .type = CLI_TEXT,
      .metavar = "FILE",
      .at = offsetof(describe_args, weights),
      .help = CLI_WEIGHTS_HELP },
    { CLI_PRECISION(describe_args, precision) },
    { .name = "dot",
      .type = CLI_FLAG,
      .at = offsetof(describe_args, dot),
      .help = "print a drawing for Graphviz: blue is frozen, orange trains, a double "
              "border is what the feature cache saves" },
    { .name = "json",
      .type = CLI_FLAG,
      .at = offsetof(describe_args, json),
      .help = "print one JSON object" },
    { .name = NULL },
};

static const cli_example examples[] = {
    { "afina describe resnet50 --freeze '*' --unfreeze layer4,fc",
      "what trains then, from where on, and in how much memory" },
    { "afina describe run/model.safetensors --dot | dot -Tsvg > model.svg",
      "a drawing of a tuned model" },
    { NULL, NULL },
};

const cli_command cli_cmd_describe = {
    .name = "describe",
    .summary = "show the layers of a model",
    .operand = { "MODEL" },
    .min_operands = 1,
    .about =
        "Prints the layers of a network in the order in which they run: what each "
        "makes "
        "of one image, its parameters, whether they train, its multiply-accumulates; "
        "and for the whole, the memory that training takes and where the feature cache "
        "would cut. MODEL is a name of 'afina models' or a file that afina wrote.",
    .option = options,
    .notes =
        "JSON: model, classes, image_size, parameters, trainable, macs, batch,\n"
        "train_bytes, feature_cache {before, bytes, macs} or null, layers [{name,\n"
        "kind, detail, shape, inputs, parameters, trainable, macs, remembered}].\n",
    .example = examples,
    .run = run,
};
