/* SPDX-License-Identifier: Apache-2.0 */
/* Ctrl-C and the like: asked to stop, a command ends what it is doing and leaves files
 * whole. */
#ifndef AFN_CLI_STOP_H
#define AFN_CLI_STOP_H

/* Note SIGINT and SIGTERM from now on instead of dying of them; the second one,
 * unless it comes with the first, ends the program at once. */
void cli_stop_watch(void);

/* The signal that asked to stop, 0 = none. */
int cli_stop_signal(void);

#endif
