/* SPDX-License-Identifier: GPL-3.0-or-later
 * Talks to a running qemu over its control socket, in its protocol of JSON lines (QMP). */
#ifndef CONNECTOR_QEMU_QMP_H
#define CONNECTOR_QEMU_QMP_H

#include "common/buf.h"
#include "common/err.h"

#include <json-c/json.h>
#include <stdint.h>

struct stop;

struct qmp {
    int fd; /* -1: not connected */
    struct buf in;
    struct stop *stop;  /* NULL: nothing ends a wait early */
    int64_t timeout_ms; /* for each answer */
};

/* Connects and comes to terms.  qmp_done() must follow, also after a failure. */
int qmp_open(struct qmp *qmp, const char *socket_path, int64_t timeout_ms, struct stop *stop,
             struct err *err);
void qmp_done(struct qmp *qmp);

/* Runs a command; arguments is a JSON object as text, or NULL.  *ret_value (may be NULL) is what it
 * returned, the caller puts it.  Events are passed over. */
int qmp_run(struct qmp *qmp, const char *command, const char *arguments,
            struct json_object **ret_value, struct err *err);

#endif
