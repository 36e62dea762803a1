/* SPDX-License-Identifier: GPL-3.0-or-later
 * testflinger-dbadmin queue-policy: what jobs and agents may do on a queue. */
#include "server/dbadmin/commands.h"

#include "common/buf.h"
#include "common/cleanup.h"
#include "common/parse.h"
#include "server/db/db.h"
#include "server/dbadmin/owner.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define POLICY_MAX 256

int queue_policy_list_command(struct db *db, const struct arguments *arguments, struct err *err)
{
    static const struct db_statement list = {
        .name = "list_queue_policies",
        .sql = "SELECT retry, stop_after_s, lease_max_s, queue FROM tfx.list_queue_policies()",
        .repeatable = true};
    struct db_rows rows;

    (void)arguments;
    if (owner_become(db, err) < 0 || db_query(db, &list, NULL, &rows, err) < 0)
        return -1;
    (void)printf("%-6s %10s %9s  %s\n", "RETRY", "STOP_AFTER", "LEASE_MAX", "QUEUE");
    for (int i = 0; i < db_rows_count(&rows); i++) {
        (void)printf("%-6s %10s %9s  ", db_rows_bool(&rows, i, 0) ? "yes" : "no",
                     db_rows_text(&rows, i, 1),
                     db_rows_null(&rows, i, 2) ? "-" : db_rows_text(&rows, i, 2));
        command_print_name(db_rows_text(&rows, i, 3), 0);
        (void)putchar('\n');
    }
    db_rows_done(&rows);
    return 0;
}

static int add_seconds(struct buf *b, const struct arguments *arguments, enum argument argument,
                       const char *key, struct err *err)
{
    int64_t seconds;

    if (!argument_given(arguments, argument))
        return 0;
    if (parse_int64(argument_value(arguments, argument), 0, INT32_MAX, &seconds, err) < 0)
        return err_prefix(err, "option --%s", argument_name(argument));
    return buf_addf(b, "%s\"%s\":%" PRId64, b->len > 1 ? "," : "", key, seconds);
}

static int add_retry(struct buf *b, const struct arguments *arguments, struct err *err)
{
    const char *text = argument_value(arguments, ARG_RETRY);

    if (!text)
        return 0;
    if (strcmp(text, "yes") != 0 && strcmp(text, "no") != 0)
        return err_set(err, ERR_INVALID, "option --retry: \"%s\" is neither yes nor no", text);
    return buf_addf(b, "\"retry\":%s", strcmp(text, "yes") == 0 ? "true" : "false");
}

static int set_policy(struct db *db, const char *queue, const char *policy, struct err *err)
{
    static const struct db_statement set = {.name = "set_queue_policy",
                                            .sql = "SELECT tfx.set_queue_policy($1, $2::jsonb)",
                                            .params = 2};

    if (owner_become(db, err) < 0)
        return -1;
    return db_run(db, &set, (struct db_param[]){db_text(queue), db_text(policy)}, err);
}

int queue_policy_set_command(struct db *db, const struct arguments *arguments, struct err *err)
{
    AUTO(buf) struct buf policy = BUF_INIT(POLICY_MAX);

    (void)buf_addc(&policy, '{');
    if (add_retry(&policy, arguments, err) < 0 ||
        add_seconds(&policy, arguments, ARG_STOP_AFTER, "stop_after_s", err) < 0 ||
        add_seconds(&policy, arguments, ARG_LEASE_MAX, "lease_max_s", err) < 0)
        return -1;
    if (policy.len == 1)
        return err_set(err, ERR_INVALID, "nothing to set: --retry, --stop-after or --lease-max");
    (void)buf_addc(&policy, '}');
    return set_policy(db, command_operand(arguments), buf_text(&policy), err);
}

int queue_policy_delete_command(struct db *db, const struct arguments *arguments, struct err *err)
{
    return set_policy(db, command_operand(arguments), "{}", err);
}
