/* SPDX-License-Identifier: Apache-2.0 */
#include "run_files.h"

#include "afina/metrics.h"
#include "report/report.h"

static void has(const char *page, const char *text)
{
    if (!strstr(page, text)) fail_msg("the page lacks: %s", text);
}

static void lacks(const char *page, const char *text)
{
    const char *at = strstr(page, text);
    if (at) fail_msg("the page has: %.80s", at);
}

static int count(const char *page, const char *text)
{
    int n = 0;
    for (const char *at = page; (at = strstr(at, text)) != NULL; at++) n++;
    return n;
}

static void a_page_needs_no_more_than_the_numbers_of_a_run(void **state)
{
    (void)state;
    const char *run = new_run("report-numbers", METRICS_HEADER
                              "head,1,1.25,0.5,1.125,0.625,0.001,10.5,2.5\n"
                              "head,2,0.75,0.8,0.875,0.75,0.001,11,2\n"
                              "tune,1,0.5,0.9,0.9,0.75,0.0001,3,100\n");
    assert_ok(afn_report_write(run, NULL, NULL, NULL));
    char *page = read_page(run);
    has(page,
        "<td>1.2500</td><td>50.00\xc2\xa0%</td><td>1.1250</td><td>62.50\xc2\xa0%</td>"
        "<td>0.001</td><td>10.5</td><td>2.50</td>");
    has(page, "head 2 (kept)");
    has(page, "1 min 44 s");
    assert_int_equal(3 * 5, count(page, "<circle"));
    assert_int_equal(1, count(page, "(kept)</title>") / 5);
    afn_free(page);
}

static void names_from_files_never_become_markup(void **state)
{
    (void)state;
    const char *run =
        new_run("report<b>&amp", METRICS_HEADER
                "<img src=x onerror=alert(1)>,1,1,0.5,1,0.5,0.001,10,2\n");
    put_file(run, "config.json", "{\"<i>\":{\"x\":\"</td><script>bad()</script>\"}}");
    assert_ok(afn_report_write(run, NULL, NULL, NULL));
    char *page = read_page(run);
    lacks(page, "<img src=x");
    lacks(page, "<script>bad");
    lacks(page, "<i>");
    has(page, "&lt;i&gt;.x");
    has(page, "<h1>report&lt;b&gt;&amp;amp.");
    afn_free(page);
}

/* The page of a fresh model: its numbers are those that the library measures. */
static void evaluate_run(const char *name, int classes, const char *spec)
{
    const char *run = new_run(name, METRICS_HEADER "head,1,1,0.5,1,0.5,0.001,10,2\n");
    afn_model *m;
    afn_dataset *d;
    afn_scores s;
    afn_metrics n;
    char text[64];
    afn_report_opts o = afn_report_defaults();
    afn_preprocess p = afn_preprocess_imagenet();
    p.resize = p.crop = 32;
    assert_ok(afn_model_new(&m, "squeezenet1_1", classes, 1));
    assert_ok(afn_model_set_preprocess(m, &p));
    assert_ok(afn_dataset_open(&d, spec));
    o.train = d;
    o.pictures = 3;
    assert_ok(afn_score(&s, m, d, NULL));
    assert_ok(afn_measure(&n, &s, 1));
    assert_ok(afn_report_write(run, m, d, &o));
    char *page = read_page(run);
    has(page, "id=\"confusion\"");
    has(page, classes > 30 ? "id=\"matrix-title\"" : "<table class=\"matrix\">");
    has(page, "id=\"reliability-title\"");
    has(page, "src=\"data:image/jpeg;base64,/9j/");
    has(page, "where the network looked");
    snprintf(text, sizeof text, "<dd>%.2f\xc2\xa0%%<small>95 %% interval",
             100 * n.accuracy.value);
    has(page, text);
    snprintf(text, sizeof text, "<td>%lld</td>", (long long)n.per_class[0].images);
    has(page, text);
    lacks(page, "http:");
    lacks(page, "https:");
    afn_free(page);
    afn_metrics_free(&n);
    afn_scores_free(&s);
    afn_dataset_free(d);
    afn_model_free(m);
}

static void two_classes_and_hundreds_have_their_matrix(void **state)
{
    (void)state;
    evaluate_run("report-two", 2, "fake:size=12,classes=2,height=32,width=32");
    evaluate_run("report-many", 250, "fake:size=12,classes=250,height=32,width=32");
}

static void odd_runs_have_a_page_too(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "",                                    /* stopped before the first epoch */
        "head,1,nan,0,inf,0,0,0,0\n",          /* diverged */
        "head,1,0,0,,,0,0,0\n",                /* all zero, no validation */
        "head,1,1e300,0,-1e300,0,1e-30,0,0\n", /* numbers of any size */
        "head,1,1,1,1,1,1,1,1\nhead,2,1,1,1,1,1e-9,1,1\n",
    };
    for (size_t i = 0; i < AFN_COUNT(rows); i++) {
        char metrics[512];
        snprintf(metrics, sizeof metrics, "%s%s", METRICS_HEADER, rows[i]);
        const char *run = new_run("report-odd", metrics);
        assert_ok(afn_report_write(run, NULL, NULL, NULL));
        char *page = read_page(run);
        has(page, "</html>");
        if (!*rows[i]) has(page, "No epoch was finished.");
        if (!strstr(rows[i], "nan")) lacks(page, "nan");
        afn_free(page);
    }
}

static void thousands_of_epochs_make_short_lines(void **state)
{
    (void)state;
    afn_buf metrics = { 0 };
    afn_buf_str(&metrics, METRICS_HEADER);
    for (int i = 1; i <= 5000; i++)
        afn_buf_fmt(&metrics, "head,%d,%g,0.5,1,0.5,0.1,1,1\n", i, 5000.0 / i);
    const char *run = new_run("report-long", metrics.data);
    assert_ok(afn_report_write(run, NULL, NULL, NULL));
    char *page = read_page(run);
    const char *line = strstr(page, "class=\"line train\"");
    assert_true(strchr(line + 30, '"') - line < 30000);
    assert_int_equal(0, count(page, "<circle"));
    afn_free(page);
    afn_buf_free(&metrics);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_page_needs_no_more_than_the_numbers_of_a_run),
        cmocka_unit_test(names_from_files_never_become_markup),
        cmocka_unit_test(two_classes_and_hundreds_have_their_matrix),
        cmocka_unit_test(odd_runs_have_a_page_too),
        cmocka_unit_test(thousands_of_epochs_make_short_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
