/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "server/db/executor.h"
#include "server/metrics.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

/* A gate that tasks wait at, so that a test says when they end. */
struct gate {
    pthread_mutex_t lock;
    pthread_cond_t moved;
    bool open;
    int waiting;
    int done;
};

struct task {
    struct work work;
    struct gate *gate;
    int order;
};

static void pass_gate(struct work *work, struct app *app)
{
    struct task *task = (struct task *)work;
    struct gate *gate = task->gate;

    assert_null(app->db);
    assert_non_null(app->metrics);
    (void)pthread_mutex_lock(&gate->lock);
    gate->waiting++;
    (void)pthread_cond_broadcast(&gate->moved);
    while (!gate->open)
        (void)pthread_cond_wait(&gate->moved, &gate->lock);
    gate->waiting--;
    task->order = ++gate->done;
    (void)pthread_cond_broadcast(&gate->moved);
    (void)pthread_mutex_unlock(&gate->lock);
}

/* One of the gate's numbers. */
static void until(struct gate *gate, const int *number, int count)
{
    (void)pthread_mutex_lock(&gate->lock);
    while (*number != count)
        (void)pthread_cond_wait(&gate->moved, &gate->lock);
    (void)pthread_mutex_unlock(&gate->lock);
}

static void open_gate(struct gate *gate)
{
    (void)pthread_mutex_lock(&gate->lock);
    gate->open = true;
    (void)pthread_cond_broadcast(&gate->moved);
    (void)pthread_mutex_unlock(&gate->lock);
}

struct fixture {
    struct metrics *metrics;
    struct executor *executor;
    struct work_queue *queue;
    struct gate gate;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    struct executor_options options = {.threads = {2, 1, 1}, .queue_max = 3};

    f->metrics = metrics_new(0, &clock_system, NULL);
    (void)pthread_mutex_init(&f->gate.lock, NULL);
    (void)pthread_cond_init(&f->gate.moved, NULL);
    options.app.metrics = f->metrics;
    f->executor = executor_new(&options, NULL);
    f->queue = f->executor ? executor_queue(f->executor) : NULL;
    *state = f;
    return f->executor ? 0 : -1;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    open_gate(&f->gate);
    executor_free(f->executor);
    metrics_free(f->metrics);
    (void)pthread_mutex_destroy(&f->gate.lock);
    (void)pthread_cond_destroy(&f->gate.moved);
    free(f);
    return 0;
}

/* Runs what is waiting. */
static void finish(struct fixture *f)
{
    open_gate(&f->gate);
    executor_free(f->executor);
    f->executor = NULL;
}

static int submit(struct fixture *f, enum work_lane lane, struct task *task)
{
    *task = (struct task){.work = {.run = pass_gate}, .gate = &f->gate};
    return f->queue->submit(f->queue, lane, &task->work);
}

static void test_a_full_queue_refuses(void **state)
{
    struct fixture *f = *state;
    struct task tasks[6];

    assert_int_equal(submit(f, WORK_FAST, &tasks[0]), 0);
    assert_int_equal(submit(f, WORK_FAST, &tasks[1]), 0);
    until(&f->gate, &f->gate.waiting, 2);
    for (int i = 2; i < 5; i++)
        assert_int_equal(submit(f, WORK_FAST, &tasks[i]), 0);
    assert_int_equal(submit(f, WORK_FAST, &tasks[5]), -1);
    assert_int_equal(metrics_get(f->metrics, METRIC_POOL_WAITING), 3);
    assert_int_equal(metrics_get(f->metrics, METRIC_POOL_IN_USE), 2);
    finish(f);
    assert_int_equal(f->gate.done, 5);
}

static void test_what_goes_on_is_never_refused(void **state)
{
    struct fixture *f = *state;
    struct task tasks[6];

    assert_int_equal(submit(f, WORK_SLOW, &tasks[0]), 0);
    until(&f->gate, &f->gate.waiting, 1);
    for (int i = 1; i < 4; i++)
        assert_int_equal(submit(f, WORK_SLOW, &tasks[i]), 0);
    assert_int_equal(submit(f, WORK_SLOW, &tasks[4]), -1);
    f->queue->submit_always(f->queue, WORK_SLOW, &tasks[4].work);
    finish(f);
    for (int i = 0; i < 5; i++) /* one thread: in the order given */
        assert_int_equal(tasks[i].order, i + 1);
}

/* As when all who wait for something are woken at once. */
static void test_what_goes_on_takes_no_place(void **state)
{
    struct fixture *f = *state;
    static struct task first, more[4], tasks[4]; /* run by the teardown if this fails */

    assert_int_equal(submit(f, WORK_SLOW, &first), 0);
    until(&f->gate, &f->gate.waiting, 1);
    for (int i = 0; i < 4; i++) {
        more[i] = (struct task){.work = {.run = pass_gate}, .gate = &f->gate};
        f->queue->submit_always(f->queue, WORK_SLOW, &more[i].work);
    }
    for (int i = 0; i < 3; i++)
        assert_int_equal(submit(f, WORK_SLOW, &tasks[i]), 0);
    assert_int_equal(submit(f, WORK_SLOW, &tasks[3]), -1);
    assert_int_equal(metrics_get(f->metrics, METRIC_POOL_WAITING_SLOW), 7);
    finish(f);
    assert_int_equal(f->gate.done, 8);
}

static void test_slow_work_leaves_the_fast_lane_alone(void **state)
{
    struct fixture *f = *state;
    struct gate passable = {.open = true};
    struct task slow[2];
    struct task fast;

    (void)pthread_mutex_init(&passable.lock, NULL);
    (void)pthread_cond_init(&passable.moved, NULL);
    assert_int_equal(submit(f, WORK_SLOW, &slow[0]), 0);
    assert_int_equal(submit(f, WORK_SLOW, &slow[1]), 0);
    until(&f->gate, &f->gate.waiting, 1);
    fast = (struct task){.work = {.run = pass_gate}, .gate = &passable};
    assert_int_equal(f->queue->submit(f->queue, WORK_FAST, &fast.work), 0);
    (void)pthread_mutex_lock(&passable.lock);
    while (passable.done == 0)
        (void)pthread_cond_wait(&passable.moved, &passable.lock);
    (void)pthread_mutex_unlock(&passable.lock);
    assert_int_equal(f->gate.done, 0);
    finish(f);
    (void)pthread_mutex_destroy(&passable.lock);
    (void)pthread_cond_destroy(&passable.moved);
}

enum { MANY = 20000 };

struct counted {
    struct work work;
    atomic_int *count;
};

static void count_one(struct work *work, struct app *app)
{
    (void)app;
    for (; work; work = work->next)
        atomic_fetch_add(((struct counted *)work)->count, 1);
}

static void test_every_task_runs_once(void **state)
{
    struct fixture *f = *state;
    struct counted *tasks = calloc(MANY, sizeof(*tasks));
    atomic_int count = 0;

    assert_non_null(tasks);
    for (int i = 0; i < MANY; i++) {
        tasks[i].work.run = count_one;
        tasks[i].count = &count;
        f->queue->submit_always(f->queue, (enum work_lane)(i % WORK_LANES), &tasks[i].work);
    }
    executor_free(f->executor);
    f->executor = NULL;
    assert_int_equal(atomic_load(&count), MANY);
    free(tasks);
}

/* How much was run in one go, each time. */
struct tally {
    struct gate *gate;
    size_t sizes[8];
    size_t runs;
};

struct piece {
    struct work work;
    struct tally *tally;
    int times;
};

static void run_together(struct work *list, struct app *app)
{
    struct tally *tally = ((struct piece *)list)->tally;
    struct task task = {.gate = tally->gate};
    size_t count = 0;

    pass_gate(&task.work, app);
    for (; list; list = list->next) {
        ((struct piece *)list)->times++;
        count++;
    }
    assert_true(tally->runs < sizeof(tally->sizes) / sizeof(tally->sizes[0]));
    tally->sizes[tally->runs++] = count;
}

static struct work *together(struct piece *piece, struct tally *tally)
{
    *piece = (struct piece){.work = {.run = run_together}, .tally = tally};
    return &piece->work;
}

static void assert_run_together(struct fixture *f, enum work_lane lane, enum metric batches,
                                enum metric batched)
{
    struct tally tally = {.gate = &f->gate};
    struct piece pieces[5];

    assert_int_equal(f->queue->submit(f->queue, lane, together(&pieces[0], &tally)), 0);
    until(&f->gate, &f->gate.waiting, 1); /* one that comes alone does not wait for others */
    for (int i = 1; i < 4; i++)
        assert_int_equal(f->queue->submit(f->queue, lane, together(&pieces[i], &tally)), 0);
    assert_int_equal(f->queue->submit(f->queue, lane, together(&pieces[4], &tally)), -1);
    finish(f);
    assert_int_equal(tally.runs, 2);
    assert_int_equal(tally.sizes[0], 1);
    assert_int_equal(tally.sizes[1], 3);
    assert_int_equal(metrics_get(f->metrics, batches), 2);
    assert_int_equal(metrics_get(f->metrics, batched), 4);
}

static void test_what_waits_in_a_lane_that_gathers_is_run_together(void **state)
{
    struct fixture *f = *state;

    assert_run_together(f, WORK_RENEW, METRIC_BATCHES_RENEW, METRIC_BATCHED_RENEW);
    assert_int_equal(metrics_get(f->metrics, METRIC_POOL_SIZE_RENEW), 1);
}

static void test_claims_are_run_together(void **state)
{
    struct fixture *f = *state;

    assert_run_together(f, WORK_CLAIM, METRIC_BATCHES_CLAIM, METRIC_BATCHED_CLAIM);
    assert_int_equal(metrics_get(f->metrics, METRIC_POOL_SIZE_CLAIM), 1);
}

static void test_submissions_are_run_together(void **state)
{
    struct fixture *f = *state;

    assert_run_together(f, WORK_SUBMIT, METRIC_BATCHES_SUBMIT, METRIC_BATCHED_SUBMIT);
    assert_int_equal(metrics_get(f->metrics, METRIC_POOL_SIZE_SUBMIT), 1);
}

/* One after the other, though several threads may do it. */
static void test_what_is_to_be_prepared_keeps_its_order(void **state)
{
    struct fixture *f = *state;
    struct task tasks[5];

    assert_int_equal(submit(f, WORK_PREPARE, &tasks[0]), 0);
    until(&f->gate, &f->gate.waiting, 1);
    for (int i = 1; i < 4; i++)
        assert_int_equal(submit(f, WORK_PREPARE, &tasks[i]), 0);
    assert_int_equal(submit(f, WORK_PREPARE, &tasks[4]), -1);
    assert_int_equal(metrics_get(f->metrics, METRIC_POOL_SIZE_PREPARE), 1);
    assert_int_equal(metrics_get(f->metrics, METRIC_POOL_IN_USE_PREPARE), 1);
    assert_int_equal(metrics_get(f->metrics, METRIC_POOL_WAITING_PREPARE), 3);
    finish(f);
    for (int i = 0; i < 4; i++)
        assert_int_equal(tasks[i].order, i + 1);
}

static void test_no_lane_waits_for_another(void **state)
{
    struct fixture *f = *state;
    struct task tasks[6];

    assert_int_equal(submit(f, WORK_CLAIM, &tasks[0]), 0);
    assert_int_equal(submit(f, WORK_SUBMIT, &tasks[1]), 0);
    assert_int_equal(submit(f, WORK_PREPARE, &tasks[2]), 0);
    until(&f->gate, &f->gate.waiting, 3);
    for (size_t i = 3; i < 6; i++)
        assert_int_equal(submit(f, (enum work_lane)(WORK_PREPARE + i - 3), &tasks[i]), 0);
    open_gate(&f->gate);
    until(&f->gate, &f->gate.done, 6);
}

/* What is passed on, and how many of its kind have been run. */
struct passed {
    struct work work;
    struct fixture *f;
};

static void run_passed(struct work *list, struct app *app)
{
    struct gate *gate = &((struct passed *)list)->f->gate;

    (void)app;
    (void)pthread_mutex_lock(&gate->lock);
    for (; list; list = list->next)
        gate->done++;
    (void)pthread_cond_broadcast(&gate->moved);
    (void)pthread_mutex_unlock(&gate->lock);
}

static void pass_on(struct work *work, struct app *app)
{
    struct fixture *f = ((struct passed *)work)->f;

    (void)app;
    work->run = run_passed;
    f->queue->pass_on(f->queue, work);
}

/* One by one: nobody but the thread that passes it on is there to run it. */
static void test_what_is_passed_on_is_run(void **state)
{
    struct fixture *f = *state;
    struct passed *pieces = calloc(MANY, sizeof(*pieces));

    assert_non_null(pieces);
    for (int i = 0; i < MANY; i++) {
        pieces[i] = (struct passed){.work = {.run = pass_on}, .f = f};
        assert_int_equal(f->queue->submit(f->queue, WORK_PREPARE, &pieces[i].work), 0);
        until(&f->gate, &f->gate.done, i + 1);
    }
    free(pieces);
}

/* While a lane of the crew is busy. */
static struct passed *submit_crowd(struct fixture *f, enum work_lane busy, struct task *task)
{
    struct passed *pieces = calloc(MANY, sizeof(*pieces));

    assert_non_null(pieces);
    assert_int_equal(submit(f, busy, task), 0);
    until(&f->gate, &f->gate.waiting, 1);
    for (int i = 0; i < MANY; i++) {
        pieces[i] = (struct passed){.work = {.run = pass_on}, .f = f};
        f->queue->submit_always(f->queue, WORK_PREPARE, &pieces[i].work);
    }
    return pieces;
}

static void test_what_is_passed_on_in_a_crowd_is_run(void **state)
{
    struct fixture *f = *state;
    struct task claim;
    struct passed *pieces = submit_crowd(f, WORK_CLAIM, &claim);

    until(&f->gate, &f->gate.done, MANY);
    finish(f);
    assert_int_equal(f->gate.done, MANY + 1);
    free(pieces);
}

static void test_what_is_passed_on_at_the_end_is_run(void **state)
{
    struct fixture *f = *state;
    struct task first;
    struct passed *pieces = submit_crowd(f, WORK_PREPARE, &first);

    finish(f);
    assert_int_equal(f->gate.done, MANY + 1);
    free(pieces);
}

static void test_what_is_prepared_keeps_its_place(void **state)
{
    struct fixture *f = *state;
    struct task tasks[7];

    assert_int_equal(submit(f, WORK_SUBMIT, &tasks[0]), 0);
    assert_int_equal(submit(f, WORK_PREPARE, &tasks[1]), 0);
    until(&f->gate, &f->gate.waiting, 2);
    assert_int_equal(submit(f, WORK_PREPARE, &tasks[2]), 0);
    for (int i = 3; i < 5; i++) {
        tasks[i] = (struct task){.work = {.run = pass_gate}, .gate = &f->gate};
        f->queue->pass_on(f->queue, &tasks[i].work);
    }
    assert_int_equal(submit(f, WORK_PREPARE, &tasks[5]), -1);
    assert_int_equal(submit(f, WORK_SUBMIT, &tasks[5]), -1);
    tasks[6] = (struct task){.work = {.run = pass_gate}, .gate = &f->gate};
    f->queue->pass_on(f->queue, &tasks[6].work);
    assert_int_equal(metrics_get(f->metrics, METRIC_POOL_WAITING_SUBMIT), 3);
    assert_int_equal(metrics_get(f->metrics, METRIC_POOL_WAITING_PREPARE), 1);
    finish(f);
}

static void test_logs_are_run_together(void **state)
{
    struct fixture *f = *state;

    assert_run_together(f, WORK_LOG, METRIC_BATCHES_LOG, METRIC_BATCHED_LOG);
    assert_int_equal(metrics_get(f->metrics, METRIC_POOL_SIZE_LOG), 1);
}

static void test_results_are_run_together(void **state)
{
    struct fixture *f = *state;

    assert_run_together(f, WORK_RESULT, METRIC_BATCHES_RESULT, METRIC_BATCHED_RESULT);
    assert_int_equal(metrics_get(f->metrics, METRIC_POOL_SIZE_RESULT), 1);
}

static void test_what_is_run_together_has_a_limit(void **state)
{
    struct fixture *f = *state;
    struct tally tally = {.gate = &f->gate};
    size_t count = 1 + 2 * WORK_TOGETHER_MAX + 7;
    struct piece *pieces = calloc(count, sizeof(*pieces));

    assert_non_null(pieces);
    for (size_t i = 0; i < count; i++) {
        f->queue->submit_always(f->queue, WORK_RENEW, together(&pieces[i], &tally));
        if (i == 0)
            until(&f->gate, &f->gate.waiting, 1);
    }
    finish(f);
    assert_int_equal(tally.runs, 4);
    assert_int_equal(tally.sizes[1], WORK_TOGETHER_MAX);
    assert_int_equal(tally.sizes[2], WORK_TOGETHER_MAX);
    assert_int_equal(tally.sizes[3], 7);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(pieces[i].times, 1);
    free(pieces);
}

#define GATED(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        GATED(test_a_full_queue_refuses),
        GATED(test_what_goes_on_is_never_refused),
        GATED(test_what_goes_on_takes_no_place),
        GATED(test_slow_work_leaves_the_fast_lane_alone),
        GATED(test_every_task_runs_once),
        GATED(test_what_waits_in_a_lane_that_gathers_is_run_together),
        GATED(test_claims_are_run_together),
        GATED(test_what_is_to_be_prepared_keeps_its_order),
        GATED(test_no_lane_waits_for_another),
        GATED(test_what_is_passed_on_is_run),
        GATED(test_what_is_passed_on_in_a_crowd_is_run),
        GATED(test_what_is_passed_on_at_the_end_is_run),
        GATED(test_what_is_prepared_keeps_its_place),
        GATED(test_logs_are_run_together),
        GATED(test_results_are_run_together),
        GATED(test_submissions_are_run_together),
        GATED(test_what_is_run_together_has_a_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
