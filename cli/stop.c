/* SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L

#include "stop.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <time.h>
#include <unistd.h>

/* The signal that asked to stop, 0 = none, and when. */
static volatile sig_atomic_t stop_signal;
static struct timespec stop_time;

static const double together_s = 0.3;

/* The second one ends the program at once, unless it comes with the first: timeout(1)
 * and make send theirs to the child and then to its whole group. */
static void on_signal(int number)
{
    static const char said[] = "\nstopping soon, once more stops at once\n";
    const int error = errno;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    const double passed = (double)(now.tv_sec - stop_time.tv_sec) +
                          1e-9 * (double)(now.tv_nsec - stop_time.tv_nsec);
    if (stop_signal && passed > together_s) {
        signal(number, SIG_DFL);
        raise(number);
    }
    if (!stop_signal) {
        stop_time = now;
        stop_signal = number;
        const ssize_t n =
            isatty(STDERR_FILENO) ? write(STDERR_FILENO, said, sizeof said - 1) : 0;
        (void)n; /* a terminal that is gone is told nothing */
    }
    errno = error;
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
