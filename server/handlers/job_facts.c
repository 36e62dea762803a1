/* SPDX-License-Identifier: GPL-3.0-or-later
 * What SQL has to know of a submission.  The definition itself is never opened there: PostgreSQL
 * could not read a U+0000 in it. */
#include "server/handlers/job.h"

#include "common/json.h"
#include "common/parse.h"
#include "common/submission.h"

#include <inttypes.h>
#include <string.h>

#define USUAL_BYTES 700

/* They are written as they are found.  out tells whether all fitted. */
static void begin(struct buf *out, const char *key)
{
    (void)buf_addc(out, out->len > 0 ? ',' : '{');
    (void)jsn_add_string(out, key, strlen(key));
    (void)buf_addc(out, ':');
}

static void add_text(struct buf *out, const char *key, const char *text)
{
    if (!text)
        return;
    begin(out, key);
    (void)jsn_add_string(out, text, strlen(text));
}

/* 0 and false are what SQL takes a missing fact for.  Mostly all of them are that, and to write
 * them would cost PostgreSQL more time than to check them. */
static void add_int(struct buf *out, const char *key, int64_t value)
{
    if (value == 0)
        return;
    begin(out, key);
    (void)buf_addf(out, "%" PRId64, value);
}

static void add_bool(struct buf *out, const char *key, bool value)
{
    if (!value)
        return;
    begin(out, key);
    (void)buf_adds(out, "true");
}

/* Copies a member of the body, if it is there and not null. */
static void add_member(struct buf *out, const char *key, struct json_object *object,
                       const char *member)
{
    struct json_object *value = jsn_get(object, member);

    if (!value)
        return;
    begin(out, key);
    (void)jsn_add_tree(out, value);
}

/* What the token allows on this queue: the larger one of its own limit and that for all. */
static int64_t limit_of(struct json_object *permissions, const char *kind, const char *queue)
{
    struct json_object *limits = jsn_get(permissions, kind);
    int64_t all = jsn_int(limits, "*", 0), own = jsn_int(limits, queue, 0);

    return all > own ? all : own;
}

static bool is_allowed(struct json_object *permissions, const char *queue)
{
    struct json_object *queues = jsn_get(permissions, "allowed_queues");

    if (!json_object_is_type(queues, json_type_array))
        return false;
    for (size_t i = 0; i < json_object_array_length(queues); i++) {
        struct json_object *item = json_object_array_get_idx(queues, i);

        if (json_object_is_type(item, json_type_string) &&
            strcmp(json_object_get_string(item), queue) == 0)
            return true;
    }
    return false;
}

/* The id the client brought; an empty one counts as none. */
static void add_id(struct buf *out, struct json_object *body)
{
    const char *text = jsn_text(body, "job_id");
    char id[UUID_TEXT_SIZE];

    if (!text || !*text)
        return;
    if (parse_uuid(text, strlen(text), id, NULL) < 0)
        add_bool(out, "id_bad", true); /* SQL refuses it when its turn among the checks comes */
    else
        add_text(out, "id", id);
}

/* It may be any text; one that is an id binds this job to the fate of another. */
static void add_parent_id(struct buf *out, const char *text)
{
    char id[UUID_TEXT_SIZE];

    if (text && parse_uuid(text, strlen(text), id, NULL) == 0)
        add_text(out, "parent_id", id);
}

/* The paths in the order in which they are named: it is how SQL numbers the namings. */
static void add_secrets(struct buf *out, struct json_object *secrets)
{
    char before = '[';

    if (!secrets)
        return;
    begin(out, "secrets");
    json_object_object_foreach(secrets, name, path)
    {
        (void)name;
        (void)buf_addc(out, before);
        (void)jsn_add_tree(out, path);
        before = ',';
    }
    (void)buf_adds(out, before == '[' ? "[]" : "]");
}

static void add_definition(struct buf *out, struct json_object *body)
{
    struct json_object *reserve = jsn_get(body, "reserve_data");

    add_id(out, body);
    add_member(out, "queue", body, "job_queue");
    add_int(out, "priority", jsn_int(body, "job_priority", 0));
    add_member(out, "parent", body, "parent_job_id");
    add_parent_id(out, jsn_text(body, "parent_job_id"));
    add_member(out, "name", body, "name");
    add_member(out, "tags", body, "tags");
    add_member(out, "exclude_agents", body, "exclude_agents");
    add_member(out, "global_timeout", body, "global_timeout");
    add_member(out, "retry", body, "retry");
    add_member(out, "max_wait", body, "max_wait");
    add_secrets(out, jsn_get(jsn_get(body, "test_data"), "secrets"));
    add_bool(out, "hold", submission_has_attachments(body));
    add_bool(out, "has_reservation", reserve != NULL);
    add_member(out, "reserve_timeout", reserve, "timeout");
}

static void add_caller(struct buf *out, const struct caller *caller, const char *queue)
{
    add_text(out, "client_id", caller->client_id);
    add_bool(out, "authenticated", caller->authenticated);
    add_int(out, "max_priority", limit_of(caller->permissions, "max_priority", queue));
    add_int(out, "max_reservation", limit_of(caller->permissions, "max_reservation_time", queue));
    add_bool(out, "queue_allowed", is_allowed(caller->permissions, queue));
}

int job_facts(const struct request *req, const struct job_submission *s, struct buf *ret_facts,
              struct err *err)
{
    (void)buf_reserve(ret_facts, USUAL_BYTES);
    add_text(ret_facts, "new_id", s->new_id);
    add_text(ret_facts, "sha256", s->sha256);
    if (s->key[0]) {
        add_text(ret_facts, "key", s->key);
        add_text(ret_facts, "key_sha256", s->key_sha256);
    }
    add_definition(ret_facts, req->json);
    add_caller(ret_facts, &req->caller, jsn_text(req->json, "job_queue"));
    (void)buf_addc(ret_facts, '}');
    if (buf_failed(ret_facts))
        return err_set(err, ERR_TOO_LARGE, "job is too large");
    return 0;
}
