/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common/option.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct sample {
    char *name;
    int64_t count;
    bool loud;
    struct option_list queues;
    struct option_groups images;
};

static const char *const image_fields[] = {"queue", "image", NULL};
static const struct option_row rows[] = {
    OPTION_REQUIRED(struct sample, name, "NAME", "what it is called"),
    OPTION_INT(struct sample, count, "3", 1, 10, "N", "how many"),
    OPTION_BOOL(struct sample, loud, "false", "say more"),
    OPTION_LIST(struct sample, queues, false, "QUEUE", "queues"),
    OPTION_GROUPS(struct sample, images, image_fields, "images"),
    OPTION_END,
};

/* Loads text as a file; what went wrong is in *err. */
static int load(const char *text, struct sample *into, struct err *err)
{
    char path[] = "/tmp/test_option.XXXXXX";
    int fd = mkstemp(path);
    int rc;

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    (void)close(fd);
    *into = (struct sample){0};
    rc = option_load(rows, path, into, err);
    (void)unlink(path);
    return rc;
}

static void test_file_and_defaults_fill_the_struct(void **state)
{
    struct sample s;
    struct err err = ERR_INIT;

    (void)state;
    assert_int_equal(load("name = \"a\"; queues = (\"q1\", \"q2\");\n"
                          "images = ({queue = \"q1\"; image = \"core\";});\n",
                          &s, &err),
                     0);
    assert_string_equal(s.name, "a");
    assert_int_equal(s.count, 3);
    assert_false(s.loud);
    assert_int_equal(s.queues.count, 2);
    assert_string_equal(s.queues.items[1], "q2");
    assert_int_equal(s.images.count, 1);
    assert_string_equal(s.images.items[0][1], "core");
    option_free(rows, &s);
}

static void test_the_environment_wins(void **state)
{
    struct sample s;
    struct err err = ERR_INIT;

    (void)state;
    (void)setenv("TESTFLINGER_COUNT", "7", 1);
    (void)setenv("TESTFLINGER_QUEUES", "x,y,z", 1);
    assert_int_equal(load("name = \"a\"; count = 5; queues = (\"q\");", &s, &err), 0);
    (void)unsetenv("TESTFLINGER_COUNT");
    (void)unsetenv("TESTFLINGER_QUEUES");
    assert_int_equal(s.count, 7);
    assert_int_equal(s.queues.count, 3);
    option_free(rows, &s);
}

static void test_mistakes_are_named_with_line_and_key(void **state)
{
    static const struct {
        const char *text;
        const char *says[2];
    } cases[] = {
        {"name = \"a\";\nconut = 3;", {":2:", "\"conut\""}},
        {"name = \"a\";\n\ncount = \"3\";", {":3:", "\"count\""}},
        {"name = \"a\"; count = 11;", {"between", "\"count\""}},
        {"name = 5;", {":1:", "\"name\""}},
        {"count = 5;", {"missing", "\"name\""}},
        {"name = \"a\"; queues = (1);", {":1:", "\"queues\""}},
        {"name = \"a\"; images = ({queue = \"q\";});", {"\"image\"", "missing"}},
        {"name = \"a\"; images = ({queue = \"q\"; x = \"y\";});", {"unknown", "\"x\""}},
        {"name = \"a", {":1:", ""}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct sample s;
        struct err err = ERR_INIT;

        assert_int_equal(load(cases[i].text, &s, &err), -1);
        for (int k = 0; k < 2; k++)
            if (!strstr(err.text, cases[i].says[k]))
                fail_msg("\"%s\" does not say %s", err.text, cases[i].says[k]);
        assert_null(s.name);
    }
}

static int is_even(const void *filled, struct err *err)
{
    return ((const struct sample *)filled)->count % 2 == 0 ? 0
                                                           : err_set(err, ERR_INVALID, "is odd");
}

static int is_short(const void *filled, struct err *err)
{
    return strlen(((const struct sample *)filled)->name) < 4
               ? 0
               : err_set(err, ERR_INVALID, "is too long");
}

static const struct option_rule rules[] = {
    {"count", is_even},
    {"name", is_short},
    {NULL, NULL},
};

#define TOLD_SIZE 4000

static void note(void *arg, const struct err *mistake)
{
    size_t used = strlen(arg);

    (void)snprintf((char *)arg + used, TOLD_SIZE - used, "%s\n", mistake->text);
}

/* Like load(), with rules; what was reported, one line each, is in told without the file's name. */
static int read_all(const char *text, struct sample *into, char told[TOLD_SIZE], struct err *err)
{
    char path[] = "/tmp/test_option.XXXXXX";
    const struct option_reading reading = {rows, rules, path, note, told};
    int fd = mkstemp(path);
    int rc;

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    (void)close(fd);
    *into = (struct sample){0};
    *told = '\0';
    rc = option_read(&reading, into, err);
    (void)unlink(path);
    for (char *at = told; (at = strstr(at, path));)
        memmove(at, at + strlen(path), strlen(at + strlen(path)) + 1);
    return rc;
}

static void test_every_mistake_is_reported_at_its_own_line(void **state)
{
    struct sample s;
    struct err err = ERR_INIT;
    char told[TOLD_SIZE];

    (void)state;
    assert_int_equal(read_all("colour = 1;\n"
                              "loud = \"yes\";\n"
                              "queues = ( \"a\",\n"
                              "  2,\n"
                              "  ( ) );\n"
                              "images = (\n"
                              "  { queue = \"q\"; image = 1; },\n"
                              "  { queue = \"q\"; pic = \"\"; },\n"
                              "  \"text\" );\n",
                              &s, told, &err),
                     -1);
    assert_string_equal(told, ":1: unknown option \"colour\"\n"
                              ": option \"name\" is missing\n"
                              ":2: option \"loud\": wrong type of value: true or false is wanted\n"
                              ":4: option \"queues\": entry 2 is not a text in double quotes\n"
                              ":5: option \"queues\": entry 3 is not a text in double quotes\n"
                              ":7: option \"images\": \"image\" is not a text in double quotes\n"
                              ":8: option \"images\": unknown key \"pic\"\n"
                              ":8: option \"images\": entry 2: \"image\" is missing\n"
                              ":9: option \"images\": entry 3 is not a group { … }\n"
                              ": option \"count\" is odd\n");
    assert_non_null(strstr(err.text, ":1: unknown option \"colour\""));
    assert_null(s.queues.items);
}

static void test_rules_are_told_with_the_line_of_their_option(void **state)
{
    struct sample s;
    struct err err = ERR_INIT;
    char told[TOLD_SIZE];

    (void)state;
    assert_int_equal(read_all("\nname = \"abcd\";\n\ncount = 5;\n", &s, told, &err), -1);
    assert_string_equal(told, ":4: option \"count\" is odd\n:2: option \"name\" is too long\n");
    assert_int_equal(read_all("name = \"abc\"; count = 4;", &s, told, &err), 0);
    assert_string_equal(told, "");
    option_free(rows, &s);
    (void)setenv("TESTFLINGER_COUNT", "7", 1);
    assert_int_equal(read_all("name = \"abc\"; count = 4;", &s, told, &err), -1);
    (void)unsetenv("TESTFLINGER_COUNT");
    assert_string_equal(told, "environment: option \"count\" is odd\n");
}

static void test_a_rule_waits_until_its_option_is_a_value(void **state)
{
    struct sample s;
    struct err err = ERR_INIT;
    char told[TOLD_SIZE];

    (void)state;
    assert_int_equal(read_all("count = 4; name = 5;", &s, told, &err), -1);
    assert_string_equal(
        told, ":1: option \"name\": wrong type of value: a text in double quotes is wanted\n");
}

static void test_a_file_that_cannot_be_read_is_named_with_the_reason(void **state)
{
    struct sample s = {0};
    struct err err = ERR_INIT;

    (void)state;
    assert_int_equal(option_load(rows, "/nonexistent/a.conf", &s, &err), -1);
    assert_string_equal(err.text, "could not read configuration file \"/nonexistent/a.conf\": "
                                  "No such file or directory");
    assert_int_equal(option_load(rows, "/tmp", &s, &err), -1);
    assert_non_null(strstr(err.text, "could not read configuration file \"/tmp\""));
}

static void test_the_sample_file_is_one_that_loads(void **state)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    struct sample s;
    struct err err = ERR_INIT;

    (void)state;
    assert_non_null(out);
    option_print_sample(rows, out);
    (void)fclose(out);
    assert_int_equal(load(text, &s, &err), 0);
    assert_string_equal(s.name, "NAME");
    option_free(rows, &s);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_file_and_defaults_fill_the_struct),
        cmocka_unit_test(test_the_environment_wins),
        cmocka_unit_test(test_mistakes_are_named_with_line_and_key),
        cmocka_unit_test(test_every_mistake_is_reported_at_its_own_line),
        cmocka_unit_test(test_rules_are_told_with_the_line_of_their_option),
        cmocka_unit_test(test_a_rule_waits_until_its_option_is_a_value),
        cmocka_unit_test(test_a_file_that_cannot_be_read_is_named_with_the_reason),
        cmocka_unit_test(test_the_sample_file_is_one_that_loads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
