/* SPDX-License-Identifier: Apache-2.0 */
#include "report/html.h"

#include <math.h>
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
