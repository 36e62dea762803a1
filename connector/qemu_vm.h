/* SPDX-License-Identifier: GPL-3.0-or-later
 * The virtual machine of a directory: started, found, asked, destroyed. */
#ifndef CONNECTOR_QEMU_VM_H
#define CONNECTOR_QEMU_VM_H

#include "common/err.h"
#include "connector/qemu_config.h"

#include <stdbool.h>

struct stop;

struct qemu_vm {
    int pid_fd; /* of the process, whichever started it */
};
#define QEMU_VM_NONE                                                                               \
    {                                                                                              \
        .pid_fd = -1                                                                               \
    }

/* Starts it, stopped before its first instruction.  With accel "auto" it is tried with kvm first,
 * where there is one. */
int qemu_vm_start(const struct qemu_config *qemu, struct stop *stop, struct err *err);

/* True if there is a machine of this directory and that name (NULL: any, as one that another job
 * left there); qemu_vm_done() must follow then. */
bool qemu_vm_find(const struct qemu_config *qemu, const char *name, struct qemu_vm *ret_vm);
bool qemu_vm_lives(const struct qemu_vm *vm);
void qemu_vm_done(struct qemu_vm *vm);

/* Lets it run. */
int qemu_vm_continue(const struct qemu_config *qemu, struct stop *stop, struct err *err);
/* The port of 127.0.0.1 that leads to its ssh server. */
int qemu_vm_ssh_port(const struct qemu_config *qemu, struct stop *stop, int *ret_port,
                     struct err *err);
/* The same out of what qemu's "info usernet" prints; -1 if it is not there. */
int qemu_parse_port(const char *text);

/* Ends all machines of this directory and removes it; fine if there is nothing.  *ret_count is how
 * many there were.  -1 if one lives on or the directory could not be removed. */
int qemu_vm_destroy(const struct qemu_config *qemu, int *ret_count, struct err *err);

#endif
