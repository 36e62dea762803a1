/* SPDX-License-Identifier: GPL-3.0-or-later
 * sd_notify(3) texts.  The watchdog is fed by a timer of the loop: it starves if the loop hangs. */
#include "agent/supervisor.h"

#include "common/service.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define STATUS_MAX    512
#define STOP_EXTRA_S  10 /* for the agent's own last posts */
#define FEEDS_PER_LAP 3

static void on_watchdog(void *arg)
{
    struct supervisor *s = arg;

    service_notify("WATCHDOG=1");
    reactor_after(s->reactor, &s->watchdog, s->watchdog_ms / FEEDS_PER_LAP);
}

void supervisor_begin(struct supervisor *s, struct reactor *reactor)
{
    *s = (struct supervisor){.reactor = reactor, .watchdog_ms = service_watchdog_ms()};
    s->watchdog = (struct timer){.fire = on_watchdog, .arg = s};
    service_notify("READY=1");
    if (s->watchdog_ms > 0)
        on_watchdog(s);
}

void supervisor_end(struct supervisor *s)
{
    reactor_disarm(s->reactor, &s->watchdog);
}

void supervisor_say(const struct supervisor *s, const char *format, ...)
{
    char text[STATUS_MAX] = "STATUS=";
    va_list args;

    if (s->stopping)
        return;
    va_start(args, format);
    (void)vsnprintf(text + strlen(text), sizeof(text) - strlen(text), format, args);
    va_end(args);
    for (char *p = text; *p; p++) /* a line end would begin another assignment */
        if (iscntrl((unsigned char)*p))
            *p = ' ';
    service_notify(text);
}

void supervisor_stopping(struct supervisor *s, int64_t within_s)
{
    char text[STATUS_MAX];

    if (s->stopping)
        return;
    supervisor_say(s, "ending");
    s->stopping = true;
    /* so that TimeoutStopSec= of the unit need not know the agent's options */
    (void)snprintf(text, sizeof(text), "STOPPING=1\nEXTEND_TIMEOUT_USEC=%lld000000",
                   (long long)(within_s + STOP_EXTRA_S));
    service_notify(text);
}
