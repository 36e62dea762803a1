/* SPDX-License-Identifier: GPL-3.0-or-later
 * The device over ssh, by OpenSSH's programs.  Devices are installed anew all the time, so their
 * host keys are neither checked nor kept.  Nothing here asks anybody anything, and nothing waits
 * without a limit. */
#ifndef CONNECTOR_SSH_H
#define CONNECTOR_SSH_H

#include "common/err.h"
#include "connector/process.h"

#include <stddef.h>
#include <stdint.h>

struct run;

#define SSH_CONNECT_S 10

struct ssh {
    const char *host;
    const char *user;
    const char *password; /* NULL: by key */
    const char *identity; /* file of a private key; NULL: ssh's own choice */
    int64_t port;         /* 0: ssh's own choice */
    struct stop *stop;    /* NULL: nothing ends it early */
};

/* Who logs in: the job's test_username, else ssh_user of the configuration, else "ubuntu". */
const char *ssh_user(const struct run *run);

/* The device of the run: device_ip, ssh_port and ssh_identity of the configuration, its user, and
 * test_password of the job.  What it points to is the run's.  Names that ssh would take for an
 * option are refused. */
int ssh_of_run(struct ssh *ssh, const struct run *run, struct err *err);

/* The same for another device, whose host must live as long as *ssh. */
int ssh_of_device(struct ssh *ssh, const struct run *run, const char *host, int64_t port,
                  struct err *err);

/* Tries to log in until it works: `tries` times with pauses.  -1 with what ssh said last. */
int ssh_wait(const struct ssh *ssh, int tries, int64_t pause_ms, struct err *err);

/* Adds the public keys of a file to those that may log in, with ssh-copy-id. */
int ssh_add_keys(const struct ssh *ssh, const char *public_file, int64_t timeout_ms,
                 struct err *err);

#endif
