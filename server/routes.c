/* SPDX-License-Identifier: GPL-3.0-or-later
 * THE table: everything that can be asked for.  Sorted by path. */
#include "server/routes.h"

#include "server/handlers/claim.h"
#include "server/handlers/handlers.h"
#include "server/handlers/job.h"
#include "server/handlers/lease.h"
#include "server/handlers/service.h"

/* Largest bodies.  A log fragment may have any character escaped. */
#define SMALL  ((size_t)64 << 10)
#define SECRET ((size_t)1 << 20) /* 128 KiB, any character escaped */
#define MEDIUM ((size_t)4 << 20)
#define LARGE  (((size_t)16 << 20) - 1)
#define HUGE   ((size_t)32 << 20)

#define AGENTS (MAY_MANAGE | MAY_AGENT) /* may report for an agent */

#define READ             BODY_NONE, 0, NULL, NULL, false, NULL
#define JSON(max, shape) BODY_JSON, max, &schema_##shape, NULL, false, NULL
#define UPLOAD(to)       BODY_UPLOAD, 0, NULL, &to##_upload, false, NULL
#define MAKE(fn)                                                                                   \
    &(const struct together_handler)                                                               \
    {                                                                                              \
        .make = (fn)                                                                               \
    }
#define TOGETHER(fn)                  BODY_NONE, 0, NULL, NULL, false, MAKE(fn)
#define CLAIM(fn)                     BODY_NONE, 0, NULL, NULL, true, MAKE(fn)
#define POSTS(max, shape, fn)         BODY_JSON, max, &schema_##shape, NULL, false, MAKE(fn)
#define PREPARED(max, shape, handler) BODY_JSON, max, &schema_##shape, NULL, false, &(handler)

/* clang-format off */
const struct route routes[] = {
    {"GET",    "/",                              MAY_PUBLIC, service_version,       LANE_LOOP, READ},
    {"GET",    "/healthz",                       MAY_PUBLIC, service_health,        LANE_LOOP, READ},
    {"GET",    "/metrics",                       MAY_PUBLIC, service_metrics,       LANE_SLOW, READ},
    {"GET",    "/openapi.json",                  MAY_PUBLIC, service_openapi,       LANE_LOOP, READ},
    {"GET",    "/readyz",                        MAY_PUBLIC, service_ready,         LANE_FAST, READ},
    {"GET",    "/v1/",                           MAY_PUBLIC, service_version,       LANE_LOOP, READ},
    {"GET",    "/v1/agents/data",                MAY_USE,    agent_list,            LANE_FAST, READ},
    {"GET",    "/v1/agents/data/{name}",         MAY_ANY,    agent_show,            LANE_FAST, READ},
    {"POST",   "/v1/agents/data/{name}",         AGENTS,     agent_post,            LANE_FAST, JSON(MEDIUM, agent)},
    {"POST",   "/v1/agents/images",              AGENTS,     queue_set_images,      LANE_FAST, JSON(MEDIUM, images)},
    {"GET",    "/v1/agents/images/{queue}",      MAY_USE,    queue_images,          LANE_FAST, READ},
    {"POST",   "/v1/agents/provision_logs/{name}", MAY_AGENT, agent_provision_log,  LANE_FAST, JSON(MEDIUM, provision_log)},
    {"GET",    "/v1/agents/queues",              MAY_USE,    queue_list_advertised, LANE_FAST, READ},
    {"POST",   "/v1/agents/queues",              AGENTS,     queue_advertise,       LANE_FAST, JSON(MEDIUM, queues)},
    {"GET",    "/v1/client-permissions",         MAY_MANAGE, client_list,           LANE_SLOW, READ},
    {"DELETE", "/v1/client-permissions/{id}",    MAY_ADMIN,  client_delete,         LANE_FAST, READ},
    {"GET",    "/v1/client-permissions/{id}",    MAY_MANAGE, client_show,           LANE_FAST, READ},
    {"PUT",    "/v1/client-permissions/{id}",    MAY_MANAGE, client_put,            LANE_SLOW, JSON(MEDIUM, client)},
    {"GET",    "/v1/job",                        MAY_AGENT,  NULL,                  LANE_CLAIM, CLAIM(job_claim)},
    {"POST",   "/v1/job",                        MAY_USE,    NULL,                  LANE_SUBMIT, PREPARED(LARGE, job, job_submit)},
    {"GET",    "/v1/job/{id}",                   MAY_USE,    job_show,              LANE_FAST, READ},
    {"POST",   "/v1/job/{id}/action",            MAY_USE,    job_action,            LANE_FAST, JSON(SMALL, job_action)},
    {"GET",    "/v1/job/{id}/attachments",       MAY_AGENT,  attachments_download,  LANE_BULK, READ},
    {"POST",   "/v1/job/{id}/attachments",       MAY_USE,    NULL,                  LANE_BULK, UPLOAD(attachments)},
    {"POST",   "/v1/job/{id}/events",            MAY_AGENT,  job_events,            LANE_SLOW, JSON(MEDIUM, job_events)},
    {"POST",   "/v1/job/{id}/lease",             MAY_AGENT,  NULL,                  LANE_RENEW, TOGETHER(job_lease)},
    {"GET",    "/v1/job/{id}/position",          MAY_USE,    job_position,          LANE_FAST, READ},
    {"GET",    "/v1/job/{id}/status",            MAY_ANY,    job_status,            LANE_FAST, READ},
    {"GET",    "/v1/job/{id}/timeline",          MAY_ANY,    job_timeline,          LANE_FAST, READ},
    {"GET",    "/v1/job/search",                 MAY_USE,    job_search,            LANE_SLOW, READ},
    {"POST",   "/v1/oauth2/refresh",             MAY_PUBLIC, token_refresh,         LANE_FAST, JSON(SMALL, refresh_token)},
    {"POST",   "/v1/oauth2/revoke",              MAY_ADMIN,  token_revoke,          LANE_FAST, JSON(SMALL, refresh_token)},
    {"POST",   "/v1/oauth2/token",               MAY_PUBLIC, token_issue,           LANE_SLOW, READ},
    {"GET",    "/v1/queues/{queue}/agents",      MAY_USE,    queue_agents,          LANE_FAST, READ},
    {"GET",    "/v1/queues/{queue}/jobs",        MAY_USE,    queue_jobs,            LANE_SLOW, READ},
    {"GET",    "/v1/queues/wait_times",          MAY_USE,    queue_wait_times,      LANE_SLOW, READ},
    {"GET",    "/v1/restricted-queues",          MAY_USE,    restriction_list,      LANE_FAST, READ},
    {"DELETE", "/v1/restricted-queues/{queue}",  MAY_MANAGE, restriction_remove,    LANE_FAST, JSON(SMALL, owner)},
    {"GET",    "/v1/restricted-queues/{queue}",  MAY_USE,    restriction_show,      LANE_FAST, READ},
    {"POST",   "/v1/restricted-queues/{queue}",  MAY_MANAGE, restriction_add,       LANE_FAST, JSON(SMALL, owner)},
    {"GET",    "/v1/result/{id}",                MAY_ANY,    result_show,           LANE_FAST, READ},
    {"POST",   "/v1/result/{id}",                MAY_AGENT,  NULL,                  LANE_RESULT, POSTS(LARGE, result, result_post)},
    {"GET",    "/v1/result/{id}/artifact",       MAY_USE,    artifact_download,     LANE_BULK, READ},
    {"POST",   "/v1/result/{id}/artifact",       MAY_AGENT,  NULL,                  LANE_BULK, UPLOAD(artifact)},
    {"GET",    "/v1/result/{id}/log/{type}",     MAY_USE,    result_log_show,       LANE_FAST, READ},
    {"POST",   "/v1/result/{id}/log/{type}",     MAY_AGENT,  NULL,                  LANE_LOG,  POSTS(HUGE, result_log, result_log_post)},
    {"DELETE", "/v1/secrets/{client}/{path...}", MAY_USE,    secret_delete,         LANE_FAST, READ},
    {"PUT",    "/v1/secrets/{client}/{path...}", MAY_USE,    secret_put,            LANE_FAST, JSON(SECRET, secret)},
};
/* clang-format on */
const size_t route_count = sizeof(routes) / sizeof(routes[0]);
