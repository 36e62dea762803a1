/* SPDX-License-Identifier: GPL-3.0-or-later
 * The device must let us in: a job that starts on one that is not there would only fail later. */
#include "connector/noprovision.h"

#include "connector/config.h"
#include "connector/ssh.h"

#include <stdio.h>

#define TRIES_MAX        1000
#define TRIES_DEFAULT    3
#define PAUSE_MAX_MS     (3600 * 1000)
#define PAUSE_DEFAULT_MS (30 * 1000)

int noprovision_provision(const struct run *run, struct failure *failure)
{
    struct err err = ERR_INIT;
    int64_t tries, pause_ms;
    struct ssh ssh;

    if (config_number(run->config, "ssh_tries", TRIES_DEFAULT, TRIES_MAX, &tries, &err) < 0 ||
        config_duration_ms(run->config, "ssh_pause", PAUSE_DEFAULT_MS, PAUSE_MAX_MS, &pause_ms,
                           &err) < 0)
        return failure_from_input(failure, &err);
    if (ssh_of_run(&ssh, run, &err) < 0)
        return failure_from_input(failure, &err);
    if (ssh_wait(&ssh, (int)tries, pause_ms, &err) < 0)
        return failure_set(failure, FAILURE_STAGE, &err, "could not log in to the device \"%s\"",
                           ssh.host);
    (void)printf("the device \"%s\" answers over ssh\n", ssh.host);
    return 0;
}
