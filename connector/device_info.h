/* SPDX-License-Identifier: GPL-3.0-or-later
 * device-info.json: which device a job got.  The agent posts it as soon as it is there. */
#ifndef CONNECTOR_DEVICE_INFO_H
#define CONNECTOR_DEVICE_INFO_H

#include "common/err.h"

#include <json-c/json.h>

#define DEVICE_INFO_FILE "device-info.json"

struct config;

/* Writes it whole or not at all: device_ip and agent_name of the configuration, where it has them,
 * and the members of more (an object; NULL: none), which win.  Called before provision and allocate
 * for every type; a type that knows more calls it again. */
int device_info_write(const struct config *config, struct json_object *more, struct err *err);

#endif
