/* SPDX-License-Identifier: Apache-2.0 */
/* Layers as timm (https://github.com/huggingface/pytorch-image-models) names them, and
 * what torchvision calls the same layer.  Families whose names are the same in both, as
 * ResNet, DenseNet and Inception v3, need no rule.
 *
 * Names say nothing of paddings and of a batch norm's eps, which the two libraries
 * choose differently for some networks: those are refused here. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "zoo/zoo.h"

enum { MAX_NUMBERS = 3, MAX_RULES = 24, MAX_STAGES = 8, MAX_DIGITS = 4 };

/* A number in our name: times that of a '#' in timm's, plus something.  FLAT is the
 * number of a block among those of all stages; `from` is then the '#' of the stage, and
 * the next one is that of the block. */
typedef struct number {
    int from, times, plus;
    bool flat;
} number;

/* '#' stands for a number.  A rule is for a layer, or for a parameter in full. */
typedef struct rule {
    const char *timm, *ours;
    number number[MAX_NUMBERS]; /* of each '#' in ours; times 0 = the same as timm's */
    int rank; /* of ours; 0 = the same.  Dimensions behind it are flattened, or are 1 */
} rule;

typedef struct timm_family {
    const char *family;
    const char *sign; /* a parameter that only timm's files have */
    const char *only; /* variants that are the same network; NULL = all */
    const char *why;  /* the others are not */
    int blocks[MAX_STAGES];
    rule rule[MAX_RULES];
} timm_family;

/* clang-format off */
#define STAGE_1       { { 0, 1, 1, false }, { 1, 1, 0, false } }           /* stage + 1, block */
#define STAGE_7       { { 0, 1, 7, false }, { 1, 1, 0, false } }           /* stage + 7, block */
#define BLOCK_1       { { 0, 1, 1, true } }                  /* of all, + 1 */
#define TWICE         { { 0, 2, 0, false }, { 1, 1, 0, false } }           /* 2 stage, layer */
#define TWICE_1       { { 0, 2, 1, false }, { 1, 1, 0, false } }           /* 2 stage + 1, block */
#define REGNET        { { 0, 1, 0, false }, { 0, 1, 0, false }, { 1, 1, -1, false } }

static const timm_family table[] = {
    { .family = "vgg", .sign = "pre_logits.fc1.weight", .rule = {
        { .timm = "pre_logits.fc1.weight", .ours = "classifier.0.weight", .rank = 2 },
        { .timm = "pre_logits.fc2.weight", .ours = "classifier.3.weight", .rank = 2 },
        { .timm = "pre_logits.fc1", .ours = "classifier.0" },
        { .timm = "pre_logits.fc2", .ours = "classifier.3" },
        { .timm = "head.fc", .ours = "classifier.6" },
    } },
    { .family = "regnet", .sign = "stem.conv.weight", .rule = {
        { .timm = "stem.conv", .ours = "stem.0" },
        { .timm = "stem.bn", .ours = "stem.1" },
        { .timm = "s#.b#.conv1.conv", .ours = "trunk_output.block#.block#-#.f.a.0", .number = REGNET },
        { .timm = "s#.b#.conv1.bn", .ours = "trunk_output.block#.block#-#.f.a.1", .number = REGNET },
        { .timm = "s#.b#.conv2.conv", .ours = "trunk_output.block#.block#-#.f.b.0", .number = REGNET },
        { .timm = "s#.b#.conv2.bn", .ours = "trunk_output.block#.block#-#.f.b.1", .number = REGNET },
        { .timm = "s#.b#.se.fc1", .ours = "trunk_output.block#.block#-#.f.se.fc1", .number = REGNET },
        { .timm = "s#.b#.se.fc2", .ours = "trunk_output.block#.block#-#.f.se.fc2", .number = REGNET },
        { .timm = "s#.b#.conv3.conv", .ours = "trunk_output.block#.block#-#.f.c.0", .number = REGNET },
        { .timm = "s#.b#.conv3.bn", .ours = "trunk_output.block#.block#-#.f.c.1", .number = REGNET },
        { .timm = "s#.b#.downsample.conv", .ours = "trunk_output.block#.block#-#.proj.0", .number = REGNET },
        { .timm = "s#.b#.downsample.bn", .ours = "trunk_output.block#.block#-#.proj.1", .number = REGNET },
        { .timm = "head.fc", .ours = "fc" },
    } },
    { .family = "convnext", .sign = "stages.0.blocks.0.gamma", .rule = {
        { .timm = "stem.0", .ours = "features.0.0" },
        { .timm = "stem.1", .ours = "features.0.1" },
        { .timm = "stages.#.downsample.#", .ours = "features.#.#", .number = TWICE },
        { .timm = "stages.#.blocks.#.gamma", .ours = "features.#.#.layer_scale", .number = TWICE_1, .rank = 3 },
        { .timm = "stages.#.blocks.#.conv_dw", .ours = "features.#.#.block.0", .number = TWICE_1 },
        { .timm = "stages.#.blocks.#.norm", .ours = "features.#.#.block.2", .number = TWICE_1 },
        { .timm = "stages.#.blocks.#.mlp.fc1", .ours = "features.#.#.block.3", .number = TWICE_1 },
        { .timm = "stages.#.blocks.#.mlp.fc2", .ours = "features.#.#.block.5", .number = TWICE_1 },
        { .timm = "head.norm", .ours = "classifier.0" },
        { .timm = "head.fc", .ours = "classifier.2" },
    } },
    { .family = "mobilenet_v2", .sign = "conv_stem.weight",
      .blocks = { 1, 2, 3, 4, 3, 3, 1 }, .rule = {
        { .timm = "conv_stem", .ours = "features.0.0" },
        { .timm = "bn1", .ours = "features.0.1" },
        { .timm = "blocks.0.0.conv_dw", .ours = "features.1.conv.0.0" },
        { .timm = "blocks.0.0.bn1", .ours = "features.1.conv.0.1" },
        { .timm = "blocks.0.0.conv_pw", .ours = "features.1.conv.1" },
        { .timm = "blocks.0.0.bn2", .ours = "features.1.conv.2" },
        { .timm = "blocks.#.#.conv_pw", .ours = "features.#.conv.0.0", .number = BLOCK_1 },
        { .timm = "blocks.#.#.bn1", .ours = "features.#.conv.0.1", .number = BLOCK_1 },
        { .timm = "blocks.#.#.conv_dw", .ours = "features.#.conv.1.0", .number = BLOCK_1 },
        { .timm = "blocks.#.#.bn2", .ours = "features.#.conv.1.1", .number = BLOCK_1 },
        { .timm = "blocks.#.#.conv_pwl", .ours = "features.#.conv.2", .number = BLOCK_1 },
        { .timm = "blocks.#.#.bn3", .ours = "features.#.conv.3", .number = BLOCK_1 },
        { .timm = "conv_head", .ours = "features.18.0" },
        { .timm = "bn2", .ours = "features.18.1" },
        { .timm = "classifier", .ours = "classifier.1" },
    } },
    { .family = "mnasnet", .sign = "conv_stem.weight", .rule = {
        { .timm = "conv_stem", .ours = "layers.0" },
        { .timm = "bn1", .ours = "layers.1" },
        { .timm = "blocks.0.0.conv_dw", .ours = "layers.3" },
        { .timm = "blocks.0.0.bn1", .ours = "layers.4" },
        { .timm = "blocks.0.0.conv_pw", .ours = "layers.6" },
        { .timm = "blocks.0.0.bn2", .ours = "layers.7" },
        { .timm = "blocks.#.#.conv_pw", .ours = "layers.#.#.layers.0", .number = STAGE_7 },
        { .timm = "blocks.#.#.bn1", .ours = "layers.#.#.layers.1", .number = STAGE_7 },
        { .timm = "blocks.#.#.conv_dw", .ours = "layers.#.#.layers.3", .number = STAGE_7 },
        { .timm = "blocks.#.#.bn2", .ours = "layers.#.#.layers.4", .number = STAGE_7 },
        { .timm = "blocks.#.#.conv_pwl", .ours = "layers.#.#.layers.6", .number = STAGE_7 },
        { .timm = "blocks.#.#.bn3", .ours = "layers.#.#.layers.7", .number = STAGE_7 },
        { .timm = "conv_head", .ours = "layers.14" },
        { .timm = "bn2", .ours = "layers.15" },
        { .timm = "classifier", .ours = "classifier.1" },
    } },
    { .family = "mobilenet_v3", .sign = "conv_stem.weight", .only = "none",
      .why = "its batch norms have the eps 1e-5, torchvision's 1e-3" },
    { .family = "efficientnet", .sign = "conv_stem.weight",
      .only = "efficientnet_b0,efficientnet_b1,efficientnet_b2,efficientnet_b3,"
              "efficientnet_b4",
      .why = "its batch norms have the eps 1e-5, torchvision's 1e-3", .rule = {
        { .timm = "conv_stem", .ours = "features.0.0" },
        { .timm = "bn1", .ours = "features.0.1" },
        { .timm = "blocks.0.#.conv_dw", .ours = "features.1.#.block.0.0" },
        { .timm = "blocks.0.#.bn1", .ours = "features.1.#.block.0.1" },
        { .timm = "blocks.0.#.se.conv_reduce", .ours = "features.1.#.block.1.fc1" },
        { .timm = "blocks.0.#.se.conv_expand", .ours = "features.1.#.block.1.fc2" },
        { .timm = "blocks.0.#.conv_pw", .ours = "features.1.#.block.2.0" },
        { .timm = "blocks.0.#.bn2", .ours = "features.1.#.block.2.1" },
        { .timm = "blocks.#.#.conv_pw", .ours = "features.#.#.block.0.0", .number = STAGE_1 },
        { .timm = "blocks.#.#.bn1", .ours = "features.#.#.block.0.1", .number = STAGE_1 },
        { .timm = "blocks.#.#.conv_dw", .ours = "features.#.#.block.1.0", .number = STAGE_1 },
        { .timm = "blocks.#.#.bn2", .ours = "features.#.#.block.1.1", .number = STAGE_1 },
        { .timm = "blocks.#.#.se.conv_reduce", .ours = "features.#.#.block.2.fc1", .number = STAGE_1 },
        { .timm = "blocks.#.#.se.conv_expand", .ours = "features.#.#.block.2.fc2", .number = STAGE_1 },
        { .timm = "blocks.#.#.conv_pwl", .ours = "features.#.#.block.3.0", .number = STAGE_1 },
        { .timm = "blocks.#.#.bn3", .ours = "features.#.#.block.3.1", .number = STAGE_1 },
        { .timm = "conv_head", .ours = "features.8.0" },
        { .timm = "bn2", .ours = "features.8.1" },
        { .timm = "classifier", .ours = "classifier.1" },
    } },
};
/* clang-format on */

/* Networks that have the names of a torchvision one and are another: by what timm calls
 * their files. */
static const struct {
    const char *family, *part, *why;
} other[] = {
    { "efficientnet", "tf_efficientnet", "it pads as TensorFlow does" },
    { "mobilenet_v2", "tf_mobilenet", "it pads as TensorFlow does" },
    { "mnasnet", "tf_mnasnet", "it pads as TensorFlow does" },
    { "resnet", "resnetaa", "it smooths before it strides" },
    { "resnet", "resnetblur", "it smooths before it strides" },
};

static const timm_family *family_of(const afn_arch *arch)
{
    for (size_t i = 0; i < AFN_COUNT(table); i++)
        if (strcmp(table[i].family, arch->family->name) == 0) return &table[i];
    return NULL;
}

const char *afn_zoo_timm_sign(const afn_arch *arch)
{
    const timm_family *f = family_of(arch);
    return f ? f->sign : NULL;
}

const char *afn_zoo_timm_refusal(const afn_arch *arch, const char *path, bool renamed)
{
    const timm_family *f = family_of(arch);
    for (size_t i = 0; i < AFN_COUNT(other); i++)
        if (strcmp(other[i].family, arch->family->name) == 0 &&
            strstr(path, other[i].part))
            return other[i].why;
    return renamed && f && f->only && !afn_glob(f->only, arch->variant->name) ? f->why
                                                                              : NULL;
}

/* Does the name, or all of it before a dot, match?  The rest, ".weight" or "", is
 * returned, NULL where not; the numbers are taken. */
static const char *match(const char *pattern, const char *name, int found[MAX_NUMBERS])
{
    for (int n = 0; *pattern; pattern++) {
        if (*pattern != '#') {
            if (*name++ != *pattern) return NULL;
            continue;
        }
        if (!isdigit((unsigned char)*name) || n == MAX_NUMBERS) return NULL;
        char *end;
        found[n++] = (int)strtol(name, &end, 10);
        if (end - name > MAX_DIGITS) return NULL;
        name = end;
    }
    return *name == 0 || *name == '.' ? name : NULL;
}

static int value_of(const timm_family *f, const number *n, const int *found, int i)
{
    if (!n->times) return found[i];
    if (!n->flat) return n->times * found[n->from] + n->plus;
    int value = n->plus + found[n->from + 1];
    for (int s = 0; s < found[n->from] && s < MAX_STAGES; s++) value += f->blocks[s];
    return value;
}

static void fill(afn_timm_name *out, const timm_family *f, const rule *r,
                 const int *found, const char *rest)
{
    size_t at = 0;
    int i = 0;
    for (const char *c = r->ours; *c && at + 1 < sizeof out->name; c++) {
        if (*c != '#') {
            out->name[at++] = *c;
            continue;
        }
        at += (size_t)snprintf(out->name + at, sizeof out->name - at, "%d",
                               value_of(f, &r->number[i], found, i));
        i++;
    }
    if (at >= sizeof out->name) at = sizeof out->name - 1;
    snprintf(out->name + at, sizeof out->name - at, "%s", rest);
    out->rank = *rest ? 0 : r->rank;
}

bool afn_zoo_timm_name(afn_timm_name *out, const afn_arch *arch, const char *timm)
{
    const timm_family *f = family_of(arch);
    for (int i = 0; f && i < MAX_RULES && f->rule[i].timm; i++) {
        int found[MAX_NUMBERS] = { 0 };
        const char *rest = match(f->rule[i].timm, timm, found);
        if (!rest) continue;
        fill(out, f, &f->rule[i], found, rest);
        return true;
    }
    return false;
}
