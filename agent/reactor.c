/* SPDX-License-Identifier: GPL-3.0-or-later
 * poll() over a handful of descriptors; the earliest timer gives the time-out. */
#include "agent/reactor.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stddef.h>

void reactor_watch(struct reactor *reactor, struct watch *watch)
{
    assert(watch->fd >= 0 && watch->ready);
    for (size_t i = 0; i < REACTOR_WATCHES_MAX; i++)
        if (!reactor->watches[i]) {
            reactor->watches[i] = watch;
            return;
        }
    assert(!"more watches than REACTOR_WATCHES_MAX");
}

void reactor_unwatch(struct reactor *reactor, struct watch *watch)
{
    for (size_t i = 0; i < REACTOR_WATCHES_MAX; i++)
        if (reactor->watches[i] == watch)
            reactor->watches[i] = NULL;
}

void reactor_disarm(struct reactor *reactor, struct timer *timer)
{
    struct timer **link = &reactor->timers;

    if (!timer->armed)
        return;
    while (*link != timer)
        link = &(*link)->next;
    *link = timer->next;
    timer->armed = false;
}

void reactor_after(struct reactor *reactor, struct timer *timer, int64_t ms)
{
    struct timer **link = &reactor->timers;

    assert(timer->fire && ms >= 0);
    reactor_disarm(reactor, timer);
    timer->at_ms = clock_ms(reactor->clock) + ms;
    while (*link && (*link)->at_ms <= timer->at_ms)
        link = &(*link)->next;
    timer->next = *link;
    timer->armed = true;
    *link = timer;
}

static int time_left(const struct reactor *reactor, int max_ms)
{
    int64_t left;

    if (!reactor->timers)
        return max_ms;
    left = reactor->timers->at_ms - clock_ms(reactor->clock);
    if (left < 0)
        left = 0;
    if (max_ms >= 0 && left > max_ms)
        left = max_ms;
    return left > INT_MAX ? INT_MAX : (int)left;
}

/* Only timers due at the beginning: one that sets itself to 0 ms must not starve the rest. */
static void fire_timers(struct reactor *reactor)
{
    int64_t now = clock_ms(reactor->clock);
    int most = 100;

    while (reactor->timers && reactor->timers->at_ms <= now && most-- > 0) {
        struct timer *timer = reactor->timers;

        reactor_disarm(reactor, timer);
        timer->fire(timer->arg);
    }
}

int reactor_round(struct reactor *reactor, int max_ms, struct err *err)
{
    struct pollfd fds[REACTOR_WATCHES_MAX];
    struct watch *polled[REACTOR_WATCHES_MAX];
    nfds_t count = 0;

    for (size_t i = 0; i < REACTOR_WATCHES_MAX; i++)
        if (reactor->watches[i]) {
            polled[count] = reactor->watches[i];
            fds[count] = (struct pollfd){.fd = polled[count]->fd, .events = POLLIN};
            count++;
        }
    if (poll(fds, count, time_left(reactor, max_ms)) < 0 && errno != EINTR)
        return err_set_errno(err, errno, "could not wait for events");
    for (nfds_t i = 0; i < count; i++) {
        bool watched = false;

        if (!fds[i].revents)
            continue;
        for (size_t k = 0; k < REACTOR_WATCHES_MAX;
             k++) /* one called before may have taken it out */
            watched = watched || reactor->watches[k] == polled[i];
        if (watched)
            polled[i]->ready(polled[i]->arg);
    }
    fire_timers(reactor);
    return 0;
}

int reactor_run(struct reactor *reactor, struct err *err)
{
    while (!reactor->stopped)
        if (reactor_round(reactor, -1, err) < 0)
            return -1;
    return 0;
}

void reactor_stop(struct reactor *reactor)
{
    reactor->stopped = true;
}
