/* SPDX-License-Identifier: GPL-3.0-or-later
 * What a virtual machine learns at its first boot: a disk with the job's user-data and the key that
 * may log in, in the form that cloud-init calls NoCloud. */
#ifndef CONNECTOR_QEMU_SEED_H
#define CONNECTOR_QEMU_SEED_H

#include "common/err.h"
#include "connector/qemu_config.h"

struct run;

/* Makes the key, unless the configuration names one, and the disk.  ERR_BAD_REQUEST: the job is
 * wrong. */
int qemu_seed_make(const struct qemu_config *qemu, const struct run *run, struct err *err);

/* The file of the private key to log in with. */
void qemu_seed_identity(const struct qemu_config *qemu, char ret_path[QEMU_FILE_SIZE]);

#endif
