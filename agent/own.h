/* SPDX-License-Identifier: GPL-3.0-or-later
 * The agent's own record at the server: what it posts about itself, and what people want of it. */
#ifndef AGENT_OWN_H
#define AGENT_OWN_H

#include "agent/api.h"
#include "agent/context.h"

#include <json-c/json.h>

struct own_record {
    struct json_object *json;
    const char *state; /* part of json; "" if there is none */
    const char *comment;
};

/* Asks for the record; the answer is for own_parse(). */
void own_ask(struct context *context, enum api_lane lane, api_done_fn *done, void *arg);
int own_parse(const struct buf *body, struct own_record *ret_record);
void own_record_done(struct own_record *record);

/* Notes, in the call's done, what the server offers beside the record. */
void own_note_offers(struct context *context, const struct err *err);
/* Notes "offline", "maintenance" and "restart" in context->wishes. */
void own_note_wishes(struct context *context, const struct own_record *record);

/* Posts state and job; the job may be "". */
void own_post_state(struct context *context, const char *state, const char *job_id);
/* Posts that the agent waits for a job, or why it takes none; "" removes that. */
void own_post_waiting(struct context *context, const char *comment);
/* Posts the state that is wished (offline if none is), and the comment if there is one.  Without
 * done a failure is only logged. */
void own_post_offline(struct context *context, api_done_fn *done, void *arg);
/* What the agent is, and which queues and images it offers. */
void own_post_description(struct context *context);
void own_post_queues(struct context *context);
void own_post_images(struct context *context);

/* Appends "?queue=a&queue=b": all queues, or, if the record restricts some of them to owners, only
 * those. */
void own_add_queues(const struct context *context, const struct own_record *record, struct buf *b);

#endif
