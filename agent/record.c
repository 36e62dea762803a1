/* SPDX-License-Identifier: GPL-3.0-or-later
 * The record as JSON, written by one pwrite over the old one and padded to the same length, so that
 * a reader sees the old or the new one and a full disk does not matter. */
#include "agent/record.h"

#include "common/buf.h"
#include "common/cleanup.h"
#include "common/fs.h"
#include "common/json.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define RECORD_SIZE ((size_t)4096)
/* should somebody put a link or a pipe there */
#define OPEN_FLAGS (O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)

static const char *const types[LOG_TYPE_COUNT] = {[LOG_OUTPUT] = "output", [LOG_SERIAL] = "serial"};

const char *log_type_name(enum log_type type)
{
    return types[type];
}

void record_init(struct record *record)
{
    *record = (struct record){.phase = -1};
    for (enum phase p = 0; p < PHASE_COUNT; p++)
        record->status[p] = RECORD_NO_STATUS;
}

/* Goes into a header: a token of other bytes is none. */
static bool is_token(const char *text)
{
    size_t len = text ? strlen(text) : 0;

    if (len == 0 || len >= RECORD_TOKEN_SIZE)
        return false;
    for (size_t i = 0; i < len; i++)
        if (text[i] <= ' ' || text[i] > '~')
            return false;
    return true;
}

void record_take_lease(struct json_object *json, struct record_lease *ret_lease)
{
    const char *token = jsn_text(json, "token");
    int64_t seconds = jsn_int(json, "seconds", 0);
    int64_t stop_after = jsn_int(json, "stop_after", 0);
    struct record_lease lease = {.seconds = seconds, .attempt = jsn_int(json, "attempt", 0)};

    if (is_token(token) && seconds >= 1 && seconds <= RECORD_LEASE_MAX_S) {
        (void)snprintf(lease.token, sizeof(lease.token), "%s", token);
        if (stop_after > 0 && stop_after <= RECORD_LEASE_MAX_S)
            lease.stop_after = stop_after;
    }
    *ret_lease = lease;
}

static void add_status(struct buf *b, const struct record *r)
{
    const char *separator = "";

    (void)buf_adds(b, ",\"status\":{");
    for (enum phase p = 0; p < PHASE_COUNT; p++) {
        if (r->status[p] == RECORD_NO_STATUS)
            continue;
        (void)buf_addf(b, "%s\"%s\":%d", separator, phase_name(p), r->status[p]);
        separator = ",";
    }
    (void)buf_addc(b, '}');
}

static void add_record(struct buf *b, const struct record *r)
{
    (void)buf_addf(b, "{\"phase\":\"%s\",\"running\":%d,\"over\":%d,\"uploaded\":%d",
                   r->phase < 0 ? "" : phase_name((enum phase)r->phase), r->running, r->over,
                   r->uploaded);
    (void)buf_addf(b, ",\"released\":%d,\"posting\":%d,\"done\":%d,\"losses\":%d,\"reason\":",
                   r->released, r->posting, r->done, r->losses);
    (void)jsn_add_string(b, r->reason, strlen(r->reason));
    add_status(b, r);
    (void)buf_adds(b, ",\"lease\":{\"token\":");
    (void)jsn_add_string(b, r->lease.token, strlen(r->lease.token));
    (void)buf_addf(b,
                   ",\"seconds\":%" PRId64 ",\"attempt\":%" PRId64 ",\"stop_after\":%" PRId64 "}",
                   r->lease.seconds, r->lease.attempt, r->lease.stop_after);
    for (enum log_type t = 0; t < LOG_TYPE_COUNT; t++) {
        (void)buf_addf(b, ",\"%s\":{\"next\":%" PRId64, types[t], r->next[t]);
        for (enum phase p = 0; p < PHASE_COUNT; p++)
            (void)buf_addf(b, ",\"%s\":[%" PRIu64 ",%" PRIu64 "]", phase_name(p),
                           r->marks[t][p].sent, r->marks[t][p].offered);
        (void)buf_addc(b, '}');
    }
    (void)buf_addc(b, '}');
    while (b->len < RECORD_SIZE - 1)
        (void)buf_addc(b, ' ');
    (void)buf_addc(b, '\n');
}

static int save(const struct record *record, const char *path, bool durable, struct err *err)
{
    AUTO(buf) struct buf text = BUF_INIT(RECORD_SIZE);
    AUTO_CLOSE int fd = open(path, OPEN_FLAGS, 0600);

    if (fd < 0)
        return err_set_errno(err, errno, "could not open \"%s\"", path);
    add_record(&text, record);
    if (buf_failed(&text))
        return err_set(err, ERR_INTERNAL, "record is too long");
    if (pwrite(fd, text.data, text.len, 0) != (ssize_t)text.len || (durable && fdatasync(fd) < 0))
        return err_set_errno(err, errno, "could not write \"%s\"", path);
    return 0;
}

int record_save(const struct record *record, const char *path, struct err *err)
{
    return save(record, path, false, err);
}

int record_sync(const struct record *record, const char *path, struct err *err)
{
    return save(record, path, true, err);
}

static struct output_mark mark_from(struct json_object *pair)
{
    if (!json_object_is_type(pair, json_type_array) || json_object_array_length(pair) != 2)
        return (struct output_mark){0, 0};
    return (struct output_mark){
        (uint64_t)json_object_get_int64(json_object_array_get_idx(pair, 0)),
        (uint64_t)json_object_get_int64(json_object_array_get_idx(pair, 1)),
    };
}

/* An exit status as a shell has it, or none. */
static int status_from(struct json_object *all, enum phase phase)
{
    int64_t status = jsn_int(all, phase_name(phase), RECORD_NO_STATUS);

    return status >= 0 && status <= 255 ? (int)status : RECORD_NO_STATUS;
}

static void take_record(struct record *record, struct json_object *json)
{
    const char *phase = jsn_text(json, "phase");
    const char *reason = jsn_text(json, "reason");

    record_init(record);
    record->phase = phase ? phase_from_name(phase) : -1;
    record->running = jsn_int(json, "running", 0) != 0;
    record->over = jsn_int(json, "over", 0) != 0;
    record->uploaded = jsn_int(json, "uploaded", 0) != 0;
    record->released = jsn_int(json, "released", 0) != 0;
    record->posting = jsn_int(json, "posting", 0) != 0;
    record->done = jsn_int(json, "done", 0) != 0;
    record->losses = (int)jsn_int(json, "losses", 0);
    (void)snprintf(record->reason, sizeof(record->reason), "%s", reason ? reason : "");
    for (enum phase p = 0; p < PHASE_COUNT; p++)
        record->status[p] = status_from(jsn_get(json, "status"), p);
    record_take_lease(jsn_get(json, "lease"), &record->lease);
    for (enum log_type t = 0; t < LOG_TYPE_COUNT; t++) {
        struct json_object *log = jsn_get(json, types[t]);

        record->next[t] = jsn_int(log, "next", 0);
        for (enum phase p = 0; p < PHASE_COUNT; p++)
            record->marks[t][p] = mark_from(jsn_get(log, phase_name(p)));
    }
}

int record_load(struct record *record, const char *path, struct err *err)
{
    AUTO(buf) struct buf text = BUF_INIT(RECORD_SIZE);
    struct json_object *json;

    if (fs_read_file(path, &text, err) < 0 || jsn_parse(buf_text(&text), text.len, &json, err) < 0)
        return -1;
    take_record(record, json);
    json_object_put(json);
    return 0;
}
