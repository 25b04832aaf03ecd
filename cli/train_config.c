/* SPDX-License-Identifier: Apache-2.0 */
#define _XOPEN_SOURCE 700 /* getcwd */
#include "train_config.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "json_out.h"

static json_t *value_of(const cli_option *o, const void *at)
{
    const char *text = o->type == CLI_TEXT ? *(const char *const *)at : NULL;
    switch (o->type) {
    case CLI_FLAG:
        return json_boolean(*(const bool *)at);
    case CLI_INT:
        return json_integer(*(const int64_t *)at);
    case CLI_REAL:
        return cli_json_number(*(const double *)at);
    case CLI_TEXT:
        return text ? cli_json_text(text) : json_null();
    case CLI_CHOICE: {
        const int i = *(const int *)at;
        return i >= 0 ? json_string(o->choice[i]) : json_null();
    }
    case CLI_N_TYPES:
        break;
    }
    return NULL;
}

json_t *cli_train_config_read(const char *run)
{
    char path[PATH_MAX];
    if (snprintf(path, sizeof path, "%s/config.json", run) >= (int)sizeof path)
        return NULL;
    json_t *config = json_load_file(path, 0, NULL);
    json_t *command = json_incref(json_object_get(config, "command"));
    json_decref(config);
    return command;
}

char *cli_train_config(const cli_command *c, const train_args *o)
{
    char folder[PATH_MAX];
    json_t *object = json_object();
    json_object_set_new(object, "data", cli_json_text(o->source));
    if (getcwd(folder, sizeof folder))
        json_object_set_new(object, "folder", cli_json_text(folder));
    for (int i = 0; cli_option_at(c, i); i++) {
        const cli_option *option = cli_option_at(c, i);
        if (!option->of_call)
            json_object_set_new(object, option->name,
                                value_of(option, (const char *)o + option->at));
    }
    char *text = json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(10));
    json_decref(object);
    return text;
}
