/* SPDX-License-Identifier: Apache-2.0 */
#include "report/report.h"

#include <string.h>

#include "report/page.h"

afn_report_opts afn_report_defaults(void)
{
    afn_report_opts o = { .pictures = 12, .heat_maps = true };
    o.predict = afn_predict_defaults();
    o.predict.batch = 32;
    return o;
}

/* The last part of a path, as far as it has one. */
static char *name_of(const char *run)
{
    size_t end = strlen(run);
    while (end > 1 && run[end - 1] == '/') end--;
    size_t begin = end;
    while (begin > 0 && run[begin - 1] != '/') begin--;
    if (begin == end) begin = 0;
    return afn_format("%.*s", (int)(end - begin), run + begin);
}

static afn_status write_page(const char *run, const afn_page *p)
{
    afn_status st = AFN_OK;
    afn_buf html = { 0 };
    char *path = afn_path_join(run, "report.html");
    AFN_REQUIRE(path, AFN_ENOMEM, "out of memory");
    AFN_TRY(afn_report_page(&html, p));
    AFN_TRY(afn_buf_finish(&html));
    AFN_TRY(afn_file_write(path, html.data, html.size));
done:
    afn_buf_free(&html);
    afn_free(path);
    return st;
}

/* What the model says about val; without images that can be read, nothing. */
static afn_status evaluate(afn_page *p, afn_scores *s, afn_metrics m[2])
{
    afn_status st = AFN_OK;
    afn_score_opts o = afn_score_defaults();
    if (!p->val || !afn_dataset_count(p->val)) return AFN_OK;
    o.predict = p->o->predict;
    AFN_TRY(afn_score(s, p->model, p->val, &o));
    if (!s->count) return AFN_OK;
    AFN_TRY(afn_measure(&m[0], s, 1));
    AFN_TRY(afn_measure(&m[1], s, afn_model_calibration(p->model).temperature));
    p->scores = s;
    p->metrics = &m[0];
    p->calibrated = &m[1];
done:
    return st;
}

afn_status afn_report_write(const char *run, const afn_model *m, const afn_dataset *val,
                            const afn_report_opts *opts)
{
    afn_status st = AFN_OK;
    const afn_report_opts o = opts ? *opts : afn_report_defaults();
    afn_run_log log = { 0 };
    afn_scores scores = { 0 };
    afn_metrics metrics[2] = { { 0 } };
    char *name = NULL;
    afn_page page = { .log = &log, .model = m, .val = m ? val : NULL, .o = &o };

    AFN_TRY(afn_run_log_read(&log, run));
    name = o.title ? afn_strdup(o.title) : name_of(run);
    AFN_REQUIRE(name, AFN_ENOMEM, "out of memory");
    page.title = name;
    AFN_TRY(evaluate(&page, &scores, metrics));
    AFN_TRY(write_page(run, &page));
done:
    afn_run_log_free(&log);
    afn_scores_free(&scores);
    afn_metrics_free(&metrics[0]);
    afn_metrics_free(&metrics[1]);
    afn_free(name);
    return st;
}
