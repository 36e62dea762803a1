/* SPDX-License-Identifier: GPL-3.0-or-later
 * The scenery of the loop's tests. */
#include "stage.h"

#include "common/clock.h"
#include "raw.h"
#include "server/crypto/token.h"
#include "server/http/listen.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define DRAIN_MS    5000
#define PATIENCE_MS 30000

void stage_pause(void)
{
    const struct timespec ts = {0, 2000000};

    (void)nanosleep(&ts, NULL);
}

static int64_t stage_ms(const struct clock *clock)
{
    const struct stage *s = (const struct stage *)clock;
    int64_t stopped_ms = atomic_load(&s->stopped_ms);

    return stopped_ms ? stopped_ms : clock_ms(&clock_system);
}

static int64_t stage_us(const struct clock *clock)
{
    const struct stage *s = (const struct stage *)clock;
    int64_t stopped_ms = atomic_load(&s->stopped_ms);

    return stopped_ms ? stopped_ms * 1000 : clock_us(&clock_system);
}

void stage_stop_clock(struct stage *s)
{
    atomic_store(&s->stopped_ms, clock_ms(&clock_system));
}

void stage_advance(struct stage *s, int64_t ms)
{
    atomic_fetch_add(&s->stopped_ms, ms);
}

struct stage *stage_start(const struct route *table, size_t count, size_t queue_max,
                          int64_t timeout_ms)
{
    static const char *const list[] = {"the-signing-key-of-the-tests-0123456789"};
    struct stage *s = calloc(1, sizeof(*s));
    char url[LISTEN_URL_MAX];

    assert_non_null(s);
    (void)signal(SIGPIPE, SIG_IGN);
    s->clock = (struct clock){stage_ms, stage_us};
    s->keys = token_keys_new(list, 1, NULL);
    s->metrics = metrics_new(count, &clock_system, NULL);
    s->park = park_new(s->metrics, NULL);
    assert_non_null(s->park);
    s->listen_fd = listen_open("127.0.0.1:0", url, &s->port, NULL);
    s->executor =
        executor_new(&(struct executor_options){.app = {.clock = &s->clock, .metrics = s->metrics},
                                                .threads = {1, 1, 1},
                                                .queue_max = queue_max},
                     NULL);
    assert_non_null(s->executor);
    s->loop = loop_new(
        &(struct loop_options){
            .app = {.clock = &s->clock, .metrics = s->metrics, .keys = s->keys},
            .router = {table, count},
            .queue = executor_queue(s->executor),
            .park = s->park,
            .listen_fd = s->listen_fd,
            .connections_max = 1000,
            .header_timeout_ms = timeout_ms,
            .body_timeout_ms = timeout_ms,
            .keepalive_timeout_ms = 20000,
            .upload_max_bytes = 64 << 20,
        },
        NULL);
    assert_non_null(s->loop);
    return s;
}

bool stage_stop(struct stage *s)
{
    int64_t end_ms = clock_ms(&clock_system) + DRAIN_MS + PATIENCE_MS;

    atomic_store(&s->stopped_ms, 0);
    park_close(s->park);
    loop_drain(s->loop, DRAIN_MS);
    (void)close(s->listen_fd);
    while (!loop_ended(s->loop)) {
        if (clock_ms(&clock_system) > end_ms)
            return false;
        stage_pause();
    }
    loop_free(s->loop);
    executor_free(s->executor);
    park_free(s->park);
    metrics_free(s->metrics);
    token_keys_free(s->keys);
    free(s);
    return true;
}

void stage_answers(const struct stage *s, const char *request, int status, const char *body_part)
{
    struct raw_reply reply;

    assert_int_equal(raw_ask(s->port, request, &reply), status);
    if (!strstr(reply.body, body_part))
        fail_msg("no \"%s\" in \"%s\"", body_part, reply.body);
    raw_reply_done(&reply);
}

void stage_until(const struct stage *s, enum metric which, int64_t value)
{
    int64_t end_ms = clock_ms(&clock_system) + PATIENCE_MS;

    while (metrics_get(s->metrics, which) != value) {
        assert_true(clock_ms(&clock_system) < end_ms);
        stage_pause();
    }
}

void latch_pass(struct latch *latch)
{
    (void)pthread_mutex_lock(&latch->lock);
    latch->waiting++;
    (void)pthread_cond_broadcast(&latch->moved);
    while (!latch->open)
        (void)pthread_cond_wait(&latch->moved, &latch->lock);
    latch->waiting--;
    latch->passed++;
    (void)pthread_cond_broadcast(&latch->moved);
    (void)pthread_mutex_unlock(&latch->lock);
}

static void until(struct latch *latch, const int *value, int count)
{
    struct timespec end;
    int rc = 0;

    (void)clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += PATIENCE_MS / 1000;
    (void)pthread_mutex_lock(&latch->lock);
    while (*value < count && rc == 0)
        rc = pthread_cond_timedwait(&latch->moved, &latch->lock, &end);
    (void)pthread_mutex_unlock(&latch->lock);
    assert_int_equal(rc, 0);
}

void latch_until_waiting(struct latch *latch, int count)
{
    until(latch, &latch->waiting, count);
}

void latch_until_passed(struct latch *latch, int count)
{
    until(latch, &latch->passed, count);
}

void latch_set(struct latch *latch, bool open)
{
    (void)pthread_mutex_lock(&latch->lock);
    latch->open = open;
    (void)pthread_cond_broadcast(&latch->moved);
    (void)pthread_mutex_unlock(&latch->lock);
}
