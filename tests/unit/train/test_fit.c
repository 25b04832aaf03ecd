/* SPDX-License-Identifier: Apache-2.0 */
/* Whole runs on generated images: phases, files, the best model, stopping. */
#include <math.h>

#include "afn_test.h"
#include "train/score/metrics.h"

enum { SIZE = 32 };
static const char *const data_spec = "fake:size=24,classes=3,height=32,width=32";

typedef struct run {
    afn_model *m;
    afn_dataset *train, *val;
    afn_fit_opts o;
    afn_phase phase[2];
    int epochs_seen, steps_seen, stop_after;
    double acc[16];
    afn_epoch seen[16];
} run;

static int count_step(const afn_progress *p, void *user)
{
    run *r = user;
    assert_true(p->step >= 1 && p->step <= p->steps);
    assert_true(p->images_per_second > 0);
    r->steps_seen++;
    return r->stop_after && r->steps_seen >= r->stop_after;
}

static int count_epoch(const afn_epoch *e, void *user)
{
    run *r = user;
    assert_int_equal(e->run_epoch, r->epochs_seen + 1);
    assert_int_equal(e->run_of, 4);
    r->acc[r->epochs_seen++] = e->val_acc;
    return 0;
}

static run open_run(const char *out)
{
    run r = { .o = afn_fit_defaults() };
    afn_preprocess p = afn_preprocess_imagenet();
    assert_ok(afn_dataset_open_split(&r.train, &r.val, data_spec, 0.25, 1));
    assert_ok(afn_model_new(&r.m, "squeezenet1_1", 3, 1));
    p.resize = p.crop = SIZE;
    assert_ok(afn_model_set_preprocess(r.m, &p));
    afn_default_phases(r.phase);
    r.phase[0].epochs = r.phase[1].epochs = 2;
    r.o.n_phases = 2;
    r.o.batch = 5;
    r.o.seed = 7;
    r.o.out = out;
    r.o.on_step = count_step;
    r.o.on_epoch = count_epoch;
    return r;
}

static afn_status fit(run *r, afn_epoch *best)
{
    r->o.phase = r->phase; /* now that r lies still */
    r->o.user = r;
    return afn_fit(r->m, r->train, r->val, &r->o, best);
}

static void close_run(run *r)
{
    afn_model_free(r->m);
    afn_dataset_free(r->train);
    afn_dataset_free(r->val);
}

static char *in_folder(const char *dir, const char *name)
{
    static char path[2048];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    return path;
}

static void a_run_leaves_its_files_and_the_best_model(void **state)
{
    (void)state;
    char dir[1024];
    uint8_t *text;
    size_t size;
    afn_epoch best;
    snprintf(dir, sizeof dir, "%s", test_dir("fit-files"));
    run r = open_run(dir);
    assert_ok(fit(&r, &best));
    assert_int_equal(r.epochs_seen, 4);
    for (int i = 0; i < 4; i++) assert_true(r.acc[i] <= best.val_acc);

    assert_ok(afn_file_read(&text, &size, in_folder(dir, "metrics.csv")));
    const char *header = "phase,epoch,train_loss,train_acc,val_loss,val_acc,lr,"
                         "images_per_second,seconds\n";
    assert_int_equal(strncmp((char *)text, header, strlen(header)), 0);
    int rows = 0;
    for (size_t i = 0; i < size; i++) rows += text[i] == '\n';
    assert_int_equal(rows, 5);
    assert_non_null(strstr((char *)text, "\nhead,2,"));
    assert_non_null(strstr((char *)text, "\ntune,2,"));
    afn_free(text);

    /* What is on disk is the best epoch, and so is the model in memory. */
    for (int k = 0; k < 2; k++) {
        afn_model *saved;
        afn_eval e;
        const char *name = k ? "model.pth" : "model.safetensors";
        assert_ok(afn_model_open(&saved, NULL, in_folder(dir, name)));
        assert_ok(afn_evaluate(&e, saved, r.val, NULL));
        assert_float_equal((double)e.correct / (double)e.count, best.val_acc, 1e-12);
        assert_float_equal(e.loss, best.val_loss, 1e-5);
        afn_eval_free(&e);
        afn_model_free(saved);
    }
    assert_true(afn_is_file(in_folder(dir, "last.pth")));
    close_run(&r);
}

/* The calibration is the one that the saved model's scores lead to. */
static void the_best_model_is_calibrated_on_validation_images(void **state)
{
    (void)state;
    char dir[1024];
    afn_model *saved;
    afn_scores scores;
    afn_calibration want;
    snprintf(dir, sizeof dir, "%s", test_dir("fit-calibrated"));
    run r = open_run(dir);
    r.o.unknown_quantile = 0.25;
    assert_ok(fit(&r, NULL));
    assert_ok(afn_score(&scores, r.m, r.val, NULL));
    assert_ok(afn_calibrate(&want, &scores, 0.25));
    for (int k = 0; k < 2; k++) {
        const char *name = k ? "model.pth" : "model.safetensors";
        assert_ok(afn_model_open(&saved, NULL, in_folder(dir, name)));
        const afn_calibration c = afn_model_calibration(saved);
        assert_int_equal(c.images, afn_dataset_count(r.val));
        assert_float_equal(c.temperature, want.temperature, 1e-3 * want.temperature);
        assert_float_equal(c.unknown_below, want.unknown_below, 1e-4);
        afn_model_free(saved);
    }
    /* A run that begins with a calibrated model forgets what it was. */
    r.o.unknown_quantile = -1;
    r.epochs_seen = 0;
    assert_ok(fit(&r, NULL));
    assert_int_equal(afn_model_calibration(r.m).images, 0);
    afn_scores_free(&scores);
    close_run(&r);
}

/* The bytes of a file, to compare runs. */
static void read_model(uint8_t **bytes, size_t *size, const char *dir)
{
    assert_ok(afn_file_read(bytes, size, in_folder(dir, "last.pth")));
}

static void two_runs_with_one_seed_are_equal_to_the_bit(void **state)
{
    (void)state;
    uint8_t *bytes[2];
    size_t size[2];
    for (int k = 0; k < 2; k++) { /* the same run twice: the same file, to the bit */
        char dir[1024];
        snprintf(dir, sizeof dir, "%s", test_dir(k ? "fit-twice-b" : "fit-twice-a"));
        run r = open_run(dir);
        assert_ok(fit(&r, NULL));
        read_model(&bytes[k], &size[k], dir);
        close_run(&r);
    }
    assert_int_equal(size[0], size[1]);
    assert_memory_equal(bytes[0], bytes[1], size[0]);
    afn_free(bytes[0]);
    afn_free(bytes[1]);
}

static void a_stopped_run_keeps_what_it_had(void **state)
{
    (void)state;
    char dir[1024];
    snprintf(dir, sizeof dir, "%s", test_dir("fit-stopped"));
    run r = open_run(dir);
    r.stop_after = 6; /* in the second of its epochs of four batches */
    assert_int_equal(fit(&r, NULL), AFN_ECANCELLED);
    assert_int_equal(r.epochs_seen, 1);
    assert_true(afn_is_file(in_folder(dir, "model.safetensors")));
    assert_true(afn_is_file(in_folder(dir, "model.pth")));
    close_run(&r);
}

static void no_folder_and_no_validation_work_too(void **state)
{
    (void)state;
    afn_epoch best;
    run r = open_run(NULL);
    afn_dataset_free(r.val);
    r.val = NULL;
    assert_ok(fit(&r, &best));
    assert_int_equal(best.run_epoch, 4); /* the last one */
    assert_true(isnan(best.val_acc));
    close_run(&r);
}

static int keep_epoch(const afn_epoch *e, void *user)
{
    run *r = user;
    r->seen[r->epochs_seen++] = *e;
    return 0;
}

/* At a learning rate of 0 an epoch tells what it sees: training images change with the
 * phase's augmentation, labels with its smoothing, validation with neither. */
static void only_training_images_of_the_phase_are_augmented(void **state)
{
    (void)state;
    afn_epoch seen[2][4];
    for (int k = 0; k < 2; k++) {
        run r = open_run(NULL);
        r.o.on_epoch = keep_epoch;
        r.phase[0].optim.lr = r.phase[1].optim.lr = 0;
        r.o.bn = AFN_BN_FROZEN;
        if (k) {
            r.phase[0].label_smoothing = 0.5f;
            r.phase[1].augment =
                (afn_augment_opts){ .spec = "strong", .mixup = 0.2, .cutmix = 1 };
        }
        assert_ok(fit(&r, NULL));
        memcpy(seen[k], r.seen, sizeof seen[k]);
        close_run(&r);
    }
    for (int i = 0; i < 4; i++) {
        assert_true(seen[0][i].val_loss == seen[1][i].val_loss);
        assert_true(seen[0][i].val_acc == seen[1][i].val_acc);
        assert_true(seen[0][i].train_loss != seen[1][i].train_loss);
    }
    for (int i = 0; i < 2; i++) /* smoothing changes no image */
        assert_true(seen[0][i].train_acc == seen[1][i].train_acc);
}

static void wrong_options_stop_before_any_work(void **state)
{
    (void)state;
    run r = open_run("/proc/no-such-folder/run");
    assert_int_not_equal(fit(&r, NULL), AFN_OK);
    assert_non_null(strstr(afn_error_message(), "/proc/no-such-folder"));
    r.o.out = NULL;
    r.o.batch = 0;
    assert_fails(AFN_EINVAL, "batch is 0", fit(&r, NULL));
    r.o.batch = 5;
    r.phase[0].epochs = r.phase[1].epochs = 0;
    assert_fails(AFN_EINVAL, "no phase has any epochs", fit(&r, NULL));
    r.phase[1].epochs = 1;
    r.phase[1].augment.spec = "hflip=2";
    assert_fails(AFN_EINVAL, "phase tune: augmentation: hflip: probability is 2",
                 fit(&r, NULL));
    r.phase[1].augment.spec = NULL;
    r.phase[1].label_smoothing = 2;
    assert_fails(AFN_EINVAL, "phase tune: label smoothing is 2", fit(&r, NULL));
    r.phase[1].label_smoothing = 0;
    r.phase[1].trainable = "layer9";
    assert_fails(AFN_ENOTFOUND, "layer9", fit(&r, NULL));
    assert_int_equal(r.steps_seen, 0);
    close_run(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_run_leaves_its_files_and_the_best_model),
        cmocka_unit_test(the_best_model_is_calibrated_on_validation_images),
        cmocka_unit_test(two_runs_with_one_seed_are_equal_to_the_bit),
        cmocka_unit_test(a_stopped_run_keeps_what_it_had),
        cmocka_unit_test(no_folder_and_no_validation_work_too),
        cmocka_unit_test(only_training_images_of_the_phase_are_augmented),
        cmocka_unit_test(wrong_options_stop_before_any_work),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
