/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/yaml.h"

#include "common/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void assert_written_as(const char *json_text, const char *yaml)
{
    struct json_object *tree = NULL;
    struct buf out = BUF_INIT(1 << 16);
    struct err err = ERR_INIT;

    assert_int_equal(jsn_parse(json_text, strlen(json_text), &tree, &err), 0);
    assert_int_equal(yml_add_tree(&out, tree, &err), 0);
    assert_string_equal(buf_text(&out), yaml);
    buf_done(&out);
    (void)json_object_put(tree);
}

/* What was written reads back as the same document. */
static void assert_survives(const char *json_text)
{
    struct json_object *tree = NULL, *again = NULL;
    struct buf out = BUF_INIT(1 << 16);
    struct err err = ERR_INIT;

    assert_int_equal(jsn_parse(json_text, strlen(json_text), &tree, &err), 0);
    assert_int_equal(yml_add_tree(&out, tree, &err), 0);
    if (yml_parse(buf_text(&out), out.len, &again, &err) < 0)
        fail_msg("%s\n%s: %s", json_text, buf_text(&out), err.text);
    if (!json_object_equal(tree, again))
        fail_msg("%s\nbecame\n%s", json_text, buf_text(&out));
    buf_done(&out);
    (void)json_object_put(tree);
    (void)json_object_put(again);
}

static void test_a_job_is_written_as_people_write_it(void **state)
{
    (void)state;
    assert_written_as(
        "{\"job_queue\": \"rpi4\", \"test_data\": {\"test_cmds\": \"date\\nls -l\\n\"}, "
        "\"tags\": [\"a\", {\"b\": 1, \"c\": []}], \"debug\": true, \"name\": null}",
        "job_queue: rpi4\n"
        "test_data:\n"
        "  test_cmds: |\n"
        "    date\n"
        "    ls -l\n"
        "tags:\n"
        "  - a\n"
        "  - b: 1\n"
        "    c: []\n"
        "debug: true\n"
        "name: null\n");
}

static void test_texts_that_look_like_something_else_are_quoted(void **state)
{
    (void)state;
    assert_written_as(
        "{\"a\": \"yes\", \"b\": \"12\", \"c\": \"\", \"d\": \"a: b\", \"no\": \"- x\"}",
        "a: \"yes\"\nb: \"12\"\nc: \"\"\nd: \"a: b\"\n\"no\": \"- x\"\n");
}

static void test_what_is_written_reads_back_the_same(void **state)
{
    static const char *const documents[] = {
        "{}",
        "[]",
        "null",
        "\"plain\"",
        "\"two\\nlines\"",
        "[[1, [2, []]], [[\"x\"]], {}]",
        "[{\"a\": {\"b\": [{\"c\": \"d\\ne\\n\"}]}}]",
        "[\"no end\", \"one\\n\", \"two\\n\\n\", \"\\nfirst\", \" indented\\nx\", \"a\\n\\n\\nb\"]",
        "[\"tab\\there\\nand there\", \"bell\\u0007\\n\", \"nul\\u0000\\n\", \"cr\\r\\n\"]",
        "[\"next\\u0085line\\n\", \"sep\\u2028\\n\", \"bom\\ufeff\\n\", \"del\\u007f\\n\"]",
        "[\"\\u00e9\\u20ac\\ud83d\\ude00\", \"#c\", \"a #b\", \"a:\", \"{\", \"!t\", \"&a\", "
        "\"*a\", \"%d\", "
        "\"@\", \"`\"]",
        "[\"~\", \"0x10\", \"1:30\", \"1.5\", \"=\", \"<<\", \"-\", \"---\", \"...\", \"? a\", "
        "\"true\", "
        "\"2024-01-02\"]",
        "{\"<<\": 1, \"~\": 2, \"a: b\": 3, \"\": 4, \"multi\\nline\": 5}",
        "[0, -1, 9223372036854775807, -9223372036854775808, 1.5, 1e3, 1E5, 1.0e-10, 1e300, -0.0]",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(documents) / sizeof(documents[0]); i++)
        assert_survives(documents[i]);
}

static void test_a_buffer_that_is_full_is_an_error(void **state)
{
    struct json_object *tree = json_object_new_string("a text that is too long");
    struct buf out = BUF_INIT(8);
    struct err err = ERR_INIT;

    (void)state;
    assert_int_equal(yml_add_tree(&out, tree, &err), -1);
    assert_int_equal(err.code, ERR_TOO_LARGE);
    buf_done(&out);
    (void)json_object_put(tree);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_job_is_written_as_people_write_it),
        cmocka_unit_test(test_texts_that_look_like_something_else_are_quoted),
        cmocka_unit_test(test_what_is_written_reads_back_the_same),
        cmocka_unit_test(test_a_buffer_that_is_full_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
