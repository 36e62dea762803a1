/* SPDX-License-Identifier: GPL-3.0-or-later
 * The command line: order, repetition, defaults, and the table of commands. */
#include "server/dbadmin/commands.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define PARSE(...) parse((char *[]){(char[]){"program"}, __VA_ARGS__, NULL})

static struct arguments arguments;
static struct err err;

static int parse(char *argv[])
{
    int argc = 0;

    while (argv[argc])
        argc++;
    err = (struct err)ERR_INIT;
    return arguments_parse(argc, argv, &arguments, &err);
}

/* argv is char *const *, so words are arrays and not literals. */
#define WORD(text) ((char[]){text})

static void options_may_stand_anywhere(void **state)
{
    (void)state;
    assert_int_equal(PARSE(WORD("--role"), WORD("agent"), WORD("client"), WORD("add"), WORD("-c"),
                           WORD("file"), WORD("me")),
                     0);
    assert_int_equal(arguments.word_count, 3);
    assert_string_equal(arguments.words[2], "me");
    assert_string_equal(argument_value(&arguments, ARG_ROLE), "agent");
    assert_string_equal(argument_value(&arguments, ARG_CONFIG), "file");
}

static void an_option_may_be_repeated_but_not_for_ever(void **state)
{
    char *argv[2 * ARGUMENT_TIMES_MAX + 4] = {WORD("program")};
    char option[] = "--max-priority", value[] = "q=1";

    (void)state;
    for (size_t i = 0; i < 2 * ARGUMENT_TIMES_MAX; i += 2) {
        argv[i + 1] = option;
        argv[i + 2] = value;
    }
    assert_int_equal(parse(argv), 0);
    assert_int_equal(arguments.given[ARG_MAX_PRIORITY].count, ARGUMENT_TIMES_MAX);
    argv[2 * ARGUMENT_TIMES_MAX + 1] = option;
    argv[2 * ARGUMENT_TIMES_MAX + 2] = value;
    assert_int_equal(parse(argv), -1);
}

static void a_default_is_used_when_nothing_is_given(void **state)
{
    (void)state;
    assert_int_equal(PARSE(WORD("status")), 0);
    assert_non_null(argument_value(&arguments, ARG_MIGRATIONS));
    assert_null(argument_value(&arguments, ARG_ROLE));
    assert_false(argument_given(&arguments, ARG_MIGRATIONS));
}

static void nonsense_is_refused(void **state)
{
    (void)state;
    assert_int_equal(PARSE(WORD("--nonsense")), -1);
    assert_non_null(strstr(err.text, "--nonsense"));
    assert_int_equal(PARSE(WORD("--role")), -1);
    assert_int_equal(PARSE(WORD("--yes=no")), -1);
    assert_int_equal(PARSE(WORD("a"), WORD("b"), WORD("c"), WORD("d")), -1);
}

static void every_command_is_found_by_its_name(void **state)
{
    const char *operand;

    (void)state;
    for (size_t i = 0; i < command_count; i++) {
        char name[64];
        char *words[4] = {WORD("program")};

        assert_true(strlen(commands[i].name) < sizeof(name));
        memcpy(name, commands[i].name, strlen(commands[i].name) + 1);
        words[1] = name;
        words[2] = strchr(name, ' ');
        if (words[2])
            *words[2]++ = '\0';
        assert_int_equal(parse(words), 0);
        assert_ptr_equal(command_find(&arguments, &operand, &err), &commands[i]);
        assert_null(operand);
        assert_int_equal(command_check(&commands[i], &arguments, operand, &err),
                         commands[i].operand ? -1 : 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_may_stand_anywhere),
        cmocka_unit_test(an_option_may_be_repeated_but_not_for_ever),
        cmocka_unit_test(a_default_is_used_when_nothing_is_given),
        cmocka_unit_test(nonsense_is_refused),
        cmocka_unit_test(every_command_is_found_by_its_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
