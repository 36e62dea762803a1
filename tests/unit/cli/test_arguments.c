/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli/arguments.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct argument submit_options[] = {
    {ARG_POLL, 'p', "poll", NULL, NULL, ""},
    {ARG_FILENAME, 'f', "filename", "FILE", NULL, ""},
    ARGUMENT_END,
};

static const struct argument *table_of(const char *command)
{
    return strcmp(command, "submit") == 0 ? submit_options : NULL;
}

static int parse(struct arguments *args, struct err *err, int argc, const char *const *argv)
{
    *args = (struct arguments){.command = NULL};
    return arguments_parse(argc, argv, table_of, args, err);
}

#define PARSE(args, err, ...)                                                                      \
    parse(args, err, (int)(sizeof((const char *[]){"testflinger", __VA_ARGS__}) / sizeof(char *)), \
          (const char *[]){"testflinger", __VA_ARGS__})

static void assert_refused(int rc, const struct err *err, const char *why)
{
    assert_int_equal(rc, -1);
    if (!strstr(err->text, why))
        fail_msg("\"%s\" does not say \"%s\"", err->text, why);
}

static void test_options_stand_before_and_behind_the_command(void **state)
{
    struct arguments args;
    struct err err = ERR_INIT;

    (void)state;
    assert_int_equal(PARSE(&args, &err, "--server", "http://a", "submit", "job.yaml", "--poll",
                           "--client-id=me"),
                     0);
    assert_string_equal(args.command, "submit");
    assert_string_equal(args.positional, "job.yaml");
    assert_string_equal(args.values[ARG_SERVER], "http://a");
    assert_string_equal(args.values[ARG_CLIENT_ID], "me");
    assert_true(argument_given(&args, ARG_POLL));
    assert_false(argument_given(&args, ARG_QUIET));
}

static void test_letters_take_their_value_attached_or_apart(void **state)
{
    struct arguments args;
    struct err err = ERR_INIT;

    (void)state;
    assert_int_equal(PARSE(&args, &err, "submit", "-p", "-fout.tgz"), 0);
    assert_string_equal(args.values[ARG_FILENAME], "out.tgz");
    assert_true(argument_given(&args, ARG_POLL));
    assert_int_equal(PARSE(&args, &err, "submit", "-f", "out.tgz"), 0);
    assert_string_equal(args.values[ARG_FILENAME], "out.tgz");
}

static void test_a_dash_is_a_file_and_two_dashes_end_the_options(void **state)
{
    struct arguments args;
    struct err err = ERR_INIT;

    (void)state;
    assert_int_equal(PARSE(&args, &err, "submit", "-"), 0);
    assert_string_equal(args.positional, "-");
    assert_int_equal(PARSE(&args, &err, "submit", "--", "--poll"), 0);
    assert_string_equal(args.positional, "--poll");
    assert_false(argument_given(&args, ARG_POLL));
}

static void test_what_is_wrong_is_named(void **state)
{
    struct arguments args;
    struct err err = ERR_INIT;

    (void)state;
    assert_refused(PARSE(&args, &err, "submit", "--bogus"), &err,
                   "unknown option --bogus of submit");
    assert_refused(PARSE(&args, &err, "launch"), &err, "unknown command \"launch\"");
    assert_refused(PARSE(&args, &err, "submit", "a", "b"), &err, "unexpected argument \"b\"");
    assert_refused(PARSE(&args, &err, "submit", "--filename"), &err, "--filename needs a value");
    assert_refused(PARSE(&args, &err, "submit", "--poll=1"), &err, "--poll takes no value");
    assert_refused(PARSE(&args, &err, "submit", "-px"), &err, "--poll takes no value");
    assert_refused(PARSE(&args, &err, "--poll", "submit"), &err, "unknown option --poll");
}

static void test_help_is_seen_even_before_a_mistake(void **state)
{
    struct arguments args;
    struct err err = ERR_INIT;

    (void)state;
    assert_int_equal(PARSE(&args, &err, "submit", "--help", "--bogus"), -1);
    assert_true(argument_given(&args, ARG_HELP));
}

static void test_the_environment_stands_in_for_what_was_not_given(void **state)
{
    struct arguments args;
    struct err err = ERR_INIT;

    (void)state;
    assert_int_equal(setenv("TESTFLINGER_SERVER", "http://from-environment", 1), 0);
    assert_int_equal(setenv("TESTFLINGER_CLIENT_ID", "", 1), 0);
    assert_int_equal(PARSE(&args, &err, "submit"), 0);
    assert_string_equal(args.values[ARG_SERVER], "http://from-environment");
    assert_false(argument_given(&args, ARG_CLIENT_ID));
    assert_int_equal(PARSE(&args, &err, "--server=http://given", "submit"), 0);
    assert_string_equal(args.values[ARG_SERVER], "http://given");
    assert_int_equal(unsetenv("TESTFLINGER_SERVER"), 0);
    assert_int_equal(unsetenv("TESTFLINGER_CLIENT_ID"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_options_stand_before_and_behind_the_command),
        cmocka_unit_test(test_letters_take_their_value_attached_or_apart),
        cmocka_unit_test(test_a_dash_is_a_file_and_two_dashes_end_the_options),
        cmocka_unit_test(test_what_is_wrong_is_named),
        cmocka_unit_test(test_help_is_seen_even_before_a_mistake),
        cmocka_unit_test(test_the_environment_stands_in_for_what_was_not_given),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
