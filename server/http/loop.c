/* SPDX-License-Identifier: GPL-3.0-or-later
 * The loop itself: wait for libmicrohttpd's sockets, our own and the mailbox; run; look at
 * deadlines once a second.
 *
 * libmicrohttpd's own polling thread is not used: with exactly as many events as it takes at once
 * it waits a full time-out before it serves them.  MHD_get_timeout() must be obeyed, or pipelined
 * requests stall. */
#include "server/http/exchange.h"

#include "common/log.h"
#include "server/http/park.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <unistd.h>

#define SWEEP_MS   1000
#define OWN_EVENTS 64
/* What libmicrohttpd cannot fit it drops without an answer: this takes all the parameters we accept
 * and a cookie of many parts.  At the end of each request on a kept connection it clears all of
 * it, some 10 us. */
#define CONN_MEMORY ((size_t)128 << 10)

void loop_post(struct loop *loop, struct exchange *ex)
{
    uint64_t one = 1;
    bool first;

    ex->next_mail = NULL;
    (void)pthread_mutex_lock(&loop->mail_lock);
    first = !loop->mail;
    *loop->mail_last = ex;
    loop->mail_last = &ex->next_mail;
    /* With the lock held: once it is released the exchange may be answered, and with the last one
     * the loop ends and is freed. */
    if (first && write(loop->mail_fd, &one, sizeof(one)) < 0) {
        /* the counter cannot overflow: it is read before it grows */
    }
    (void)pthread_mutex_unlock(&loop->mail_lock);
}

static void take_mail(struct loop *loop)
{
    struct exchange *mail;
    struct exchange *next;
    uint64_t count;

    if (read(loop->mail_fd, &count, sizeof(count)) < 0) {
        /* nothing was posted since */
    }
    (void)pthread_mutex_lock(&loop->mail_lock);
    mail = loop->mail;
    loop->mail = NULL;
    loop->mail_last = &loop->mail;
    (void)pthread_mutex_unlock(&loop->mail_lock);
    for (; mail; mail = next) {
        next = mail->next_mail;
        exchange_returned(mail);
    }
}

static int timeout_of(struct loop *loop, int64_t now_ms)
{
    MHD_UNSIGNED_LONG_LONG mhd_ms;
    int64_t ms = loop->next_sweep_ms - now_ms;

    if (ms < 0)
        ms = 0;
    if (MHD_get_timeout(loop->daemon, &mhd_ms) == MHD_YES && mhd_ms < (uint64_t)ms)
        ms = (int64_t)mhd_ms;
    return (int)ms;
}

static void run_own_events(struct loop *loop)
{
    struct epoll_event events[OWN_EVENTS];
    int n = epoll_wait(loop->own_fd, events, OWN_EVENTS, 0);

    for (int i = 0; i < n; i++) {
        struct watched *watched = events[i].data.ptr;

        watched->ready(watched);
    }
}

static void sweep(struct loop *loop, int64_t now_ms)
{
    struct conn *conn;

    LIST_FOREACH(conn, &loop->conns, link)
    {
        conn_sweep(conn, now_ms);
    }
    linger_sweep(loop, now_ms);
    park_sweep(loop->options.park, now_ms + SWEEP_MS / 2); /* half a second early or late */
    loop->next_sweep_ms = now_ms + SWEEP_MS;
}

/* Takes in what is queued at the socket, then stops listening. */
static void start_draining(struct loop *loop, int64_t now_ms)
{
    struct conn *conn;
    int fd;

    (void)MHD_run(loop->daemon);
    fd = MHD_quiesce_daemon(loop->daemon);
    if (fd >= 0)
        (void)close(fd);
    loop->draining = true;
    loop->drain_until_ms = now_ms + atomic_load(&loop->drain_ms);
    LIST_FOREACH(conn, &loop->conns, link)
    {
        if (conn->phase == CONN_IDLE)
            conn_enter(conn, CONN_IDLE, IDLE_GRACE_MS);
    }
}

static void cut_short(struct loop *loop)
{
    struct conn *conn;

    LIST_FOREACH(conn, &loop->conns, link)
    {
        if (conn->phase != CONN_WORK)
            conn_shut(conn);
    }
}

/* True when nothing is left to do. */
static bool drained(struct loop *loop, int64_t now_ms)
{
    if (!loop->draining && atomic_load(&loop->drain_ms) >= 0)
        start_draining(loop, now_ms);
    if (!loop->draining)
        return false;
    if (now_ms >= loop->drain_until_ms)
        cut_short(loop);
    return LIST_EMPTY(&loop->conns);
}

static void wait_for_events(struct loop *loop, int timeout_ms)
{
    struct pollfd fds[] = {
        {.fd = loop->mhd_fd, .events = POLLIN},
        {.fd = loop->own_fd, .events = POLLIN},
        {.fd = loop->mail_fd, .events = POLLIN},
    };

    if (poll(fds, sizeof(fds) / sizeof(fds[0]), timeout_ms) < 0)
        return; /* a signal; everything below copes with nothing to do */
    if (fds[1].revents)
        run_own_events(loop);
    if (fds[2].revents)
        take_mail(loop);
}

static void *loop_main(void *arg)
{
    struct loop *loop = arg;
    int64_t now_ms = clock_ms(loop->clock);

    while (!drained(loop, now_ms)) {
        wait_for_events(loop, timeout_of(loop, now_ms));
        (void)MHD_run(loop->daemon);
        now_ms = clock_ms(loop->clock);
        atomic_store(&loop->seen_ms, now_ms);
        if (now_ms >= loop->next_sweep_ms)
            sweep(loop, now_ms);
    }
    MHD_stop_daemon(loop->daemon);
    loop->daemon = NULL;
    while (loop->exchanges > 0) { /* uploads that workers are still clearing away */
        struct pollfd fd = {.fd = loop->mail_fd, .events = POLLIN};

        if (poll(&fd, 1, SWEEP_MS) > 0)
            take_mail(loop);
    }
    linger_end(loop);
    atomic_store(&loop->ended, true);
    return NULL;
}

static void mhd_log(void *cls, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));

static void mhd_log(void *cls, const char *format, va_list args)
{
    struct buf text = BUF_INIT(1024);

    (void)cls;
    (void)buf_addvf(&text, format, args);
    log_debug("http", "text=%s", LOG_VALUE(buf_text(&text)));
    buf_done(&text);
}

/* Targets are decoded by us: libmicrohttpd shall leave them as they are. */
static size_t keep_escapes(void *cls, struct MHD_Connection *connection, char *text)
{
    (void)cls;
    (void)connection;
    return strlen(text);
}

static int start_daemon(struct loop *loop, struct err *err)
{
    const union MHD_DaemonInfo *info;
    int fd = fcntl(loop->options.listen_fd, F_DUPFD_CLOEXEC, 0);

    if (fd < 0)
        return err_set_errno(err, errno, "could not copy the listening socket");
    loop->daemon = MHD_start_daemon(
        MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG, 0, NULL, NULL, exchange_step,
        loop, MHD_OPTION_EXTERNAL_LOGGER, mhd_log, NULL, MHD_OPTION_LISTEN_SOCKET, fd,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)loop->options.connections_max,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONN_MEMORY, MHD_OPTION_CONNECTION_TIMEOUT,
        (unsigned)(loop->options.keepalive_timeout_ms / 1000), MHD_OPTION_STRICT_FOR_CLIENT, 1,
        MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, MHD_OPTION_NOTIFY_CONNECTION, conn_notify, loop,
        MHD_OPTION_URI_LOG_CALLBACK, exchange_start, loop, MHD_OPTION_NOTIFY_COMPLETED,
        exchange_completed, loop, MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes, NULL, MHD_OPTION_END);
    if (!loop->daemon) {
        (void)close(fd);
        return err_set(err, ERR_INTERNAL, "could not start libmicrohttpd");
    }
    info = MHD_get_daemon_info(loop->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    if (!info)
        return err_set(err, ERR_INTERNAL, "libmicrohttpd has no epoll");
    loop->mhd_fd = info->epoll_fd;
    return 0;
}

static int open_all(struct loop *loop, struct err *err)
{
    loop->own_fd = epoll_create1(EPOLL_CLOEXEC);
    loop->mail_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (loop->own_fd < 0 || loop->mail_fd < 0 ||
        getrandom(&loop->id_base, sizeof(loop->id_base), 0) != sizeof(loop->id_base))
        return err_set_errno(err, errno, "could not set up a loop");
    loop->auth = auth_new(loop->options.app.keys, loop->options.token_leeway_s, loop->clock, err);
    return loop->auth ? start_daemon(loop, err) : -1;
}

static void release(struct loop *loop)
{
    if (loop->daemon)
        MHD_stop_daemon(loop->daemon);
    exchange_free_blanks(loop);
    auth_free(loop->auth);
    if (loop->own_fd >= 0)
        (void)close(loop->own_fd);
    if (loop->mail_fd >= 0)
        (void)close(loop->mail_fd);
    (void)pthread_mutex_destroy(&loop->mail_lock);
    free(loop);
}

struct loop *loop_new(const struct loop_options *options, struct err *err)
{
    struct loop *loop = calloc(1, sizeof(*loop));
    int rc;

    if (!loop) {
        (void)err_set(err, ERR_INTERNAL, "out of memory");
        return NULL;
    }
    loop->options = *options;
    loop->clock = options->app.clock;
    loop->own_fd = loop->mail_fd = -1;
    loop->mail_last = &loop->mail;
    atomic_store(&loop->drain_ms, -1);
    atomic_store(&loop->seen_ms, clock_ms(loop->clock));
    (void)pthread_mutex_init(&loop->mail_lock, NULL);
    if (open_all(loop, err) < 0) {
        release(loop);
        return NULL;
    }
    rc = pthread_create(&loop->thread, NULL, loop_main, loop);
    if (rc != 0) {
        (void)err_set_errno(err, rc, "could not start a loop thread");
        release(loop);
        return NULL;
    }
    return loop;
}

void loop_drain(struct loop *loop, int64_t timeout_ms)
{
    uint64_t one = 1;

    atomic_store(&loop->drain_ms, timeout_ms);
    if (write(loop->mail_fd, &one, sizeof(one)) < 0) {
        /* it wakes up within a second anyway */
    }
}

bool loop_ended(const struct loop *loop)
{
    return atomic_load(&loop->ended);
}

int64_t loop_seen_ms(const struct loop *loop)
{
    return atomic_load(&loop->seen_ms);
}

void loop_free(struct loop *loop)
{
    if (!loop)
        return;
    (void)pthread_join(loop->thread, NULL);
    release(loop);
}
