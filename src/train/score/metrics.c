/* SPDX-License-Identifier: Apache-2.0 */
/* Names and formulas are scikit-learn's; the interval is Wilson 1927.  An F1 is
 * 2J / (1 + J) of Jaccard's J = right / (images + predicted - right), which is a share
 * like any other, so its interval is Wilson's of J taken through the same formula. */
#include "train/score/metrics.h"

#include <math.h>

#include "train/loss.h"

/* ---- shares ---- */

static const afn_estimate undefined = { (double)NAN, (double)NAN, (double)NAN };

afn_estimate afn_wilson(int64_t part, int64_t of)
{
    const double z = 1.959963984540054; /* 97.5 % of a normal distribution lie below */
    const double n = (double)of, p = (double)part / n;
    if (of < 1) return undefined;
    const double middle = (p + z * z / (2 * n)) / (1 + z * z / n);
    const double half =
        z / (1 + z * z / n) * sqrt(p * (1 - p) / n + z * z / (4 * n * n));
    return (afn_estimate){ p, part ? fmax(middle - half, 0) : 0,
                           part < of ? fmin(middle + half, 1) : 1 };
}

static double f1_of_jaccard(double j)
{
    return 2 * j / (1 + j);
}

static afn_estimate f1_of(const afn_class_metrics *c)
{
    const afn_estimate j = afn_wilson(c->right, c->images + c->predicted - c->right);
    return (afn_estimate){ f1_of_jaccard(j.value), f1_of_jaccard(j.low),
                           f1_of_jaccard(j.high) };
}

/* ---- counts ---- */

static void count_classes(afn_metrics *m)
{
    for (int i = 0; i < m->classes; i++)
        for (int j = 0; j < m->classes; j++) {
            const int64_t n = m->confusion[(size_t)i * (size_t)m->classes + (size_t)j];
            m->per_class[i].images += n;
            m->per_class[j].predicted += n;
            if (i == j) m->per_class[i].right = n;
        }
    for (int i = 0; i < m->classes; i++) {
        afn_class_metrics *c = &m->per_class[i];
        m->right += c->right;
        c->precision = afn_wilson(c->right, c->predicted);
        c->recall = afn_wilson(c->right, c->images);
        c->f1 = f1_of(c);
    }
    m->accuracy = afn_wilson(m->right, m->count);
}

static double or_zero(double v)
{
    return isnan(v) ? 0 : v;
}

static void add_average(afn_average *a, const afn_class_metrics *c, double weight)
{
    a->precision += weight * or_zero(c->precision.value);
    a->recall += weight * or_zero(c->recall.value);
    a->f1 += weight * or_zero(c->f1.value);
}

static void average(afn_metrics *m)
{
    int met = 0, with_images = 0;
    for (int i = 0; i < m->classes; i++) {
        met += m->per_class[i].images + m->per_class[i].predicted > 0;
        with_images += m->per_class[i].images > 0;
    }
    for (int i = 0; i < m->classes; i++) {
        const afn_class_metrics *c = &m->per_class[i];
        if (!(c->images + c->predicted)) continue;
        add_average(&m->macro, c, 1.0 / met);
        add_average(&m->weighted, c, (double)c->images / (double)m->count);
        if (c->images) m->balanced_accuracy += c->recall.value / with_images;
    }
}

/* Agreement beyond chance: Cohen 1960, and Gorodkin 2004 for more than two classes. */
static void measure_agreement(afn_metrics *m)
{
    const double n = (double)m->count;
    double both = 0, truth2 = 0, said2 = 0;
    for (int i = 0; i < m->classes; i++) {
        const double t = (double)m->per_class[i].images;
        const double p = (double)m->per_class[i].predicted;
        both += t * p;
        truth2 += t * t;
        said2 += p * p;
    }
    const double chance = both / (n * n);
    m->kappa =
        chance < 1 ? ((double)m->right / n - chance) / (1 - chance) : (double)NAN;
    const double spread = (n * n - said2) * (n * n - truth2);
    m->mcc = spread > 0 ? ((double)m->right * n - both) / sqrt(spread) : 0;
}

/* ---- probabilities ---- */

int afn_scores_best(const afn_scores *s, int64_t i, double temperature,
                    double *probability)
{
    const afn_scored one = { .logits = s->logits + i * s->classes,
                             .n = 1,
                             .classes = s->classes };
    const int best = afn_best_class(&one, 0);
    double sum = 0;
    for (int c = 0; c < s->classes; c++)
        sum += exp(((double)one.logits[c] - (double)one.logits[best]) / temperature);
    if (probability) *probability = 1 / sum;
    return best;
}

typedef struct measuring {
    const afn_scores *s;
    afn_metrics *m;
    float *log_p; /* (classes, count): of each class, its images side by side */
    double *p;    /* (classes) of one image */
    int64_t right5;
} measuring;

#define NO_MEMORY (-1.0)

static void measure_image(measuring *w, int64_t i)
{
    afn_metrics *m = w->m;
    const float *logits = w->s->logits + i * m->classes;
    const int label = w->s->labels[i];
    const afn_scored one = {
        .logits = logits, .labels = &label, .n = 1, .classes = m->classes
    };
    double confidence = 0, brier = 0;
    const int best = afn_scores_best(w->s, i, m->temperature, &confidence);
    const double log_best = log(confidence); /* 0 or less */

    afn_softmax_at(logits, m->classes, m->temperature, w->p);
    for (int c = 0; c < m->classes; c++) {
        const double miss = w->p[c] - (c == label);
        brier += miss * miss;
        w->log_p[c * m->count + i] =
            (float)(log_best +
                    ((double)logits[c] - (double)logits[best]) / m->temperature);
    }
    m->brier += brier / (double)m->count;
    m->log_loss -=
        (log_best + ((double)logits[label] - (double)logits[best]) / m->temperature) /
        (double)m->count;
    m->confusion[(size_t)label * (size_t)m->classes + (size_t)best]++;
    w->right5 += afn_rank_of_label(&one, 0) < 5;

    const double place =
        ceil(confidence * AFN_BINS) - 1; /* no number where logits are */
    const int bin = place > 0 ? (int)fmin(place, AFN_BINS - 1) : 0;
    m->bin[bin].images++;
    m->bin[bin].confidence += confidence;
    m->bin[bin].accuracy += best == label;
}

static void finish_bins(afn_metrics *m)
{
    for (int k = 0; k < AFN_BINS; k++) {
        afn_bin *b = &m->bin[k];
        const double n = (double)b->images;
        m->ece += fabs(b->accuracy - b->confidence) / (double)m->count;
        b->confidence = n > 0 ? b->confidence / n : (double)NAN;
        b->accuracy = n > 0 ? b->accuracy / n : (double)NAN;
    }
}

/* A class that memory ran out for is left with a value that no class has. */
static void rank_class(void *user, int64_t c)
{
    const measuring *w = user;
    const int64_t n = w->m->count;
    afn_class_metrics *out = &w->m->per_class[c];
    afn_ranking r;
    bool *is_class = afn_alloc((size_t)n);
    out->auc = NO_MEMORY;
    for (int64_t i = 0; is_class && i < n; i++) is_class[i] = w->s->labels[i] == c;
    if (is_class && afn_rank_scores(&r, w->log_p + c * n, is_class, n) == AFN_OK) {
        out->auc = r.auc;
        out->average_precision = r.average_precision;
    }
    afn_free(is_class);
}

static afn_status rank_all(measuring *w)
{
    afn_parallel_each(w->m->classes, afn_cpu_count(), rank_class, w);
    for (int c = 0; c < w->m->classes; c++)
        if (w->m->per_class[c].auc == NO_MEMORY)
            return afn_fail(AFN_ENOMEM, "out of memory");
    return AFN_OK;
}

static double mean_of(const afn_metrics *m, bool precision)
{
    double sum = 0;
    int n = 0;
    for (int c = 0; c < m->classes; c++) {
        const double v =
            precision ? m->per_class[c].average_precision : m->per_class[c].auc;
        if (isnan(v)) continue;
        sum += v;
        n++;
    }
    return n ? sum / n : (double)NAN;
}

static afn_status make_room(measuring *w)
{
    const size_t classes = (size_t)w->m->classes;
    w->m->per_class = afn_alloc_array(classes, sizeof *w->m->per_class);
    w->m->confusion = afn_alloc_array(classes * classes, sizeof *w->m->confusion);
    w->log_p = afn_alloc_array(classes * (size_t)w->s->count, sizeof *w->log_p);
    w->p = afn_alloc_array(classes, sizeof *w->p);
    if (!w->m->per_class || !w->m->confusion || !w->log_p || !w->p)
        return afn_fail(AFN_ENOMEM, "out of memory");
    return AFN_OK;
}

afn_status afn_measure(afn_metrics *out, const afn_scores *s, double temperature)
{
    afn_status st = AFN_OK;
    afn_metrics m = { .count = s->count, .classes = s->classes };
    measuring w = { .s = s, .m = &m };

    *out = (afn_metrics){ 0 };
    AFN_REQUIRE(s->count > 0, AFN_EINVAL, "no images to measure with");
    AFN_REQUIRE(temperature >= 0.01 && temperature <= 100, AFN_EINVAL,
                "temperature is %g, need 0.01 to 100", temperature);
    m.temperature = temperature;
    AFN_TRY(make_room(&w));
    for (int64_t i = 0; i < s->count; i++) measure_image(&w, i);
    finish_bins(&m);
    count_classes(&m);
    m.top5 = afn_wilson(w.right5, m.count);
    average(&m);
    measure_agreement(&m);
    AFN_TRY(rank_all(&w));
    m.auc = mean_of(&m, false);
    m.average_precision = mean_of(&m, true);
    *out = m;
    m = (afn_metrics){ 0 };
done:
    afn_metrics_free(&m);
    afn_free(w.log_p);
    afn_free(w.p);
    return st;
}

void afn_metrics_free(afn_metrics *m)
{
    if (!m) return;
    afn_free(m->per_class);
    afn_free(m->confusion);
    *m = (afn_metrics){ 0 };
}
