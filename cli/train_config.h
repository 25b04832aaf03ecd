/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of a run as an object of config.json, and read back from there. */
#ifndef AFN_CLI_TRAIN_CONFIG_H
#define AFN_CLI_TRAIN_CONFIG_H

#include "train_args.h"

/* {"data":"photos","folder":"/home/ana","val":0.2,...}: the data, the folder in which
 * relative names mean what they say, and each option as it was understood, without
 * those of one call.  Free it with free(); NULL where memory ran out. */
char *cli_train_config(const cli_command *c, const train_args *o);

/* The object in config.json of a run folder, NULL where there is none that can be read;
 * json_decref() it. */
struct json_t;
struct json_t *cli_train_config_read(const char *run);

#endif
