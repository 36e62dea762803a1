/* SPDX-License-Identifier: GPL-3.0-or-later
 * The device's configuration: a YAML mapping that labs write.  Each part of the program takes its
 * own keys from it; others are left alone, since labs keep those of other programs there too. */
#ifndef CONNECTOR_CONFIG_H
#define CONNECTOR_CONFIG_H

#include "common/err.h"

#include <json-c/json.h>
#include <stdint.h>

struct config {
    struct json_object *tree; /* an object */
};

int config_load(struct config *config, const char *path, struct err *err);
void config_done(struct config *config);

/* NULL if it is not there, or null. */
struct json_object *config_get(const struct config *config, const char *key);

/* Scalars as text: NULL if it is not there, empty, a list or a mapping.  Borrowed. */
const char *config_text(const struct config *config, const char *key);
/* A missing one is an error. */
int config_require(const struct config *config, const char *key, const char **ret_text,
                   struct err *err);

/* Each gives the fallback if the key is not there; what is no such value or out of range is an
 * error. */
int config_number(const struct config *config, const char *key, int64_t fallback, int64_t max,
                  int64_t *ret_number, struct err *err);
/* Seconds, perhaps with a fraction, or a duration as "1h30m". */
int config_duration_ms(const struct config *config, const char *key, int64_t fallback_ms,
                       int64_t max_ms, int64_t *ret_ms, struct err *err);

#endif
