/* SPDX-License-Identifier: Apache-2.0 */
/* The progress line goes to stderr, so that stdout holds results alone. */
#define _POSIX_C_SOURCE 200809L

#include "progress.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "cli.h"

static const double redraw_s = 0.1;

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Columns that can be filled without wrapping. */
static int columns(void)
{
    struct winsize size;
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col < 2) return 79;
    return size.ws_col - 1;
}

/* "1 h 02 min", "3 min 20 s", "45 s". */
static void put_span(char *buf, size_t bytes, double seconds)
{
    const long s =
        isfinite(seconds) && seconds > 0 && seconds < 1e9 ? lround(seconds) : 0;
    if (s >= 3600)
        snprintf(buf, bytes, "%ld h %02ld min", s / 3600, s / 60 % 60);
    else if (s >= 60)
        snprintf(buf, bytes, "%ld min %02ld s", s / 60, s % 60);
    else
        snprintf(buf, bytes, "%ld s", s);
}

void cli_progress_start(cli_progress *p, bool quiet)
{
    const char *terminal = getenv("TERM");
    *p = (cli_progress){ .live = !quiet && isatty(STDERR_FILENO) && terminal &&
                                 strcmp(terminal, "dumb") != 0,
                         .drawn_at = -1 };
}

void cli_progress_step(cli_progress *p, const afn_progress *at)
{
    char line[256], left[32];

    const double now = p->live ? now_s() : 0;
    const bool last = at->step == at->steps;
    if (!p->live || (!last && p->drawn && now - p->drawn_at < redraw_s)) return;
    put_span(left, sizeof left, at->seconds_left);
    snprintf(line, sizeof line,
             "%s %d/%d  step %lld/%lld  loss %.4f  %.1f images/s  %s left%s", at->phase,
             at->epoch, at->of, (long long)at->step, (long long)at->steps, at->loss,
             at->images_per_second, left, last ? ", finishing epoch" : "");
    fprintf(stderr, "\r%.*s\033[K", columns(), line);
    fflush(stderr);
    p->drawn = true;
    p->drawn_at = now;
}

void cli_progress_line(cli_progress *p, const char *line)
{
    const double now = p->live ? now_s() : 0;
    if (!p->live || (p->drawn && now - p->drawn_at < redraw_s)) return;
    fprintf(stderr, "\r%.*s\033[K", columns(), line);
    fflush(stderr);
    p->drawn = true;
    p->drawn_at = now;
}

void cli_progress_clear(cli_progress *p)
{
    if (!p->drawn) return;
    fputs("\r\033[K", stderr);
    fflush(stderr);
    p->drawn = false;
}

void cli_progress_epoch(cli_progress *p, const afn_epoch *e)
{
    cli_progress_clear(p);
    printf("%s %d/%d  train loss %.4f acc %.2f %%", e->phase, e->epoch, e->of,
           e->train_loss, 100 * e->train_acc);
    if (!isnan(e->val_loss))
        printf("  val loss %.4f acc %.2f %%", e->val_loss, 100 * e->val_acc);
    printf("  %.1f images/s  %.1f s%s\n", e->images_per_second, e->seconds,
           e->best ? "  best" : "");
    fflush(stdout);
}
