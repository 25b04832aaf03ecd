/* SPDX-License-Identifier: Apache-2.0 */
/* Phases solved at once: what is found is a minimum, of heads of several kinds; a
 * stopped run goes on as if it had not been; what is no fixed function is refused. */
#include <math.h>

#include "afn_test.h"
#include "train/score/metrics.h"

enum { SIZE = 64, MAX_TOLD = 4 };

typedef struct run {
    afn_model *m;
    afn_dataset *train, *val;
    afn_fit_opts o;
    afn_phase phase[2];
    afn_solved solved;
    int n_solved, epochs, steps, stop_at;
    afn_epoch seen[MAX_TOLD];
} run;

static void on_solved(const afn_solved *s, void *user)
{
    run *r = user;
    assert_string_equal(s->phase, "head");
    assert_int_equal(r->epochs, 0);
    r->solved = *s;
    r->n_solved++;
}

static int on_epoch(const afn_epoch *e, void *user)
{
    run *r = user;
    r->seen[r->epochs++] = *e;
    return 0;
}

static int on_step(const afn_progress *p, void *user)
{
    run *r = user;
    assert_true(p->step >= 1 && p->step <= p->steps);
    return ++r->steps == r->stop_at;
}

static void open_run(run *r, const char *arch)
{
    afn_preprocess p = afn_preprocess_imagenet();
    *r = (run){ .o = afn_fit_defaults() };
    assert_ok(afn_dataset_open_split(
        &r->train, &r->val, "fake:size=26,classes=3,height=64,width=64", 0.25, 1));
    assert_ok(afn_model_new(&r->m, arch, 3, 1));
    p.resize = p.crop = SIZE;
    assert_ok(afn_model_set_preprocess(r->m, &p));
    afn_default_phases(r->phase);
    r->phase[0].epochs = 1;
    r->phase[0].solver = AFN_SOLVER_LBFGS;
    r->phase[0].lbfgs.l2 = 0.01;
    r->o.phase = r->phase;
    r->o.n_phases = 1;
    r->o.batch = 8; /* of 19: the last batch is smaller */
    r->o.on_solved = on_solved;
    r->o.on_epoch = on_epoch;
    r->o.on_step = on_step;
    r->o.user = r;
}

static void close_run(run *r)
{
    afn_model_free(r->m);
    afn_dataset_free(r->train);
    afn_dataset_free(r->val);
}

static float *read_weight(const afn_model *m, const char *name, size_t *n)
{
    for (int i = 0; i < afn_model_n_params(m); i++) {
        afn_param_info info;
        assert_ok(afn_model_param(m, i, &info));
        if (strcmp(info.name, name) != 0) continue;
        *n = (size_t)afn_shape_count(&info.shape);
        float *w = test_malloc(*n * sizeof *w);
        assert_ok(afn_model_read_param(m, name, w, *n));
        return w;
    }
    fail_msg("no %s", name);
    return NULL;
}

/* What is minimised, computed in another way: by the network as it predicts. */
static double objective(const run *r, const char *weight)
{
    size_t n;
    afn_eval e;
    double squares = 0;
    float *w = read_weight(r->m, weight, &n);
    assert_ok(afn_evaluate(&e, r->m, r->train, NULL));
    for (size_t i = 0; i < n; i++) squares += (double)w[i] * (double)w[i];
    const double f = e.loss + r->phase[0].lbfgs.l2 / 2 * squares;
    afn_eval_free(&e);
    test_free(w);
    return f;
}

/* Scale the weights. */
static void scale(run *r, const char *name, float by)
{
    size_t n;
    float *w = read_weight(r->m, name, &n);
    for (size_t i = 0; i < n; i++) w[i] *= by;
    assert_ok(afn_model_write_param(r->m, name, w, n));
    test_free(w);
}

static void heads_of_all_kinds_are_solved(void **state)
{
    (void)state;
    static const char *const row[][2] = {
        { "resnet18", "fc.weight" },
        { "alexnet", "classifier.6.weight" },       /* behind dropout */
        { "squeezenet1_1", "classifier.1.weight" }, /* convolution, ReLU, mean */
    };
    for (size_t i = 0; i < AFN_COUNT(row); i++) {
        run r;
        open_run(&r, row[i][0]);
        assert_ok(afn_fit(r.m, r.train, r.val, &r.o, NULL));
        assert_int_equal(r.n_solved, 1);
        assert_true(r.solved.converged);
        assert_int_equal(r.solved.tried, 0);
        assert_true(r.solved.l2 == 0.01);
        assert_int_equal(r.epochs, 1);
        assert_int_equal(r.seen[0].of, 1);
        assert_true(r.seen[0].lr == 0);
        assert_true(r.seen[0].train_loss < 1.0987); /* of three equal classes: log 3 */
        const double f = objective(&r, row[i][1]);
        assert_true(fabs(f - r.solved.loss) < 1e-5 * f);
        for (int k = 0; i < 2 && k < 2; k++) { /* ReLU has corners */
            scale(&r, row[i][1], k ? 0.99f / 1.01f : 1.01f);
            assert_true(objective(&r, row[i][1]) > f);
        }
        close_run(&r);
    }
}

static void the_penalty_is_chosen_on_the_validation_images(void **state)
{
    (void)state;
    run r;
    open_run(&r, "resnet18");
    r.phase[0].lbfgs.l2 = -1;
    assert_ok(afn_fit(r.m, r.train, r.val, &r.o, NULL));
    assert_true(r.solved.tried >= 3 && r.solved.tried <= 13);
    assert_true(r.solved.l2 >= 1e-6 && r.solved.l2 <= 1);
    const double chosen = r.seen[0].val_loss;
    close_run(&r);
    for (int i = -1; i <= 1; i += 2) { /* its neighbours are no better */
        const double near = r.solved.l2 * pow(10, i / 2.0);
        if (near > 1.1) continue;
        open_run(&r, "resnet18");
        r.phase[0].lbfgs.l2 = near;
        assert_ok(afn_fit(r.m, r.train, r.val, &r.o, NULL));
        assert_true(r.seen[0].val_loss > chosen - 1e-4);
        close_run(&r);
    }
    open_run(&r, "resnet18");
    r.phase[0].lbfgs.l2 = -1;
    assert_ok(afn_fit(r.m, r.train, NULL, &r.o, NULL));
    assert_true(r.solved.l2 == 1.0 / 19 && r.solved.tried == 0);
    close_run(&r);
}

/* The sum over views is the sum over as many images. */
static void views_count_as_images(void **state)
{
    (void)state;
    run r;
    open_run(&r, "resnet18");
    r.phase[0].augment = (afn_augment_opts){ .spec = "hflip,crop=0.8", .views = 3 };
    assert_ok(afn_fit(r.m, r.train, r.val, &r.o, NULL));
    assert_true(r.solved.converged);
    assert_int_equal(r.steps, (r.solved.passes + 2) * 3 * 3);
    close_run(&r);
}

static void assert_same_weights(const run *a, const run *b)
{
    for (int i = 0; i < afn_model_n_params(a->m); i++) {
        afn_param_info info;
        size_t n, m;
        assert_ok(afn_model_param(a->m, i, &info));
        if (info.dtype != AFN_F32) continue;
        float *x = read_weight(a->m, info.name, &n),
              *y = read_weight(b->m, info.name, &m);
        assert_int_equal(n, m);
        assert_memory_equal(x, y, n * sizeof *x);
        test_free(x);
        test_free(y);
    }
}

/* Stopped in the middle of the head, again at its end, then in the second phase. */
static void a_stopped_run_goes_on_as_if_it_had_not_been(void **state)
{
    (void)state;
    run whole, r;
    char dir[1024];
    snprintf(dir, sizeof dir, "%s", test_dir("solve-stopped"));
    open_run(&whole, "resnet18");
    whole.o.n_phases = 2;
    whole.phase[1].epochs = 1;
    assert_ok(afn_fit(whole.m, whole.train, whole.val, &whole.o, NULL));
    const int stops[] = { 8, 3 * (whole.solved.passes + 2), whole.steps - 1 };
    for (int i = 0; i <= 3; i++) {
        afn_run_state s;
        open_run(&r, "resnet18");
        r.o.n_phases = 2;
        r.phase[1].epochs = 1;
        r.o.out = dir;
        r.o.resume = i > 0;
        r.stop_at = i == 2 ? stops[2] : i < 2 ? stops[i] : 0;
        if (i == 3) {
            assert_ok(afn_fit(r.m, r.train, r.val, &r.o, NULL));
            break;
        }
        assert_fails(AFN_ECANCELLED, "stopped",
                     afn_fit(r.m, r.train, r.val, &r.o, NULL));
        assert_ok(afn_run_look(&s, dir));
        assert_false(s.finished);
        assert_string_equal(s.phase, i < 2 ? "head" : "tune");
        afn_run_state_free(&s);
        close_run(&r);
    }
    assert_same_weights(&whole, &r);
    close_run(&whole);
    close_run(&r);
}

static void what_is_no_fixed_function_is_refused(void **state)
{
    (void)state;
    enum { CASES = 9 };
    static const char *const message[CASES] = {
        "1 epoch, not 5",
        "fixed statistics",
        "weigh classes",
        "augmented anew in each epoch",
        "the images of a batch are mixed",
        "no frozen layers come first",
        "they are not to be",
        "auxiliary classifiers",
        "max_iter is 0",
    };
    for (int i = 0; i < CASES; i++) {
        run r;
        open_run(&r, i == 7 ? "googlenet" : "resnet18");
        afn_phase *p = &r.phase[0];
        if (i == 0) p->epochs = 5;
        if (i == 1) r.o.bn = AFN_BN_BATCH;
        if (i == 2) r.o.balanced = true;
        if (i == 3) p->augment = (afn_augment_opts){ .spec = "hflip" };
        if (i == 4) p->augment = (afn_augment_opts){ .mixup = 0.2 };
        if (i == 5) p->trainable = "*";
        if (i == 6) r.o.feature_cache = false;
        if (i == 7) p->trainable = "inception3a";
        if (i == 8) p->lbfgs.max_iter = 0;
        const afn_status code = i == 7 ? AFN_EUNSUPPORTED : AFN_EINVAL;
        assert_fails(code, message[i], afn_fit(r.m, r.train, r.val, &r.o, NULL));
        assert_non_null(strstr(afn_error_message(), "phase head: "));
        close_run(&r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(heads_of_all_kinds_are_solved),
        cmocka_unit_test(the_penalty_is_chosen_on_the_validation_images),
        cmocka_unit_test(views_count_as_images),
        cmocka_unit_test(a_stopped_run_goes_on_as_if_it_had_not_been),
        cmocka_unit_test(what_is_no_fixed_function_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
