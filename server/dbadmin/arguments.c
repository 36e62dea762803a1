/* SPDX-License-Identifier: GPL-3.0-or-later
 * The option table, parsed by getopt_long() and printed as help. */
#include "server/dbadmin/arguments.h"

#include <assert.h>
#include <getopt.h>
#include <string.h>

static const struct {
    const char *name;
    const char *value;
    const char *fallback;
    const char *help;
} rows[ARG_COUNT] = {
#define ARGUMENT(name, option, value, fallback, help)                                              \
    [ARG_##name] = {option, value, fallback, help},
#include "server/dbadmin/arguments.def"
#undef ARGUMENT
};

const char *argument_name(enum argument argument)
{
    return rows[argument].name;
}

bool argument_given(const struct arguments *arguments, enum argument argument)
{
    return arguments->given[argument].count > 0;
}

const char *argument_value(const struct arguments *arguments, enum argument argument)
{
    size_t count = arguments->given[argument].count;

    if (count > 0)
        return arguments->given[argument].values[count - 1];
    return rows[argument].fallback[0] ? rows[argument].fallback : NULL;
}

static int add_value(struct arguments *arguments, size_t argument, const char *value,
                     struct err *err)
{
    size_t *count = &arguments->given[argument].count;

    if (*count >= ARGUMENT_TIMES_MAX)
        return err_set(err, ERR_INVALID, "option --%s is given more than %d times",
                       rows[argument].name, ARGUMENT_TIMES_MAX);
    arguments->given[argument].values[(*count)++] = value ? value : "";
    return 0;
}

int arguments_parse(int argc, char *const argv[], struct arguments *ret_arguments, struct err *err)
{
    struct option options[ARG_COUNT + 1] = {{NULL, 0, NULL, 0}};
    struct arguments arguments = {.word_count = 0};
    int code;

    for (size_t i = 0; i < ARG_COUNT; i++)
        options[i] = (struct option){
            rows[i].name, rows[i].value[0] ? required_argument : no_argument, NULL, (int)i};
    opterr = 0;
    optind = 0; /* start over: tests parse more than once */
    while ((code = getopt_long(argc, argv, ":c:hV", options, NULL)) != -1) {
        if (code == 'c')
            code = ARG_CONFIG;
        if (code == 'h')
            code = ARG_HELP;
        if (code == 'V')
            code = ARG_VERSION;
        if (code == '?' || code == ':')
            return err_set(err, ERR_INVALID,
                           code == ':' ? "option %s needs a value" : "unknown option %s",
                           argv[optind - 1]);
        if (add_value(&arguments, (size_t)code, optarg, err) < 0)
            return -1;
    }
    for (; optind < argc; optind++) {
        if (arguments.word_count >= ARGUMENT_WORDS_MAX)
            return err_set(err, ERR_INVALID, "\"%s\" is one word too many", argv[optind]);
        arguments.words[arguments.word_count++] = argv[optind];
    }
    *ret_arguments = arguments;
    return 0;
}

static const char *letter_of(size_t argument)
{
    switch (argument) {
    case ARG_CONFIG:
        return "-c, ";
    case ARG_HELP:
        return "-h, ";
    case ARG_VERSION:
        return "-V, ";
    default:
        return "    ";
    }
}

void arguments_print(unsigned set, FILE *out)
{
    _Static_assert(ARG_COUNT <= 32, "a set of options is a word of bits");

    for (size_t i = 0; i < ARG_COUNT; i++) {
        char left[48];

        if (!(set & 1U << i))
            continue;
        (void)snprintf(left, sizeof(left), "%s--%s%s%s", letter_of(i), rows[i].name,
                       rows[i].value[0] ? " " : "", rows[i].value);
        (void)fprintf(out, "  %-38s %s", left, rows[i].help);
        if (rows[i].fallback[0])
            (void)fprintf(out, " (default %s)", rows[i].fallback);
        (void)fputc('\n', out);
    }
}
