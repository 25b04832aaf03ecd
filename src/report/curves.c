/* SPDX-License-Identifier: Apache-2.0 */
/* A chart is small in its own units and as wide as its column, so that its text stays
 * readable on a phone.  Lines differ by colour and by dash, and carry their names. */
#include "report/curves.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "report/html.h"

enum {
    WIDTH = 360,
    HEIGHT = 220,
    LEFT = 46,
    RIGHT = 12,
    TOP = 24,
    BOTTOM = 30,
    MOST_POINTS = 720, /* of a line: more epochs are thinned out */
    MOST_DOTS = 60     /* epochs up to which each has a dot with its number */
};

typedef struct line {
    const char *name;  /* for the legend */
    const char *class; /* in style.c */
    size_t at;         /* offsetof() the number in afn_logged */
} line;

typedef struct chart {
    afn_svg svg;
    line line[2];
    int n_lines;
    bool percent;
    bool can_be_log; /* logarithmic where the numbers span much */
} chart;

/* A chart's scale over one log. */
typedef struct scale {
    const afn_run_log *log;
    double low, high; /* of the numbers, or of their logarithms */
    bool logarithmic;
} scale;

static double number_at(const afn_logged *e, const line *l)
{
    double v;
    memcpy(&v, (const char *)e + l->at, sizeof v);
    return v;
}

/* ---- scales ---- */

double afn_tick_step(double range, int n)
{
    const double rough = range / n;
    const double power = pow(10, floor(log10(rough)));
    const double first = rough / power;
    return (first > 5 ? 10 : first > 2 ? 5 : first > 1 ? 2 : 1) * power;
}

char *afn_tick_text(double v, double step, char buf[AFN_TICK_BYTES])
{
    int decimals = (int)ceil(-log10(step) - 1e-9);
    decimals = decimals < 0 ? 0 : decimals > 8 ? 8 : decimals;
    snprintf(buf, AFN_TICK_BYTES, "%.*f", decimals, v);
    return buf;
}

/* Smallest and largest number of all lines; false where there is none. */
static bool find_range(scale *s, const chart *c)
{
    s->low = INFINITY;
    s->high = -INFINITY;
    for (int i = 0; i < s->log->n; i++)
        for (int k = 0; k < c->n_lines; k++) {
            const double v = number_at(&s->log->epoch[i], &c->line[k]);
            if (!isfinite(v)) continue;
            if (v < s->low) s->low = v;
            if (v > s->high) s->high = v;
        }
    return s->low <= s->high;
}

static void widen(scale *s, const chart *c)
{
    enum { MUCH = 20 };
    s->logarithmic = c->can_be_log && s->low > 0 && s->high / s->low >= MUCH;
    if (s->logarithmic) {
        s->low = floor(log10(s->low));
        s->high = ceil(log10(s->high));
        return;
    }
    if (s->high - s->low < 1e-9 * (1 + fabs(s->high))) {
        s->low -= s->low != 0 ? 0.5 * fabs(s->low) : 0.5;
        s->high += s->high != 0 ? 0.5 * fabs(s->high) : 0.5;
    }
    const double step = afn_tick_step(s->high - s->low, 4);
    s->low = step * floor(s->low / step + 1e-9);
    s->high = step * ceil(s->high / step - 1e-9);
    if (c->percent && s->high > 1) s->high = 1;
}

static double x_of(const scale *s, double epoch)
{
    const double wide = WIDTH - LEFT - RIGHT;
    return s->log->n > 1 ? LEFT + wide * epoch / (s->log->n - 1) : LEFT + wide / 2;
}

static double y_of(const scale *s, double v)
{
    const double at = s->logarithmic ? log10(v) : v;
    return TOP + (HEIGHT - TOP - BOTTOM) * (s->high - at) / (s->high - s->low);
}

/* ---- axes ---- */

static void put_level(afn_buf *b, double y, const char *text)
{
    afn_buf_fmt(b,
                "<path class=\"grid\" d=\"M%d %.1fH%d\"/><text x=\"%d\" y=\"%.1f\" "
                "text-anchor=\"end\">%s</text>\n",
                LEFT, y, WIDTH - RIGHT, LEFT - 5, y + 4, text);
}

static void put_levels(afn_buf *b, const scale *s, const chart *c)
{
    char text[AFN_TICK_BYTES];
    if (s->logarithmic) {
        for (double e = s->low; e <= s->high; e++) {
            snprintf(text, sizeof text, "%g", pow(10, e));
            put_level(b, y_of(s, pow(10, e)), text);
        }
        return;
    }
    const double unit = c->percent ? 100 : 1;
    const double step = afn_tick_step(s->high - s->low, 4);
    for (int i = 0; s->low + i * step <= s->high + 1e-9 * step; i++) {
        const double v = s->low + i * step;
        afn_tick_text(unit * v, unit * step, text);
        if (c->percent) strcat(text, "%");
        put_level(b, y_of(s, v), text);
    }
}

static void put_epochs(afn_buf *b, const scale *s)
{
    const int n = s->log->n;
    int step = n > 1 ? (int)afn_tick_step(n, 6) : 1;
    if (step < 1) step = 1;
    for (int i = 0; i < n; i++) {
        if ((i + 1) % step && n > 1) continue;
        afn_buf_fmt(b, "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%d</text>\n",
                    x_of(s, i), HEIGHT - BOTTOM + 15, i + 1);
    }
    afn_buf_fmt(b, "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">", WIDTH - RIGHT,
                HEIGHT - 2);
    afn_html_say(b, "epoch");
    afn_buf_str(b, "</text>\n");
}

/* A name is left out where its phase is too narrow for it. */
static void put_phase(afn_buf *b, const scale *s, int phase, int first, int last)
{
    enum { LETTER = 7 };
    const double from = first ? x_of(s, first - 0.5) : LEFT;
    const double to = last + 1 < s->log->n ? x_of(s, last + 0.5) : WIDTH - RIGHT;
    if (first)
        afn_buf_fmt(b, "<path class=\"phase\" d=\"M%.1f %dV%d\"/>", from, TOP,
                    HEIGHT - BOTTOM);
    if (to - from < LETTER * (double)strlen(s->log->phase[phase])) return;
    afn_buf_fmt(b, "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">", (from + to) / 2,
                TOP - 8);
    afn_html_text(b, s->log->phase[phase]);
    afn_buf_str(b, "</text>\n");
}

static void put_phases(afn_buf *b, const scale *s)
{
    int first = 0;
    for (int i = 1; i <= s->log->n; i++) {
        if (i < s->log->n && s->log->epoch[i].phase == s->log->epoch[first].phase)
            continue;
        put_phase(b, s, s->log->epoch[first].phase, first, i - 1);
        first = i;
    }
}

/* ---- lines ---- */

static void put_path(afn_buf *b, const scale *s, const line *l)
{
    const int n = s->log->n, step = (n + MOST_POINTS - 1) / MOST_POINTS;
    bool pen_up = true;
    afn_buf_fmt(b, "<path class=\"line %s\" d=\"", l->class);
    for (int i = 0; i < n; i += i + step < n || i == n - 1 ? step : n - 1 - i) {
        const double v = number_at(&s->log->epoch[i], l);
        if (isfinite(v))
            afn_buf_fmt(b, "%c%.1f %.1f", pen_up ? 'M' : 'L', x_of(s, i), y_of(s, v));
        pen_up = !isfinite(v);
    }
    afn_buf_str(b, "\"/>\n");
}

static void put_number(afn_buf *b, const chart *c, double v)
{
    if (c->percent)
        afn_html_percent(b, v);
    else if (c->can_be_log)
        afn_buf_fmt(b, "%g", v);
    else
        afn_html_number(b, v, 4);
}

/* Dots say their number when pointed at. */
static void put_dots(afn_buf *b, const scale *s, const chart *c, const line *l)
{
    for (int i = 0; i < s->log->n && s->log->n <= MOST_DOTS; i++) {
        const afn_logged *e = &s->log->epoch[i];
        const double v = number_at(e, l);
        if (!isfinite(v)) continue;
        afn_buf_fmt(b, "<circle class=\"%s\" cx=\"%.1f\" cy=\"%.1f\" r=\"%s\"><title>",
                    l->class, x_of(s, i), y_of(s, v),
                    i == s->log->best ? "4.5" : "2.5");
        afn_html_text(b, s->log->phase[e->phase]);
        afn_html_say(b, " epoch %d, %s: ", e->epoch, l->name);
        put_number(b, c, v);
        if (i == s->log->best) afn_html_say(b, " (kept)");
        afn_buf_str(b, "</title></circle>\n");
    }
}

static void put_legend(afn_buf *b, const chart *c)
{
    afn_buf_str(b, "<figcaption>");
    for (int k = 0; k < c->n_lines; k++)
        afn_buf_fmt(
            b,
            "<span class=\"key\"><svg viewBox=\"0 0 24 8\" aria-hidden=\"true\">"
            "<path class=\"line %s\" d=\"M0 4H24\"/></svg>%s</span>",
            c->line[k].class, c->line[k].name);
    afn_buf_str(b, "</figcaption>");
}

static void put_chart(afn_buf *b, const afn_run_log *log, const chart *c)
{
    scale s = { .log = log };
    if (!find_range(&s, c)) return;
    widen(&s, c);
    afn_buf_str(b, "<figure>");
    afn_html_heading(b, "h3", c->svg.title);
    afn_svg_begin(b, &c->svg);
    put_levels(b, &s, c);
    put_epochs(b, &s);
    put_phases(b, &s);
    for (int k = 0; k < c->n_lines; k++) {
        put_path(b, &s, &c->line[k]);
        put_dots(b, &s, c, &c->line[k]);
    }
    afn_svg_end(b);
    if (c->n_lines > 1) put_legend(b, c);
    afn_buf_str(b, "</figure>\n");
}

void afn_report_curves(afn_buf *b, const afn_run_log *log)
{
#define LINE(name, class, field)                                                       \
    {                                                                                  \
        name, class, offsetof(afn_logged, field)                                       \
    }
    const char *const training = afn_translated("training");
    const char *const validation = afn_translated("validation");
    const chart charts[] = {
        { .svg = { "loss", afn_translated("Loss"),
                   afn_translated("Mean loss of each epoch, lower is better."), WIDTH,
                   HEIGHT },
          .line = { LINE(training, "train", train_loss),
                    LINE(validation, "val", val_loss) },
          .n_lines = 2 },
        { .svg = { "accuracy", afn_translated("Accuracy"),
                   afn_translated("Share of images that were right in each epoch, "
                                  "higher is better."),
                   WIDTH, HEIGHT },
          .line = { LINE(training, "train", train_acc),
                    LINE(validation, "val", val_acc) },
          .n_lines = 2,
          .percent = true },
        { .svg = { "rate", afn_translated("Learning rate"),
                   afn_translated("Learning rate of each epoch."), WIDTH, HEIGHT },
          .line = { LINE(afn_translated("learning rate"), "other", lr) },
          .n_lines = 1,
          .can_be_log = true },
    };
#undef LINE
    afn_buf_str(b, "<div class=\"charts\">\n");
    for (size_t i = 0; i < AFN_COUNT(charts); i++) put_chart(b, log, &charts[i]);
    afn_buf_str(b, "</div>\n");
}
