/* SPDX-License-Identifier: Apache-2.0 */
/* The files that grow while a run goes: lines, scalars, and going on. */
#include <math.h>

#include "afn_test.h"
#include "io/io.h"
#include "train/run/record_files.h"

static char *in_folder(const char *name)
{
    static char path[1300];
    snprintf(path, sizeof path, "%s/%s", test_dir("records"), name);
    return path;
}

static void add_line(afn_record_files *r, const char *event, int64_t n)
{
    afn_buf line;
    afn_line_begin(&line, event);
    afn_line_int(&line, "n", n);
    assert_ok(afn_line_end(r, &line));
}

/* "event n" of each line, with a blank between. */
static char *events(void)
{
    static char text[400];
    uint8_t *data;
    size_t size;
    text[0] = 0;
    assert_ok(afn_file_read(&data, &size, in_folder(AFN_LINES_FILE)));
    for (char *at = (char *)data, *end; (end = strchr(at, '\n')); at = end + 1) {
        json_t *line;
        assert_ok(afn_json_parse(&line, at, (size_t)(end - at)));
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s %d",
                 *text ? " " : "", json_string_value(json_object_get(line, "event")),
                 (int)json_integer_value(json_object_get(line, "n")));
        json_decref(line);
    }
    afn_free(data);
    return text;
}

static void hear(const char *line, void *user)
{
    snprintf(user, 200, "%s", line);
}

static void a_line_is_one_object_told_as_it_is_written(void **state)
{
    (void)state;
    char heard[200];
    uint8_t *data;
    size_t size;
    afn_buf line;
    afn_record_files r = { .on_line = hear, .user = heard };
    assert_ok(afn_record_files_open(&r, test_dir("records"), false));
    afn_line_begin(&line, "step");
    afn_line_real(&line, "loss", 0.1);
    afn_line_real(&line, "lost", NAN);
    afn_line_text(&line, "phase", "a\"b\n\xff");
    afn_line_text(&line, "none", NULL);
    afn_line_bool(&line, "best", true);
    assert_ok(afn_line_end(&r, &line));
    assert_ok(afn_file_read(&data, &size, in_folder(AFN_LINES_FILE)));
    assert_int_equal(size, strlen(heard) + 1);
    assert_memory_equal(data, heard, size - 1);
    assert_int_equal(data[size - 1], '\n');
    assert_non_null(strstr(heard, "{\"event\":\"step\",\"time\":1"));
    assert_non_null(strstr(heard,
                           ",\"loss\":0.1,\"lost\":null,\"phase\":\"a\\\"b\\u000a"
                           "\xEF\xBF\xBD\",\"none\":null,\"best\":true}"));
    afn_free(data);
    afn_record_files_close(&r);
}

static void a_run_that_goes_on_forgets_what_no_checkpoint_knows_but_stops(void **state)
{
    (void)state;
    afn_append half;
    afn_record_files r = { 0 };
    assert_ok(afn_record_files_open(&r, test_dir("records"), false));
    add_line(&r, "start", 1);
    add_line(&r, "epoch", 1);
    afn_record_files again = { .lines_then = r.lines.size };
    add_line(&r, "epoch", 2);
    add_line(&r, "stop", 2);
    afn_record_files_close(&r);
    assert_ok(afn_append_open(&half, in_folder(AFN_LINES_FILE), 1 << 20));
    assert_ok(afn_append_write(&half, "{\"event\":\"stop\",\"ti", 18)); /* a kill */
    afn_append_close(&half);
    assert_ok(afn_record_files_open(&again, test_dir("records"), false));
    add_line(&again, "resume", 1);
    afn_record_files_close(&again);
    assert_string_equal(events(), "start 1 epoch 1 stop 2 resume 1");

    again = (afn_record_files){ .lines_then = 1 << 20 }; /* the file lost its end */
    assert_ok(afn_record_files_open(&again, test_dir("records"), false));
    add_line(&again, "resume", 2);
    afn_record_files_close(&again);
    assert_string_equal(events(), "start 1 epoch 1 stop 2 resume 1 resume 2");

    r = (afn_record_files){ 0 };
    assert_ok(afn_record_files_open(&r, test_dir("records"), false));
    afn_record_files_close(&r);
    assert_string_equal(events(), "");
}

static size_t events_size(void)
{
    uint8_t *data;
    size_t size;
    assert_ok(afn_file_read(&data, &size, in_folder(AFN_EVENTS_FILE)));
    assert_int_equal(afn_tfrecord_whole(data, size), size);
    afn_free(data);
    return size;
}

static void scalars_go_on_behind_whole_records(void **state)
{
    (void)state;
    const afn_scalar s[] = { { "a", 1 }, { "b", NAN } };
    afn_record_files r = { 0 };
    assert_ok(afn_record_files_open(&r, test_dir("records"), true));
    assert_ok(afn_scalars_add(&r, 1, s, 2));
    const int64_t then = r.events.size;
    assert_ok(afn_scalars_add(&r, 300, s, 2)); /* a step of two bytes */
    assert_int_equal(r.events.size - then, 16 + 9 + 3 + 2 + 2 + 3 + 5);
    afn_record_files_close(&r);
    r = (afn_record_files){ .events_then = then + 7 };
    assert_ok(afn_record_files_open(&r, test_dir("records"), true));
    assert_int_equal(r.events.size, then);
    assert_ok(afn_scalars_add(&r, 2, s, 2));
    afn_record_files_close(&r);
    assert_true(events_size() > (size_t)then);
}

static void without_a_folder_lines_are_only_told(void **state)
{
    (void)state;
    char heard[200] = "";
    afn_record_files r = { .on_line = hear, .user = heard };
    assert_ok(afn_record_files_open(&r, NULL, true));
    add_line(&r, "start", 1);
    assert_non_null(strstr(heard, "\"n\":1}"));
    assert_ok(afn_scalars_add(&r, 1, &(afn_scalar){ "a", 1 }, 1));
    afn_record_files_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_is_one_object_told_as_it_is_written),
        cmocka_unit_test(a_run_that_goes_on_forgets_what_no_checkpoint_knows_but_stops),
        cmocka_unit_test(scalars_go_on_behind_whole_records),
        cmocka_unit_test(without_a_folder_lines_are_only_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
