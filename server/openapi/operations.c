/* SPDX-License-Identifier: GPL-3.0-or-later
 * What the route table does not know of its rows.  Sorted as that one; a test compares the two. */
#include "server/openapi/openapi.h"

#define TEXT         "text/plain", NULL, false
#define BYTES(type)  type, NULL, false
#define JSON         "application/json", NULL, false
#define OBJECT(name) "application/json", &answer_##name, false
#define LIST(name)   "application/json", &answer_##name, true

#define LISTED "limit cursor"
#define POLLED "@If-None-Match"
#define PARTS  "@If-None-Match @Range @If-Range"
#define LEASE  "@Testflinger-Lease"

/* clang-format off */
const struct operation openapi_operations[] = {
    {"GET",    "/",                           "get_root",              "name and version of the server", TEXT, "", ""},
    {"GET",    "/healthz",                    "get_health",            "does the process answer?", TEXT, "", ""},
    {"GET",    "/metrics",                    "get_metrics",           "counters, as Prometheus reads them", TEXT, "", ""},
    {"GET",    "/openapi.json",               "get_openapi",           "this document", JSON, "", ""},
    {"GET",    "/readyz",                     "get_readiness",         "does the server take work?", TEXT, "", ""},
    {"GET",    "/v1/",                        "get_version",           "name and version of the server", TEXT, "", ""},
    {"GET",    "/v1/agents/data",             "list_agents",           "all agents", LIST(agent), "422", LISTED},
    {"GET",    "/v1/agents/data/{name}",      "get_agent",             "one agent", OBJECT(agent), "404", ""},
    {"POST",   "/v1/agents/data/{name}",      "post_agent",            "what an agent tells of itself", OBJECT(done), "", ""},
    {"POST",   "/v1/agents/images",              "post_images",           "provisioning images of queues", TEXT, "", ""},
    {"GET",    "/v1/agents/images/{queue}",      "get_images",            "provisioning images of a queue", OBJECT(texts), "", ""},
    {"POST",   "/v1/agents/provision_logs/{name}", "post_provision_log",  "how a provisioning ended", TEXT, "404", ""},
    {"GET",    "/v1/agents/queues",           "list_advertised_queues", "advertised queues and their descriptions", OBJECT(texts), "", ""},
    {"POST",   "/v1/agents/queues",           "advertise_queues",      "queues to advertise", TEXT, "", ""},
    {"GET",    "/v1/client-permissions",      "list_clients",          "all clients", LIST(client), "422", LISTED},
    {"DELETE", "/v1/client-permissions/{id}", "delete_client",         "delete a client", TEXT, "404 422", ""},
    {"GET",    "/v1/client-permissions/{id}", "get_client",            "one client", OBJECT(client), "404", ""},
    {"PUT",    "/v1/client-permissions/{id}", "put_client",            "make or change a client", TEXT, "", ""},
    {"GET",    "/v1/job",                     "claim_job",             "claim a job of these queues", OBJECT(job), "204 400", "queue*! wait lease boot"},
    {"POST",   "/v1/job",                     "submit_job",            "submit a job", OBJECT(job_id), "409", "@Idempotency-Key"},
    {"GET",    "/v1/job/{id}",                "get_job",               "the definition of a job", OBJECT(job), "204", ""},
    {"POST",   "/v1/job/{id}/action",         "act_on_job",            "cancel a job", TEXT, "", ""},
    {"GET",    "/v1/job/{id}/attachments",    "get_attachments",       "the attachments of a job", BYTES("application/gzip"), "204 206 304 409 416", PARTS " " LEASE},
    {"POST",   "/v1/job/{id}/attachments",    "post_attachments",      "the attachments a job waits for", TEXT, "422", ""},
    {"POST",   "/v1/job/{id}/events",         "post_events",           "events for the webhook of a job", TEXT, "404 409 502 504", LEASE},
    {"POST",   "/v1/job/{id}/lease",          "renew_lease",           "keep a claimed job", OBJECT(lease), "404 409", LEASE},
    {"GET",    "/v1/job/{id}/position",       "get_job_position",      "how many jobs are ahead", TEXT, "410", ""},
    {"GET",    "/v1/job/{id}/status",         "get_job_status",        "where a job stands", OBJECT(job_status), "204 304 409", "wait after " POLLED " " LEASE},
    {"GET",    "/v1/job/{id}/timeline",       "get_job_timeline",      "the story of a job", LIST(timeline), "204 422", LISTED " @Accept @Last-Event-ID"},
    {"GET",    "/v1/job/search",              "search_jobs",           "jobs with these tags", LIST(job_row), "400 422", "tags* match state* " LISTED},
    {"POST",   "/v1/oauth2/refresh",          "refresh_token",         "a new access token", OBJECT(refreshed), "", ""},
    {"POST",   "/v1/oauth2/revoke",           "revoke_token",          "end a refresh token", OBJECT(done), "", ""},
    {"POST",   "/v1/oauth2/token",            "issue_token",           "log in", OBJECT(token), "401", ""},
    {"GET",    "/v1/queues/{queue}/agents",   "list_queue_agents",     "agents that serve a queue", LIST(agent), "404", ""},
    {"GET",    "/v1/queues/{queue}/jobs",     "list_queue_jobs",       "jobs of a queue", LIST(job_row), "204 422", LISTED},
    {"GET",    "/v1/queues/wait_times",       "get_wait_times",        "how long jobs waited, as percentiles", JSON, "", "queue*"},
    {"GET",    "/v1/restricted-queues",       "list_restricted_queues", "restricted queues and their owners", LIST(restriction), "422", LISTED},
    {"DELETE", "/v1/restricted-queues/{queue}", "remove_owner",        "take a client off a queue's owners", TEXT, "404", ""},
    {"GET",    "/v1/restricted-queues/{queue}", "get_restricted_queue", "a restricted queue and its owners", OBJECT(restriction), "404", ""},
    {"POST",   "/v1/restricted-queues/{queue}", "add_owner",           "restrict a queue to this client and its other owners", TEXT, "404", ""},
    {"GET",    "/v1/result/{id}",             "get_result",            "state, results and logs of a job", OBJECT(result), "204 304 409", "attempt " POLLED " " LEASE},
    {"POST",   "/v1/result/{id}",             "post_result",           "results of a running job", TEXT, "409", LEASE},
    {"GET",    "/v1/result/{id}/artifact",    "get_artifact",          "the files of a job", BYTES("application/x-tar"), "204 206 304 416", "attempt " PARTS},
    {"POST",   "/v1/result/{id}/artifact",    "post_artifact",         "the files of a job", TEXT, "409", LEASE},
    {"GET",    "/v1/result/{id}/log/{type}",  "get_log",               "a log by phases", JSON, "404", "attempt phase start_fragment start_timestamp"},
    {"POST",   "/v1/result/{id}/log/{type}",  "post_log",              "a piece of a log", TEXT, "404 409", LEASE},
    {"DELETE", "/v1/secrets/{client}/{path...}", "delete_secret",      "delete a secret", TEXT, "400 422", ""},
    {"PUT",    "/v1/secrets/{client}/{path...}", "put_secret",         "keep a secret", OBJECT(expiry), "", ""},
};
/* clang-format on */
const size_t openapi_operation_count = sizeof(openapi_operations) / sizeof(openapi_operations[0]);
