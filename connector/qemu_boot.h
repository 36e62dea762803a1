/* SPDX-License-Identifier: GPL-3.0-or-later
 * The time between a machine's start and its first ssh session. */
#ifndef CONNECTOR_QEMU_BOOT_H
#define CONNECTOR_QEMU_BOOT_H

#include "common/buf.h"
#include "common/err.h"

#include <stdint.h>

struct qemu_vm;
struct ssh;

/* Waits until a login works; at most so long, and not past the machine's end. */
int qemu_boot_wait(const struct qemu_vm *vm, const struct ssh *ssh, int64_t timeout_ms,
                   struct err *err);

/* Adds the last lines of what a console wrote, without what would move a terminal's cursor. */
void qemu_boot_add_tail(const char *path, struct buf *ret_text);

#endif
