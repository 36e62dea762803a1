/* SPDX-License-Identifier: GPL-3.0-or-later
 * Ctrl-C while a job is followed: remembered, not fatal, and it ends waits. */
#ifndef CLI_INTERRUPT_H
#define CLI_INTERRUPT_H

#include <stdbool.h>

/* From here on SIGINT and SIGTERM are remembered instead of ending the program. */
void interrupt_watch(void);
/* True if one came; forgets it. */
bool interrupt_taken(void);
/* Waits so long, or until an interrupt comes. */
void interrupt_wait_ms(int timeout_ms);

#endif
