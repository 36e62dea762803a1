/* SPDX-License-Identifier: GPL-3.0-or-later
 * Inside convert*.c only: one value of the YAML file becomes an option. */
#ifndef AGENT_CONVERT_VALUE_H
#define AGENT_CONVERT_VALUE_H

#include "agent/config.h"

#include <json-c/json.h>
#include <stddef.h>

struct convert_loss {
    /* about a key inside the option's value, or with NULL about the option itself */
    void (*tell)(void *arg, const char *outer, const char *inner, const char *why);
    void *arg;
};

/* Fills the row's field.  Returns -1 if nothing of the value could be kept; then and for each part
 * that was lost or changed, loss was told. */
int convert_value(const struct option_row *row, struct json_object *json, struct config *config,
                  const struct convert_loss *loss);

#endif
