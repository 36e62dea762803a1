/* SPDX-License-Identifier: GPL-3.0-or-later
 * The thread: waits for answers and for what is due, and knows when it is over. */
#include "tests/bench/load/run.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#define EVENTS      256
#define DRAIN_US    ((int64_t)20 * 1000000)
#define LOOK_US     100000
#define REQUEST_MAX ((size_t)8 << 20)

int64_t run_now_us(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int add_clients(struct run *run, struct group_run *group, struct err *err)
{
    for (int64_t i = 0; i < group->group->connections; i++) {
        struct client *client = &run->clients[run->client_count++];

        client->run = run;
        client->group = group;
        client->number = (size_t)i;
        buf_init(&client->out, REQUEST_MAX);
        if (client_connect(client, err) < 0)
            return -1;
        TAILQ_INSERT_TAIL(&group->idle, client, idle);
    }
    return 0;
}

static int add_group(struct run *run, struct group_run *group_run, const struct group *group,
                     struct err *err)
{
    group_run->group = group;
    TAILQ_INIT(&group_run->idle);
    for (size_t i = 0; i < group->step_count; i++)
        group_run->steps[i].step = &group->steps[i];
    return add_clients(run, group_run, err);
}

/* Who may release groups that are held speaks on standard input. */
static int watch_input(struct run *run, struct err *err)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};

    /* a file cannot be watched, and need not be: it says nothing later */
    if (epoll_ctl(run->epoll_fd, EPOLL_CTL_ADD, STDIN_FILENO, &event) < 0 && errno != EPERM)
        return err_set_errno(err, errno, "could not watch standard input");
    return 0;
}

static bool any_held(const struct plan *plan)
{
    for (size_t i = 0; i < plan->group_count; i++)
        if (plan->groups[i].held)
            return true;
    return false;
}

int run_init(struct run *run, const struct plan *plan, struct err *err)
{
    size_t count = 0;

    for (size_t i = 0; i < plan->group_count; i++)
        count += (size_t)plan->groups[i].connections;
    run->plan = plan;
    run->released = !any_held(plan);
    run->clients = calloc(count, sizeof(*run->clients));
    run->groups = calloc(plan->group_count, sizeof(*run->groups));
    run->piece = malloc(PIECE_SIZE);
    run->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (!run->clients || !run->groups || !run->piece || run->epoll_fd < 0)
        return err_set(err, ERR_INTERNAL, "out of memory or files");
    if (plan_marks(plan) && marks_init(&run->marks, err) < 0)
        return -1;
    for (size_t i = 0; i < plan->group_count; i++)
        if (add_group(run, &run->groups[i], &plan->groups[i], err) < 0)
            return -1;
    return watch_input(run, err);
}

void run_done(struct run *run)
{
    for (size_t i = 0; i < run->client_count; i++) {
        if (run->clients[i].fd >= 0)
            (void)close(run->clients[i].fd);
        buf_done(&run->clients[i].out);
    }
    marks_done(&run->marks);
    free(run->clients);
    free(run->groups);
    free(run->piece);
    if (run->epoll_fd >= 0)
        (void)close(run->epoll_fd);
}

static bool may_begin(const struct run *run, const struct group_run *group)
{
    if (run->stopping)
        return group_waits(group->group) && run->marks.met < run->marks.count;
    return (run->released || !group->group->held) &&
           (group->group->limit == 0 || group->begun < group->group->limit);
}

/* Begins what is due. */
static int pace(struct run *run, struct group_run *group, int64_t now_us, struct err *err)
{
    int64_t rate = group->group->rate;
    struct client *client;

    if (rate && group->next_due_us == 0 && may_begin(run, group))
        group->next_due_us = now_us;
    while ((client = TAILQ_FIRST(&group->idle)) && may_begin(run, group) &&
           (!rate || group->next_due_us <= now_us)) {
        int64_t due_us = rate ? group->next_due_us : run_now_us();

        if (client_begin(client, due_us, err) < 0)
            return -1;
        if (rate)
            group->next_due_us += 1000000 / rate;
        if (!client->busy) /* it was lost at once: others first */
            break;
    }
    return 0;
}

/* Until something is due. */
static int64_t time_left_us(const struct run *run, int64_t now_us)
{
    int64_t least_us = LOOK_US;

    for (size_t i = 0; i < run->plan->group_count; i++) {
        const struct group_run *group = &run->groups[i];

        if (!TAILQ_EMPTY(&group->idle) && may_begin(run, group)) {
            int64_t left_us = group->next_due_us - now_us;

            least_us = left_us < least_us ? left_us : least_us;
        }
    }
    return least_us < 0 ? 0 : least_us;
}

/* Times count from when a request was due, so what is due is waited for to the microsecond, which
 * epoll_wait() cannot: what is late by a millisecond would be taken for the server's. */
static int wait_for_events(const struct run *run, struct epoll_event events[static EVENTS])
{
    struct pollfd fd = {.fd = run->epoll_fd, .events = POLLIN};
    int64_t left_us = time_left_us(run, run_now_us());
    const struct timespec left = {.tv_nsec = left_us * 1000};

    if (left_us == LOOK_US || left_us == 0)
        return epoll_wait(run->epoll_fd, events, EVENTS, (int)(left_us / 1000));
    return ppoll(&fd, 1, &left, NULL) > 0 ? epoll_wait(run->epoll_fd, events, EVENTS, 0) : 0;
}

/* A line on standard input, whatever it says, releases what is held; if nothing is, it ends the
 * run. */
static void hear(struct run *run)
{
    char text[64];

    if (read(STDIN_FILENO, text, sizeof(text)) <= 0) {
        (void)epoll_ctl(run->epoll_fd, EPOLL_CTL_DEL, STDIN_FILENO, NULL);
        return;
    }
    run->dismissed = run->released;
    run->released = true;
}

static bool limits_reached(const struct run *run)
{
    bool limited = false;

    for (size_t i = 0; i < run->plan->group_count; i++) {
        const struct group_run *group = &run->groups[i];

        if (group->group->limit == 0)
            continue;
        limited = true;
        if (group->ended < group->group->limit)
            return false;
    }
    return limited && run->marks.met == run->marks.count;
}

/* The warming up ends, the measuring ends. */
static void look_at_clock(struct run *run, int64_t now_us)
{
    if (!run->released || run->stopping)
        return;
    if (run->begun_us == 0)
        run->begun_us = now_us;
    if (!run->measuring && now_us >= run->begun_us + run->warm_us) {
        run->measuring = true;
        run->warmed_us = now_us;
    }
    if (run->measuring &&
        (now_us >= run->warmed_us + run->measure_us || run->dismissed || limits_reached(run))) {
        run->measuring = false;
        run->stopping = true;
        run->ended_us = now_us;
    }
}

/* Nothing is under way any more but what may wait for ever, or it has taken too long. */
static bool is_over(const struct run *run, int64_t now_us)
{
    size_t busy = 0;

    if (!run->stopping)
        return false;
    for (size_t i = 0; i < run->plan->group_count; i++)
        if (!group_waits(run->groups[i].group))
            busy += run->groups[i].busy;
    return (busy == 0 && run->marks.met == run->marks.count) || now_us > run->ended_us + DRAIN_US;
}

static int turn(struct run *run, struct err *err)
{
    struct epoll_event events[EVENTS];
    int n = wait_for_events(run, events);

    for (int i = 0; i < n; i++) {
        if (!events[i].data.ptr)
            hear(run);
        else if (client_ready(events[i].data.ptr, events[i].events, err) < 0)
            return -1;
    }
    look_at_clock(run, run_now_us());
    for (size_t i = 0; i < run->plan->group_count; i++)
        if (pace(run, &run->groups[i], run_now_us(), err) < 0)
            return -1;
    return 0;
}

int run_all(struct run *run, struct err *err)
{
    while (!is_over(run, run_now_us()))
        if (turn(run, err) < 0)
            return -1;
    return 0;
}
