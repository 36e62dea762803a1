/* SPDX-License-Identifier: GPL-3.0-or-later
 * What a job asks for: reading its definition, nothing else. */
#ifndef AGENT_DEFINITION_H
#define AGENT_DEFINITION_H

#include "common/err.h"
#include "common/names.h"

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Parses an answer to a claim; it must be an object with a job_id that is a UUID. */
int definition_parse(const char *text, size_t len, struct json_object **ret_definition,
                     struct err *err);

/* Whether the definition asks for the phase at all: setup and cleanup always, others if their
 * <phase>_data is there, not null, not empty, and does not say "skip": true. */
bool definition_wants(struct json_object *definition, enum phase phase);

/* {"name": "value"} of the phase, or NULL. */
struct json_object *definition_secrets(struct json_object *definition, enum phase phase);

/* The bundle is with the server and is to be unpacked. */
bool definition_has_attachments(struct json_object *definition);
/* After unpacking: a phase whose data held nothing but attachments counts as absent then. */
void definition_drop_attachments(struct json_object *definition);

#endif
