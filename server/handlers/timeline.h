/* SPDX-License-Identifier: GPL-3.0-or-later
 * Inside the handlers of the timeline only: the story as server-sent events. */
#ifndef SERVER_HANDLERS_TIMELINE_H
#define SERVER_HANDLERS_TIMELINE_H

#include "common/err.h"
#include "server/http/request.h"
#include "server/http/response.h"

struct app;

/* Whether the client asks for them. */
bool timeline_wants_events(const struct request *req);
/* Answers with the story of a job from Last-Event-ID on, and what is still to come. */
int timeline_watch(struct app *app, const struct request *req, const char *id, struct response *res,
                   struct err *err);

#endif
