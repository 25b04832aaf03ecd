/* SPDX-License-Identifier: Apache-2.0 */
#include "eval_out.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "json_out.h"

/* The model's name of a class, else the data's, else its number. */
static const char *class_text(const cli_evaluation *s, int i,
                              char number[CLI_CLASS_BYTES])
{
    if (!afn_model_class_name(s->m, i) && i < afn_dataset_classes(s->parts.train))
        return afn_dataset_class_name(s->parts.train, i);
    return cli_class_text(s->m, i, number);
}

static double images_per_second(const afn_scores *s)
{
    return s->seconds > 0 ? (double)s->count / s->seconds : (double)NAN;
}

/* ---- what the threshold for unknown pictures does to these ---- */

typedef struct threshold_effect {
    int64_t unknown;
    double known_accuracy; /* of the others, NaN where there are none */
} threshold_effect;

static threshold_effect effect_of(const cli_evaluation *s)
{
    threshold_effect e = { 0 };
    int64_t right = 0;
    for (int64_t i = 0; i < s->scores.count; i++) {
        double p;
        const int best = afn_scores_best(&s->scores, i, s->calibration.temperature, &p);
        if (p < s->calibration.unknown_below)
            e.unknown++;
        else
            right += best == s->scores.labels[i];
    }
    const int64_t known = s->scores.count - e.unknown;
    e.known_accuracy = known ? (double)right / (double)known : (double)NAN;
    return e;
}

/* ---- JSON ---- */

/* [low, high] */
static json_t *interval_json(const afn_estimate *e)
{
    return json_pack("[o, o]", cli_json_number(e->low), cli_json_number(e->high));
}

static json_t *average_json(const afn_average *a)
{
    return json_pack("{s:o, s:o, s:o}", "precision", cli_json_number(a->precision),
                     "recall", cli_json_number(a->recall), "f1",
                     cli_json_number(a->f1));
}

static json_t *classes_json(const cli_evaluation *s)
{
    json_t *list = json_array();
    for (int i = 0; i < s->metrics.classes; i++) {
        char number[CLI_CLASS_BYTES];
        const afn_class_metrics *c = &s->metrics.per_class[i];
        json_array_append_new(
            list,
            json_pack("{s:o, s:I, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "name",
                      cli_json_text(class_text(s, i, number)), "images",
                      (json_int_t)c->images, "predicted", (json_int_t)c->predicted,
                      "recall", cli_json_number(c->recall.value), "recall_interval",
                      interval_json(&c->recall), "precision",
                      cli_json_number(c->precision.value), "precision_interval",
                      interval_json(&c->precision), "f1", cli_json_number(c->f1.value),
                      "f1_interval", interval_json(&c->f1), "auc",
                      cli_json_number(c->auc), "average_precision",
                      cli_json_number(c->average_precision)));
    }
    return list;
}

static json_t *confusion_json(const afn_metrics *m)
{
    json_t *rows = json_array();
    for (int i = 0; i < m->classes; i++) {
        json_t *row = json_array();
        const int64_t *count = m->confusion + (size_t)i * (size_t)m->classes;
        for (int j = 0; j < m->classes; j++)
            json_array_append_new(row, json_integer(count[j]));
        json_array_append_new(rows, row);
    }
    return rows;
}

static json_t *calibration_json(const cli_evaluation *s)
{
    const afn_calibration *c = &s->calibration;
    const afn_metrics *m = &s->calibrated;
    if (!c->images) return json_null();
    const threshold_effect e = effect_of(s);
    return json_pack("{s:f, s:f, s:f, s:I, s:o, s:o, s:o, s:I, s:o}", "temperature",
                     c->temperature, "unknown_below", c->unknown_below, "quantile",
                     c->quantile, "images", (json_int_t)c->images, "loss",
                     cli_json_number(m->log_loss), "brier", cli_json_number(m->brier),
                     "ece", cli_json_number(m->ece), "unknown", (json_int_t)e.unknown,
                     "known_accuracy", cli_json_number(e.known_accuracy));
}

int cli_eval_json(const cli_evaluation *s)
{
    const afn_metrics *m = &s->metrics;
    json_t *object =
        json_pack("{s:I, s:I, s:o, s:o, s:o, s:o, s:o, s:o}", "images",
                  (json_int_t)m->count, "skipped", (json_int_t)s->scores.skipped,
                  "accuracy", cli_json_number(m->accuracy.value), "accuracy_interval",
                  interval_json(&m->accuracy), "top5",
                  m->classes > 5 ? cli_json_number(m->top5.value) : json_null(),
                  "balanced_accuracy", cli_json_number(m->balanced_accuracy), "macro",
                  average_json(&m->macro), "weighted", average_json(&m->weighted));
    json_t *more = json_pack(
        "{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "kappa",
        cli_json_number(m->kappa), "mcc", cli_json_number(m->mcc), "loss",
        cli_json_number(m->log_loss), "brier", cli_json_number(m->brier), "ece",
        cli_json_number(m->ece), "auc", cli_json_number(m->auc), "average_precision",
        cli_json_number(m->average_precision), "seconds",
        cli_json_number(s->scores.seconds), "images_per_second",
        cli_json_number(images_per_second(&s->scores)), "calibration",
        calibration_json(s), "classes", classes_json(s), "confusion",
        confusion_json(m));
    if (!object || !more || json_object_update(object, more)) {
        json_decref(object);
        object = NULL;
    }
    json_decref(more);
    return cli_json_print(object);
}

/* ---- text ---- */

static void put_estimate(const char *name, const afn_estimate *e)
{
    cli_put_wide(stdout, name, 9);
    cli_say(" %.2f %%, 95 %% interval %.2f to %.2f %%\n", 100 * e->value, 100 * e->low,
            100 * e->high);
}

static void put_calibration(const cli_evaluation *s)
{
    char count[CLI_COUNT_BYTES];
    if (!s->calibration.images) return;
    const threshold_effect e = effect_of(s);
    cli_say("at temperature %.4g: loss %.4f, Brier %.4f, calibration error %.2f %%\n",
            s->calibration.temperature, s->calibrated.log_loss, s->calibrated.brier,
            100 * s->calibrated.ece);
    if (!(s->calibration.unknown_below > 0)) return;
    cli_say("unknown   %s %s below %.1f %%", cli_count(e.unknown, count),
            cli_plural(e.unknown, "image", "images"),
            100 * s->calibration.unknown_below);
    if (!isnan(e.known_accuracy))
        cli_say(", %.2f %% of the others right", 100 * e.known_accuracy);
    printf("\n");
}

static void put_summary(const cli_evaluation *s)
{
    const afn_metrics *m = &s->metrics;
    char count[CLI_COUNT_BYTES];
    cli_say("images    %s\n", cli_count(m->count, count));
    if (s->scores.skipped)
        cli_say("skipped   %s that could not be read\n",
                cli_count(s->scores.skipped, count));
    put_estimate(cli_text("accuracy"), &m->accuracy);
    if (m->classes > 5) put_estimate(cli_text("top-5"), &m->top5);
    cli_say("balanced  %.2f %%\n", 100 * m->balanced_accuracy);
    cli_say("macro     precision %.2f %%, recall %.2f %%, F1 %.2f %%\n",
            100 * m->macro.precision, 100 * m->macro.recall, 100 * m->macro.f1);
    cli_say("weighted  precision %.2f %%, recall %.2f %%, F1 %.2f %%\n",
            100 * m->weighted.precision, 100 * m->weighted.recall,
            100 * m->weighted.f1);
    cli_say("beyond chance: kappa %.4f, MCC %.4f\n", m->kappa, m->mcc);
    cli_say("ranking   ROC AUC %.4f, average precision %.4f\n", m->auc,
            m->average_precision);
    cli_say("loss      %.4f, Brier %.4f, calibration error %.2f %%\n", m->log_loss,
            m->brier, 100 * m->ece);
    put_calibration(s);
    cli_say("speed     %.1f images/s\n", images_per_second(&s->scores));
}

/* "96.7 % (92.6-98.6)", right-aligned in a column of this width. */
static void put_share(const afn_estimate *e, int width)
{
    char text[64] = "-";
    if (!isnan(e->value))
        snprintf(text, sizeof text, "%.1f %% (%.0f-%.0f)", 100 * e->value, 100 * e->low,
                 100 * e->high);
    printf(" %*s", width, text);
}

static void put_classes(const cli_evaluation *s)
{
    enum { SHARE = 17 };
    char number[CLI_CLASS_BYTES];
    int wide = cli_width(cli_text("class"));

    for (int i = 0; i < s->metrics.classes; i++) {
        const int width = cli_width(class_text(s, i, number));
        if (width > wide) wide = width;
    }
    printf("\n%4s ", "");
    cli_put_wide(stdout, cli_text("class"), wide);
    cli_say("   images            recall         precision                F1\n");
    for (int i = 0; i < s->metrics.classes; i++) {
        const afn_class_metrics *c = &s->metrics.per_class[i];
        printf("%4d ", i);
        cli_put_wide(stdout, class_text(s, i, number), wide);
        printf(" %8lld", (long long)c->images);
        put_share(&c->recall, SHARE);
        put_share(&c->precision, SHARE);
        put_share(&c->f1, SHARE);
        printf("\n");
    }
}

static int digits(int64_t n)
{
    char text[32];
    return snprintf(text, sizeof text, "%lld", (long long)n);
}

/* Numbers as wide as the widest one; more classes than fit a page are left to --json.
 */
static void put_confusion(const afn_metrics *m)
{
    enum { MOST = 25 };
    int wide = digits(m->classes - 1);

    if (m->classes > MOST) {
        cli_say("\nconfusion matrix: %d classes, see --json\n", m->classes);
        return;
    }
    for (int i = 0; i < m->classes * m->classes; i++) {
        const int width = digits(m->confusion[i]);
        if (width > wide) wide = width;
    }
    cli_say(
        "\nconfusion matrix: rows are the true class, columns the predicted one\n    ");
    for (int j = 0; j < m->classes; j++) printf(" %*d", wide, j);
    printf("\n");
    for (int i = 0; i < m->classes; i++) {
        printf("%4d", i);
        for (int j = 0; j < m->classes; j++)
            printf(" %*lld", wide, (long long)m->confusion[i * m->classes + j]);
        printf("\n");
    }
}

void cli_eval_text(const cli_evaluation *s)
{
    put_summary(s);
    put_classes(s);
    put_confusion(&s->metrics);
}

/* ---- CSV ---- */

static void put_name(FILE *f, const cli_evaluation *s, int64_t i)
{
    char name[4096];
    int k = s->n_parts - 1;
    while (k > 0 && s->part[k].first > i) k--;
    cli_csv_text(f, afn_dataset_sample_name(s->part[k].data, s->scores.index[i], name,
                                            sizeof name));
}

static void put_image(FILE *f, const cli_evaluation *s, int64_t i, double *p)
{
    char number[CLI_CLASS_BYTES];
    const int n = s->scores.classes, label = s->scores.labels[i];
    const double temperature = s->calibration.images ? s->calibration.temperature : 1;
    const int best = afn_scores_best(&s->scores, i, temperature, NULL);
    afn_softmax_at(s->scores.logits + i * n, n, temperature, p);
    put_name(f, s, i);
    putc(',', f);
    cli_csv_text(f, class_text(s, label, number));
    putc(',', f);
    cli_csv_text(f, class_text(s, best, number));
    fprintf(f, ",%d", best == label);
    for (int c = 0; c < n; c++) fprintf(f, ",%.9g", p[c]);
    putc('\n', f);
}

static int put_images(FILE *f, const cli_evaluation *s)
{
    char number[CLI_CLASS_BYTES];
    double *p = calloc((size_t)s->scores.classes, sizeof *p);
    if (!p) return cli_error("out of memory");
    fputs("file,class,predicted,right", f);
    for (int c = 0; c < s->scores.classes; c++) {
        putc(',', f);
        cli_csv_text(f, class_text(s, c, number));
    }
    putc('\n', f);
    for (int64_t i = 0; i < s->scores.count; i++) put_image(f, s, i, p);
    free(p);
    return CLI_OK;
}

int cli_eval_csv(const cli_evaluation *s, const char *path)
{
    if (!strcmp(path, "-")) return put_images(stdout, s);
    FILE *f = fopen(path, "w");
    if (!f) return cli_error("%s: cannot write: %s", path, strerror(errno));
    const int code = put_images(f, s);
    const bool failed = ferror(f) != 0;
    if (fclose(f) != 0 || failed) return cli_error("%s: cannot write", path);
    return code;
}
