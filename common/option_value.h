/* SPDX-License-Identifier: GPL-3.0-or-later
 * Inside option*.c only: one option's value, from a setting of the file or from text. */
#ifndef COMMON_OPTION_VALUE_H
#define COMMON_OPTION_VALUE_H

#include "common/option.h"

#include <libconfig.h>

struct option_reader {
    const struct option_reading *reading;
    const struct option_row *row; /* being filled */
    void *into;
    struct err *first;
    int mistakes;
};

/* Counts and reports a mistake in the option being filled, at the line of a setting; returns -1. */
int option_mistake(struct option_reader *reader, const config_setting_t *at, const char *format,
                   ...) __attribute__((format(printf, 3, 4)));

/* Each returns -1 after a mistake, which was reported. */
int option_set_setting(struct option_reader *reader, const config_setting_t *setting);

#endif
