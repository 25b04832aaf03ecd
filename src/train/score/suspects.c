/* SPDX-License-Identifier: Apache-2.0 */
/* Labels against nearest neighbours, in the features that a network has before its last
 * layer.
 *
 * Features are taken through a copy of the network whose last layer is a fresh one with
 * 512 outputs: a random projection, which keeps angles and distances (Johnson and
 * Lindenstrauss), so that every family gives vectors of one size, also those whose last
 * layer is a convolution.  Their mean is taken away; near is what has a large cosine.
 */
#include <math.h>
#include <string.h>

#include "afina/check.h"
#include "train/train.h"

enum {
    WIDTH = 512, /* of a feature vector */
    NEIGHBOURS = 10,
    MOST_OWN = 1,           /* neighbours with its own label that a suspect may have, */
    LEAST_OTHER = 6,        /* and neighbours that agree on another one */
    LEAST_IN_CLASS = 6,     /* samples of a class that is judged */
    MAX_REFERENCES = 20000, /* samples that others are compared with */
    N_PARTS = 3
};

typedef struct suspects {
    afn_check *check;
    int64_t n;
    float *feature; /* (n, WIDTH), of length 1; all 0 where it could not be read */
    bool *usable;   /* [n] */
    int64_t *refer; /* [n_refer] samples that may be neighbours */
    int64_t n_refer;
    int classes;
    int64_t *in_class; /* [classes] */
} suspects;

static void suspects_free(suspects *s)
{
    afn_free(s->feature);
    afn_free(s->usable);
    afn_free(s->refer);
    afn_free(s->in_class);
}

/* ---- the network ---- */

static bool is_in_head(const char *name, const char *head)
{
    const size_t n = strlen(head);
    return strncmp(name, head, n) == 0 && name[n] == '.';
}

static afn_status copy_param(afn_model *to, const afn_model *from,
                             const afn_param_info *info)
{
    const size_t n = (size_t)afn_shape_count(&info->shape);
    float *value = afn_alloc_array(n, sizeof *value);
    if (!value) return afn_fail(AFN_ENOMEM, "out of memory");
    afn_status st = afn_model_read_param(from, info->name, value, n);
    if (st == AFN_OK) st = afn_model_write_param(to, info->name, value, n);
    afn_free(value);
    return st;
}

/* The same network with another last layer. */
static afn_status projecting(afn_model **out, const afn_model *m)
{
    afn_status st = AFN_OK;
    const afn_preprocess p = afn_model_preprocess(m);
    AFN_TRY(afn_model_new(out, afn_model_arch(m), WIDTH, 0));
    AFN_TRY(afn_model_set_channels(*out, afn_preprocess_channels(&p)));
    AFN_TRY(afn_model_set_preprocess(*out, &p));
    for (int i = 0; i < afn_model_n_params(m); i++) {
        afn_param_info info;
        AFN_TRY(afn_model_param(m, i, &info));
        if (info.dtype == AFN_F32 && !is_in_head(info.name, afn_model_head(m)))
            AFN_TRY(copy_param(*out, m, &info));
    }
done:
    return st;
}

/* ---- features ---- */

static afn_status read_part(suspects *s, const afn_dataset *d, int64_t first,
                            afn_predictor *p, const afn_model *m, int threads)
{
    afn_status st = AFN_OK;
    const afn_preprocess pre = afn_model_preprocess(m);
    afn_loader_opts lo = afn_loader_defaults();
    afn_loader *l = NULL;
    afn_batch b;
    float *logits = NULL;
    lo.shuffle = false;
    lo.keep = 0;
    lo.threads = threads;
    AFN_TRY(afn_loader_new(&l, d, &pre, &lo));
    logits = afn_alloc_array((size_t)lo.batch * WIDTH, sizeof *logits);
    AFN_REQUIRE(logits, AFN_ENOMEM, "out of memory");
    AFN_TRY(afn_loader_start(l, 0));
    for (;;) {
        AFN_TRY(afn_loader_next(l, &b));
        if (!b.n) break;
        AFN_TRY(afn_predictor_run(p, b.pixels, b.n, logits));
        for (int64_t i = 0; i < b.n; i++) {
            const int64_t at = first + b.index[i];
            memcpy(s->feature + at * WIDTH, logits + i * WIDTH, WIDTH * sizeof(float));
            s->usable[at] = true;
        }
    }
done:
    afn_loader_free(l);
    afn_free(logits);
    return st;
}

static bool has_readable(const afn_check *c, int part)
{
    for (int64_t i = 0; i < c->count; i++)
        if (c->sample[i].part == part && !c->sample[i].why) return true;
    return false;
}

static afn_status read_features(suspects *s, const afn_data_parts *parts,
                                const afn_model *m, const afn_predict_opts *o)
{
    afn_status st = AFN_OK;
    const afn_dataset *const part[N_PARTS] = { parts->train, parts->val, parts->test };
    afn_model *net = NULL;
    afn_predictor *p = NULL;
    int64_t first = 0;
    AFN_TRY(projecting(&net, m));
    AFN_TRY(afn_predictor_new(&p, net, o));
    for (int k = 0; k < N_PARTS; k++) {
        if (!part[k]) continue;
        if (has_readable(s->check, k))
            AFN_TRY(read_part(s, part[k], first, p, net, o->threads));
        first += afn_dataset_count(part[k]);
    }
done:
    afn_predictor_free(p);
    afn_model_free(net);
    return st;
}

/* Take the mean away and make all vectors one long. */
static void normalise(suspects *s)
{
    double mean[WIDTH] = { 0 };
    int64_t n = 0;
    for (int64_t i = 0; i < s->n; i++) {
        for (int k = 0; k < WIDTH; k++) mean[k] += (double)s->feature[i * WIDTH + k];
        n += s->usable[i];
    }
    for (int64_t i = 0; i < s->n; i++) {
        float *f = s->feature + i * WIDTH;
        double length = 0;
        if (!s->usable[i]) continue;
        for (int k = 0; k < WIDTH; k++) {
            f[k] -= (float)(mean[k] / (double)n);
            length += (double)f[k] * (double)f[k];
        }
        for (int k = 0; k < WIDTH; k++)
            f[k] = length > 0 ? (float)((double)f[k] / sqrt(length)) : 0;
    }
}

/* ---- neighbours ---- */

static float cosine(const float *a, const float *b)
{
    enum { LANES = 16 };
    float lane[LANES] = { 0 }, sum = 0;
    for (int k = 0; k < WIDTH; k += LANES)
        for (int j = 0; j < LANES; j++) lane[j] += a[k + j] * b[k + j];
    for (int j = 0; j < LANES; j++) sum += lane[j];
    return sum;
}

typedef struct neighbours {
    float cosine[NEIGHBOURS]; /* falling */
    int64_t sample[NEIGHBOURS];
    int n;
} neighbours;

static void offer(neighbours *near, int64_t sample, float c)
{
    if (near->n == NEIGHBOURS && c <= near->cosine[NEIGHBOURS - 1]) return;
    int k = near->n < NEIGHBOURS ? near->n++ : NEIGHBOURS - 1;
    for (; k > 0 && near->cosine[k - 1] < c; k--) {
        near->cosine[k] = near->cosine[k - 1];
        near->sample[k] = near->sample[k - 1];
    }
    near->cosine[k] = c;
    near->sample[k] = sample;
}

/* How its neighbours vote on sample i. */
static void vote(const suspects *s, afn_checked *me, const neighbours *near)
{
    int own = 0, most = 0;
    for (int a = 0; a < near->n; a++) {
        const int label = s->check->sample[near->sample[a]].label;
        int votes = 0;
        for (int b = 0; b < near->n; b++)
            votes += s->check->sample[near->sample[b]].label == label;
        own += label == me->label;
        if (label != me->label && votes > most) {
            most = votes;
            me->looks_like = label;
        }
    }
    me->agree = (float)own / (float)NEIGHBOURS;
    if (own <= MOST_OWN && most >= LEAST_OTHER)
        me->found |= 1u << AFN_FOUND_SUSPECT;
    else
        me->looks_like = -1;
}

static void judge(void *user, int64_t i)
{
    const suspects *s = user;
    afn_checked *me = &s->check->sample[i];
    neighbours near = { .n = 0 };
    if (!s->usable[i] || s->in_class[me->label] < LEAST_IN_CLASS) return;
    for (int64_t r = 0; r < s->n_refer; r++) {
        const int64_t k = s->refer[r];
        if (k == i || s->check->sample[k].alike == me->alike) continue;
        offer(&near, k, cosine(s->feature + i * WIDTH, s->feature + k * WIDTH));
    }
    if (near.n == NEIGHBOURS) vote(s, me, &near);
}

/* All samples that could be read, or as many of them as are compared with, by chance.
 */
static void choose_references(suspects *s)
{
    afn_rng rng = afn_rng_new(0, afn_rng_stream(AFN_RNG_SPLIT, 0, 1));
    for (int64_t i = 0; i < s->n; i++)
        if (s->usable[i]) s->refer[s->n_refer++] = i;
    if (s->n_refer <= MAX_REFERENCES) return;
    afn_rng_shuffle(&rng, s->refer, s->n_refer);
    s->n_refer = MAX_REFERENCES;
}

static afn_status make_room(suspects *s)
{
    const size_t n = (size_t)s->n;
    for (int64_t i = 0; i < s->n; i++)
        if (s->check->sample[i].label >= s->classes)
            s->classes = s->check->sample[i].label + 1;
    s->feature = afn_alloc_array(n * WIDTH, sizeof *s->feature);
    s->usable = afn_alloc_array(n, sizeof *s->usable);
    s->refer = afn_alloc_array(n, sizeof *s->refer);
    s->in_class = afn_alloc_array((size_t)s->classes, sizeof *s->in_class);
    if (!s->feature || !s->usable || !s->refer || !s->in_class)
        return afn_fail(AFN_ENOMEM, "out of memory for features of %lld images",
                        (long long)s->n);
    for (int64_t i = 0; i < s->n; i++) s->in_class[s->check->sample[i].label]++;
    return AFN_OK;
}

afn_status afn_check_labels(afn_check *c, const afn_data_parts *parts,
                            const afn_model *m, const afn_predict_opts *opts)
{
    afn_status st = AFN_OK;
    afn_predict_opts o = opts ? *opts : afn_predict_defaults();
    suspects s = { .check = c, .n = c->count };
    if (!opts) o.batch = 32;
    AFN_TRY(make_room(&s));
    AFN_TRY(read_features(&s, parts, m, &o));
    normalise(&s);
    choose_references(&s);
    afn_parallel_each(s.n, o.threads ? o.threads : afn_cpu_count(), judge, &s);
    for (int64_t i = 0; i < s.n; i++)
        c->found[AFN_FOUND_SUSPECT] += c->sample[i].found >> AFN_FOUND_SUSPECT & 1;
done:
    suspects_free(&s);
    return st;
}
