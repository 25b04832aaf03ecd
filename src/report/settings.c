/* SPDX-License-Identifier: Apache-2.0 */
/* Settings are shown as config.json has them, whatever they are: an object in an object
 * becomes a name with a dot, and one in a list a name with its place. */
#define _POSIX_C_SOURCE 200809L /* gmtime_r */
#include <stdlib.h>
#include <time.h>

#include "report/page.h"

enum { DEEPEST = 4 };

static void put_row(afn_buf *b, const char *name, const char *value)
{
    afn_buf_str(b, "<tr><th scope=\"row\" class=\"name\">");
    afn_html_text(b, name);
    afn_buf_str(b, "</th><td class=\"left wrap\">");
    afn_html_text(b, value);
    afn_buf_str(b, "</td></tr>\n");
}

/* Text as it is, anything else as JSON. */
static void put_value(afn_buf *b, const char *name, const json_t *v)
{
    if (json_is_string(v)) {
        put_row(b, name, json_string_value(v));
        return;
    }
    char *text = json_dumps(v, JSON_ENCODE_ANY | JSON_REAL_PRECISION(9));
    if (text)
        put_row(b, name, text);
    else
        b->failed = true;
    free(text); /* jansson's own */
}

static void put_object(afn_buf *b, const char *prefix, const json_t *object, int depth);

/* A list of objects; they are called by their names where they have some. */
static void put_list(afn_buf *b, const char *prefix, const json_t *list, int depth)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *object = json_array_get(list, i);
        const char *called = json_string_value(json_object_get(object, "name"));
        char *name = called ? afn_format("%s.%s", prefix, called)
                            : afn_format("%s.%zu", prefix, i + 1);
        if (name)
            put_object(b, name, object, depth + 1);
        else
            b->failed = true;
        afn_free(name);
    }
}

static void put_any(afn_buf *b, const char *name, const json_t *value, int depth)
{
    const bool deeper = depth < DEEPEST;
    if (json_is_object(value) && json_object_size(value) && deeper)
        put_object(b, name, value, depth + 1);
    else if (json_is_object(json_array_get(value, 0)) && deeper)
        put_list(b, name, value, depth);
    else
        put_value(b, name, value);
}

static void put_object(afn_buf *b, const char *prefix, const json_t *object, int depth)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)object, key, value)
    {
        char *name = *prefix ? afn_format("%s.%s", prefix, key) : afn_strdup(key);
        if (name)
            put_any(b, name, value, depth);
        else
            b->failed = true;
        afn_free(name);
    }
}

static void put_made_with(afn_buf *b)
{
    char cpu[AFN_CPU_NAME_BYTES], date[40] = "";
    const time_t now = time(NULL);
    struct tm utc;
    if (gmtime_r(&now, &utc)) strftime(date, sizeof date, "%Y-%m-%d %H:%M UTC", &utc);
    put_row(b, afn_translated("page made by afina"), afn_version());
    put_row(b, afn_translated("page made on"), date);
    put_row(b, afn_translated("processor"), afn_cpu_name(cpu));
}

void afn_report_settings(afn_buf *b, const afn_page *p)
{
    afn_buf_str(b, "<section id=\"settings\">");
    afn_html_heading(b, "h2", afn_translated("Settings and environment"));
    afn_buf_str(b, "<div class=\"scroll\"><table class=\"settings\"><tbody>\n");
    if (json_is_object(p->log->config)) put_object(b, "", p->log->config, 0);
    put_made_with(b);
    afn_buf_str(b, "</tbody></table></div></section>\n");
}
