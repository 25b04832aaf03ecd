/* SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L

#include "data_open.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

const char *const cli_class_orders[] = { "string", "natural", NULL };
_Static_assert(AFN_ORDER_STRING == 0 && AFN_ORDER_NATURAL == 1,
               "cli_class_orders[] in the order of afn_class_order");
const char cli_class_order_help[] =
    "of classes with names: string as torchvision's ImageFolder, natural as people "
    "count, class2 before class10";

void cli_clear_look(void)
{
    if (isatty(STDERR_FILENO)) fprintf(stderr, "\r\033[K");
}

int cli_on_look(int64_t done, int64_t of, void *user)
{
    (void)user;
    if (!isatty(STDERR_FILENO)) return 0;
    cli_clear_look();
    fprintf(stderr, cli_text("looking at images: %lld of %lld"), (long long)done,
            (long long)of);
    return 0;
}

int cli_data_open(afn_data_parts *out, const char *spec, const cli_data_args *args,
                  bool look)
{
    afn_data_opts o = afn_data_defaults();
    o.order = (afn_class_order)args->order;
    o.val = args->val;
    o.test = args->test;
    o.seed = (uint64_t)args->seed;
    o.together = look && !args->plain_split;
    o.strict = args->strict;
    o.threads = (int)args->threads;
    o.on_look = cli_on_look;
    const afn_status st = afn_data_open(out, spec, &o);
    if (o.together) cli_clear_look();
    return st == AFN_OK ? CLI_OK : cli_fail(st);
}

static void put_classes(const afn_dataset *d)
{
    enum { SHOWN = 8 };
    const int n = afn_dataset_classes(d);
    for (int i = 0; i < n && i < SHOWN; i++) {
        printf("%s", i ? ", " : "");
        cli_put(stdout, afn_dataset_class_name(d, i));
    }
    printf("%s\n", n > SHOWN ? ", ..." : "");
}

void cli_put_data(const char *spec, const afn_data_parts *parts)
{
    char count[CLI_COUNT_BYTES];
    const int classes = afn_dataset_classes(parts->train);
    const int64_t n = afn_dataset_count(parts->train);

    cli_say("data     ");
    cli_put(stdout, spec);
    cli_say(": %s %s to train", cli_count(n, count), cli_plural(n, "image", "images"));
    if (parts->val)
        cli_say(", %s to validate", cli_count(afn_dataset_count(parts->val), count));
    if (parts->test)
        cli_say(", %s to test", cli_count(afn_dataset_count(parts->test), count));
    if (parts->bad)
        cli_say(", %s left out that cannot be read", cli_count(parts->bad, count));
    if (parts->together)
        cli_say(
            "\n         %s %s kept on one side", cli_count(parts->together, count),
            cli_plural(parts->together, "near-duplicate is", "near-duplicates are"));
    cli_say("\nclasses  %d: ", classes);
    put_classes(parts->train);
}

int cli_class_weights(float **out, const afn_dataset *d, const char *how)
{
    afn_status st = AFN_OK;
    *out = NULL;
    if (!strcmp(how, "none")) return CLI_OK;
    float *weight = calloc((size_t)afn_dataset_classes(d), sizeof *weight);
    if (!weight) return cli_error("out of memory");
    if (!strcmp(how, "balanced"))
        afn_class_weights_balanced(weight, d);
    else
        st = afn_class_weights_read(weight, d, how);
    if (st != AFN_OK) {
        free(weight);
        return cli_fail(st);
    }
    *out = weight;
    return CLI_OK;
}

int cli_name_classes(afn_model *m, const afn_dataset *d)
{
    const int n = afn_dataset_classes(d);
    const char **name = calloc((size_t)n, sizeof *name);

    if (!name) return cli_error("out of memory");
    for (int i = 0; i < n; i++) name[i] = afn_dataset_class_name(d, i);
    const afn_status st = afn_model_set_class_names(m, name, n);
    free((void *)name);
    return st == AFN_OK ? CLI_OK : cli_fail(st);
}
