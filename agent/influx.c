/* SPDX-License-Identifier: GPL-3.0-or-later
 * Two buffers: points that gather, and those that are under way.  The database is made before the
 * first write, and again when the server has lost it. */
#include "agent/influx.h"

#include "agent/influx_line.h"
#include "common/log.h"
#include "fetch/multi.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define POINTS_MAX   ((size_t)256 << 10) /* bytes of lines, some three thousand of them */
#define REPLY_MAX    ((size_t)64 << 10)
#define TIMEOUT_S    30
#define PAUSE_MIN_MS 1000
#define PAUSE_MAX_MS (300 * 1000)
#define CREATE       "q=CREATE%20DATABASE%20%22" INFLUX_DATABASE "%22"

struct influx {
    struct reactor *reactor;
    struct fetch *client;
    struct fetch_multi *multi;
    struct fetch_exchange *exchange; /* NULL: nothing is under way */
    struct fetch_reply reply;
    struct watch watch;
    struct timer pause;
    int64_t pause_ms;
    struct buf query_url;
    struct buf write_url;
    char *user;
    char *password;
    char *agent;
    struct buf gathered;
    struct buf sent; /* kept until the server has it */
    bool has_database;
    bool in_trouble; /* said once, not for every point */
    size_t lost;
};

static void kick(struct influx *x);

/* --- what became of a request ---------------------------------------------------------- */

static void complain(struct influx *x, const char *what, const struct fetch_reply *reply,
                     const struct err *err)
{
    if (!x->in_trouble)
        log_warning("influx", "text=\"could not %s\" status=%d error=%s", what, reply->status,
                    LOG_VALUE(err ? err->text : buf_text(&reply->body)));
    x->in_trouble = true;
}

static void pause_then_kick(struct influx *x)
{
    reactor_after(x->reactor, &x->pause, x->pause_ms);
    x->pause_ms = 2 * x->pause_ms < PAUSE_MAX_MS ? 2 * x->pause_ms : PAUSE_MAX_MS;
}

static void on_pause_over(void *arg)
{
    kick(arg);
}

static void on_created(void *arg, struct fetch_reply *reply, const struct err *err)
{
    struct influx *x = arg;
    enum fetch_class class = fetch_classify(reply, err);

    x->exchange = NULL;
    if (class != FETCH_OK)
        complain(x, "create the database \\\"" INFLUX_DATABASE "\\\"", reply, err);
    if (class == FETCH_RETRY) {
        pause_then_kick(x);
        return;
    }
    /* a user who may not create it may still write to it */
    x->has_database = true;
    kick(x);
}

static void on_written(void *arg, struct fetch_reply *reply, const struct err *err)
{
    struct influx *x = arg;
    enum fetch_class class = fetch_classify(reply, err);

    x->exchange = NULL;
    if (class == FETCH_OK) {
        if (x->in_trouble)
            log_info("influx", "text=\"points are taken again\" lost=%zu", x->lost);
        x->in_trouble = false;
        x->lost = 0;
        x->pause_ms = PAUSE_MIN_MS;
        buf_clear(&x->sent);
        kick(x);
        return;
    }
    complain(x, "write points", reply, err);
    if (reply->status == 404) /* no such database */
        x->has_database = false;
    else if (class == FETCH_REFUSED)
        buf_clear(&x->sent); /* they would be refused again */
    pause_then_kick(x);
}

/* --- requests -------------------------------------------------------------------------- */

static void send(struct influx *x, const struct buf *url, const char *body, size_t len,
                 const char *type, fetch_done_fn *done)
{
    const struct fetch_request req = {.method = "POST",
                                      .url = buf_text(url),
                                      .timeout_s = TIMEOUT_S,
                                      .basic_user = x->user,
                                      .basic_password = x->password,
                                      .body = body,
                                      .body_len = len,
                                      .content_type = type};
    struct err err = ERR_INIT;

    buf_clear(&x->reply.body);
    x->exchange = fetch_start(x->multi, &req, &x->reply, done, x, &err);
    if (x->exchange)
        return;
    complain(x, "send a request", &x->reply, &err);
    pause_then_kick(x);
}

static void kick(struct influx *x)
{
    struct buf taken;

    if (x->exchange || x->pause.armed || (x->gathered.len == 0 && x->sent.len == 0))
        return;
    if (!x->has_database) {
        send(x, &x->query_url, CREATE, strlen(CREATE), "application/x-www-form-urlencoded",
             on_created);
        return;
    }
    if (x->sent.len == 0) {
        taken = x->sent;
        x->sent = x->gathered;
        x->gathered = taken;
    }
    send(x, &x->write_url, buf_text(&x->sent), x->sent.len, "text/plain; charset=utf-8",
         on_written);
}

void influx_add(struct influx *x, const char *phase, int result)
{
    const struct influx_point point = {x->agent, phase, result, clock_us(x->reactor->clock)};

    if (influx_add_line(&x->gathered, &point) < 0) {
        x->gathered.failed = false; /* the buffer is full: this point alone is lost */
        x->lost++;
    }
    kick(x);
}

/* --- life ------------------------------------------------------------------------------ */

static void on_ready(void *arg)
{
    fetch_multi_run(((struct influx *)arg)->multi);
}

static int set_up(struct influx *x, const struct influx_config *config, struct err *err)
{
    bool bare_v6 = strchr(config->host, ':') && config->host[0] != '[';
    const char *open = bare_v6 ? "[" : "", *close = bare_v6 ? "]" : "";

    (void)buf_addf(&x->query_url, "http://%s%s%s:%lld/query", open, config->host, close,
                   (long long)config->port);
    (void)buf_addf(&x->write_url, "http://%s%s%s:%lld/write?db=" INFLUX_DATABASE "&precision=ns",
                   open, config->host, close, (long long)config->port);
    x->agent = strdup(config->agent);
    x->user = config->user ? strdup(config->user) : NULL;
    x->password = strdup(config->password ? config->password : "");
    if (buf_failed(&x->query_url) || buf_failed(&x->write_url))
        return err_set(err, ERR_TOO_LARGE, "the host of the InfluxDB is too long");
    if (!x->agent || !x->password || (config->user && !x->user))
        return err_set(err, ERR_INTERNAL, "out of memory");
    x->client = fetch_new("testflinger-agent", err);
    x->multi = x->client ? fetch_multi_new(x->client, err) : NULL;
    if (!x->multi)
        return -1;
    x->watch = (struct watch){fetch_multi_fd(x->multi), on_ready, x};
    reactor_watch(x->reactor, &x->watch);
    return 0;
}

struct influx *influx_new(struct reactor *reactor, const struct influx_config *config,
                          struct err *err)
{
    struct influx *x = calloc(1, sizeof(*x));

    if (!x) {
        (void)err_set(err, ERR_INTERNAL, "out of memory");
        return NULL;
    }
    x->reactor = reactor;
    x->pause = (struct timer){.fire = on_pause_over, .arg = x};
    x->pause_ms = PAUSE_MIN_MS;
    buf_init(&x->query_url, 1024);
    buf_init(&x->write_url, 1024);
    buf_init(&x->gathered, POINTS_MAX);
    buf_init(&x->sent, POINTS_MAX);
    fetch_reply_init(&x->reply, REPLY_MAX);
    if (set_up(x, config, err) < 0) {
        influx_free(x);
        return NULL;
    }
    return x;
}

void influx_free(struct influx *x)
{
    if (!x)
        return;
    if (x->gathered.len > 0 || x->sent.len > 0)
        log_warning("influx", "text=\"the last points are lost\" bytes=%zu",
                    x->gathered.len + x->sent.len);
    reactor_disarm(x->reactor, &x->pause);
    if (x->multi)
        reactor_unwatch(x->reactor, &x->watch);
    fetch_multi_free(x->multi); /* with what is under way */
    fetch_free(x->client);
    fetch_reply_done(&x->reply);
    buf_done(&x->query_url);
    buf_done(&x->write_url);
    buf_done(&x->gathered);
    buf_done(&x->sent);
    if (x->password)
        explicit_bzero(x->password, strlen(x->password));
    free(x->password);
    free(x->user);
    free(x->agent);
    free(x);
}
