/* SPDX-License-Identifier: GPL-3.0-or-later
 * What every process that the agent starts does between fork and exec. */
#ifndef AGENT_CHILD_H
#define AGENT_CHILD_H

/* A process group of its own, no signal blocked or ignored, nothing to read, output and errors to
 * these descriptors, and no other one left open.  -1 if that could not be had. */
int child_set_up(int out_fd, int error_fd);

#endif
