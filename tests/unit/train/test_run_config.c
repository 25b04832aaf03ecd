/* SPDX-License-Identifier: Apache-2.0 */
/* config.json: what a run was told, under the names that the documentation has. */
#include "io/io.h"
#include "small_run.h"
#include "train/run/run_config.h"

static json_t *read_config(void)
{
    char path[1300];
    uint8_t *data;
    size_t size;
    json_t *config;
    snprintf(path, sizeof path, "%s/config.json", test_dir("config"));
    assert_ok(afn_file_read(&data, &size, path));
    assert_ok(afn_json_parse(&config, data, size));
    afn_free(data);
    return config;
}

static const json_t *at(const json_t *v, const char *a, const char *b)
{
    const json_t *found = json_object_get(json_object_get(v, a), b);
    if (!found) fail_msg("no %s.%s", a, b);
    return found;
}

static void it_has_the_settings_the_data_and_the_command(void **state)
{
    (void)state;
    small_run s;
    small_run_open(&s, "squeezenet1_1", 8, 2);
    s.o.seed = 7;
    s.o.config = "{\"val\":0.25}";
    s.phase[1].optim.lr = 0.1f;
    assert_ok(afn_run_config_write(test_dir("config"), s.m, s.train, s.val, &s.o));
    json_t *c = read_config();
    assert_string_equal(json_string_value(at(c, "versions", "afina")), afn_version());
    assert_true(json_integer_value(at(c, "machine", "processors")) >= 1);
    assert_string_equal(json_string_value(at(c, "model", "arch")), "squeezenet1_1");
    assert_int_equal(json_array_size(at(c, "model", "classes")), 2);
    assert_int_equal(
        json_integer_value(json_object_get(at(c, "data", "train"), "images")), 6);
    assert_int_equal(
        json_string_length(json_object_get(at(c, "data", "val"), "list_hash")), 16);
    assert_int_equal(json_integer_value(at(c, "settings", "seed")), 7);
    assert_int_equal(json_integer_value(at(c, "settings", "batch")), 32);
    assert_true(json_real_value(at(c, "command", "val")) == 0.25);
    const json_t *tune = json_array_get(json_object_get(c, "phases"), 1);
    assert_string_equal(json_string_value(json_object_get(tune, "name")), "tune");
    assert_true(json_real_value(json_object_get(tune, "lr")) == 0.1);
    assert_true(json_is_number(json_object_get(tune, "weight_decay")));
    json_decref(c);
    small_run_close(&s);
}

static void a_command_that_is_no_object_is_refused(void **state)
{
    (void)state;
    small_run s;
    small_run_open(&s, "squeezenet1_1", 8, 2);
    s.o.config = "[1]";
    assert_fails(AFN_EINVAL,
                 "config.json is to say of the command: it is no JSON object",
                 afn_run_config_write(test_dir("config"), s.m, s.train, NULL, &s.o));
    small_run_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_has_the_settings_the_data_and_the_command),
        cmocka_unit_test(a_command_that_is_no_object_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
