/* SPDX-License-Identifier: GPL-3.0-or-later
 * Putting the parts together, and taking them apart in the right order: loops first, since what
 * they leave behind is cleared away by workers. */
#include "server/server.h"

#include "common/cleanup.h"
#include "common/fs.h"
#include "common/log.h"
#include "server/audit.h"
#include "server/crypto/seal.h"
#include "server/crypto/token.h"
#include "server/db/db.h"
#include "server/db/executor.h"
#include "server/db/listener.h"
#include "server/http/listen.h"
#include "server/http/loop.h"
#include "server/http/park.h"
#include "server/http/quota.h"
#include "server/metrics.h"
#include "server/openapi/openapi.h"
#include "server/routes.h"
#include "server/store/service.h"
#include "server/tasks/tasks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#define ALIVE_MS         15000 /* a loop goes round once a second; a stuck one shows by this */
#define BULK_WORKERS_MAX 8

struct server {
    const struct config *config;
    const struct clock *clock;
    char *conninfo;
    struct db_options db;
    struct token_keys *keys;
    struct seal_keys *seal;
    char *webhook_token;
    struct metrics *metrics;
    struct audit *audit;
    struct buf openapi;
    struct park *park;
    struct quota *quota;
    struct listener *listener;
    struct executor *executor;
    struct tasks *tasks;
    int listen_fd;
    char url[LISTEN_URL_MAX];
    int port;
    size_t loop_count;
    struct loop **loops;
};

static struct app shared_app(const struct server *s)
{
    return (struct app){.config = s->config,
                        .clock = s->clock,
                        .metrics = s->metrics,
                        .audit = s->audit,
                        .waker = s->listener ? listener_waker(s->listener) : NULL,
                        .openapi = &s->openapi,
                        .keys = s->keys,
                        .seal = s->seal,
                        .webhook_token = s->webhook_token};
}

/* With a store for secrets there are values in memory, and keys to all of them: no core dump, and
 * no debugger of another process of this user. */
static int read_seal_keys(struct server *s, struct err *err)
{
    if (!s->config->secrets_key_file)
        return 0;
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
        return err_set_errno(err, errno, "could not forbid core dumps");
    s->seal = seal_keys_read(s->config->secrets_key_file, err);
    return s->seal ? 0 : -1;
}

static int read_secrets(struct server *s, struct err *err)
{
    if (config_conninfo(s->config, &s->conninfo, err) < 0)
        return -1;
    if (s->config->webhook_token_file &&
        fs_read_secret(s->config->webhook_token_file, &s->webhook_token, err) < 0)
        return -1;
    s->keys = token_keys_read(s->config->jwt_key_file, err);
    return s->keys ? read_seal_keys(s, err) : -1;
}

static void wipe_text(char *text)
{
    if (text)
        explicit_bzero(text, strlen(text));
    free(text);
}

static void forget_secrets(struct server *s)
{
    token_keys_free(s->keys);
    seal_keys_free(s->seal);
    wipe_text(s->webhook_token);
    wipe_text(s->conninfo);
}

/* Only what can be seen now: /readyz looks again each time. */
static int check_schema(struct server *s, struct err *err)
{
    struct err why = ERR_INIT;
    struct db *db = db_new(&s->db, err);
    int rc;

    if (!db)
        return -1;
    rc = service_store_check_schema(db, &why);
    db_free(db);
    if (rc == 0)
        return 0;
    if (why.code != ERR_UNAVAILABLE)
        return err_set(err, why.code, "%s", why.text);
    log_warning("database", "text=\"not reachable yet\" error=%s", LOG_VALUE(why.text));
    return 0;
}

static void wake(void *cls, uint64_t key)
{
    park_wake(cls, key);
}

static void wake_all(void *cls)
{
    park_wake_all(cls);
}

/* Who waits for changes, and who hears of them. */
static int start_listener(struct server *s, struct err *err)
{
    s->park = park_new(s->metrics, err);
    s->quota = quota_new(s->config->waiting_max, err);
    if (!s->park || !s->quota)
        return -1;
    s->listener = listener_start(&(struct listener_options){.db = &s->db,
                                                            .clock = s->clock,
                                                            .metrics = s->metrics,
                                                            .heard = wake,
                                                            .heard_all = wake_all,
                                                            .cls = s->park},
                                 err);
    return s->listener ? 0 : -1;
}

/* Pieces of files keep their workers and PostgreSQL busy all the time: with as many of them as
 * there are processors, small requests would wait for a turn. */
static int bulk_workers(const struct config *config)
{
    long half = sysconf(_SC_NPROCESSORS_ONLN) / 2;

    if (config->bulk_workers > 0)
        return (int)config->bulk_workers;
    return half < 1 ? 1 : half > BULK_WORKERS_MAX ? BULK_WORKERS_MAX : (int)half;
}

static int start_workers(struct server *s, struct err *err)
{
    const struct executor_options options = {
        .app = shared_app(s),
        .db = &s->db,
        .threads = {[WORK_FAST] = (int)s->config->workers,
                    [WORK_SLOW] = (int)s->config->slow_workers,
                    [WORK_BULK] = bulk_workers(s->config)},
        .queue_max = (size_t)s->config->queue_max,
    };

    s->executor = executor_new(&options, err);
    return s->executor ? 0 : -1;
}

static int start_tasks(struct server *s, struct err *err)
{
    const struct app app = shared_app(s);

    s->tasks = tasks_start(&app, &s->db, err);
    return s->tasks ? 0 : -1;
}

static int start_loops(struct server *s, struct err *err)
{
    const struct loop_options options = {
        .app = shared_app(s),
        .router = {routes, route_count},
        .queue = executor_queue(s->executor),
        .park = s->park,
        .quota = s->quota,
        .listen_fd = s->listen_fd,
        .connections_max = (int)s->config->connections_max,
        .header_timeout_ms = s->config->header_timeout_s * 1000,
        .body_timeout_ms = s->config->body_timeout_s * 1000,
        .keepalive_timeout_ms = s->config->keepalive_timeout_s * 1000,
        .token_leeway_s = s->config->token_leeway_s,
        .upload_max_bytes = (uint64_t)s->config->upload_max_bytes,
    };

    s->loops = calloc((size_t)s->config->loops, sizeof(*s->loops));
    if (!s->loops)
        return err_set(err, ERR_INTERNAL, "out of memory");
    while (s->loop_count < (size_t)s->config->loops) {
        s->loops[s->loop_count] = loop_new(&options, err);
        if (!s->loops[s->loop_count])
            return -1;
        s->loop_count++;
    }
    return 0;
}

static int start_all(struct server *s, struct err *err)
{
    if (read_secrets(s, err) < 0)
        return -1;
    if (token_keys_shortest(s->keys) < 32)
        log_warning("config", "text=\"a token key has less than 32 bytes\"");
    s->db = (struct db_options){
        .conninfo = s->conninfo,
        .application = "testflinger-server",
        .prepare = s->config->db_prepare,
        .connect_timeout_s = (int)s->config->connect_timeout_s,
        .statement_timeout_ms = (int)s->config->statement_timeout_ms,
    };
    if (check_schema(s, err) < 0)
        return -1;
    s->audit = audit_new(s->config->security_log_file, config_security_log_level(s->config), err);
    buf_init(&s->openapi, OPENAPI_MAX_BYTES);
    if (!s->audit || openapi_write(&s->openapi, err) < 0)
        return -1;
    s->metrics = metrics_new(route_count, s->clock, err);
    if (!s->metrics || start_listener(s, err) < 0 || start_workers(s, err) < 0)
        return -1;
    s->listen_fd = listen_open(s->config->listen, s->url, &s->port, err);
    if (s->listen_fd < 0 || start_loops(s, err) < 0)
        return -1;
    return start_tasks(s, err);
}

/* Of a server that did not start completely; its loops have no requests. */
static void stop_at_once(struct server *s)
{
    server_drain(s, 0);
    server_free(s);
}

struct server *server_start(const struct config *config, const struct clock *clock, struct err *err)
{
    struct server *s = calloc(1, sizeof(*s));

    if (!s) {
        (void)err_set(err, ERR_INTERNAL, "out of memory");
        return NULL;
    }
    s->config = config;
    s->clock = clock;
    s->listen_fd = -1;
    if (start_all(s, err) < 0) {
        stop_at_once(s);
        return NULL;
    }
    return s;
}

const char *server_url(const struct server *server)
{
    return server->url;
}

int server_port(const struct server *server)
{
    return server->port;
}

bool server_alive(const struct server *server)
{
    int64_t now_ms = clock_ms(server->clock);

    for (size_t i = 0; i < server->loop_count; i++)
        if (now_ms - loop_seen_ms(server->loops[i]) > ALIVE_MS)
            return false;
    return true;
}

int server_reopen_logs(const struct server *server, struct err *err)
{
    return audit_reopen(server->audit, err);
}

void server_drain(struct server *server, int64_t timeout_ms)
{
    if (server->metrics)
        metrics_set(server->metrics, METRIC_DRAINING, 1);
    park_close(server->park);
    if (server->tasks)
        tasks_stop(server->tasks);
    for (size_t i = 0; i < server->loop_count; i++)
        loop_drain(server->loops[i], timeout_ms);
    if (server->listen_fd >= 0)
        (void)close(server->listen_fd);
    server->listen_fd = -1;
}

bool server_drained(const struct server *server)
{
    for (size_t i = 0; i < server->loop_count; i++)
        if (!loop_ended(server->loops[i]))
            return false;
    return !server->tasks || tasks_ended(server->tasks);
}

void server_free(struct server *server)
{
    if (!server)
        return;
    tasks_free(server->tasks);
    for (size_t i = 0; i < server->loop_count; i++)
        loop_free(server->loops[i]);
    free(server->loops);
    executor_free(server->executor);
    listener_free(server->listener);
    park_free(server->park);
    quota_free(server->quota);
    if (server->listen_fd >= 0)
        (void)close(server->listen_fd);
    metrics_free(server->metrics);
    audit_free(server->audit);
    buf_done(&server->openapi);
    forget_secrets(server);
    free(server);
}

int server_check(const struct config *config, struct err *err)
{
    struct server s = {.config = config, .listen_fd = -1};
    int rc = read_secrets(&s, err);

    forget_secrets(&s);
    return rc;
}
