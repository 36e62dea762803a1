/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "connector/config.h"

#include "common/json.h"
#include "common/yaml.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void config_of(struct config *config, const char *yaml)
{
    struct err err = ERR_INIT;

    assert_int_equal(yml_parse(yaml, strlen(yaml), &config->tree, &err), 0);
}

static void test_scalars_are_texts(void **state)
{
    struct config config;
    struct err err = ERR_INIT;
    const char *text;

    (void)state;
    config_of(&config,
              "ip: 10.0.0.1\nport: 4001\nyes: true\nlist: [a]\nmap: {a: b}\nempty: ''\nnone:\n");
    assert_string_equal(config_text(&config, "ip"), "10.0.0.1");
    assert_string_equal(config_text(&config, "port"), "4001");
    assert_null(config_text(&config, "list"));
    assert_null(config_text(&config, "map"));
    assert_null(config_text(&config, "empty"));
    assert_null(config_text(&config, "none"));
    assert_null(config_text(&config, "missing"));
    assert_int_equal(config_require(&config, "ip", &text, &err), 0);
    assert_int_equal(config_require(&config, "missing", &text, &err), -1);
    assert_string_equal(err.text, "the configuration has no missing");
    assert_string_equal(text, "10.0.0.1");
    config_done(&config);
}

static void test_numbers_have_a_range_and_a_default(void **state)
{
    static const char *const wrong[] = {"a: -1", "a: 11", "a: x", "a: 1.5", "a: [1]", "a: ''"};
    struct config config;
    struct err err = ERR_INIT;
    int64_t number = -7;

    (void)state;
    config_of(&config, "a: 10\nb: '3'\nnone:\n");
    assert_int_equal(config_number(&config, "a", 5, 10, &number, &err), 0);
    assert_int_equal(number, 10);
    assert_int_equal(config_number(&config, "b", 5, 10, &number, &err), 0);
    assert_int_equal(number, 3);
    assert_int_equal(config_number(&config, "none", 5, 10, &number, &err), 0);
    assert_int_equal(number, 5);
    config_done(&config);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        number = -7;
        config_of(&config, wrong[i]);
        assert_int_equal(config_number(&config, "a", 5, 10, &number, &err), -1);
        assert_int_equal(number, -7);
        assert_non_null(strstr(err.text, "a in the configuration"));
        config_done(&config);
    }
}

static void test_times_are_seconds_or_durations(void **state)
{
    static const struct {
        const char *yaml;
        int64_t ms; /* -1: refused */
    } cases[] = {
        {"a: 2", 2000},   {"a: 0.25", 250}, {"a: 0", 0},     {"a: 1m30s", 90000},
        {"a: '5'", 5000}, {"b: 2", 700},    {"a:", 700},     {"a: 100", 100000},
        {"a: 101", -1},   {"a: 100.5", -1}, {"a: -0.5", -1}, {"a: -1", -1},
        {"a: soon", -1},  {"a: [1]", -1},   {"a: true", -1}, {"a: .inf", -1},
        {"a: 1e300", -1}, {"a: 2m", -1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct config config = {NULL};
        struct err err = ERR_INIT;
        int64_t ms = -1;
        int rc;

        /* what YAML has no number for is no configuration either */
        if (yml_parse(cases[i].yaml, strlen(cases[i].yaml), &config.tree, &err) < 0) {
            assert_int_equal(cases[i].ms, -1);
            continue;
        }
        rc = config_duration_ms(&config, "a", 700, 100000, &ms, &err);
        assert_int_equal(rc, cases[i].ms < 0 ? -1 : 0);
        assert_int_equal(ms, cases[i].ms);
        config_done(&config);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scalars_are_texts),
        cmocka_unit_test(test_numbers_have_a_range_and_a_default),
        cmocka_unit_test(test_times_are_seconds_or_durations),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
