/* SPDX-License-Identifier: Apache-2.0 */
/* Arguments that name pictures: files, folders, patterns, standard input. */
#ifndef AFN_CLI_PICTURES_ARG_H
#define AFN_CLI_PICTURES_ARG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <afina/afina.h>

typedef struct cli_pictures {
    afn_picture *picture; /* [n] names are owned */
    int64_t n, room;
    char *input; /* bytes of standard input, owned; NULL = not read */
} cli_pictures;

/* Add what one argument names:
 *   -         the picture whose bytes come from standard input
 *   a folder  the pictures in it and in its folders, told by content and in order of
 *             their names; names that begin with a dot are passed over
 *   a file    itself, whatever it is
 *   a pattern with *, ? or [...] that is no file itself: what it matches
 * Returns an exit code, after a message where it is CLI_FAILED. */
int cli_pictures_add(cli_pictures *p, const char *arg);

/* Add what the lines of a file name, one each: files and folders; "-" = standard input.
 * Returns an exit code, after a message for each line that names nothing. */
int cli_pictures_add_list(cli_pictures *p, const char *path);

void cli_pictures_free(cli_pictures *p);

#endif
