/* SPDX-License-Identifier: Apache-2.0 */
#include "describe_out.h"

#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "json_out.h"

/* Of the layer's parameters; "" where it has none. */
static const char *state_of(const afn_layer *l)
{
    if (!l->parameters) return "";
    if (!l->trainable) return "frozen";
    return l->trainable == l->parameters ? "trains" : "in part";
}

/* ---- a table ---- */

static int widest_name(const afn_description *d)
{
    int wide = (int)strlen("layer");
    for (int i = 0; i < d->n; i++) {
        const int width = (int)strlen(d->layer[i].name);
        if (width > wide) wide = width;
    }
    return wide;
}

static void put_layer(const afn_layer *l, int wide)
{
    char kind[128], shape[64], count[CLI_COUNT_BYTES] = "", macs[32] = "";
    snprintf(kind, sizeof kind, "%s %s", l->kind, l->detail);
    if (l->parameters) cli_count(l->parameters, count);
    if (l->macs > 0) snprintf(macs, sizeof macs, "%.1f", 1e-6 * l->macs);
    printf("%c %-*s  %-34s %-15s %12s  %-7s %8s\n", l->remembered ? '=' : ' ', wide,
           l->name, kind, afn_shape_text(&l->shape, shape, sizeof shape), count,
           state_of(l), macs);
}

static void put_cut(const afn_description *d)
{
    char count[CLI_COUNT_BYTES];
    cli_say("feature cache  ");
    if (!d->trainable)
        cli_say("everything is frozen\n");
    else if (!d->before)
        cli_say("nothing: the first layers train\n");
    else
        cli_say("what goes into %s: %s bytes an image save %.3f GMACs (marked =)\n",
                d->before, cli_count((int64_t)d->feature_bytes, count),
                1e-9 * d->remembered_macs);
}

void cli_describe_text(const cli_described *what)
{
    const afn_description *d = what->d;
    const int wide = widest_name(d);
    const afn_preprocess p = afn_model_preprocess(what->model);
    const int channels = afn_preprocess_channels(&p);
    char count[CLI_COUNT_BYTES];

    cli_say("network        %s, %d classes, images of %dx%d",
            afn_model_arch(what->model), afn_model_classes(what->model), p.crop,
            p.crop);
    printf(channels == 3 ? "\n" : ", %d %s\n", channels,
           cli_plural(channels, "channel", "channels"));
    cli_say("parameters     %s", cli_count(d->parameters, count));
    cli_say(", %s of them train\n", cli_count(d->trainable, count));
    cli_say("arithmetic     %.3f GMACs for an image\n", 1e-9 * d->macs);
    if (d->train_bytes) {
        cli_say("memory         ");
        cli_put_bytes(d->train_bytes);
        cli_say(" to train at batch %lld\n", (long long)what->batch);
    }
    put_cut(d);
    printf("\n  %-*s  %-34s %-15s %12s  %-7s %8s\n", wide, "layer", "kind", "output",
           "parameters", "", "MMACs");
    for (int i = 0; i < d->n; i++) put_layer(&d->layer[i], wide);
}

/* ---- JSON ---- */

static json_t *layer_json(const afn_layer *l)
{
    json_t *shape = json_array(), *inputs = json_array();
    for (int i = 0; i < l->shape.rank; i++)
        json_array_append_new(shape, json_integer(l->shape.dim[i]));
    for (int i = 0; i < l->n_inputs; i++)
        json_array_append_new(inputs, json_integer(l->input[i]));
    return json_pack("{s:s, s:s, s:s, s:o, s:o, s:I, s:I, s:o, s:b}", "name", l->name,
                     "kind", l->kind, "detail", l->detail, "shape", shape, "inputs",
                     inputs, "parameters", (json_int_t)l->parameters, "trainable",
                     (json_int_t)l->trainable, "macs", cli_json_number(l->macs),
                     "remembered", l->remembered);
}

int cli_describe_json(const cli_described *what)
{
    const afn_description *d = what->d;
    json_t *layers = json_array();
    json_t *cut = d->before ? json_pack("{s:s, s:I, s:o}", "before", d->before, "bytes",
                                        (json_int_t)d->feature_bytes, "macs",
                                        cli_json_number(d->remembered_macs))
                            : json_null();
    for (int i = 0; i < d->n; i++)
        json_array_append_new(layers, layer_json(&d->layer[i]));
    return cli_json_print(json_pack(
        "{s:s, s:i, s:i, s:I, s:I, s:o, s:I, s:I, s:o, s:o}", "model",
        afn_model_arch(what->model), "classes", afn_model_classes(what->model),
        "image_size", afn_model_preprocess(what->model).crop, "parameters",
        (json_int_t)d->parameters, "trainable", (json_int_t)d->trainable, "macs",
        cli_json_number(d->macs), "batch", (json_int_t)what->batch, "train_bytes",
        (json_int_t)d->train_bytes, "feature_cache", cut, "layers", layers));
}

/* ---- a drawing ---- */

/* Layers whose names share all but the last part are drawn in one box. */
static size_t scope_length(const char *name)
{
    const char *dot = strrchr(name, '.');
    return dot ? (size_t)(dot - name) : 0;
}

static void put_node(const afn_layer *l, int i)
{
    char shape[64];
    const char *colour = !l->parameters ? "white"
                         : l->trainable ? "#ffd9a0"
                                        : "#d0e4f5";
    printf("  n%d [label=\"%s%s%s%s%s\\n%s\" fillcolor=\"%s\"%s];\n", i, l->name,
           *l->name ? "\\n" : "", l->kind, *l->detail ? " " : "", l->detail,
           afn_shape_text(&l->shape, shape, sizeof shape), colour,
           l->remembered ? " peripheries=2" : "");
}

/* Nodes from i on that lie in one scope, and the index after them. */
static int put_scope(const afn_description *d, int i)
{
    const char *name = d->layer[i].name;
    const size_t length = scope_length(name);
    int end = i;
    if (!length) {
        put_node(&d->layer[i], i);
        return i + 1;
    }
    printf("  subgraph cluster%d { label=\"%.*s\";\n", i, (int)length, name);
    while (end < d->n &&
           (!*d->layer[end].name || (scope_length(d->layer[end].name) == length &&
                                     !strncmp(d->layer[end].name, name, length)))) {
        put_node(&d->layer[end], end);
        end++;
    }
    printf("  }\n");
    return end;
}

void cli_describe_dot(const cli_described *what)
{
    const afn_description *d = what->d;
    printf("digraph \"%s\" {\n  node [shape=box style=filled fontname=Helvetica];\n"
           "  graph [fontname=Helvetica color=gray];\n",
           afn_model_arch(what->model));
    for (int i = 0; i < d->n;) i = put_scope(d, i);
    for (int i = 0; i < d->n; i++)
        for (int k = 0; k < d->layer[i].n_inputs; k++)
            printf("  n%d -> n%d;\n", d->layer[i].input[k], i);
    printf("}\n");
}
