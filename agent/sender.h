/* SPDX-License-Identifier: GPL-3.0-or-later
 * Sends the logs of a job: one fragment at a time, in order, numbered over the whole job.
 *
 * A fragment goes out when 64 KiB are there or 200 ms after the one before, so that output is seen
 * at once and a chatty command does not cause a request for each line.  More than output_rate bytes
 * a second do not go out, whatever is printed: the rest follows, also after the phase.  While the
 * server is away the logs wait in their files; what was sent is noted in the job's record after
 * each reply. */
#ifndef AGENT_SENDER_H
#define AGENT_SENDER_H

#include "agent/api.h"
#include "agent/context.h"
#include "agent/output.h"
#include "agent/record.h"

#include <stdbool.h>

struct sender;

struct sender_job {
    const char *id; /* as the server wrote it */
    const char *record_path;
    struct record *record; /* kept up to date there */
    enum api_lane lane;
    const struct api_lease *lease;
};

/* Everything is borrowed. */
struct sender *sender_new(struct context *context, const struct sender_job *job, struct err *err);
/* Calls under way are forgotten. */
void sender_free(struct sender *sender);

/* Takes the log over (allocated); what of it is not sent yet comes after what was added before. */
void sender_add(struct sender *sender, enum log_type type, enum phase phase, struct output *output);
/* Adds a text of ours to the last log, also when that has ended or was taken up; false: there is no
 * log. */
bool sender_say(struct sender *sender, const struct mask *mask, const char *text);
/* There is more to send. */
void sender_kick(struct sender *sender);

/* Sends what is there without waiting for more; done(arg, false) if the server cannot be reached.
 * done is called from the loop, once; one flush at a time. */
void sender_flush(struct sender *sender, void (*done)(void *arg, bool all_sent), void *arg);
/* Nothing more is sent; every flush ends at once, as if all was. */
void sender_discard(struct sender *sender);
/* Ends a flush at once: as if the server could not be reached. */
void sender_give_up(struct sender *sender);

#endif
