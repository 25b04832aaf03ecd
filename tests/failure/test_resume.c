/* SPDX-License-Identifier: Apache-2.0 */
/* A run that is killed at any moment and resumed leaves byte for byte what an
 * undisturbed one leaves.
 *
 * Every run is a process of its own.  It is killed in the k-th call that opens, writes,
 * makes durable or renames a file, and so also in the middle of a checkpoint, or
 * between two steps; with checkpoints in the middle of an epoch. */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

#include "afn_test.h"
#include "io/io.h"
#include "train/run/record_files.h"

enum { SIDE = 32, CLASSES = 2, KILLS = 50, STOPPED = 7, FAILED = 8 };

/* One run: what disturbs it, and how it is set up. */
typedef struct job {
    const char *out;
    bool resume;
    int64_t file_call; /* killed in this one, or fails from it on; 0 = none */
    int error;         /* -1 = killed, errno = fails */
    int64_t step;      /* killed after this one, 0 = none, -1 = in validation */
    bool stop;         /* asked to stop instead */
    bool cache, modern;
    int choices; /* of optimisers and schedules, 0 = the tutorial's */
} job;

static int64_t steps_done;

static int on_validation(int64_t batches, int64_t of, void *user)
{
    const job *j = user;
    assert_true(batches >= 1 && batches <= of);
    return j->stop && j->step < 0;
}

static int on_step(const afn_progress *p, void *user)
{
    const job *j = user;
    (void)p;
    if (j->step <= 0 || ++steps_done != j->step) return 0;
    if (!j->stop) raise(SIGKILL);
    return 1;
}

static void set_choices(afn_phase phase[2], int choices)
{
    afn_phase *const a = &phase[0], *const b = &phase[1];
    a->optim = afn_optim_defaults(choices == 1 ? "adamw" : "rmsprop");
    b->optim = afn_optim_defaults(choices == 1 ? "sgd" : "adam");
    a->optim.lr = b->optim.lr = 0.002f;
    a->optim.accumulate = 3; /* of 4 batches in an epoch */
    if (choices == 1) {
        a->optim.ema_decay = 0.9f;
        a->schedule.schedule = "cosine";
        a->schedule.on_updates = true;
        b->schedule.schedule = "onecycle";
        b->optim.ema_decay = 0.99f;
        b->optim.ema_warmup = true;
        b->optim.clip_norm = 1;
        b->optim.layer_decay = 0.8f;
    } else {
        a->optim.centered = true;
        a->optim.momentum = 0.5f;
        a->schedule.schedule = "plateau";
        a->schedule.patience = 0;
        a->schedule.threshold = 0.9f;
        b->schedule.schedule = "multistep";
        b->schedule.milestone[0] = 1;
        b->schedule.n_milestones = 1;
        b->schedule.warmup_steps = 3;
        b->optim.no_decay_norm_bias = true;
        b->optim.weight_decay = 0.1f;
    }
}

static void set_phases(afn_phase phase[2], const job *j)
{
    afn_default_phases(phase);
    phase[0].epochs = 2;
    phase[1].epochs = 2;
    phase[1].trainable = "features.12,classifier";
    phase[1].optim.lr = 0.01f;
    phase[1].augment.spec = "hflip,color=0.2";
    if (j->choices) set_choices(phase, j->choices);
    if (!j->modern) return;
    phase[0].label_smoothing = 0.1f;
    phase[1].trainable = "*";
    phase[1].augment.mixup = 0.2;
    phase[1].patience = 3;
}

static afn_status run(const job *j)
{
    afn_status st = AFN_OK;
    afn_model *m = NULL;
    afn_data_parts parts = { 0 };
    afn_phase phase[2];
    afn_preprocess p = afn_preprocess_imagenet();
    afn_fit_opts o = afn_fit_defaults();
    set_phases(phase, j);
    o.phase = phase;
    o.n_phases = 2;
    o.batch = 4;
    o.threads = 1;
    o.exact = true;
    o.out = j->out;
    o.feature_cache = j->cache;
    o.balanced = j->modern;
    o.resume = j->resume;
    o.checkpoint_steps = 1;
    o.on_step = on_step;
    o.on_validation = on_validation;
    o.record_steps = 1;
    o.user = (void *)j;
    p.resize = p.crop = SIDE;
    AFN_TRY(afn_data_open(&parts, "fake:size=20,classes=2,height=32,width=32", NULL));
    AFN_TRY(
        afn_model_new(&m, j->modern ? "squeezenet1_0" : "squeezenet1_1", CLASSES, 1));
    AFN_TRY(afn_model_set_preprocess(m, &p));
    afn_out_fail_at(j->file_call, j->error);
    AFN_TRY(afn_fit(m, parts.train, parts.val, &o, NULL));
done:
    afn_model_free(m);
    afn_data_parts_free(&parts);
    return st;
}

/* The run in a process of its own.  Returns its signal, 0, STOPPED or FAILED; for
 * FAILED its message lies in `out`.txt. */
static int perform(const job *j)
{
    int status;
    const pid_t child = fork();
    assert_true(child >= 0);
    if (!child) {
        char path[1300];
        const afn_status st = run(j);
        afn_out_fail_at(0, 0);
        snprintf(path, sizeof path, "%s.txt", j->out);
        (void)afn_file_write(path, afn_error_message(), strlen(afn_error_message()));
        _exit(st == AFN_OK ? 0 : st == AFN_ECANCELLED ? STOPPED : FAILED);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
}

/* metrics.csv without its last two columns, which are times. */
static void drop_times(char *text)
{
    char *to = text;
    int column = 0;
    for (const char *at = text; *at; at++) {
        column = *at == '\n' ? 0 : column + (*at == ',');
        if (column < 7) *to++ = *at;
    }
    *to = 0;
}

static void assert_same_file(const char *a, const char *b, const char *name)
{
    char path[2][1300];
    uint8_t *data[2];
    size_t size[2];
    snprintf(path[0], sizeof path[0], "%s/%s", a, name);
    snprintf(path[1], sizeof path[1], "%s/%s", b, name);
    for (int i = 0; i < 2; i++) {
        assert_ok(afn_file_read(&data[i], &size[i], path[i]));
        if (strcmp(name, "metrics.csv") == 0) {
            drop_times((char *)data[i]);
            size[i] = strlen((char *)data[i]);
        }
    }
    if (size[0] != size[1] || memcmp(data[0], data[1], size[0]) != 0)
        fail_msg("%s and %s differ", path[0], path[1]);
    afn_free(data[0]);
    afn_free(data[1]);
}

static int64_t int_in(const json_t *line, const char *name)
{
    const json_t *v = json_object_get(line, name);
    if (!json_is_integer(v)) fail_msg("no whole number %s", name);
    return json_integer_value(v);
}

/* run.jsonl has whole lines, every epoch and step once and in order, and one end. */
static void assert_told_once(const char *run)
{
    char path[1300];
    uint8_t *data;
    size_t size;
    int epochs = 0, ends = 0;
    int64_t step = 0;
    snprintf(path, sizeof path, "%s/" AFN_LINES_FILE, run);
    assert_ok(afn_file_read(&data, &size, path));
    assert_true(size > 0 && data[size - 1] == '\n');
    for (char *at = (char *)data, *end; (end = strchr(at, '\n')); at = end + 1) {
        json_t *line;
        assert_ok(afn_json_parse(&line, at, (size_t)(end - at)));
        const char *event = json_string_value(json_object_get(line, "event"));
        if (strcmp(event, "epoch") == 0)
            assert_int_equal(int_in(line, "run_epoch"), ++epochs);
        if (strcmp(event, "step") == 0) {
            assert_true(int_in(line, "run_step") > step);
            step = int_in(line, "run_step");
        }
        ends += strcmp(event, "end") == 0;
        json_decref(line);
    }
    assert_int_equal(epochs, 4);
    assert_int_equal(ends, 1);
    assert_int_equal(step, 16);
    afn_free(data);
    snprintf(path, sizeof path, "%s/" AFN_EVENTS_FILE, run);
    assert_ok(afn_file_read(&data, &size, path));
    assert_int_equal(afn_tfrecord_whole(data, size), size);
    afn_free(data);
}

static void assert_same_run(const char *a, const char *b)
{
    static const char *const name[] = { "model.safetensors", "model.pth", "last.pth",
                                        "metrics.csv" };
    afn_run_state s;
    for (size_t i = 0; i < AFN_COUNT(name); i++) assert_same_file(a, b, name[i]);
    assert_ok(afn_run_look(&s, b));
    assert_true(s.finished);
    assert_told_once(b);
    afn_run_state_free(&s);
}

/* To the end: from last.ckpt, or from the start where the kill came before it. */
static void resume(job j)
{
    char path[1300];
    snprintf(path, sizeof path, "%s/last.ckpt", j.out);
    j.resume = afn_is_file(path);
    j.file_call = j.step = 0;
    j.stop = false;
    const int code = perform(&j);
    if (code != 0) fail_msg("%s: resumed run ended with %d", j.out, code);
}

static const char *folder(int i)
{
    static char path[2][1200];
    static int turn;
    turn = !turn;
    snprintf(path[turn], sizeof path[turn], "%s/%d", test_dir("resume"), i);
    return path[turn];
}

/* Calls of files in an undisturbed run, counted by failing ever later. */
static int64_t count_file_calls(void)
{
    int64_t low = 1, high = 2000;
    while (low < high) {
        const int64_t middle = (low + high) / 2;
        const job j = { .out = folder(1000), .file_call = middle, .error = ENOSPC };
        if (perform(&j) == 0)
            high = middle;
        else
            low = middle + 1;
    }
    return low - 1;
}

static void killed_at_any_moment_it_leaves_the_same_files(void **state)
{
    (void)state;
    const job whole = { .out = folder(0) };
    char undisturbed[1200];
    afn_rng rng = afn_rng_new(1, afn_rng_stream(AFN_RNG_TEST, 2, 0));
    snprintf(undisturbed, sizeof undisturbed, "%s", whole.out);
    assert_int_equal(perform(&whole), 0);
    const int64_t calls = count_file_calls();
    assert_true(calls > 50);
    for (int k = 1; k <= KILLS; k++) {
        job j = { .out = folder(k), .cache = k % 2 == 1 };
        if (k % 5 == 0)
            j.step = 1 + afn_rng_below(&rng, 15);
        else
            j.file_call = 1 + afn_rng_below(&rng, calls);
        j.error = -1;
        if (perform(&j) != SIGKILL) fail_msg("run %d was not killed", k);
        resume(j);
        assert_same_run(undisturbed, j.out);
    }
}

static void stopped_after_any_step_it_goes_on_the_same(void **state)
{
    (void)state;
    const job whole = { .out = folder(200), .modern = true };
    char undisturbed[1200];
    snprintf(undisturbed, sizeof undisturbed, "%s", whole.out);
    assert_int_equal(perform(&whole), 0);
    for (int step = 1; step <= 16; step += 3) {
        const job j = {
            .out = folder(200 + step), .step = step, .stop = true, .modern = true
        };
        assert_int_equal(perform(&j), STOPPED);
        resume(j);
        assert_same_run(undisturbed, j.out);
    }
}

static void stopped_in_validation_it_validates_again(void **state)
{
    (void)state;
    const job whole = { .out = folder(400), .modern = true };
    char undisturbed[1200];
    afn_run_state s;
    snprintf(undisturbed, sizeof undisturbed, "%s", whole.out);
    assert_int_equal(perform(&whole), 0);
    const job j = { .out = folder(401), .step = -1, .stop = true, .modern = true };
    assert_int_equal(perform(&j), STOPPED);
    assert_ok(afn_run_look(&s, j.out));
    assert_int_equal(s.run_epoch, 0);
    assert_int_equal(s.step, 4); /* all of them */
    afn_run_state_free(&s);
    resume(j);
    assert_same_run(undisturbed, j.out);
}

/* In the middle of a group of batches, too. */
static void optimisers_schedules_and_averages_go_on_the_same(void **state)
{
    (void)state;
    for (int choices = 1; choices <= 2; choices++) {
        const job whole = { .out = folder(500 + 100 * choices), .choices = choices };
        char undisturbed[1200];
        snprintf(undisturbed, sizeof undisturbed, "%s", whole.out);
        assert_int_equal(perform(&whole), 0);
        for (int step = 1; step <= 16; step += 2) {
            const job j = { .out = folder(500 + 100 * choices + step),
                            .step = step,
                            .stop = step % 4 == 1,
                            .choices = choices };
            assert_int_equal(perform(&j), j.stop ? STOPPED : SIGKILL);
            resume(j);
            assert_same_run(undisturbed, j.out);
        }
    }
}

/* From some call on the disk is full: one line, and the run can be resumed. */
static void a_full_disk_costs_nothing_that_was_saved(void **state)
{
    (void)state;
    const job whole = { .out = folder(300) };
    char undisturbed[1200], path[1300];
    uint8_t *text;
    size_t size;
    snprintf(undisturbed, sizeof undisturbed, "%s", whole.out);
    assert_int_equal(perform(&whole), 0);
    for (int k = 6; k < 60; k += 11) {
        const job j = { .out = folder(300 + k), .file_call = k, .error = ENOSPC };
        assert_int_equal(perform(&j), FAILED);
        snprintf(path, sizeof path, "%s.txt", j.out);
        assert_ok(afn_file_read(&text, &size, path));
        assert_non_null(
            strstr((char *)text, ": cannot write: no space left on device"));
        assert_null(strchr((char *)text, '\n'));
        afn_free(text);
        resume(j);
        assert_same_run(undisturbed, j.out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(killed_at_any_moment_it_leaves_the_same_files),
        cmocka_unit_test(stopped_after_any_step_it_goes_on_the_same),
        cmocka_unit_test(stopped_in_validation_it_validates_again),
        cmocka_unit_test(optimisers_schedules_and_averages_go_on_the_same),
        cmocka_unit_test(a_full_disk_costs_nothing_that_was_saved),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
