/* SPDX-License-Identifier: GPL-3.0-or-later
 * What SQL has to know of a submission.  The definition itself is never opened there: PostgreSQL
 * could not read a U+0000 in it. */
#include "server/handlers/job.h"

#include "common/json.h"
#include "common/parse.h"
#include "common/submission.h"

#include <string.h>

/* Members are added one after the other; the first failure is kept. */
struct facts {
    struct json_object *json;
    struct err *err;
    bool failed;
};

static void add(struct facts *f, const char *key, struct json_object *value)
{
    if (f->failed || !value) {
        json_object_put(value);
        if (!f->failed)
            (void)err_set(f->err, ERR_INTERNAL, "out of memory");
        f->failed = true;
        return;
    }
    f->failed = jsn_set(f->json, key, value, f->err) < 0;
}

static void add_text(struct facts *f, const char *key, const char *text)
{
    if (text)
        add(f, key, json_object_new_string(text));
}

static void add_int(struct facts *f, const char *key, int64_t value)
{
    add(f, key, json_object_new_int64(value));
}

static void add_bool(struct facts *f, const char *key, bool value)
{
    add(f, key, json_object_new_boolean(value));
}

/* Copies a member of the body, if it is there and not null. */
static void add_member(struct facts *f, const char *key, struct json_object *object,
                       const char *member)
{
    struct json_object *value = jsn_get(object, member);

    if (value)
        add(f, key, json_object_get(value));
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
static void add_id(struct facts *f, struct json_object *body)
{
    const char *text = jsn_text(body, "job_id");
    char id[UUID_TEXT_SIZE];

    if (!text || !*text)
        return;
    if (parse_uuid(text, strlen(text), id, NULL) < 0)
        add_bool(f, "id_bad", true); /* SQL refuses it when its turn among the checks comes */
    else
        add_text(f, "id", id);
}

/* It may be any text; one that is an id binds this job to the fate of another. */
static void add_parent_id(struct facts *f, const char *text)
{
    char id[UUID_TEXT_SIZE];

    if (text && parse_uuid(text, strlen(text), id, NULL) == 0)
        add_text(f, "parent_id", id);
}

/* The paths in the order in which they are named: it is how SQL numbers the namings. */
static void add_secrets(struct facts *f, struct json_object *secrets)
{
    struct json_object *paths;

    if (!secrets)
        return;
    paths = json_object_new_array();
    json_object_object_foreach(secrets, name, path)
    {
        (void)name;
        if (paths && json_object_array_add(paths, json_object_get(path)) < 0) {
            json_object_put(path);
            json_object_put(paths);
            paths = NULL;
        }
    }
    add(f, "secrets", paths);
}

static void add_definition(struct facts *f, struct json_object *body)
{
    struct json_object *reserve = jsn_get(body, "reserve_data");

    add_id(f, body);
    add_member(f, "queue", body, "job_queue");
    add_int(f, "priority", jsn_int(body, "job_priority", 0));
    add_member(f, "parent", body, "parent_job_id");
    add_parent_id(f, jsn_text(body, "parent_job_id"));
    add_member(f, "name", body, "name");
    add_member(f, "tags", body, "tags");
    add_member(f, "exclude_agents", body, "exclude_agents");
    add_member(f, "global_timeout", body, "global_timeout");
    add_member(f, "retry", body, "retry");
    add_member(f, "max_wait", body, "max_wait");
    add_secrets(f, jsn_get(jsn_get(body, "test_data"), "secrets"));
    add_bool(f, "hold", submission_has_attachments(body));
    add_bool(f, "has_reservation", reserve != NULL);
    add_member(f, "reserve_timeout", reserve, "timeout");
}

static void add_caller(struct facts *f, const struct caller *caller, const char *queue)
{
    add_text(f, "client_id", caller->client_id);
    add_bool(f, "authenticated", caller->authenticated);
    add_int(f, "max_priority", limit_of(caller->permissions, "max_priority", queue));
    add_int(f, "max_reservation", limit_of(caller->permissions, "max_reservation_time", queue));
    add_bool(f, "queue_allowed", is_allowed(caller->permissions, queue));
}

int job_facts(const struct request *req, const struct job_submission *s, struct buf *ret_facts,
              struct err *err)
{
    struct facts facts = {.json = json_object_new_object(), .err = err};
    int rc = 0;

    if (!facts.json)
        return err_set(err, ERR_INTERNAL, "out of memory");
    add_text(&facts, "new_id", s->new_id);
    add_text(&facts, "sha256", s->sha256);
    if (s->key[0]) {
        add_text(&facts, "key", s->key);
        add_text(&facts, "key_sha256", s->key_sha256);
    }
    add_definition(&facts, req->json);
    add_caller(&facts, &req->caller, jsn_text(req->json, "job_queue"));
    if (facts.failed)
        rc = -1;
    else if (jsn_add_tree(ret_facts, facts.json) < 0)
        rc = err_set(err, ERR_TOO_LARGE, "job is too large");
    json_object_put(facts.json);
    return rc;
}
