/* SPDX-License-Identifier: Apache-2.0 */
/* A profile for people to read: the steps with the longest first, or sums over the
 * kinds of steps. */
#ifndef AFN_CLI_PROFILE_OUT_H
#define AFN_CLI_PROFILE_OUT_H

#include <afina/afina.h>

/* Print one line for each row, sorted by time.
 *   seconds  whole time that the shares are of: what is not in a row is "other" */
int cli_profile_steps(const afn_profile *p, double seconds);

/* Print one line for each kind of step and pass. */
int cli_profile_kinds(const afn_profile *p, double seconds);

enum { CLI_KIND_BYTES = 64 };

/* "conv2d backward", written into buf; returns buf. */
char *cli_profile_kind(const afn_profile_row *r, char buf[CLI_KIND_BYTES]);

#endif
