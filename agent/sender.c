/* SPDX-License-Identifier: GPL-3.0-or-later
 * Choosing the next fragment and dealing with what becomes of it. */
#include "agent/sender.h"

#include "agent/config.h"
#include "agent/rate.h"
#include "agent/reactor.h"
#include "common/json.h"
#include "common/log.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BATCH_MS            200
#define SERIAL_FRAGMENT_MAX (1024 * 1024 - 3) /* a last character may add three bytes */
/* a phase cut off may have a note after its log was taken up */
#define STREAMS_MAX (2 * LOG_TYPE_COUNT * PHASE_COUNT)

struct stream {
    enum log_type type;
    enum phase phase;
    struct output *output;
};

struct sender {
    struct context *context;
    struct sender_job job;
    struct stream streams[STREAMS_MAX]; /* in the order in which they are sent */
    size_t count;
    struct stream *sending; /* of the fragment under way, or NULL */
    struct timer later;
    int64_t last_ms; /* when the last fragment went out */
    struct rate rate;
    void (*flushed)(void *arg, bool all_sent);
    void *flushed_arg;
    bool discarding;
};

static void consider(struct sender *s);

static void on_later(void *arg)
{
    consider(arg);
}

struct sender *sender_new(struct context *context, const struct sender_job *job, struct err *err)
{
    struct sender *s = calloc(1, sizeof(*s));

    if (!s) {
        (void)err_set(err, ERR_INTERNAL, "out of memory");
        return NULL;
    }
    s->context = context;
    s->job = *job;
    rate_init(&s->rate, context->config->output_rate, clock_ms(context->reactor->clock));
    s->later = (struct timer){.fire = on_later, .arg = s};
    return s;
}

void sender_free(struct sender *sender)
{
    if (!sender)
        return;
    reactor_disarm(sender->context->reactor, &sender->later);
    api_drop(sender->context->api, sender->job.lane);
    for (size_t i = 0; i < sender->count; i++) {
        output_done(sender->streams[i].output);
        free(sender->streams[i].output);
    }
    free(sender);
}

void sender_add(struct sender *sender, enum log_type type, enum phase phase, struct output *output)
{
    assert(sender->count < STREAMS_MAX);
    sender->streams[sender->count++] = (struct stream){type, phase, output};
    sender_kick(sender);
}

bool sender_say(struct sender *sender, const struct mask *mask, const char *text)
{
    for (size_t i = sender->count; i > 0; i--)
        if (sender->streams[i - 1].type == LOG_OUTPUT) {
            output_note(sender->streams[i - 1].output, mask, text);
            sender_kick(sender);
            return true;
        }
    return false;
}

static struct stream *next_stream(struct sender *s)
{
    for (size_t i = 0; i < s->count; i++)
        if (output_pending(s->streams[i].output) > 0)
            return &s->streams[i];
    return NULL;
}

static void end_flush(struct sender *s, bool all_sent)
{
    void (*flushed)(void *arg, bool all_sent) = s->flushed;

    s->flushed = NULL;
    if (flushed)
        flushed(s->flushed_arg, all_sent);
}

static void note_progress(struct sender *s, const struct stream *stream)
{
    struct record *record = s->job.record;
    struct err err = ERR_INIT;

    record->marks[stream->type][stream->phase] = output_mark(stream->output);
    if (record_save(record, s->job.record_path, &err) < 0)
        log_warning("record", "job=%s error=%s", s->job.id, LOG_VALUE(err.text));
}

/* 400, 404, 413, 422…: this fragment will never be taken, the next one may be. */
static bool is_refused_for_good(int status)
{
    return status >= 400 && status < 500 && status != 401 && status != 403 && status != 408 &&
           status != 429;
}

static void on_posted(void *arg, int status, const struct buf *body, const struct err *err)
{
    struct sender *s = arg;
    struct stream *stream = s->sending;

    (void)body;
    s->sending = NULL;
    if (err)
        log_warning("fragment", "job=%s phase=%s error=%s", s->job.id, phase_name(stream->phase),
                    LOG_VALUE(err->text));
    if (err && !is_refused_for_good(status)) {
        /* the log is in its file: there is time */
        reactor_after(s->context->reactor, &s->later, s->context->config->polling_interval * 1000);
        end_flush(s, false);
        return;
    }
    output_taken(stream->output);
    s->job.record->next[stream->type] += err ? 0 : 1;
    note_progress(s, stream);
    consider(s);
}

static struct api_call *fragment_call(struct sender *s, const struct stream *stream,
                                      const struct buf *text)
{
    const struct clock *clock = s->context->reactor->clock;
    struct api_call *call = api_call_new("POST", on_posted, s);
    char now[CLOCK_TEXT_SIZE];

    clock_format_us(clock_us(clock), now);
    call->lease = *s->job.lease;
    api_path(call, "/v1/result/", s->job.id, "/log/", log_type_name(stream->type), NULL);
    (void)buf_addf(&call->body,
                   "{\"fragment_number\":%lld,\"timestamp\":\"%s\",\"phase\":\"%s\",\"log_data\":",
                   (long long)s->job.record->next[stream->type], now, phase_name(stream->phase));
    (void)jsn_add_string(&call->body, buf_text(text), text->len);
    (void)buf_addc(&call->body, '}');
    return call;
}

static void send_next(struct sender *s, struct stream *stream)
{
    size_t max = stream->type == LOG_SERIAL ? SERIAL_FRAGMENT_MAX : OUTPUT_FRAGMENT_MAX;
    struct buf text = BUF_INIT(SERIAL_FRAGMENT_MAX + 3);
    struct err err = ERR_INIT;

    if (output_next(stream->output, max, &text, &err) < 0) {
        log_error("fragment", "job=%s phase=%s error=%s", s->job.id, phase_name(stream->phase),
                  LOG_VALUE(err.text));
        stream->output->sent = stream->output->size; /* what cannot be read cannot be sent */
        reactor_after(s->context->reactor, &s->later, 0);
    } else {
        s->sending = stream;
        rate_spend(&s->rate, text.len);
        note_progress(s, stream); /* if the agent dies now the same fragment goes out again */
        s->last_ms = clock_ms(s->context->reactor->clock);
        api_send(s->context->api, s->job.lane, fragment_call(s, stream, &text));
    }
    buf_done(&text);
}

/* Sends the next fragment if one is due, or sees to it that this is looked at again. */
static void consider(struct sender *s)
{
    int64_t now_ms = clock_ms(s->context->reactor->clock);
    int64_t since = now_ms - s->last_ms;
    int64_t wait_ms;
    struct stream *stream;

    if (s->sending)
        return;
    stream = s->discarding ? NULL : next_stream(s);
    if (!stream) {
        end_flush(s, true);
        return;
    }
    wait_ms = rate_wait_ms(&s->rate, now_ms);
    if (wait_ms > 0)
        reactor_after(s->context->reactor, &s->later, wait_ms);
    else if (!s->flushed && since < BATCH_MS &&
             output_pending(stream->output) < OUTPUT_FRAGMENT_MAX)
        reactor_after(s->context->reactor, &s->later, BATCH_MS - since);
    else
        send_next(s, stream);
}

void sender_kick(struct sender *sender)
{
    if (!sender->sending && !sender->later.armed) /* armed: it is a matter of time */
        reactor_after(sender->context->reactor, &sender->later, 0);
}

void sender_flush(struct sender *sender, void (*done)(void *arg, bool all_sent), void *arg)
{
    assert(!sender->flushed);
    sender->flushed = done;
    sender->flushed_arg = arg;
    if (!sender->sending)
        reactor_after(sender->context->reactor, &sender->later, 0);
}

void sender_discard(struct sender *sender)
{
    sender->discarding = true;
    api_drop(sender->context->api, sender->job.lane);
    sender->sending = NULL;
    if (sender->flushed)
        reactor_after(sender->context->reactor, &sender->later, 0);
}

void sender_give_up(struct sender *sender)
{
    if (!sender->flushed)
        return;
    api_drop(sender->context->api, sender->job.lane);
    sender->sending = NULL;
    end_flush(sender, false);
}
