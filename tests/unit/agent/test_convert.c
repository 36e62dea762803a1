/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "agent/convert.h"

#include "agent/config.h"
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

#define NEEDED "agent_id: a\nserver_address: h\njob_queues: [q]\n"

static char path[] = "/tmp/test_convert_XXXXXX";

static void note(void *arg, const char *loss)
{
    assert_true(strncmp(loss, path, strlen(path)) == 0);
    (void)buf_addf(arg, "%s\n", loss + strlen(path));
}

/* Converts the text, reads the result as a configuration; told: losses without the file name. */
static size_t turn(const char *yaml, struct config *config, struct buf *told)
{
    const struct conversion conversion = {path, note, told};
    struct buf out = BUF_INIT(CONVERT_TEXT_MAX);
    struct err err = ERR_INIT;
    size_t losses = 0;

    buf_clear(told);
    assert_int_equal(fs_write_atomic(path, yaml, strlen(yaml), 0600, &err), 0);
    if (convert(&conversion, &out, &losses, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(fs_write_atomic(path, buf_text(&out), out.len, 0600, &err), 0);
    if (config_load(config, &(struct config_source){path, NULL, NULL}, &err) < 0)
        fail_msg("%s in\n%s", err.text, buf_text(&out));
    buf_done(&out);
    return losses;
}

static void assert_fails(const char *yaml, const char *why)
{
    struct buf told = BUF_INIT(10000), out = BUF_INIT(10000);
    const struct conversion conversion = {path, note, &told};
    struct err err = ERR_INIT;
    size_t losses;

    assert_int_equal(fs_write_atomic(path, yaml, strlen(yaml), 0600, &err), 0);
    assert_int_equal(convert(&conversion, &out, &losses, &err), -1);
    if (!strstr(err.text, why) || !strstr(err.text, path))
        fail_msg("\"%s\" does not say \"%s\"", err.text, why);
    assert_int_equal(out.len, 0);
    buf_done(&told);
}

static void every_kind_of_option_is_kept(void **state)
{
    struct buf told = BUF_INIT(10000);
    struct config c;

    (void)state;
    assert_int_equal(turn("# how labs have it\n"
                          "agent_id: 'rpi4-03'\n"
                          "server_address: https://server.example:8000/\n"
                          "polling_interval: 30\n"
                          "output_bytes: 3000000000\n"
                          "logging_quiet: yes\n"
                          "job_queues:\n"
                          "  - one\n"
                          "  - \"two, \\\"three\\\"\"\n"
                          "advertised_queues:\n"
                          "  one: the first\n"
                          "  two:\n"
                          "advertised_images:\n"
                          "  one:\n"
                          "    core22: 'url: http://x'\n"
                          "    core24: |\n"
                          "      url: http://y\n"
                          "      token: \\n is no line end\n"
                          "test_command: \"first\\nsecond\\tü\\x07\"\n"
                          "setup_command:\n"
                          "identifier: \"42\"\n",
                          &c, &told),
                     0);
    assert_string_equal(buf_text(&told), "");
    assert_string_equal(c.agent_id, "rpi4-03");
    assert_string_equal(c.server_address, "https://server.example:8000/");
    assert_int_equal(c.polling_interval, 30);
    assert_int_equal(c.output_bytes, INT64_C(3000000000));
    assert_true(c.logging_quiet);
    assert_int_equal(c.job_queues.count, 2);
    assert_string_equal(c.job_queues.items[1], "two, \"three\"");
    assert_int_equal(c.advertised_queues.count, 2);
    assert_string_equal(c.advertised_queues.items[0][1], "the first");
    assert_string_equal(c.advertised_queues.items[1][1], "");
    assert_int_equal(c.advertised_images.count, 2);
    assert_string_equal(c.advertised_images.items[1][1], "core24");
    assert_string_equal(c.advertised_images.items[1][2],
                        "url: http://y\ntoken: \\n is no line end\n");
    assert_string_equal(c.test_command, "first\nsecond\tü\x07");
    assert_string_equal(c.setup_command, "");
    assert_string_equal(c.identifier, "42");
    config_done(&c);
    buf_done(&told);
}

static void what_is_lost_is_told_with_its_line(void **state)
{
    struct buf told = BUF_INIT(10000);
    struct config c;

    (void)state;
    assert_int_equal(turn(NEEDED "colour: red\n"
                                 "polling_interval: 0\n"
                                 "global_timeout: 1.5\n"
                                 "output_timeout: true\n"
                                 "logging_quiet: maybe\n"
                                 "logging_level: LOUD\n"
                                 "location: 12\n"
                                 "identifier: [a]\n"
                                 "advertised_queues: [q]\n"
                                 "advertised_images:\n"
                                 "  q:\n"
                                 "    core: {url: x}\n"
                                 "  other: text\n",
                          &c, &told),
                     11);
    assert_string_equal(
        buf_text(&told),
        ":4: key \"colour\": not known to this agent: left out\n"
        ":5: key \"polling_interval\": not a whole number in the range allowed: left out\n"
        ":6: key \"global_timeout\": not a whole number in the range allowed: left out\n"
        ":7: key \"output_timeout\": not a whole number in the range allowed: left out\n"
        ":8: key \"logging_quiet\": neither true nor false: left out\n"
        ":9: key \"logging_level\": is none of DEBUG, INFO, WARNING, ERROR: left out\n"
        ":10: key \"location\": not a text in YAML, its value was taken as one\n"
        ":11: key \"identifier\": neither a text nor a number: left out\n"
        ":12: key \"advertised_queues\": not a mapping: left out\n"
        ":15: key \"advertised_images/q/core\": its data is not a text: left out\n"
        ":16: key \"advertised_images/other\": not a mapping of images: left out\n");
    assert_int_equal(c.polling_interval, 10);
    assert_string_equal(c.logging_level, "INFO");
    assert_string_equal(c.location, "12");
    config_done(&c);
    buf_done(&told);
}

static void numbers_and_words_in_quotes_are_taken_for_what_they_say(void **state)
{
    struct buf told = BUF_INIT(10000);
    struct config c;

    (void)state;
    assert_int_equal(turn(NEEDED "polling_interval: '7'\nlogging_quiet: 'true'\n"
                                 "location: 'no'\nidentifier: \"0123\"\n",
                          &c, &told),
                     0);
    assert_int_equal(c.polling_interval, 7);
    assert_true(c.logging_quiet);
    assert_string_equal(c.location, "no");
    assert_string_equal(c.identifier, "0123");
    config_done(&c);
    buf_done(&told);
}

static void anchors_and_merges_are_followed(void **state)
{
    struct buf told = BUF_INIT(10000);
    struct config c;

    (void)state;
    assert_int_equal(turn("base: &base\n"
                          "  server_address: h\n"
                          "  polling_interval: wrong\n"
                          "agent_id: &id a b\n"
                          "<<: *base\n"
                          "job_queues: &queues [q, *id]\n"
                          "advertised_queues: {q: *id}\n",
                          &c, &told),
                     2);
    assert_string_equal(buf_text(&told),
                        ":1: key \"base\": not known to this agent: left out\n"
                        ": key \"polling_interval\": not a whole number in the range allowed: "
                        "left out\n");
    assert_string_equal(c.job_queues.items[1], "a b");
    assert_string_equal(c.server_address, "h");
    assert_string_equal(c.advertised_queues.items[0][1], "a b");
    config_done(&c);
    buf_done(&told);
}

static void values_are_never_told(void **state)
{
    struct buf told = BUF_INIT(10000);
    struct config c;

    (void)state;
    (void)turn(NEEDED "token: hunter2\npolling_interval: hunter2\nlocation: {a: hunter2}\n"
                      "advertised_images: {q: hunter2}\n\"one\\nline\": hunter2\n",
               &c, &told);
    assert_null(strstr(buf_text(&told), "hunter2"));
    assert_non_null(strstr(buf_text(&told), ":8: key \"one?line\": not known"));
    config_done(&c);
    buf_done(&told);
}

static void what_an_agent_must_have_is_asked_for(void **state)
{
    (void)state;
    assert_fails("", "not a mapping");
    assert_fails("- a\n", "not a mapping");
    assert_fails("a: [", "line ");
    assert_fails("a: 1\n---\nb: 2\n", "more than one document");
    assert_fails("agent_id: a\n", "nothing usable for \"server_address\", \"job_queues\"");
    assert_fails("agent_id: a/b\nserver_address: h\njob_queues: [q]\n",
                 "nothing usable for \"agent_id\"");
    assert_fails("agent_id: a\nserver_address: h\njob_queues: {q: 1}\n",
                 "nothing usable for \"job_queues\"");
    assert_fails("agent_id: a\nserver_address: h\njob_queues: []\n",
                 "nothing usable for \"job_queues\"");
    assert_fails(NEEDED "server_pause_min: 999\n", "\"server_pause_max\": is less than");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_option_is_kept),
        cmocka_unit_test(what_is_lost_is_told_with_its_line),
        cmocka_unit_test(numbers_and_words_in_quotes_are_taken_for_what_they_say),
        cmocka_unit_test(anchors_and_merges_are_followed),
        cmocka_unit_test(values_are_never_told),
        cmocka_unit_test(what_an_agent_must_have_is_asked_for),
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
