/* SPDX-License-Identifier: GPL-3.0-or-later
 * A file that one process at a time can hold, and that says which.  The kernel lets go of it when
 * the process ends, however it ends. */
#ifndef AGENT_LOCK_H
#define AGENT_LOCK_H

#include "common/err.h"

/* Locks the file (made if need be) and writes the process id into it; close *ret_fd to let go.  The
 * file stays: removing it would let a third process lock a file that nobody sees any more.  Fails
 * with ERR_CONFLICT, naming the holder and the file, if another process has it. */
int lock_take(const char *path, const char *agent, int *ret_fd, struct err *err);

/* The same for all agents of this name on this host: a file in dir, which is made if need be. */
int lock_take_name(const char *dir, const char *agent, int *ret_fd, struct err *err);

#endif
