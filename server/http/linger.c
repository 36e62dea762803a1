/* SPDX-License-Identifier: GPL-3.0-or-later
 * Sockets that were answered before the whole request was read.  Closing such a socket makes the
 * kernel send a reset, which can destroy the answer before the client has read it; so what still
 * comes is read and thrown away for a while, until the client closes. */
#include "server/http/inner.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define LINGER_MAX       256 /* sockets of one loop; more are closed at once */
#define LINGER_MAX_BYTES ((size_t)64 << 20)
#define LINGER_MS        10000
#define LINGER_READ_SIZE ((size_t)64 << 10)

struct lingerer {
    struct watched watched;
    LIST_ENTRY(lingerer) link;
    struct loop *loop;
    int fd;
    size_t left_bytes;
    int64_t deadline_ms;
};

static void end(struct lingerer *linger)
{
    (void)epoll_ctl(linger->loop->own_fd, EPOLL_CTL_DEL, linger->fd, NULL);
    (void)close(linger->fd);
    LIST_REMOVE(linger, link);
    linger->loop->linger_count--;
    free(linger);
}

/* One read for each event, so that a fast sender does not keep the loop to itself. */
static void discard(struct watched *watched)
{
    struct lingerer *linger = (struct lingerer *)watched;
    char buffer[LINGER_READ_SIZE];
    ssize_t n = recv(linger->fd, buffer, sizeof(buffer), MSG_DONTWAIT);

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0 || (size_t)n >= linger->left_bytes) {
        end(linger);
        return;
    }
    linger->left_bytes -= (size_t)n;
}

void linger_add(struct loop *loop, int fd)
{
    struct lingerer *linger = NULL;
    struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP};
    int copy = loop->linger_count < LINGER_MAX ? dup(fd) : -1;

    if (copy >= 0)
        linger = calloc(1, sizeof(*linger));
    if (!linger) {
        if (copy >= 0)
            (void)close(copy);
        return;
    }
    *linger = (struct lingerer){.watched = {discard},
                                .loop = loop,
                                .fd = copy,
                                .left_bytes = LINGER_MAX_BYTES,
                                .deadline_ms = clock_ms(loop->clock) + LINGER_MS};
    LIST_INSERT_HEAD(&loop->lingering, linger, link);
    loop->linger_count++;
    event.data.ptr = linger;
    if (epoll_ctl(loop->own_fd, EPOLL_CTL_ADD, copy, &event) < 0)
        end(linger);
}

static void end_older(struct loop *loop, int64_t now_ms)
{
    struct lingerer *next;

    for (struct lingerer *linger = LIST_FIRST(&loop->lingering); linger; linger = next) {
        next = LIST_NEXT(linger, link);
        if (linger->deadline_ms <= now_ms)
            end(linger);
    }
}

void linger_sweep(struct loop *loop, int64_t now_ms)
{
    end_older(loop, now_ms);
}

void linger_end(struct loop *loop)
{
    end_older(loop, INT64_MAX);
}
