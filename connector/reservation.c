/* SPDX-License-Identifier: GPL-3.0-or-later
 * How long, and telling so. */
#include "connector/reservation.h"

#include "common/clock.h"
#include "common/json.h"
#include "common/parse.h"
#include "connector/config.h"
#include "connector/job.h"
#include "connector/ssh.h"
#include "connector/stop.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define DEFAULT_S 3600
#define MAX_S     ((int64_t)10 * 365 * 24 * 3600) /* a time that far ahead can still be shown */

int reservation_read(struct reservation *reservation, const struct run *run, struct err *err)
{
    struct json_object *timeout = jsn_get(job_section(run->job, "reserve_data"), "timeout");
    int64_t max_ms, seconds = DEFAULT_S;

    if (config_duration_ms(run->config, "reserve_max", MAX_S * 1000, MAX_S * 1000, &max_ms, err) <
        0)
        return -1;
    /* servers hand it out as seconds, but take durations */
    if (timeout && parse_duration(json_object_get_string(timeout), &seconds, NULL) < 0)
        return err_set(err, ERR_BAD_REQUEST,
                       "the job's reservation has a timeout that is no duration");
    if (seconds > max_ms / 1000) {
        seconds = max_ms / 1000;
        (void)printf("this device can be reserved for at most %" PRId64 " seconds\n", seconds);
    }
    reservation->seconds = seconds;
    return 0;
}

void reservation_print_head(void)
{
    (void)puts("*** TESTFLINGER SYSTEM RESERVED ***");
}

void reservation_print_device(const struct ssh *ssh)
{
    if (ssh->port > 0)
        (void)printf("You can now connect to %s@%s (ssh -p %" PRId64 ")\n", ssh->user, ssh->host,
                     ssh->port);
    else
        (void)printf("You can now connect to %s@%s\n", ssh->user, ssh->host);
}

void reservation_print_serial(const struct config *config)
{
    const char *host = config_text(config, "serial_host");
    const char *port = config_text(config, "serial_port");

    if (host && port)
        (void)printf("Serial console: telnet %s %s\n", host, port);
}

void reservation_print_times(const struct reservation *reservation, const struct run *run)
{
    int64_t now = clock_us(&clock_system);
    char from[CLOCK_TEXT_SIZE], to[CLOCK_TEXT_SIZE];

    /* to the second, and without the zone, which is said */
    clock_format_us(now, from);
    clock_format_us(now + reservation->seconds * 1000000, to);
    (void)printf("Current time:           [%.19s UTC]\n", from);
    (void)printf("Reservation expires at: [%.19s UTC]\n", to);
    (void)printf("The reservation ends by itself after %" PRId64 " seconds.\n",
                 reservation->seconds);
    if (*job_id(run->job))
        (void)printf("To end it sooner: testflinger cancel %s\n", job_id(run->job));
}

void reservation_wait(const struct reservation *reservation, const struct run *run)
{
    if (stop_wait(run->stop, reservation->seconds * 1000))
        (void)puts("The reservation is ended.");
    else
        (void)puts("The reservation is over.");
}
