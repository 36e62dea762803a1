/* SPDX-License-Identifier: GPL-3.0-or-later
 * The agent's own log on disk: testflinger-agent.log, and one file for each earlier day. */
#ifndef AGENT_LOGFILE_H
#define AGENT_LOGFILE_H

#include "common/err.h"

#define LOGFILE_KEPT    6
#define LOGFILE_LOOK_MS 60000 /* how often to see whether a day has ended */

/* Makes the directory and sends the log there too. */
int logfile_open(const char *dir, struct err *err);
/* If the file is from an earlier day (UTC) it is renamed to testflinger-agent.log.YYYY-MM-DD; of
 * those the newest LOGFILE_KEPT stay. */
void logfile_rotate(const char *dir);

#endif
