/* SPDX-License-Identifier: GPL-3.0-or-later
 * Processes that a command left behind. */
#ifndef AGENT_STRAYS_H
#define AGENT_STRAYS_H

#include <sys/types.h>

/* Sends signal (0: none) to every living descendant of this process and returns how many there
 * are, but for the child spared (0: no one) and its descendants. */
int strays_signal(int signal, pid_t spared);

/* The same for processes whose environment has this entry ("NAME=value"): what an agent that was
 * killed could not end itself. */
int strays_signal_marked(const char *entry, int signal);

#endif
