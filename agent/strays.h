/* SPDX-License-Identifier: GPL-3.0-or-later
 * Processes that a command left behind. */
#ifndef AGENT_STRAYS_H
#define AGENT_STRAYS_H

#include <stddef.h>
#include <sys/types.h>

/* Processes by id and the time they began, since ids are used again. */
struct strays {
    struct stray *items;
    size_t count;
};

/* The descendants that live now; strays is empty before ({0}) or what an earlier call filled. */
void strays_note(struct strays *strays);
/* This one too; without memory it is not. */
void strays_add(struct strays *strays, pid_t pid);
void strays_done(struct strays *strays);

/* Sends signal (0: none) to every living descendant of this process but the spared ones and what
 * these started (NULL: none is spared), and returns how many there are. */
int strays_signal(const struct strays *spared, int signal);

/* The same for processes whose environment has this entry ("NAME=value"): what an agent that was
 * killed could not end itself. */
int strays_signal_marked(const char *entry, int signal);

#endif
