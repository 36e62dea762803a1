/* SPDX-License-Identifier: GPL-3.0-or-later
 * The command line of a virtual machine. */
#ifndef CONNECTOR_QEMU_ARGS_H
#define CONNECTOR_QEMU_ARGS_H

#include "common/err.h"
#include "connector/qemu_config.h"

#include <stddef.h>

#define QEMU_LINE_MAX (60 + QEMU_ARGS_MAX)

struct qemu_args {
    const char *items[QEMU_LINE_MAX + 1]; /* NULL terminated */
    size_t count;
    char *owned[QEMU_LINE_MAX]; /* those of the items that were made here */
    size_t owned_count;
};

/* The machine waits to be told to go on, puts itself into the background once it could be set up,
 * and is reached by ssh at a port of 127.0.0.1 that the kernel chooses.  accel is "kvm" or "tcg".
 * *args is zeroed before; qemu_args_done() must follow, also after a failure. */
int qemu_args_make(struct qemu_args *args, const struct qemu_config *qemu, const char *accel,
                   struct err *err);
void qemu_args_done(struct qemu_args *args);

#endif
