/* SPDX-License-Identifier: GPL-3.0-or-later
 * The service manager (systemd), if there is one: state notification and the watchdog.  Without
 * libsystemd, or started by hand, all of it does nothing. */
#ifndef COMMON_SERVICE_H
#define COMMON_SERVICE_H

#include <stdint.h>

/* "READY=1", "STOPPING=1", "RELOADING=1", "WATCHDOG=1", "STATUS=…". */
void service_notify(const char *state);

/* How often the watchdog wants to hear of us at least, in ms; 0: there is none. */
int64_t service_watchdog_ms(void);

#endif
