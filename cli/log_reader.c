/* SPDX-License-Identifier: GPL-3.0-or-later
 * {"output": {phase: {"last_fragment_number": n, "log_data": text}}}, read as a stream. */
#include "cli/log_reader.h"

#include "cli/job.h"
#include "cli/json_stream.h"
#include "cli/session.h"
#include "common/parse.h"

#include <inttypes.h>
#include <string.h>

#define SMALL_REPLY_MAX ((size_t)1 << 20)

/* One answer on its way through. */
struct passage {
    struct log_reader *reader;
    struct json_stream stream;
    uint64_t seen[PHASE_COUNT]; /* bytes of this answer */
    int64_t last_fragment;
    bool any;
    struct err *err;
};

void log_reader_init(struct log_reader *r, FILE *out)
{
    *r = (struct log_reader){.out = out};
}

static int pass_text(void *arg, const struct json_stream *stream, const char *data, size_t len,
                     bool last)
{
    struct passage *p = arg;
    int phase = phase_from_name(json_stream_key(stream, 1));
    uint64_t *written;
    uint64_t old;

    (void)last;
    if (stream->depth != 3 || phase < 0 || len == 0 ||
        strcmp(json_stream_key(stream, 2), "log_data") != 0)
        return 0;
    written = &p->reader->written[phase];
    old = *written > p->seen[phase] ? *written - p->seen[phase] : 0;
    p->seen[phase] += len;
    p->any = true;
    if (old >= len)
        return 0;
    if (fwrite(data + old, 1, len - old, p->reader->out) != len - old)
        return -1;
    *written += len - old;
    return 0;
}

static int pass_word(void *arg, const struct json_stream *stream, const char *word)
{
    struct passage *p = arg;
    int64_t number;

    if (stream->depth == 3 && strcmp(json_stream_key(stream, 2), "last_fragment_number") == 0 &&
        parse_int64(word, INT64_MIN, INT64_MAX - 1, &number, NULL) == 0 &&
        number > p->last_fragment)
        p->last_fragment = number;
    return 0;
}

static int pass_feed(void *arg, const char *data, size_t len)
{
    struct passage *p = arg;

    return json_stream_feed(&p->stream, data, len, p->err);
}

int log_reader_read(struct log_reader *r, struct session *s, const char *id, bool *ret_any,
                    struct err *err)
{
    static const struct json_events events = {pass_text, pass_word};
    struct passage p = {.reader = r, .last_fragment = -1, .err = err};
    struct fetch_reply reply;
    char path[JOB_PATH_SIZE], after[64];
    int rc;

    (void)snprintf(after, sizeof(after), "/log/output?start_fragment=%" PRId64, r->next_fragment);
    json_stream_init(&p.stream, &events, &p);
    fetch_reply_init(&reply, SMALL_REPLY_MAX);
    rc = session_stream(s, job_path(path, "/v1/result/", id, after), pass_feed, &p, &reply, err);
    if (rc == 0 && reply.status != 204 && !json_stream_complete(&p.stream))
        rc = err_set(err, ERR_UPSTREAM, "the answer is not JSON");
    fetch_reply_done(&reply);
    if (fflush(r->out) != 0)
        return err_set(err, ERR_INTERNAL, "could not write the output");
    if (rc < 0)
        return -1;
    /* whole: the next answer starts behind it */
    if (p.last_fragment >= r->next_fragment)
        r->next_fragment = p.last_fragment + 1;
    if (p.any)
        memset(r->written, 0, sizeof(r->written));
    *ret_any = p.any;
    return 0;
}
