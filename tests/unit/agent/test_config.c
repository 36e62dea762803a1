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
    return config_load(config, path, err);
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
        {REQUIRED "logging_level = \"loud\";", "\"logging_level\""},
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
