/* SPDX-License-Identifier: Apache-2.0 */
/* What the model says about the validation images: which classes it takes for which,
 * each class's numbers, and whether it is as sure as it is right. */
#include <math.h>
#include <stdlib.h>

#include "report/page.h"

enum {
    MOST_CELLS = 30,   /* classes up to which the matrix is a table with numbers */
    MOST_BLOCKS = 100, /* of a drawn matrix: more classes share a block */
    OPEN_CLASSES = 50, /* classes up to which their table is unfolded */
    MOST_PAIRS = 15
};

void afn_report_class(afn_buf *b, const afn_page *p, int c)
{
    const char *name = afn_model_class_name(p->model, c);
    if (name)
        afn_html_text(b, name);
    else
        afn_buf_fmt(b, "%d", c);
}

static int64_t cell(const afn_metrics *m, int truth, int said)
{
    return m->confusion[(size_t)truth * (size_t)m->classes + (size_t)said];
}

/* Shade 0 to 5 of a share; right answers are blue, wrong ones red. */
static const char *shade(double share, bool right, char text[3])
{
    const int level = share <= 0 ? 0 : share >= 1 ? 5 : 1 + (int)(share * 4.999);
    text[0] = right || !level ? 's' : 'w';
    text[1] = (char)('0' + (level > 5 ? 5 : level));
    text[2] = 0;
    return text;
}

static void put_matrix_row(afn_buf *b, const afn_page *p, int i)
{
    const afn_metrics *m = p->metrics;
    char text[3];
    afn_buf_str(b, "<tr><th scope=\"row\" class=\"name\">");
    afn_report_class(b, p, i);
    afn_buf_str(b, "</th>");
    for (int j = 0; j < m->classes; j++) {
        const double images = (double)m->per_class[i].images;
        const int64_t n = cell(m, i, j);
        afn_buf_fmt(b, "<td class=\"%s\">%lld</td>",
                    shade(images > 0 ? (double)n / images : 0, i == j, text),
                    (long long)n);
    }
    afn_buf_str(b, "</tr>\n");
}

static void put_matrix_table(afn_buf *b, const afn_page *p)
{
    afn_buf_str(b, "<div class=\"scroll\"><table class=\"matrix\"><thead><tr>"
                   "<th scope=\"col\" class=\"left\">");
    afn_html_say(b, "true \\ predicted");
    afn_buf_str(b, "</th>");
    for (int j = 0; j < p->metrics->classes; j++) {
        afn_buf_str(b, "<th scope=\"col\">");
        afn_report_class(b, p, j);
        afn_buf_str(b, "</th>");
    }
    afn_buf_str(b, "</tr></thead><tbody>\n");
    for (int i = 0; i < p->metrics->classes; i++) put_matrix_row(b, p, i);
    afn_buf_str(b, "</tbody></table></div>\n");
}

/* Images of a block of classes that were taken for another block. */
static void put_block(afn_buf *b, const afn_metrics *m, int row, int column, int size)
{
    int64_t n = 0, images = 0;
    char text[3];
    for (int i = row * size; i < (row + 1) * size && i < m->classes; i++) {
        images += m->per_class[i].images;
        for (int j = column * size; j < (column + 1) * size && j < m->classes; j++)
            n += cell(m, i, j);
    }
    if (!n) return;
    afn_buf_fmt(b, "<rect class=\"%s\" x=\"%d\" y=\"%d\" width=\"1\" height=\"1\"/>",
                shade((double)n / (double)images, row == column, text), column, row);
}

static void put_matrix_drawing(afn_buf *b, const afn_metrics *m)
{
    const int size = (m->classes + MOST_BLOCKS - 1) / MOST_BLOCKS;
    const int blocks = (m->classes + size - 1) / size;
    const afn_svg svg = { "matrix", afn_translated("Confusion matrix"),
                          afn_translated("Rows are true classes, columns predicted "
                                         "ones, in the order of the table of classes."),
                          blocks, blocks };
    afn_buf_str(b, "<figure class=\"board\">");
    afn_svg_begin(b, &svg);
    for (int i = 0; i < blocks; i++)
        for (int j = 0; j < blocks; j++) put_block(b, m, i, j, size);
    afn_svg_end(b);
    afn_buf_str(b, "<figcaption>");
    afn_html_say(b, "rows: true class, columns: predicted class");
    if (size > 1) afn_html_say(b, "; a square is %d classes", size);
    afn_buf_str(b, "</figcaption></figure>\n");
}

/* ---- what is mixed up most ---- */

typedef struct pair {
    int truth, said;
    int64_t n;
} pair;

/* Put a pair among the largest, in falling order. */
static void offer(pair *list, int *n, pair p)
{
    int k = *n < MOST_PAIRS ? (*n)++ : MOST_PAIRS;
    if (k == MOST_PAIRS && list[k - 1].n >= p.n) return;
    if (k == MOST_PAIRS) k--;
    for (; k > 0 && list[k - 1].n < p.n; k--) list[k] = list[k - 1];
    list[k] = p;
}

static void put_pairs(afn_buf *b, const afn_page *p)
{
    const afn_metrics *m = p->metrics;
    pair list[MOST_PAIRS];
    int n = 0;
    for (int i = 0; i < m->classes; i++)
        for (int j = 0; j < m->classes; j++)
            if (i != j && cell(m, i, j)) offer(list, &n, (pair){ i, j, cell(m, i, j) });
    if (!n) return;
    afn_html_heading(b, "h3", afn_translated("Mixed up most"));
    afn_buf_str(b, "<ol class=\"pairs\">");
    for (int k = 0; k < n; k++) {
        afn_buf_str(b, "<li>");
        afn_report_class(b, p, list[k].truth);
        afn_html_say(b, " taken for ");
        afn_report_class(b, p, list[k].said);
        afn_buf_fmt(b, ": %lld</li>\n", (long long)list[k].n);
    }
    afn_buf_str(b, "</ol>\n");
}

void afn_report_matrix(afn_buf *b, const afn_page *p)
{
    afn_buf_str(b, "<section id=\"confusion\">");
    afn_html_heading(b, "h2", afn_translated("What is taken for what"));
    if (p->metrics->classes <= MOST_CELLS)
        put_matrix_table(b, p);
    else
        put_matrix_drawing(b, p->metrics);
    put_pairs(b, p);
    afn_buf_str(b, "</section>\n");
}

/* ---- classes ---- */

static void put_share(afn_buf *b, const afn_estimate *e)
{
    afn_buf_str(b, "<td>");
    afn_html_percent(b, e->value);
    if (isfinite(e->value))
        afn_buf_fmt(b, " <small>%.1f–%.1f</small>", 100 * e->low, 100 * e->high);
    afn_buf_str(b, "</td>");
}

static void put_class(afn_buf *b, const afn_page *p, int i)
{
    const afn_class_metrics *c = &p->metrics->per_class[i];
    afn_buf_str(b, "<tr><th scope=\"row\" class=\"name\">");
    afn_report_class(b, p, i);
    afn_buf_fmt(b, "</th><td>%lld</td><td>%lld</td>", (long long)c->images,
                (long long)c->predicted);
    put_share(b, &c->recall);
    put_share(b, &c->precision);
    put_share(b, &c->f1);
    afn_buf_str(b, "<td>");
    afn_html_number(b, c->auc, 4);
    afn_buf_str(b, "</td><td>");
    afn_html_number(b, c->average_precision, 4);
    afn_buf_str(b, "</td></tr>\n");
}

void afn_report_classes(afn_buf *b, const afn_page *p)
{
    const bool fold = p->metrics->classes > OPEN_CLASSES;
    const char *const column[] = { afn_translated("class"),
                                   afn_translated("images"),
                                   afn_translated("predicted"),
                                   afn_translated("recall"),
                                   afn_translated("precision"),
                                   "F1",
                                   "ROC AUC",
                                   afn_translated("average precision") };
    afn_buf_str(b, "<section id=\"classes\">");
    afn_html_heading(b, "h2", afn_translated("Classes"));
    afn_buf_str(b, "<p class=\"soft\">");
    afn_html_say(b, "Small: 95 %% intervals, the range in which the true share lies "
                    "given so few images.");
    afn_buf_str(b, "</p>");
    if (fold) {
        afn_buf_str(b, "<details><summary>");
        afn_html_say(b, "All %d classes", p->metrics->classes);
        afn_buf_str(b, "</summary>");
    }
    afn_html_columns(b, column, AFN_COUNT(column));
    for (int i = 0; i < p->metrics->classes; i++) put_class(b, p, i);
    afn_buf_fmt(b, "</tbody></table></div>%s</section>\n", fold ? "</details>" : "");
}

/* ---- reliability ---- */

enum { WIDTH = 320, HEIGHT = 300, LEFT = 40, TOP = 10, SIDE = 250 };

static void put_bin(afn_buf *b, const afn_bin *bin, int k)
{
    const double x = LEFT + SIDE * k / (double)AFN_BINS, wide = SIDE / (double)AFN_BINS;
    const double a = SIDE * bin->accuracy, c = SIDE * bin->confidence;
    if (!bin->images) return;
    afn_buf_fmt(b,
                "<rect class=\"bar\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" "
                "height=\"%.1f\"><title>",
                x + 1, TOP + SIDE - a, wide - 2, a);
    afn_html_say(b, "%lld images, sure %.1f %%, right %.1f %%", (long long)bin->images,
                 100 * bin->confidence, 100 * bin->accuracy);
    afn_buf_fmt(b,
                "</title></rect><path class=\"line train\" d=\"M%.1f %.1fh%.1f\"/>\n",
                x, TOP + SIDE - c, wide);
}

static void put_reliability(afn_buf *b, const afn_metrics *m)
{
    const afn_svg svg = { "reliability", afn_translated("Reliability"),
                          afn_translated(
                              "How often answers are right, by how sure they "
                              "are: bars; a short line marks how sure they "
                              "are. On the diagonal both are equal."),
                          WIDTH, HEIGHT };
    afn_buf_str(b, "<figure class=\"board\">");
    afn_svg_begin(b, &svg);
    for (int k = 0; k <= 4; k++)
        afn_buf_fmt(b,
                    "<path class=\"grid\" d=\"M%d %.1fh%d\"/><text x=\"%d\" y=\"%.1f\" "
                    "text-anchor=\"end\">%d%%</text><text x=\"%.1f\" y=\"%d\" "
                    "text-anchor=\"middle\">%d%%</text>\n",
                    LEFT, TOP + SIDE * (1 - k / 4.0), SIDE, LEFT - 5,
                    TOP + SIDE * (1 - k / 4.0) + 4, 25 * k, LEFT + SIDE * k / 4.0,
                    TOP + SIDE + 15, 25 * k);
    for (int k = 0; k < AFN_BINS; k++) put_bin(b, &m->bin[k], k);
    afn_buf_fmt(b, "<path class=\"phase\" d=\"M%d %dL%d %d\"/>", LEFT, TOP + SIDE,
                LEFT + SIDE, TOP);
    afn_buf_fmt(b, "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">", LEFT + SIDE / 2,
                TOP + SIDE + 32);
    afn_html_say(b, "how sure");
    afn_buf_str(b, "</text>");
    afn_svg_end(b);
    afn_buf_str(b, "<figcaption>");
    afn_html_say(b, "bars: share that is right; dashes: how sure the model was");
    afn_buf_str(b, "</figcaption></figure>\n");
}

static void put_fact(afn_buf *b, const char *name, double v, bool percent)
{
    afn_buf_str(b, "<div><dt>");
    afn_html_text(b, name);
    afn_buf_str(b, "</dt><dd>");
    if (percent)
        afn_html_percent(b, v);
    else
        afn_html_number(b, v, 4);
    afn_buf_str(b, "</dd></div>\n");
}

void afn_report_sureness(afn_buf *b, const afn_page *p)
{
    const afn_calibration c = afn_model_calibration(p->model);
    afn_buf_str(b, "<section id=\"calibration\">");
    afn_html_heading(b, "h2", afn_translated("As sure as it is right?"));
    afn_buf_str(b, "<dl class=\"facts\">\n");
    put_fact(b, afn_translated("Calibration error (ECE)"), p->calibrated->ece, true);
    put_fact(b, afn_translated("Log loss"), p->calibrated->log_loss, false);
    put_fact(b, afn_translated("Brier score"), p->calibrated->brier, false);
    if (c.images) {
        put_fact(b, afn_translated("Temperature"), c.temperature, false);
        put_fact(b, afn_translated("ECE without it"), p->metrics->ece, true);
        put_fact(b, afn_translated("Unknown below"), c.unknown_below, true);
    }
    afn_buf_str(b, "</dl>\n");
    if (c.images) {
        afn_buf_str(b, "<p class=\"soft\">");
        afn_html_say(b, "Temperature and threshold were learned from the validation "
                        "images, so these numbers flatter a little.");
        afn_buf_str(b, "</p>");
    }
    put_reliability(b, p->calibrated);
    afn_buf_str(b, "</section>\n");
}
