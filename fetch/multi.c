/* SPDX-License-Identifier: GPL-3.0-or-later
 * The form that does not wait: curl's sockets and its one timer are kept in an epoll set, so that
 * the caller has a single descriptor to watch. */
#include "fetch/multi.h"

#include "fetch/exchange.h"

#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define EVENTS_AT_ONCE 16

struct fetch_multi {
    struct fetch *client;
    CURLM *curl;
    int epoll_fd;
    int timer_fd;
    struct fetch_exchange *first;
};

struct fetch_exchange {
    struct exchange x; /* first: CURLOPT_PRIVATE points to it */
    struct fetch_request req;
    struct fetch_multi *multi;
    fetch_done_fn *done;
    void *arg;
    struct fetch_exchange *next;
};

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *known)
{
    struct fetch_multi *multi = arg;
    struct epoll_event event = {.data.fd = fd};

    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        (void)epoll_ctl(multi->epoll_fd, EPOLL_CTL_DEL, fd, NULL); /* may be closed already */
        return 0;
    }
    if (what & CURL_POLL_IN)
        event.events |= EPOLLIN;
    if (what & CURL_POLL_OUT)
        event.events |= EPOLLOUT;
    if (epoll_ctl(multi->epoll_fd, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event) < 0)
        return -1;
    (void)curl_multi_assign(multi->curl, fd, multi);
    return 0;
}

static int on_timer(CURLM *curl, long timeout_ms, void *arg)
{
    struct fetch_multi *multi = arg;
    struct itimerspec when = {{0, 0}, {0, 0}};

    (void)curl;
    if (timeout_ms >= 0) {
        when.it_value.tv_sec = timeout_ms / 1000;
        when.it_value.tv_nsec = (timeout_ms % 1000) * 1000000L;
        if (timeout_ms == 0)
            when.it_value.tv_nsec = 1; /* 0 would disarm it */
    }
    return timerfd_settime(multi->timer_fd, 0, &when, NULL);
}

static int set_up(struct fetch_multi *multi)
{
    struct epoll_event event = {.events = EPOLLIN};

    multi->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    multi->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    multi->curl = curl_multi_init();
    event.data.fd = multi->timer_fd;
    if (!multi->curl || multi->epoll_fd < 0 || multi->timer_fd < 0 ||
        epoll_ctl(multi->epoll_fd, EPOLL_CTL_ADD, multi->timer_fd, &event) < 0)
        return -1;
    (void)curl_multi_setopt(multi->curl, CURLMOPT_SOCKETFUNCTION, on_socket);
    (void)curl_multi_setopt(multi->curl, CURLMOPT_SOCKETDATA, (void *)multi);
    (void)curl_multi_setopt(multi->curl, CURLMOPT_TIMERFUNCTION, on_timer);
    (void)curl_multi_setopt(multi->curl, CURLMOPT_TIMERDATA, (void *)multi);
    return 0;
}

struct fetch_multi *fetch_multi_new(struct fetch *client, struct err *err)
{
    struct fetch_multi *multi = calloc(1, sizeof(*multi));

    if (!multi) {
        (void)err_set(err, ERR_INTERNAL, "out of memory");
        return NULL;
    }
    multi->client = client;
    multi->epoll_fd = multi->timer_fd = -1;
    if (set_up(multi) < 0) {
        (void)err_set_errno(err, errno, "could not set up the HTTP client");
        fetch_multi_free(multi);
        return NULL;
    }
    return multi;
}

void fetch_multi_free(struct fetch_multi *multi)
{
    if (!multi)
        return;
    while (multi->first)
        fetch_cancel(multi->first);
    (void)curl_multi_cleanup(multi->curl);
    if (multi->timer_fd >= 0)
        (void)close(multi->timer_fd);
    if (multi->epoll_fd >= 0)
        (void)close(multi->epoll_fd);
    free(multi);
}

int fetch_multi_fd(const struct fetch_multi *multi)
{
    return multi->epoll_fd;
}

struct fetch_exchange *fetch_start(struct fetch_multi *multi, const struct fetch_request *req,
                                   struct fetch_reply *reply, fetch_done_fn *done, void *arg,
                                   struct err *err)
{
    struct fetch_exchange *e = calloc(1, sizeof(*e));
    CURL *easy = curl_easy_init();

    if (!e || !easy) {
        free(e);
        curl_easy_cleanup(easy);
        (void)err_set(err, ERR_INTERNAL, "out of memory");
        return NULL;
    }
    e->multi = multi;
    e->req = *req;
    e->done = done;
    e->arg = arg;
    e->next = multi->first;
    multi->first = e;
    if (exchange_init(&e->x, multi->client, easy, &e->req, reply, err) < 0) {
        fetch_cancel(e);
        return NULL;
    }
    if (curl_multi_add_handle(multi->curl, easy) != CURLM_OK) {
        (void)err_set(err, ERR_INTERNAL, "could not start a request");
        fetch_cancel(e);
        return NULL;
    }
    return e;
}

void fetch_cancel(struct fetch_exchange *exchange)
{
    struct fetch_multi *multi = exchange->multi;
    struct fetch_exchange **link = &multi->first;

    while (*link != exchange)
        link = &(*link)->next;
    *link = exchange->next;
    (void)curl_multi_remove_handle(multi->curl, exchange->x.easy); /* fine if never added */
    exchange_done(&exchange->x);
    curl_easy_cleanup(exchange->x.easy);
    free(exchange);
}

static void finish(CURL *easy, CURLcode code)
{
    struct fetch_exchange *e = NULL;
    struct err err = ERR_INIT;
    fetch_done_fn *done;
    struct fetch_reply *reply;
    void *arg;
    int rc;

    (void)curl_easy_getinfo(easy, CURLINFO_PRIVATE, &e);
    assert(e && e->x.easy == easy);
    done = e->done;
    arg = e->arg;
    reply = e->x.reply;
    rc = exchange_result(&e->x, code, &err);
    fetch_cancel(e); /* before done, which may free what the exchange borrowed */
    done(arg, reply, rc < 0 ? &err : NULL);
}

void fetch_multi_run(struct fetch_multi *multi)
{
    struct epoll_event events[EVENTS_AT_ONCE];
    int count = epoll_wait(multi->epoll_fd, events, EVENTS_AT_ONCE, 0);
    int running;
    uint64_t ticks;

    for (int i = 0; i < count; i++) {
        int fd = events[i].data.fd;
        int what = 0;

        if (fd == multi->timer_fd) {
            if (read(fd, &ticks, sizeof(ticks)) > 0) /* nothing to read: it was armed anew */
                (void)curl_multi_socket_action(multi->curl, CURL_SOCKET_TIMEOUT, 0, &running);
            continue;
        }
        what |= events[i].events & EPOLLIN ? CURL_CSELECT_IN : 0;
        what |= events[i].events & EPOLLOUT ? CURL_CSELECT_OUT : 0;
        what |= events[i].events & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0;
        (void)curl_multi_socket_action(multi->curl, fd, what, &running);
    }
    /* asked anew each time: done may cancel exchanges whose message would come next */
    for (CURLMsg *msg; (msg = curl_multi_info_read(multi->curl, &running));)
        if (msg->msg == CURLMSG_DONE)
            finish(msg->easy_handle, msg->data.result);
}
