/* SPDX-License-Identifier: GPL-3.0-or-later
 * The jobs that a multi-device job has submitted, one for each device.  They are in a file from
 * before the server learns of them, so that whatever happens somebody can cancel them. */
#ifndef CONNECTOR_CHILDREN_H
#define CONNECTOR_CHILDREN_H

#include "common/err.h"

#include <json-c/json.h>
#include <stddef.h>
#include <stdint.h>

#define CHILDREN_FILE "job_list.json"
#define CHILDREN_MAX  100

struct children {
    struct json_object
        *list; /* of {"job_id", "device_info"}; device_info is null until it is known */
};

/* From the file; an empty list if there is none. */
int children_load(struct children *children, struct err *err);
/* An empty list. */
int children_init(struct children *children, struct err *err);
int children_save(const struct children *children, struct err *err);
void children_done(struct children *children);

size_t children_count(const struct children *children);
int children_add(struct children *children, const char *job_id, struct err *err);
/* Sets device_info, keeping a reference of its own. */
int children_set_info(struct children *children, size_t i, struct json_object *info,
                      struct err *err);

/* "" if it has none. */
const char *children_id(const struct children *children, size_t i);
const char *children_device_ip(const struct children *children, size_t i);
/* ssh_port of the device information; 0 if it has none. */
int64_t children_ssh_port(const struct children *children, size_t i);

#endif
