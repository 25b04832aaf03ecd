/* SPDX-License-Identifier: Apache-2.0 */
#include "report/html.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* ---- text ---- */

static const char *entity(unsigned char c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return c < 0x20 || c == 0x7f ? "\xef\xbf\xbd" : NULL;
    }
}

void afn_html_text(afn_buf *b, const char *text)
{
    for (const char *s = text; *s;) {
        const size_t n = afn_utf8_length(s);
        const char *instead = n ? entity((unsigned char)*s) : "\xef\xbf\xbd";
        if (instead)
            afn_buf_str(b, instead);
        else
            afn_buf_add(b, s, n);
        s += n ? n : 1;
    }
}

void afn_html_say(afn_buf *b, const char *fmt, ...)
{
    char text[1024]; /* enough for the sentences of a page */
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, afn_translated(fmt), args);
    va_end(args);
    afn_html_text(b, text);
}

void afn_html_heading(afn_buf *b, const char *element, const char *text)
{
    afn_buf_fmt(b, "<%s>", element);
    afn_html_text(b, text);
    afn_buf_fmt(b, "</%s>\n", element);
}

void afn_html_columns(afn_buf *b, const char *const *column, int n)
{
    afn_buf_str(b, "<div class=\"scroll\"><table><thead><tr>");
    for (int i = 0; i < n; i++) {
        afn_buf_fmt(b, "<th scope=\"col\"%s>", i ? "" : " class=\"left\"");
        afn_html_text(b, column[i]);
        afn_buf_str(b, "</th>");
    }
    afn_buf_str(b, "</tr></thead><tbody>\n");
}

/* ---- numbers ---- */

void afn_html_number(afn_buf *b, double v, int decimals)
{
    if (isfinite(v))
        afn_buf_fmt(b, "%.*f", decimals, v);
    else
        afn_buf_str(b, "–");
}

void afn_html_percent(afn_buf *b, double v)
{
    afn_html_number(b, 100 * v, 2);
    if (isfinite(v)) afn_buf_str(b, "\xc2\xa0%");
}

/* ---- drawings ---- */

void afn_svg_begin(afn_buf *b, const afn_svg *s)
{
    afn_buf_fmt(b,
                "<svg viewBox=\"0 0 %d %d\" role=\"img\" "
                "aria-labelledby=\"%s-title %s-desc\"><title id=\"%s-title\">",
                s->width, s->height, s->id, s->id, s->id);
    afn_html_text(b, s->title);
    afn_buf_fmt(b, "</title><desc id=\"%s-desc\">", s->id);
    afn_html_text(b, s->description);
    afn_buf_str(b, "</desc>\n");
}

void afn_svg_end(afn_buf *b)
{
    afn_buf_str(b, "</svg>\n");
}
