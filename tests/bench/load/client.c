/* SPDX-License-Identifier: GPL-3.0-or-later
 * One client: sends a step's request, takes the answer, goes on to the next step. */
#include "tests/bench/load/run.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define REQUEST_MAX ((size_t)8 << 20)

static int64_t realtime_us(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int watch(struct client *client, int how, uint32_t events, struct err *err)
{
    struct epoll_event event = {.events = events, .data.ptr = client};

    if (epoll_ctl(client->run->epoll_fd, how, client->fd, &event) < 0)
        return err_set_errno(err, errno, "could not watch a connection");
    return 0;
}

int client_connect(struct client *client, struct err *err)
{
    const struct group *group = client->group->group;
    int port = group->ports[client->number % group->port_count];
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int one = 1;

    client->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (client->fd < 0)
        return err_set_errno(err, errno, "could not make a socket");
    if (connect(client->fd, (struct sockaddr *)&address, sizeof(address)) < 0)
        return err_set_errno(err, errno, "could not connect to port %d", port);
    if (setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) < 0 ||
        fcntl(client->fd, F_SETFL, O_NONBLOCK) < 0)
        return err_set_errno(err, errno, "could not set up a connection");
    return watch(client, EPOLL_CTL_ADD, EPOLLIN, err);
}

static void disconnect(struct client *client)
{
    if (client->fd >= 0)
        (void)close(client->fd);
    client->fd = -1;
}

static void rest(struct client *client)
{
    client->busy = false;
    client->group->busy--;
    TAILQ_INSERT_TAIL(&client->group->idle, client, idle);
}

static void end_round(struct client *client, bool whole)
{
    client->round++;
    client->group->ended++;
    if (whole && client->run->measuring)
        client->group->rounds++;
    rest(client);
}

/* The connection ended: between two requests that is nothing, in the middle the round is lost. */
static void lose(struct client *client)
{
    disconnect(client);
    if (!client->busy)
        return;
    client->group->broken++;
    end_round(client, false);
}

static const struct step *step_of(const struct client *client)
{
    return client->group->steps[client->step].step;
}

static int write_request(struct client *client, struct err *err)
{
    const struct step *step = step_of(client);
    const struct values values = {.client = client->number,
                                  .round = client->round,
                                  .new_id = client->new_id,
                                  .job = client->job,
                                  .next = client->next};
    struct buf body = BUF_INIT(REQUEST_MAX);

    buf_clear(&client->out);
    text_write(&step->head, &values, &client->out);
    if (step->has_body)
        text_write(&step->body, &values, &body);
    if (step->has_body)
        (void)buf_addf(&client->out, "\r\nContent-Length: %zu", body.len);
    (void)buf_adds(&client->out, "\r\n\r\n");
    (void)buf_add(&client->out, buf_text(&body), body.len);
    client->body_len = body.len;
    buf_done(&body);
    return buf_failed(&client->out) ? err_set(err, ERR_TOO_LARGE, "a request is too large") : 0;
}

/* What the socket takes; the rest when it is ready for it. */
static int send_on(struct client *client, bool first, struct err *err)
{
    while (client->sent < client->out.len) {
        ssize_t n = send(client->fd, client->out.data + client->sent,
                         client->out.len - client->sent, MSG_NOSIGNAL);

        if (n < 0 && errno == EAGAIN)
            return first ? watch(client, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT, err) : 0;
        if (n < 0) {
            lose(client);
            return 0;
        }
        client->sent += (size_t)n;
    }
    return first ? 0 : watch(client, EPOLL_CTL_MOD, EPOLLIN, err);
}

static int send_step(struct client *client, struct err *err)
{
    if ((client->fd < 0 && client_connect(client, err) < 0) || write_request(client, err) < 0)
        return -1;
    if (step_of(client)->mark &&
        marks_add(&client->run->marks, client->new_id, client->due_us, err) < 0)
        return -1;
    client->sent = 0;
    reply_begin(&client->reply);
    return send_on(client, true, err);
}

int client_begin(struct client *client, int64_t due_us, struct err *err)
{
    TAILQ_REMOVE(&client->group->idle, client, idle);
    client->group->begun++;
    client->group->busy++;
    client->busy = true;
    client->step = 0;
    client->due_us = due_us;
    if (uuid_make(realtime_us(), client->new_id, err) < 0)
        return -1;
    return send_step(client, err);
}

static bool is_ok(const struct step *step, int status)
{
    for (int i = 0; i < PLAN_STATUSES; i++)
        if (step->ok[i] == status)
            return true;
    return false;
}

static void record(struct client *client, int64_t now_us)
{
    struct step_run *seen = &client->group->steps[client->step];
    const struct reply *reply = &client->reply;

    seen->statuses[reply->status < STATUS_MAX ? reply->status : 0]++;
    if (!client->run->measuring)
        return;
    histogram_add(&seen->times, now_us - client->due_us);
    seen->bytes_in += reply->body_bytes;
    seen->bytes_out += client->body_len;
}

static void remember(struct client *client, int64_t now_us)
{
    struct run *run = client->run;
    int64_t number, took_us;

    if (reply_job(&client->reply, client->job) && step_of(client)->meet && run->marks.slots) {
        took_us = marks_meet(&run->marks, client->job, now_us);
        if (took_us >= 0)
            histogram_add(&run->delivery, took_us);
    }
    if (reply_fragment(&client->reply, &number))
        client->next = number + 1;
}

/* The answer is there. */
static int answered(struct client *client, struct err *err)
{
    const struct step *step = step_of(client);
    int status = client->reply.status;
    int64_t now_us = run_now_us();

    record(client, now_us);
    if (client->reply.closes)
        disconnect(client);
    if (status == 200)
        remember(client, now_us);
    if (step->again != status && !is_ok(step, status)) {
        end_round(client, false);
        return 0;
    }
    if (step->again != status && ++client->step == client->group->group->step_count) {
        end_round(client, true);
        return 0;
    }
    if (client->run->stopping && !group_waits(client->group->group)) {
        end_round(client, false);
        return 0;
    }
    client->due_us = now_us;
    return send_step(client, err);
}

static int receive(struct client *client, struct err *err)
{
    ssize_t n = recv(client->fd, client->run->piece, PIECE_SIZE, 0);

    if (n < 0 && errno == EAGAIN)
        return 0;
    if (n <= 0) {
        lose(client);
        return 0;
    }
    if (!client->busy)
        return err_set(err, ERR_INVALID, "an answer without a request");
    if (reply_take(&client->reply, client->run->piece, (size_t)n, err) < 0)
        return -1;
    return client->reply.part == REPLY_DONE ? answered(client, err) : 0;
}

int client_ready(struct client *client, uint32_t events, struct err *err)
{
    if (client->fd < 0)
        return 0; /* of a connection that was closed a moment ago */
    if ((events & EPOLLOUT) && client->busy && send_on(client, false, err) < 0)
        return -1;
    return client->fd >= 0 && (events & ~(uint32_t)EPOLLOUT) ? receive(client, err) : 0;
}
