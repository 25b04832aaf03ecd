/* SPDX-License-Identifier: Apache-2.0 */
#include "report/page.h"

#include <math.h>

#include "report/curves.h"

static void put_head(afn_buf *b, const afn_page *p)
{
    /* The policy lets the page load nothing from anywhere. */
    afn_buf_str(b, "<!doctype html>\n<html lang=\"");
    afn_html_say(b, "en"); /* the code of the language that this is translated to */
    afn_buf_str(b, "\"><head><meta charset=\"utf-8\">\n"
                   "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src "
                   "'none'; img-src data:; style-src 'unsafe-inline'; script-src "
                   "'unsafe-inline'\">\n"
                   "<meta name=\"viewport\" content=\"width=device-width, "
                   "initial-scale=1\">\n<title>");
    afn_html_text(b, p->title);
    afn_buf_str(b, "</title>\n<style>\n");
    for (int i = 0; afn_report_style[i]; i++) afn_buf_str(b, afn_report_style[i]);
    afn_buf_str(b, "</style></head>\n<body>\n<header><h1>");
    afn_html_text(b, p->title);
    afn_buf_str(b, "</h1></header>\n<main>\n");
}

static void put_foot(afn_buf *b)
{
    afn_buf_str(b, "</main>\n<footer>");
    afn_html_say(b, "Made by afina %s.", afn_version());
    afn_buf_str(b, "</footer>\n");
    /* On paper all is unfolded; what was folded is so again afterwards. */
    afn_buf_str(b, "<script>\n"
                   "addEventListener('beforeprint',function(){document."
                   "querySelectorAll('details:not([open])').forEach(function(d){"
                   "d.open=true;d.dataset.folded=1})});\n"
                   "addEventListener('afterprint',function(){document."
                   "querySelectorAll('details[data-folded]').forEach(function(d){"
                   "d.open=false;delete d.dataset.folded})});\n"
                   "</script>\n</body></html>\n");
}

/* ---- summary ---- */

static void begin_fact(afn_buf *b, const char *name, bool main)
{
    afn_buf_fmt(b, "<div%s><dt>", main ? " class=\"main\"" : "");
    afn_html_text(b, name);
    afn_buf_str(b, "</dt><dd>");
}

static void end_fact(afn_buf *b, const char *note)
{
    if (note) afn_html_heading(b, "small", note);
    afn_buf_str(b, "</dd></div>\n");
}

static double all_seconds(const afn_run_log *log)
{
    double sum = 0;
    for (int i = 0; i < log->n; i++)
        if (isfinite(log->epoch[i].seconds)) sum += log->epoch[i].seconds;
    return sum;
}

static void put_measured(afn_buf *b, const afn_page *p)
{
    const afn_metrics *m = p->metrics;
    begin_fact(b, afn_translated("Validation accuracy"), true);
    afn_html_percent(b, m->accuracy.value);
    afn_buf_str(b, "<small>");
    afn_html_say(b, "95 %% interval %.1f to %.1f %%", 100 * m->accuracy.low,
                 100 * m->accuracy.high);
    afn_buf_str(b, "</small>");
    end_fact(b, NULL);
    begin_fact(b, afn_translated("Validation images"), false);
    afn_buf_fmt(b, "%lld", (long long)m->count);
    if (p->scores->skipped) {
        afn_buf_str(b, "<small>");
        afn_html_say(b, "%lld could not be read", (long long)p->scores->skipped);
        afn_buf_str(b, "</small>");
    }
    end_fact(b, NULL);
    begin_fact(b, afn_translated("Macro F1"), false);
    afn_html_percent(b, m->macro.f1);
    end_fact(b, NULL);
    begin_fact(b, "ROC AUC", false);
    afn_html_number(b, m->auc, 4);
    end_fact(b, NULL);
}

static void put_best(afn_buf *b, const afn_run_log *log, bool accuracy)
{
    const afn_logged *e = &log->epoch[log->best];
    if (isfinite(e->val_acc) && accuracy) {
        begin_fact(b, afn_translated("Validation accuracy"), true);
        afn_html_percent(b, e->val_acc);
        end_fact(b, afn_translated("of the epoch that was kept"));
    }
    begin_fact(b, afn_translated("Kept epoch"), false);
    afn_html_text(b, log->phase[e->phase]);
    afn_buf_fmt(b, " %d", e->epoch);
    end_fact(b, isfinite(e->val_acc)
                    ? NULL
                    : afn_translated("the last: there is no validation"));
    begin_fact(b,
               isfinite(e->val_loss) ? afn_translated("Validation loss")
                                     : afn_translated("Training loss"),
               false);
    afn_html_number(b, isfinite(e->val_loss) ? e->val_loss : e->train_loss, 4);
    end_fact(b, NULL);
}

static void put_summary(afn_buf *b, const afn_page *p)
{
    const double seconds = all_seconds(p->log);
    afn_buf_str(b, "<section id=\"summary\">");
    afn_html_heading(b, "h2", afn_translated("Summary"));
    afn_buf_str(b, "<dl class=\"facts\">\n");
    if (p->scores) put_measured(b, p);
    if (p->log->best >= 0) put_best(b, p->log, !p->scores);
    if (p->model) {
        begin_fact(b, afn_translated("Model"), false);
        afn_html_text(b, afn_model_arch(p->model));
        afn_html_say(b, ", %d classes", afn_model_classes(p->model));
        end_fact(b, NULL);
    }
    begin_fact(b, afn_translated("Epochs"), false);
    if (p->log->n_phases == 1)
        afn_html_say(b, "%d in 1 phase", p->log->n);
    else
        afn_html_say(b, "%d in %d phases", p->log->n, p->log->n_phases);
    end_fact(b, NULL);
    begin_fact(b, afn_translated("Time of the epochs"), false);
    if (seconds >= 3600)
        afn_buf_fmt(b, "%.0f h %.0f min", floor(seconds / 3600),
                    floor(fmod(seconds, 3600) / 60));
    else if (seconds >= 60)
        afn_buf_fmt(b, "%.0f min %.0f s", floor(seconds / 60), fmod(seconds, 60));
    else
        afn_buf_fmt(b, "%.1f s", seconds);
    end_fact(b, NULL);
    afn_buf_str(b, "</dl></section>\n");
}

/* ---- epochs ---- */

static void put_cell(afn_buf *b, double v, bool percent)
{
    afn_buf_str(b, "<td>");
    if (percent)
        afn_html_percent(b, v);
    else
        afn_html_number(b, v, 4);
    afn_buf_str(b, "</td>");
}

static void put_epoch(afn_buf *b, const afn_run_log *log, int i)
{
    const afn_logged *e = &log->epoch[i];
    afn_buf_fmt(b, "<tr%s><th scope=\"row\">", i == log->best ? " class=\"kept\"" : "");
    afn_html_text(b, log->phase[e->phase]);
    afn_buf_fmt(b, " %d", e->epoch);
    if (i == log->best) afn_html_say(b, " (kept)");
    afn_buf_str(b, "</th>");
    put_cell(b, e->train_loss, false);
    put_cell(b, e->train_acc, true);
    put_cell(b, e->val_loss, false);
    put_cell(b, e->val_acc, true);
    afn_buf_fmt(b, "<td>%g</td><td>", e->lr);
    afn_html_number(b, e->images_per_second, 1);
    afn_buf_str(b, "</td><td>");
    afn_html_number(b, e->seconds, 2);
    afn_buf_str(b, "</td></tr>\n");
}

static void put_epochs(afn_buf *b, const afn_page *p)
{
    const char *const column[] = { afn_translated("epoch"),
                                   afn_translated("training loss"),
                                   afn_translated("training accuracy"),
                                   afn_translated("validation loss"),
                                   afn_translated("validation accuracy"),
                                   afn_translated("learning rate"),
                                   afn_translated("images/s"),
                                   afn_translated("seconds") };
    afn_buf_str(b, "<section id=\"epochs\">");
    afn_html_heading(b, "h2", afn_translated("Training"));
    if (!p->log->n) {
        afn_html_heading(b, "p", afn_translated("No epoch was finished."));
        afn_buf_str(b, "</section>\n");
        return;
    }
    afn_report_curves(b, p->log);
    afn_buf_str(b, "<details>");
    afn_html_heading(b, "summary", afn_translated("All epochs as a table"));
    afn_html_columns(b, column, AFN_COUNT(column));
    for (int i = 0; i < p->log->n; i++) put_epoch(b, p->log, i);
    afn_buf_str(b, "</tbody></table></div></details></section>\n");
}

static afn_status put_evaluation(afn_buf *b, const afn_page *p)
{
    if (!p->scores) {
        afn_buf_str(b, "<section id=\"evaluation\">");
        afn_html_heading(b, "h2", afn_translated("Evaluation"));
        afn_html_heading(
            b, "p",
            afn_translated("There were no validation images, or they were not at hand "
                           "when this page was made, so nothing can be said about "
                           "single classes."));
        afn_buf_str(b, "</section>\n");
        return AFN_OK;
    }
    afn_report_matrix(b, p);
    afn_report_classes(b, p);
    afn_report_sureness(b, p);
    return afn_report_pictures(b, p);
}

afn_status afn_report_page(afn_buf *b, const afn_page *p)
{
    put_head(b, p);
    put_summary(b, p);
    put_epochs(b, p);
    const afn_status st = put_evaluation(b, p);
    afn_report_settings(b, p);
    put_foot(b);
    return st;
}
