/* SPDX-License-Identifier: GPL-3.0-or-later
 * The command line of testflinger-dbadmin: command words, one operand, options. */
#ifndef SERVER_DBADMIN_ARGUMENTS_H
#define SERVER_DBADMIN_ARGUMENTS_H

#include "common/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define ARGUMENT_WORDS_MAX 3
#define ARGUMENT_TIMES_MAX 64

enum argument {
#define ARGUMENT(name, option, value, fallback, help) ARG_##name,
#include "server/dbadmin/arguments.def"
#undef ARGUMENT
    ARG_COUNT
};

/* Texts belong to argv. */
struct arguments {
    const char *words[ARGUMENT_WORDS_MAX]; /* what is no option, in order */
    size_t word_count;
    struct {
        const char *values[ARGUMENT_TIMES_MAX]; /* "" for a switch */
        size_t count;
    } given[ARG_COUNT];
};

/* Options may stand before, between and behind the words. */
int arguments_parse(int argc, char *const argv[], struct arguments *ret_arguments, struct err *err);

bool argument_given(const struct arguments *arguments, enum argument argument);
/* The last value given, else the default, else NULL. */
const char *argument_value(const struct arguments *arguments, enum argument argument);
const char *argument_name(enum argument argument);

/* One line for each option of the set (bit n for option n). */
void arguments_print(unsigned set, FILE *out);

#endif
