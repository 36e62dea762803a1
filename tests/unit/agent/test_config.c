/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/config.h"

#include "common/buf.h"
#include "common/fs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define REQUIRED "agent_id = \"a\";\nserver_address = \"h\";\njob_queues = [ \"q\" ];\n"

static char path[] = "/tmp/test_config_XXXXXX";

static int load(struct config *config, const char *text, struct err *err)
{
    assert_int_equal(fs_write_atomic(path, text, strlen(text), 0600, err), 0);
    return config_load(config, &(struct config_source){path, NULL, NULL}, err);
}

static void test_defaults_are_those_of_the_manual(void **state)
{
    struct config config;
    struct err err = ERR_INIT;

    (void)state;
    assert_int_equal(load(&config, REQUIRED, &err), 0);
    assert_int_equal(config.polling_interval, 10);
    assert_int_equal(config.global_timeout, CONFIG_GLOBAL_TIMEOUT_S);
    assert_int_equal(config.output_timeout, CONFIG_OUTPUT_TIMEOUT_S);
    assert_int_equal(config.output_bytes, 10 << 20);
    assert_int_equal(config.kill_grace, 10);
    assert_string_equal(config.execution_basedir, "/tmp/testflinger/run");
    assert_string_equal(config.results_basedir, "/tmp/testflinger/results");
    assert_string_equal(config_command(&config, PHASE_TEST), "");
    config_done(&config);
}

static void test_what_is_wrong_is_named_with_its_line(void **state)
{
    static const struct {
        const char *text;
        const char *complaint;
    } bad[] = {
        {REQUIRED "colour = 1;", ":4: unknown option \"colour\""},
        {REQUIRED "\npolling_interval = true;", ":5: option \"polling_interval\""},
        {REQUIRED "output_bytes = 1;", ":4: option \"output_bytes\""},
        {REQUIRED "test_command = 1;", ":4: option \"test_command\""},
        {"agent_id = \"a\";\nserver_address = \"h\";", "\"job_queues\" is missing"},
        {"agent_id = \"a/b\";\nserver_address = \"h\";\njob_queues = [ \"q\" ];", "has a slash"},
        {"agent_id = \"a\";\nserver_address = \"h\";\njob_queues = [ ];",
         "\"job_queues\" is empty"},
        {REQUIRED "logging_level = \"loud\";", ":4: option \"logging_level\" is none of DEBUG"},
        {"agent_id = \"\";\nserver_address = \"h\";\njob_queues = [ \"q\" ];",
         ":1: option \"agent_id\" is empty"},
        {"agent_id = \"a\";\nserver_address = \"\";\njob_queues = [ \"q\" ];",
         ":2: option \"server_address\" is empty"},
        {"agent_id = \"a\";\nserver_address = \"ftp://h\";\njob_queues = [ \"q\" ];",
         ":2: option \"server_address\" is neither"},
        {"agent_id = \"a\";\nserver_address = \"h:99999\";\njob_queues = [ \"q\" ];",
         ":2: option \"server_address\" is neither"},
        {"agent_id = \"a\";\nserver_address = \"h\";\njob_queues = [ \"q\", \"\" ];",
         ":3: option \"job_queues\" has an empty name"},
        {"server_address = \"h\";\njob_queues = [ \"q\" ];", ": option \"agent_id\" is missing"},
        {"agent_id = \"a\";\njob_queues = [ \"q\" ];", ": option \"server_address\" is missing"},
        {REQUIRED "execution_basedir = \"\";", ":4: option \"execution_basedir\" is empty"},
        {REQUIRED "logging_basedir = \"\";", ":4: option \"logging_basedir\" is empty"},
        {REQUIRED "results_basedir = \"\";", ":4: option \"results_basedir\" is empty"},
        {REQUIRED "metrics_address = \"here\";", ":4: option \"metrics_address\" is neither"},
        {REQUIRED "server_pause_min = 9;\nserver_pause_max = 8;",
         ":5: option \"server_pause_max\" is less than \"server_pause_min\" (9)"},
        {REQUIRED "agent_id = \"b\";", ":4: duplicate setting name"},
        {REQUIRED "test_command = \"unended;", ":"},
        {REQUIRED "= 1;", ":4: syntax error"},
        {REQUIRED "advertised_images = ( { queue = \"q\"; image = \"i\"; } );",
         "\"data\" is missing"},
    };
    struct config config;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct err err = ERR_INIT;

        assert_int_equal(load(&config, bad[i].text, &err), -1);
        if (!strstr(err.text, bad[i].complaint) || !strstr(err.text, path))
            fail_msg("\"%s\" does not say \"%s\"", err.text, bad[i].complaint);
    }
}

static void test_every_option_refuses_another_type(void **state)
{
    static const char *const texts[] = {
        "identifier",      "location",          "provision_type",          "execution_basedir",
        "logging_basedir", "results_basedir",   "logging_level",           "setup_command",
        "test_command",    "provision_command", "firmware_update_command", "allocate_command",
        "reserve_command", "cleanup_command",   "metrics_address",
    };
    static const char *const numbers[] = {
        "polling_interval", "global_timeout",   "output_timeout", "output_bytes",
        "kill_grace",       "cancel_interval",  "stop_timeout",   "retry_pause_ms",
        "server_pause_min", "server_pause_max", "metrics_port",   "lease_s",
        "wait_s",
    };
    static const char *const others[] = {"advertised_queues", "advertised_images", "logging_quiet"};
    static const struct {
        const char *const *names;
        size_t count;
        const char *value, *complaint;
    } cases[] = {
        {texts, sizeof(texts) / sizeof(texts[0]), "5", "a text in double quotes is wanted"},
        {numbers, sizeof(numbers) / sizeof(numbers[0]), "\"5\"", "a whole number is wanted"},
        {numbers, sizeof(numbers) / sizeof(numbers[0]), "5.5", "a whole number is wanted"},
        {numbers, sizeof(numbers) / sizeof(numbers[0]), "-1", "is not between"},
        {numbers, sizeof(numbers) / sizeof(numbers[0]), "9223372036854775807L", "is not between"},
        {others, 2, "{ }", "a list of groups { … } is wanted"},
        {others, 2, "( \"a\" )", "entry 1 is not a group { … }"},
        {others, 2, "( { other = \"a\"; } )", "unknown key \"other\""},
        {others + 2, 1, "1", "true or false is wanted"},
    };
    struct config config;
    char text[500], wanted[200];

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        for (size_t k = 0; k < cases[i].count; k++) {
            struct err err = ERR_INIT;

            (void)snprintf(text, sizeof(text), REQUIRED "%s = %s;", cases[i].names[k],
                           cases[i].value);
            (void)snprintf(wanted, sizeof(wanted), "%s:4: option \"%s\": ", path,
                           cases[i].names[k]);
            assert_int_equal(load(&config, text, &err), -1);
            if (strncmp(err.text, wanted, strlen(wanted)) != 0 ||
                !strstr(err.text, cases[i].complaint))
                fail_msg("\"%s\" does not say \"%s…%s\"", err.text, wanted, cases[i].complaint);
        }
}

static void collect(void *arg, const char *name, const char *value)
{
    (void)buf_addf(arg, "%s=%s;", name, value);
}

static void test_texts_are_visited_and_numbers_are_not(void **state)
{
    struct buf seen = BUF_INIT(10000);
    struct config config;
    struct err err = ERR_INIT;

    (void)state;
    assert_int_equal(load(&config, REQUIRED "location = \"lab\"; test_command = \"x y\";", &err),
                     0);
    config_each_string(&config, collect, &seen);
    assert_non_null(strstr(buf_text(&seen), "agent_id=a;"));
    assert_non_null(strstr(buf_text(&seen), "location=lab;"));
    assert_non_null(strstr(buf_text(&seen), "test_command=x y;"));
    assert_null(strstr(buf_text(&seen), "polling_interval"));
    assert_null(strstr(buf_text(&seen), "identifier"));
    assert_string_equal(config_command(&config, PHASE_TEST), "x y");
    config_done(&config);
    buf_done(&seen);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults_are_those_of_the_manual),
        cmocka_unit_test(test_what_is_wrong_is_named_with_its_line),
        cmocka_unit_test(test_every_option_refuses_another_type),
        cmocka_unit_test(test_texts_are_visited_and_numbers_are_not),
    };
    int fd = mkstemp(path);
    int failed;

    if (fd < 0)
        return 1;
    (void)close(fd);
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    (void)unlink(path);
    return failed;
}
