/* SPDX-License-Identifier: GPL-3.0-or-later
 * testflinger list-queues [--json]: what agents advertise. */
#include "cli/cli.h"
#include "cli/print.h"
#include "cli/session.h"
#include "common/json.h"

#include <stdlib.h>
#include <string.h>

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int print_lines(struct cli *cli, struct json_object *queues, struct err *err)
{
    size_t count = (size_t)json_object_object_length(queues), i = 0;
    const char **names = calloc(count + 1, sizeof(*names));

    if (!names)
        return err_set(err, ERR_INTERNAL, "out of memory");
    json_object_object_foreach(queues, name, description)
    {
        (void)description;
        names[i++] = name;
    }
    qsort(names, count, sizeof(*names), compare_names);
    for (i = 0; i < count; i++) {
        const char *text = jsn_text(queues, names[i]);

        (void)fprintf(cli->out, "%s%s%s\n", names[i], text && *text ? " - " : "", text ? text : "");
    }
    free(names);
    return print_flush(cli->out, err);
}

static int print_queues(struct cli *cli, const struct fetch_reply *reply, struct err *err)
{
    struct json_object *queues = NULL;
    int rc;

    if (argument_given(&cli->args, ARG_JSON))
        return print_json(cli->out, buf_text(&reply->body), reply->body.len, err);
    if (jsn_parse(buf_text(&reply->body), reply->body.len, &queues, err) < 0)
        return err_prefix(err, "could not read the server's answer");
    if (json_object_is_type(queues, json_type_object))
        rc = print_lines(cli, queues, err);
    else
        rc = err_set(err, ERR_UPSTREAM, "the server's answer is no list of queues");
    (void)json_object_put(queues);
    return rc;
}

int command_list_queues(struct cli *cli, struct err *err)
{
    struct fetch_reply reply;
    int rc;

    fetch_reply_init(&reply, SESSION_REPLY_MAX);
    rc = session_get(cli->session, "/v1/agents/queues", &reply, err);
    if (rc == 0)
        rc = print_queues(cli, &reply, err);
    fetch_reply_done(&reply);
    return rc;
}
