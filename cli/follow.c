/* SPDX-License-Identifier: GPL-3.0-or-later
 * The loop that follows a job.  Output is asked for often; the state only when no output came,
 * since an answer with the state carries all output again.  Pauses grow while nothing happens. */
#include "cli/follow.h"

#include "cli/cli.h"
#include "cli/interrupt.h"
#include "cli/job.h"
#include "cli/log_reader.h"
#include "cli/session.h"
#include "common/clock.h"
#include "common/parse.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PAUSE_MIN_MS  250
#define PAUSE_MAX_MS  5000
#define GIVE_UP_MS    (15 * 60 * 1000) /* of failures without a success in between */
#define STATE_SHARE   10 /* reading the state takes at most one part in ten of the time */
#define POSITION_NONE (-2)

struct follower {
    struct cli *cli;
    const char *id;
    struct log_reader log;
    struct job_state state;
    int64_t position;      /* last one told */
    bool line_open;        /* a progress line on the terminal waits for its end */
    bool waiting;          /* no agent has it yet, as far as we know */
    int64_t state_due_ms;  /* not to be asked for before */
    int64_t failing_since; /* 0: the last exchange succeeded */
    int pause_ms;
};

static bool on_terminal(const struct follower *f)
{
    return isatty(fileno(f->cli->notes)) == 1;
}

static void end_line(struct follower *f)
{
    if (f->line_open)
        (void)fputs("\r\033[K", f->cli->notes);
    f->line_open = false;
}

static void tell_position(struct follower *f, int64_t position)
{
    if (position == f->position)
        return;
    f->position = position;
    if (on_terminal(f)) {
        (void)fprintf(f->cli->notes, "\rwaiting for an agent, jobs ahead: %" PRId64 "\033[K",
                      position);
        (void)fflush(f->cli->notes);
        f->line_open = true;
    } else {
        (void)fprintf(f->cli->notes, "waiting for an agent, jobs ahead: %" PRId64 "\n", position);
    }
}

/* While the job waits its position is all there is to ask for, and it is a cheap question. */
static int look_at_queue(struct follower *f, bool *ret_changed, struct err *err)
{
    int64_t position;

    if (job_read_position(f->cli->session, f->id, &position, err) < 0)
        return -1;
    *ret_changed = position != f->position;
    if (position < 0) {
        f->waiting = false;
        end_line(f);
        return 0;
    }
    tell_position(f, position);
    return 0;
}

static int look_at_state(struct follower *f, struct err *err)
{
    int64_t start = clock_ms(&clock_system), now;
    struct job_state state;

    if (job_read_state(f->cli->session, f->id, &state, err) < 0)
        return -1;
    now = clock_ms(&clock_system);
    f->state_due_ms = now + (now - start) * STATE_SHARE;
    f->state = state;
    if (strcmp(state.text, "waiting") == 0)
        f->waiting = true;
    return 0;
}

static int look_at_log(struct follower *f, bool *ret_any, struct err *err)
{
    end_line(f);
    return log_reader_read(&f->log, f->cli->session, f->id, ret_any, err);
}

/* One round: what is new?  After a final state the log is read once more, so that none is lost. */
static int look(struct follower *f, bool *ret_changed, struct err *err)
{
    bool any = false;

    if (f->waiting) {
        if (look_at_queue(f, ret_changed, err) < 0)
            return -1;
        if (f->waiting)
            return 0;
    }
    if (look_at_log(f, &any, err) < 0)
        return -1;
    *ret_changed = any;
    if (any || clock_ms(&clock_system) < f->state_due_ms)
        return 0;
    if (look_at_state(f, err) < 0)
        return -1;
    if (job_state_final(&f->state))
        return look_at_log(f, &any, err);
    return 0;
}

/* Networks come back: only a long time of failures ends the following. */
static int bear_failure(struct follower *f, const struct err *why, struct err *err)
{
    int64_t now = clock_ms(&clock_system);
    bool passing = why->code == ERR_UPSTREAM || why->code == ERR_UPSTREAM_TIMEOUT ||
                   why->code == ERR_UNAVAILABLE || why->code == ERR_INTERNAL;

    if (!passing || ferror(f->cli->out) ||
        (f->failing_since && now - f->failing_since > GIVE_UP_MS)) {
        *err = *why;
        return -1;
    }
    if (!f->failing_since) {
        end_line(f);
        (void)fprintf(f->cli->notes, "testflinger: %s; trying again\n", why->text);
        f->failing_since = now;
    }
    return 0;
}

/* Asks on a terminal whether the job is to be cancelled; returns the exit status. */
static int leave(struct follower *f, struct err *err)
{
    char answer[16] = "";

    end_line(f);
    if (isatty(STDIN_FILENO) == 1 && on_terminal(f)) {
        (void)fprintf(f->cli->notes, "\nCancel job %s? [y/N] ", f->id);
        (void)fflush(f->cli->notes);
        if (fgets(answer, sizeof(answer), stdin) && (answer[0] == 'y' || answer[0] == 'Y')) {
            if (job_cancel(f->cli->session, f->id, err) < 0)
                return -1;
            (void)fprintf(f->cli->notes, "job %s is cancelled\n", f->id);
            return EXIT_CANCELLED;
        }
    }
    (void)fprintf(f->cli->notes, "job %s goes on; to follow it again: testflinger poll %s\n", f->id,
                  f->id);
    return EXIT_INTERRUPTED;
}

static int finish(struct follower *f)
{
    end_line(f);
    if (!f->state.text[0])
        return job_unknown(f->cli->notes, f->id);
    if (job_state_cancelled(&f->state))
        (void)fprintf(f->cli->notes, "job %s was cancelled\n", f->id);
    else if (f->state.failed[0])
        (void)fprintf(f->cli->notes, "job %s failed: phase %s ended with %d\n", f->id,
                      f->state.failed, f->state.failed_status);
    else
        (void)fprintf(f->cli->notes, "job %s is complete\n", f->id);
    return job_exit_status(&f->state);
}

static int oneshot_round(struct follower *f, struct err *err)
{
    bool any;

    if (look_at_state(f, err) < 0 || (f->state.text[0] && look_at_log(f, &any, err) < 0))
        return -1;
    if (!f->state.text[0])
        return job_unknown(f->cli->notes, f->id);
    return job_state_final(&f->state) ? job_exit_status(&f->state) : EXIT_DONE;
}

static void pause_between(struct follower *f, bool changed)
{
    f->pause_ms = changed ? PAUSE_MIN_MS : f->pause_ms * 3 / 2;
    if (f->pause_ms > PAUSE_MAX_MS)
        f->pause_ms = PAUSE_MAX_MS;
    interrupt_wait_ms(f->pause_ms);
}

int follow_job(struct cli *cli, const char *id, bool oneshot, struct err *err)
{
    struct follower f = {.cli = cli, .id = id, .position = POSITION_NONE, .pause_ms = PAUSE_MIN_MS};

    log_reader_init(&f.log, cli->out);
    if (oneshot)
        return oneshot_round(&f, err);
    interrupt_watch();
    if (look_at_state(&f, err) < 0)
        return -1;
    while (f.state.text[0]) {
        struct err why = ERR_INIT;
        bool changed = false;

        if (look(&f, &changed, &why) == 0)
            f.failing_since = 0;
        else if (bear_failure(&f, &why, err) < 0)
            return -1;
        if (interrupt_taken())
            return leave(&f, err);
        if (job_state_final(&f.state) && !f.failing_since)
            break;
        pause_between(&f, changed);
    }
    return finish(&f);
}
