/* SPDX-License-Identifier: GPL-3.0-or-later
 * Ending a job before it would end by itself. */
#ifndef AGENT_JOB_STOP_H
#define AGENT_JOB_STOP_H

struct job;

/* The agent is asked to end: stop the phase, clean up, report. */
void job_shut_down(struct job *job);
/* The time for that is over: whatever is under way ends now, what is not delivered is kept. */
void job_hurry(struct job *job);
/* Somebody has cancelled it. */
void job_cancel(struct job *job);
/* Another agent has it: clean up, and tell nobody. */
void job_lose(struct job *job);
/* The server is gone for good as it seems: clean up, and keep the outcome. */
void job_give_up(struct job *job);

/* Inside the files of the job: it ends for having been cancelled. */
void job_note_cancel(struct job *job);

#endif
