/* SPDX-License-Identifier: GPL-3.0-or-later
 * A reservation: who may log in, how, and for how long.  A cancelled one ends by SIGTERM. */
#include "connector/builtin.h"

#include "connector/keys.h"
#include "connector/reservation.h"
#include "connector/ssh.h"

int builtin_reserve(const struct run *run, struct failure *failure)
{
    struct reservation reservation;
    struct err err = ERR_INIT;
    struct ssh ssh;

    if (reservation_read(&reservation, run, &err) < 0)
        return failure_from_input(failure, &err);
    if (ssh_of_run(&ssh, run, &err) < 0)
        return failure_from_input(failure, &err);
    if (keys_add(run, &ssh, 1, &err) < 0)
        return failure_from_input(failure, &err);
    reservation_print_head();
    reservation_print_device(&ssh);
    reservation_print_serial(run->config);
    reservation_print_times(&reservation, run);
    reservation_wait(&reservation, run);
    return 0;
}
