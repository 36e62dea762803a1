/* SPDX-License-Identifier: GPL-3.0-or-later
 * The thread waits for its socket, for something to send, and for the end.
 *
 * A NOTIFY takes a lock on the whole cluster when it commits, so it is never part of the
 * transaction that made the change, and is sent at most every few milliseconds.  Behind a pooler
 * that gives the connection to somebody else after each statement (db_prepare = no) LISTEN would be
 * somebody else's: only sending is left then. */
#include "server/db/listener.h"

#include "common/clock.h"
#include "common/log.h"
#include "server/db/connection.h"
#include "server/db/session.h"
#include "server/metrics.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define SEND_EVERY_MS 5
#define RETRY_MS      1000
#define IDLE_MS       10000
#define LOCK_TIMEOUT  "55P03"
/* A payload has to be shorter than 8,000 bytes. */
#define KEY_DIGITS   16
#define KEYS_MAX     256
#define PAYLOAD_SIZE (KEYS_MAX * KEY_DIGITS + 1)

struct listener {
    struct waker waker; /* first: its functions find the listener by it */
    struct listener_options options;
    pthread_t thread;
    int event_fd;         /* something to send, or the end */
    pthread_mutex_t lock; /* guards what follows */
    uint64_t keys[KEYS_MAX];
    size_t key_count;
    bool all; /* too many of them */
    bool stop;
    /* of the thread alone */
    struct db *db; /* NULL: no connection */
    bool failing;
    int64_t retry_ms; /* to connect, or to send what could not be sent; 0: nothing */
    int64_t sent_ms;
};

static void ring(struct listener *l)
{
    uint64_t one = 1;

    if (write(l->event_fd, &one, sizeof(one)) < 0) {
        /* the counter cannot overflow: it is read before it grows */
    }
}

static bool known(const struct listener *l, uint64_t key)
{
    for (size_t i = 0; i < l->key_count; i++)
        if (l->keys[i] == key)
            return true;
    return false;
}

/* any: not this key, but anything.  Returns whether it is the first one since the last sending. */
static bool keep(struct listener *l, uint64_t key, bool any)
{
    bool first;

    (void)pthread_mutex_lock(&l->lock);
    first = !l->all && l->key_count == 0;
    if (any || l->key_count == KEYS_MAX)
        l->all = true;
    else if (!l->all && !known(l, key))
        l->keys[l->key_count++] = key;
    (void)pthread_mutex_unlock(&l->lock);
    return first;
}

static void tell(struct waker *waker, uint64_t key)
{
    struct listener *l = (struct listener *)waker;

    l->options.heard(l->options.cls, key);
    if (keep(l, key, false))
        ring(l);
}

static void tell_all(struct waker *waker)
{
    struct listener *l = (struct listener *)waker;

    l->options.heard_all(l->options.cls);
    if (keep(l, 0, true))
        ring(l);
}

struct waker *listener_waker(struct listener *listener)
{
    return &listener->waker;
}

/* What is to be sent, as text; "" for nothing.  Returns whether the end was asked for. */
static bool take(struct listener *l, char ret_payload[static PAYLOAD_SIZE])
{
    size_t len = 0;
    bool stop;

    (void)pthread_mutex_lock(&l->lock);
    if (l->all)
        len = (size_t)snprintf(ret_payload, PAYLOAD_SIZE, "*");
    for (size_t i = 0; !l->all && i < l->key_count; i++)
        len += (size_t)snprintf(ret_payload + len, PAYLOAD_SIZE - len, "%016" PRIx64, l->keys[i]);
    ret_payload[len] = '\0';
    l->key_count = 0;
    l->all = false;
    stop = l->stop;
    (void)pthread_mutex_unlock(&l->lock);
    return stop;
}

static void hear(struct listener *l, const char *payload)
{
    size_t len = strlen(payload);
    char digits[KEY_DIGITS + 1];

    metrics_add(l->options.metrics, METRIC_WAKE_HEARD, 1);
    if (len % KEY_DIGITS != 0 || strspn(payload, "0123456789abcdef") != len) {
        l->options.heard_all(l->options.cls); /* "*", or the word of another release */
        return;
    }
    for (; *payload; payload += KEY_DIGITS) {
        memcpy(digits, payload, KEY_DIGITS);
        digits[KEY_DIGITS] = '\0';
        l->options.heard(l->options.cls, strtoull(digits, NULL, 16));
    }
}

static void lost(struct listener *l, const struct err *err)
{
    db_free(l->db);
    l->db = NULL;
    l->retry_ms = clock_ms(l->options.clock) + RETRY_MS;
    metrics_set(l->options.metrics, METRIC_LISTENING, 0);
    if (!l->failing)
        log_warning("listener", "text=\"does not hear of changes\" error=%s", LOG_VALUE(err->text));
    l->failing = true;
}

/* Takes in what has arrived; what this connection sent itself was told before. */
static void receive(struct listener *l)
{
    struct err err = ERR_INIT;
    PGnotify *notify;

    if (!PQconsumeInput(l->db->conn) || PQstatus(l->db->conn) != CONNECTION_OK) {
        (void)err_set(&err, ERR_UNAVAILABLE, "connection to the database was lost");
        lost(l, &err);
        return;
    }
    while ((notify = PQnotifies(l->db->conn))) {
        if (notify->be_pid != PQbackendPID(l->db->conn))
            hear(l, notify->extra);
        PQfreemem(notify);
    }
}

static void connect_again(struct listener *l)
{
    struct err err = ERR_INIT;

    l->db = db_new(l->options.db, &err);
    if (!l->db || db_hold(l->db, &err) < 0 ||
        (l->options.db->prepare && db_script(l->db, "LISTEN testflinger", &err) < 0)) {
        lost(l, &err);
        return;
    }
    metrics_set(l->options.metrics, METRIC_LISTENING, l->options.db->prepare);
    if (l->failing)
        log_info("listener", "text=\"hears of changes again\"");
    l->failing = false;
    l->retry_ms = 0;
    l->options.heard_all(l->options.cls); /* whatever happened meanwhile */
}

/* Somebody else's NOTIFY does not come to its end.  Trying again at once would be waiting all the
 * time, and what changes meanwhile is kept. */
static void put_off(struct listener *l)
{
    (void)keep(l, 0, true);
    l->retry_ms = clock_ms(l->options.clock) + RETRY_MS;
}

/* Returns whether the end was asked for. */
static bool send_changes(struct listener *l)
{
    static const struct db_statement notify = {
        .name = "notify", .sql = "SELECT api.notify($1)", .params = 1};
    char payload[PAYLOAD_SIZE];
    bool stop = take(l, payload);
    const struct db_param params[] = {db_text(payload)};
    struct err err = ERR_INIT;

    if (!payload[0] || !l->db) /* without a connection: who waits there looks by itself */
        return stop;
    l->sent_ms = clock_ms(l->options.clock);
    l->retry_ms = 0;
    if (db_run(l->db, &notify, params, &err) == 0)
        metrics_add(l->options.metrics, METRIC_WAKE_SENT, 1);
    else if (strcmp(db_sqlstate(l->db), LOCK_TIMEOUT) == 0)
        put_off(l);
    else
        lost(l, &err);
    return stop;
}

/* Returns whether there may be something to send. */
static bool wait_for_events(struct listener *l)
{
    struct pollfd fds[] = {{.fd = l->event_fd, .events = POLLIN},
                           {.fd = l->db ? PQsocket(l->db->conn) : -1, .events = POLLIN}};
    bool due = l->db && l->retry_ms && clock_ms(l->options.clock) >= l->retry_ms;
    uint64_t count;

    if (poll(fds, 2, due ? 0 : l->db && !l->retry_ms ? IDLE_MS : RETRY_MS) < 0 && errno != EINTR)
        return false;
    if (l->db && fds[1].revents)
        receive(l);
    return (fds[0].revents && read(l->event_fd, &count, sizeof(count)) > 0) || due;
}

/* A little later there may be more to send with it. */
static void gather(struct listener *l)
{
    int64_t left_ms = l->sent_ms + SEND_EVERY_MS - clock_ms(l->options.clock);

    if (left_ms > 0)
        (void)poll(NULL, 0, (int)left_ms);
}

static void *listener_main(void *arg)
{
    struct listener *l = arg;
    bool stop = false;

    while (!stop) {
        if (!l->db && clock_ms(l->options.clock) >= l->retry_ms)
            connect_again(l);
        if (!wait_for_events(l))
            continue;
        gather(l);
        stop = send_changes(l);
        if (l->db)
            receive(l); /* what came with the answer */
    }
    return NULL;
}

static void done(struct listener *l)
{
    db_free(l->db);
    if (l->event_fd >= 0)
        (void)close(l->event_fd);
    (void)pthread_mutex_destroy(&l->lock);
    free(l);
}

struct listener *listener_start(const struct listener_options *options, struct err *err)
{
    struct listener *l = calloc(1, sizeof(*l));
    int rc;

    if (!l) {
        (void)err_set(err, ERR_INTERNAL, "out of memory");
        return NULL;
    }
    l->waker = (struct waker){tell, tell_all};
    l->options = *options;
    (void)pthread_mutex_init(&l->lock, NULL);
    l->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    rc = l->event_fd < 0 ? errno : pthread_create(&l->thread, NULL, listener_main, l);
    if (rc != 0) {
        (void)err_set_errno(err, rc, "could not start the thread that listens");
        done(l);
        return NULL;
    }
    return l;
}

void listener_free(struct listener *listener)
{
    if (!listener)
        return;
    (void)pthread_mutex_lock(&listener->lock);
    listener->stop = true;
    (void)pthread_mutex_unlock(&listener->lock);
    ring(listener);
    (void)pthread_join(listener->thread, NULL);
    done(listener);
}
