/* SPDX-License-Identifier: Apache-2.0 */
/* Can a run folder be written?  Asked before any slow work. */
#ifndef AFN_CLI_OUT_FOLDER_H
#define AFN_CLI_OUT_FOLDER_H

#include <stdbool.h>

/* Try to make the folder and a file in it, and take both away again; says what is wrong
 * as a message. */
bool cli_out_folder_check(const char *path);

#endif
