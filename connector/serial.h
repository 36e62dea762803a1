/* SPDX-License-Identifier: GPL-3.0-or-later
 * The device's serial console, a TCP port of some terminal server or a Unix socket, written to a
 * file while a stage runs.  It has a process of its own: whatever the console does, the stage does
 * not wait. */
#ifndef CONNECTOR_SERIAL_H
#define CONNECTOR_SERIAL_H

#include "common/err.h"

#include <sys/types.h>

#define SERIAL_TEST_LOG "test-serial.log" /* what the agent sends after a test */

struct config;

struct serial {
    pid_t pid; /* 0: there is no console */
};

/* Begins to append what comes from serial_host:serial_port of the configuration to the file;
 * without the two it does nothing.  Returns once the first connection was made or failed, after 10
 * s at the latest.  A console that cannot be reached is no error: it is tried again and again. */
int serial_start(struct serial *serial, const struct config *config, const char *path,
                 struct err *err);
/* What has arrived is written, then it ends.  Takes a zeroed struct. */
void serial_stop(struct serial *serial);

#endif
