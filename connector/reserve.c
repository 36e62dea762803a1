/* SPDX-License-Identifier: GPL-3.0-or-later
 * A reservation: who may log in, how, and for how long.  A cancelled one ends by SIGTERM. */
#include "connector/builtin.h"

#include "common/clock.h"
#include "common/json.h"
#include "connector/config.h"
#include "connector/job.h"
#include "connector/keys.h"
#include "connector/reservation.h"
#include "connector/ssh.h"
#include "connector/stop.h"

#include <inttypes.h>
#include <stdio.h>

static void print_ssh(const struct ssh *ssh)
{
    if (ssh->port > 0)
        (void)printf("You can now connect to %s@%s (ssh -p %" PRId64 ")\n", ssh->user, ssh->host,
                     ssh->port);
    else
        (void)printf("You can now connect to %s@%s\n", ssh->user, ssh->host);
}

static void print_serial(const struct config *config)
{
    const char *host = config_text(config, "serial_host");
    const char *port = config_text(config, "serial_port");

    if (host && port)
        (void)printf("Serial console: telnet %s %s\n", host, port);
}

int builtin_reserve(const struct run *run, struct failure *failure)
{
    struct reservation reservation;
    struct err err = ERR_INIT;
    struct ssh ssh;

    if (reservation_read(&reservation, run, &err) < 0)
        return failure_from_input(failure, &err);
    if (ssh_of_run(&ssh, run, &err) < 0)
        return failure_from_input(failure, &err);
    if (keys_add(run, &ssh, &err) < 0)
        return failure_from_input(failure, &err);
    reservation_print_head();
    print_ssh(&ssh);
    print_serial(run->config);
    reservation_print_times(&reservation, run);
    reservation_wait(&reservation, run);
    return 0;
}
