/* SPDX-License-Identifier: GPL-3.0-or-later
 * libsystemd, or nothing. */
#include <config.h>

#include "common/service.h"

#ifdef HAVE_SYSTEMD

#include <systemd/sd-daemon.h>

void service_notify(const char *state)
{
    (void)sd_notify(0, state); /* nobody listening is fine */
}

int64_t service_watchdog_ms(void)
{
    uint64_t us = 0;

    if (sd_watchdog_enabled(0, &us) <= 0)
        return 0;
    return (int64_t)(us / 1000);
}

#else

void service_notify(const char *state)
{
    (void)state;
}

int64_t service_watchdog_ms(void)
{
    return 0;
}

#endif
