/* SPDX-License-Identifier: GPL-3.0-or-later
 * What the route table refers to: one function for each method and path, the schemas of their
 * bodies, and what several of them need. */
#ifndef SERVER_HANDLERS_HANDLERS_H
#define SERVER_HANDLERS_HANDLERS_H

#include "common/err.h"
#include "common/schema.h"
#include "server/http/request.h"
#include "server/http/response.h"
#include "server/routes.h"
#include "server/store/result.h"

struct app;

#define HANDLER(name)                                                                              \
    int name(struct app *app, const struct request *req, struct response *res, struct err *err)

HANDLER(agent_list);
HANDLER(agent_post);
HANDLER(agent_provision_log);
HANDLER(agent_show);
HANDLER(artifact_download);
HANDLER(attachments_download);
HANDLER(client_delete);
HANDLER(client_list);
HANDLER(client_put);
HANDLER(client_show);
HANDLER(job_action);
HANDLER(job_events);
HANDLER(job_position);
HANDLER(job_search);
HANDLER(job_show);
HANDLER(job_status);
HANDLER(job_timeline);
HANDLER(queue_advertise);
HANDLER(queue_agents);
HANDLER(queue_images);
HANDLER(queue_jobs);
HANDLER(queue_list_advertised);
HANDLER(queue_set_images);
HANDLER(queue_wait_times);
HANDLER(restriction_add);
HANDLER(restriction_list);
HANDLER(restriction_remove);
HANDLER(restriction_show);
HANDLER(result_log_show);
HANDLER(result_show);
HANDLER(secret_delete);
HANDLER(secret_put);
HANDLER(token_issue);
HANDLER(token_refresh);
HANDLER(token_revoke);

/* Those of routes in lanes that gather. */
void result_log_post(struct app *app, struct turn *turns, size_t count);
void result_post(struct app *app, struct turn *turns, size_t count);

extern const struct upload_handler artifact_upload;
extern const struct upload_handler attachments_upload;

extern const struct schema schema_agent;
extern const struct schema schema_client;
extern const struct schema schema_images;
extern const struct schema schema_job;
extern const struct schema schema_job_action;
extern const struct schema schema_job_events;
extern const struct schema schema_owner;
extern const struct schema schema_provision_log;
extern const struct schema schema_queues;
extern const struct schema schema_refresh_token;
extern const struct schema schema_result;
extern const struct schema schema_result_log;
extern const struct schema schema_secret;

/* The shapes of provision_data, in the order in which they are tried. */
extern const struct schema *const provision_shapes[];

/* Checks of fields. */
int check_phase(struct json_object *value, struct err *err);

/* {agent, device} of an attachment. */
extern const struct schema_field attachment_item;

/* A path part that names a queue, an agent or a client: ERR_INVALID if it is too long. */
int handler_name(const struct request *req, const char *param, const char **ret_name,
                 struct err *err);

/* Who posts for a job: the agent's cookie and its lease token.  ERR_CONFLICT: what came as a token
 * is none. */
int handler_poster(const struct request *req, struct poster *ret_poster, struct err *err);
/* The same for what users read too: they are nobody's agent, whatever they send. */
int handler_reader(const struct request *req, struct poster *ret_poster, struct err *err);

/* ?attempt=N: which attempt of a job is to be read; ATTEMPT_NEWEST if not given. */
int handler_attempt(const struct request *req, int64_t *ret_attempt, struct err *err);

#endif
