/* SPDX-License-Identifier: Apache-2.0 */
/* afina models: the architectures that can be built. */
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "cli.h"

static bool matches(const char *pattern, const char *name)
{
    if (!pattern) return true;
    if (strpbrk(pattern, "*?[")) return fnmatch(pattern, name, 0) == 0;
    return strstr(name, pattern) != NULL;
}

static void put_header(void)
{
    printf("%-22s %9s %8s  %-7s %s\n", "name", "params/M", "GMACs", "input", "head");
}

static void put_row(const afn_arch_info *a)
{
    char input[32];
    snprintf(input, sizeof input, "%dx%d", a->crop, a->crop);
    printf("%-22s %9.2f %8.2f  %-7s %s\n", a->name, 1e-6 * (double)a->parameters,
           1e-9 * a->macs, input, a->head);
}

static int run(int argc, char **argv)
{
    cli_args args;
    int found = 0;

    const int code = cli_parse(&cli_cmd_models, argc, argv, NULL, &args);
    if (code != CLI_GO_ON) return code;
    const char *pattern = args.n ? args.operand[0] : NULL;
    for (int i = 0; i < afn_arch_count(); i++) {
        afn_arch_info a;
        const afn_status st = afn_arch_get(&a, i);
        if (st != AFN_OK) return cli_fail(st);
        if (!matches(pattern, a.name)) continue;
        if (!found++) put_header();
        put_row(&a);
    }
    if (!found) return cli_error("no model matches '%s'", pattern ? pattern : "*");
    return CLI_OK;
}

const cli_command cli_cmd_models = {
    .name = "models",
    .summary = "list the architectures",
    .operand = { "PATTERN" },
    .about = "Lists the architectures that afina can build, by torchvision's names: "
             "parameters with 1000 classes, multiply-accumulates for one image of the "
             "usual size, and the layer that is replaced for other classes. PATTERN is "
             "a part of the name, or a shell pattern such as 'resnet*'.",
    .run = run,
};
