/* SPDX-License-Identifier: GPL-3.0-or-later
 * The one door to other programs: started with standard signals and nothing open but their standard
 * descriptors, in a process group of their own, and never waited for without a limit or past the
 * wish to stop.  SIGCHLD is blocked from the first one on. */
#ifndef CONNECTOR_PROCESS_H
#define CONNECTOR_PROCESS_H

#include "common/buf.h"
#include "common/err.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct stop;

#define PROCESS_FOREVER INT64_MAX
#define PROCESS_KILL_MS 5000 /* between SIGTERM and SIGKILL */

/* Everything is borrowed.  Standard input is empty. */
struct process {
    const char *const *argv;        /* NULL terminated; argv[0] is looked for in our PATH */
    const char *const *environment; /* NULL: ours */
    int64_t timeout_ms;             /* PROCESS_FOREVER: none */
    /* Where its output goes: NULL: to our own.  The buffers keep what fits, from the end. */
    struct buf *output;
    struct buf *errors;
    bool errors_shown; /* what it says on standard error goes to our own too */
};

/* Runs it to its end.  *ret_status is its exit status (0..255), or 128 + n if signal n ended it.
 * -1 if it could not be started (ERR_NOT_FOUND: no such program), its time was over
 * (ERR_TIMEOUT), or the stage is to end (ERR_GONE); its whole group was ended then. */
int process_run(const struct process *process, struct stop *stop, int *ret_status, struct err *err);

/* The last line of what was kept, "it did not say why" if that is empty; changes the buffer. */
const char *process_last_line(struct buf *said);

/* Ends the process and its group: SIGTERM, after PROCESS_KILL_MS SIGKILL.  Returns its status. */
int process_end(pid_t pid);

#endif
