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

static const double redraw_s = 0.1, plain_s = 30;
enum { BAR = 20, LEAST_BAR = 5, LINE_BYTES = 256 };

const char *const cli_progress_modes[] = {
    "auto", "bar", "plain", "json", "quiet", NULL
};
_Static_assert(CLI_PROGRESS_AUTO == 0 && CLI_PROGRESS_QUIET == 4,
               "cli_progress_modes[] in the order of cli_progress_mode");

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

char *cli_span(double seconds, char buf[CLI_SPAN_BYTES])
{
    const long s =
        isfinite(seconds) && seconds > 0 && seconds < 1e9 ? lround(seconds) : 0;
    if (s >= 3600)
        snprintf(buf, CLI_SPAN_BYTES, cli_text("%ld h %02ld min"), s / 3600,
                 s / 60 % 60);
    else if (s >= 60)
        snprintf(buf, CLI_SPAN_BYTES, cli_text("%ld min %02ld s"), s / 60, s % 60);
    else
        snprintf(buf, CLI_SPAN_BYTES, cli_text("%ld s"), s);
    return buf;
}

static bool can_redraw(void)
{
    const char *terminal = getenv("TERM");
    return isatty(STDERR_FILENO) && terminal && strcmp(terminal, "dumb") != 0;
}

void cli_progress_start(cli_progress *p, cli_progress_mode mode)
{
    if (mode == CLI_PROGRESS_AUTO)
        mode = can_redraw() ? CLI_PROGRESS_BAR : CLI_PROGRESS_PLAIN;
    *p = (cli_progress){ .mode = mode, .told_at = now_s() - redraw_s };
}

bool cli_progress_speaks(const cli_progress *p)
{
    return p->mode == CLI_PROGRESS_BAR || p->mode == CLI_PROGRESS_PLAIN;
}

/* ---- lines ---- */

/* "[######              ] ", as wide as there is room for; "" where that is little. */
static void put_bar(char bar[BAR + 4], double part, int room)
{
    const int width = room - 3 < BAR ? room - 3 : BAR;
    const int full = (int)(part * width);
    bar[0] = '\0';
    if (width < LEAST_BAR) return;
    bar[0] = '[';
    for (int i = 0; i < width; i++) bar[i + 1] = i < full ? '#' : ' ';
    strcpy(bar + width + 1, "] ");
}

static void draw(cli_progress *p, const char *line)
{
    fprintf(stderr, "\r%.*s\033[K", columns(), line);
    fflush(stderr);
    p->drawn = true;
    p->told_at = now_s();
}

/* Is a line due?  What is drawn anew may come more often than what stays. */
static bool is_due(const cli_progress *p)
{
    const double passed = now_s() - p->told_at;
    if (p->mode == CLI_PROGRESS_BAR) return !p->drawn || passed >= redraw_s;
    return p->mode == CLI_PROGRESS_PLAIN && passed >= plain_s;
}

/* What stands behind the bar. */
static void describe_step(char text[LINE_BYTES], const afn_progress *at)
{
    char left[CLI_SPAN_BYTES], all[CLI_SPAN_BYTES];
    const int n = snprintf(
        text, LINE_BYTES,
        cli_text("step %lld/%lld  loss %.4f acc %.1f %%  %.1f images/s  %s left"),
        (long long)at->step, (long long)at->steps, at->loss, 100 * at->acc,
        at->images_per_second, cli_span(at->seconds_left, left));
    if (isfinite(at->run_seconds_left) && at->run_seconds_left > at->seconds_left)
        snprintf(text + n, (size_t)(LINE_BYTES - n), cli_text(", %s in all"),
                 cli_span(at->run_seconds_left, all));
}

/* Draw "phase epoch [bar] text". */
static void draw_bar(cli_progress *p, double part, const char *text)
{
    char line[2 * LINE_BYTES], bar[BAR + 4];
    const afn_progress *at = &p->step;
    const int n =
        snprintf(line, sizeof line, "%.60s %d/%d  ", at->phase, at->epoch, at->of);
    put_bar(bar, part, columns() - n - cli_width(text));
    snprintf(line + n, sizeof line - (size_t)n, "%s%s", bar, text);
    draw(p, line);
}

void cli_progress_step(cli_progress *p, const afn_progress *at)
{
    char text[LINE_BYTES];
    const bool bar = p->mode == CLI_PROGRESS_BAR;
    p->step = *at;
    if (!is_due(p) && !(bar && at->step == at->steps)) return;
    describe_step(text, at);
    if (bar) {
        draw_bar(p, (double)at->step / (double)at->steps, text);
        return;
    }
    fprintf(stderr, "%s %d/%d  %s\n", at->phase, at->epoch, at->of, text);
    p->told_at = now_s();
}

void cli_progress_validation(cli_progress *p, int64_t batches, int64_t of)
{
    char text[LINE_BYTES];
    if (p->mode != CLI_PROGRESS_BAR || (!is_due(p) && batches != of)) return;
    snprintf(text, sizeof text, cli_text("validating %lld/%lld"), (long long)batches,
             (long long)of);
    draw_bar(p, (double)batches / (double)of, text);
}

void cli_progress_record(cli_progress *p, const char *line)
{
    if (p->mode != CLI_PROGRESS_JSON) return;
    puts(line);
    fflush(stdout);
}

void cli_progress_line(cli_progress *p, const char *line)
{
    if (p->mode == CLI_PROGRESS_BAR && is_due(p)) draw(p, line);
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
    if (!cli_progress_speaks(p)) return;
    cli_say("%s %d/%d  train loss %.4f acc %.2f %%", e->phase, e->epoch, e->of,
            e->train_loss, 100 * e->train_acc);
    if (!isnan(e->val_loss))
        cli_say("  val loss %.4f acc %.2f %%", e->val_loss, 100 * e->val_acc);
    cli_say("  %.1f images/s  %.1f s%s\n", e->images_per_second, e->seconds,
            e->best ? cli_text("  best") : "");
    fflush(stdout);
}
