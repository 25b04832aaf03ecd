/* SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L

#include "stop.h"

#include <signal.h>
#include <stddef.h>
#include <time.h>

/* The signal that asked to stop, 0 = none, and when. */
static volatile sig_atomic_t stop_signal;
static time_t stop_time;

/* The second one ends the program at once, unless it comes with the first: timeout(1)
 * and make send theirs to the child and then to its whole group. */
static void on_signal(int number)
{
    const time_t now = time(NULL);
    if (stop_signal && now > stop_time + 1) {
        signal(number, SIG_DFL);
        raise(number);
    }
    if (stop_signal) return;
    stop_time = now;
    stop_signal = number;
}

/* A signal that was ignored from the start, as in a shell's background job, stays so.
 */
static void watch_signal(int number)
{
    struct sigaction action = { .sa_flags = SA_RESTART };
    struct sigaction old;

    if (sigaction(number, NULL, &old) == 0 && old.sa_handler == SIG_IGN) return;
    action.sa_handler = on_signal;
    sigemptyset(&action.sa_mask);
    sigaction(number, &action, NULL);
}

void cli_stop_watch(void)
{
    watch_signal(SIGINT);
    watch_signal(SIGTERM);
}

int cli_stop_signal(void)
{
    return stop_signal;
}
