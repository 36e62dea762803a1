/* SPDX-License-Identifier: GPL-3.0-or-later
 * Questions about one job.  A result carries every output of the job, which may be gigabytes; the
 * state is picked from the stream as it passes. */
#include "cli/job.h"

#include "cli/cli.h"
#include "cli/json_stream.h"
#include "cli/session.h"

#include <stdlib.h>
#include <string.h>

#define SMALL_REPLY_MAX ((size_t)1 << 20)
#define STATUS_SUFFIX   "_status"

int job_id_parse(const char *text, char ret_id[static UUID_TEXT_SIZE], struct err *err)
{
    if (parse_uuid(text, strlen(text), ret_id, NULL) < 0)
        return err_set(err, ERR_BAD_REQUEST, "\"%s\" is not a job id", text);
    return 0;
}

const char *job_path(char path[static JOB_PATH_SIZE], const char *before, const char *id,
                     const char *after)
{
    (void)snprintf(path, JOB_PATH_SIZE, "%s%s%s", before, id, after);
    return path;
}

/* --- the state, out of a result ------------------------------------------------ */

struct picker {
    struct json_stream stream;
    struct job_state state;
    size_t len; /* of state.text */
    struct err *err;
};

static int pick_text(void *arg, const struct json_stream *stream, const char *data, size_t len,
                     bool last)
{
    struct picker *p = arg;
    size_t room = sizeof(p->state.text) - 1 - p->len;

    (void)last;
    if (stream->depth != 1 || strcmp(json_stream_key(stream, 0), "job_state") != 0)
        return 0;
    len = len < room ? len : room;
    if (len > 0)
        memcpy(p->state.text + p->len, data, len);
    p->len += len;
    return 0;
}

static int pick_word(void *arg, const struct json_stream *stream, const char *word)
{
    struct picker *p = arg;
    const char *key = json_stream_key(stream, 0);
    size_t len = strlen(key), suffix = strlen(STATUS_SUFFIX);
    int64_t status;

    if (stream->depth != 1 || len <= suffix || strcmp(key + len - suffix, STATUS_SUFFIX) != 0 ||
        p->state.failed[0] || parse_int64(word, INT32_MIN, INT32_MAX, &status, NULL) < 0)
        return 0;
    if (status != 0) {
        (void)snprintf(p->state.failed, sizeof(p->state.failed), "%.*s", (int)(len - suffix), key);
        p->state.failed_status = (int)status;
    }
    return 0;
}

static int pick_feed(void *arg, const char *data, size_t len)
{
    struct picker *p = arg;

    return json_stream_feed(&p->stream, data, len, p->err);
}

int job_read_state(struct session *s, const char *id, struct job_state *ret_state, struct err *err)
{
    static const struct json_events events = {pick_text, pick_word};
    struct picker p = {.err = err};
    struct fetch_reply reply;
    char path[JOB_PATH_SIZE];
    int rc;

    json_stream_init(&p.stream, &events, &p);
    fetch_reply_init(&reply, SMALL_REPLY_MAX);
    rc = session_stream(s, job_path(path, "/v1/result/", id, ""), pick_feed, &p, &reply, err);
    if (rc == 0 && reply.status != 204 && !json_stream_complete(&p.stream))
        rc = err_set(err, ERR_UPSTREAM, "the answer is not JSON");
    fetch_reply_done(&reply);
    if (rc == 0)
        *ret_state = p.state;
    return rc;
}

bool job_state_cancelled(const struct job_state *state)
{
    return strcmp(state->text, "cancelled") == 0;
}

bool job_state_final(const struct job_state *state)
{
    return strcmp(state->text, "complete") == 0 || strcmp(state->text, "completed") == 0 ||
           job_state_cancelled(state);
}

int job_exit_status(const struct job_state *state)
{
    if (job_state_cancelled(state))
        return EXIT_CANCELLED;
    return state->failed[0] ? EXIT_JOB_FAILED : EXIT_DONE;
}

/* --- other questions -------------------------------------------------------------- */

int job_read_position(struct session *s, const char *id, int64_t *ret_position, struct err *err)
{
    struct err why = ERR_INIT;
    struct fetch_reply reply;
    char path[JOB_PATH_SIZE];
    int rc;

    fetch_reply_init(&reply, SMALL_REPLY_MAX);
    rc = session_get(s, job_path(path, "/v1/job/", id, "/position"), &reply, &why);
    if (rc < 0 && reply.status == 410) {
        *ret_position = -1;
        rc = 0;
    } else if (rc < 0) {
        *err = why;
    } else {
        char *text = reply.body.data;

        /* some servers end the number with a newline */
        if (text)
            text[strcspn(text, "\r\n")] = '\0';
        rc = parse_int64(text ? text : "", 0, INT64_MAX, ret_position, err);
    }
    fetch_reply_done(&reply);
    return rc;
}

int job_cancel(struct session *s, const char *id, struct err *err)
{
    static const char body[] = "{\"action\": \"cancel\"}";
    struct fetch_reply reply;
    char path[JOB_PATH_SIZE];
    int rc;

    fetch_reply_init(&reply, SMALL_REPLY_MAX);
    rc = session_post(s, job_path(path, "/v1/job/", id, "/action"), body, sizeof(body) - 1, &reply,
                      err);
    fetch_reply_done(&reply);
    return rc;
}

int job_unknown(FILE *notes, const char *id)
{
    (void)fprintf(notes, "testflinger: the server knows no job %s\n", id);
    return EXIT_NOTHING;
}
