/* SPDX-License-Identifier: GPL-3.0-or-later
 * The table of options, and the few rules that go beyond type and range. */
#include "agent/config.h"

#include "agent/rate.h"
#include "common/address.h"
#include "common/log.h"

#include <arpa/inet.h>
#include <string.h>

#define HOUR 3600
#define DAY  (24 * HOUR)

static const char *const queue_fields[] = {"queue", "description", NULL};
static const char *const image_fields[] = {"queue", "image", "data", NULL};

/* clang-format off */
static const struct option_row rows[] = {
    OPTION_REQUIRED(struct config, agent_id, "NAME", "unique name of the agent"),
    OPTION_REQUIRED(struct config, server_address, "URL", "the server: host:port (http) or a URL"),
    OPTION_STRING(struct config, identifier, NULL, "TEXT", "published with the agent: what the device is"),
    OPTION_STRING(struct config, location, NULL, "TEXT", "published with the agent: where it stands"),
    OPTION_STRING(struct config, provision_type, NULL, "TYPE", "published with the agent: how it is provisioned"),
    OPTION_LIST(struct config, job_queues, true, "[\"QUEUE\", …]", "queues to take jobs from"),
    OPTION_INT(struct config, polling_interval, "10", 1, DAY, "SECONDS", "pause after the server had no job"),
    OPTION_STRING(struct config, execution_basedir, "/tmp/testflinger/run", "DIR", "one directory for each job runs here"),
    OPTION_STRING(struct config, logging_basedir, "/tmp/testflinger/logs", "DIR", "testflinger-agent.log, a new one each day, 6 kept"),
    OPTION_STRING(struct config, results_basedir, "/tmp/testflinger/results", "DIR", "outcomes that could not be sent yet"),
    OPTION_STRING(struct config, lock_basedir, "/run/lock", "DIR", "one process for each agent_id on the host: its lock is here"),
    OPTION_STRING(struct config, logging_level, "INFO", "LEVEL", "DEBUG, INFO, WARNING or ERROR"),
    OPTION_BOOL(struct config, logging_quiet, "false", "log to the file alone"),
    OPTION_INT(struct config, global_timeout, "14400", 1, 365 * DAY, "SECONDS", "most that a phase may take, whatever the job says"),
    OPTION_INT(struct config, output_timeout, "900", 1, 365 * DAY, "SECONDS", "most that a test may be silent, whatever the job says"),
    OPTION_INT(struct config, output_bytes, "10485760", 4096, INT64_C(1) << 40, "BYTES", "most log kept and sent for each phase"),
    OPTION_INT(struct config, output_rate, "1048576", 0, RATE_MAX, "BYTES", "most log sent in a second; 0: no limit"),
    OPTION_INT(struct config, disk_min_free, "268435456", 0, INT64_C(1) << 50, "BYTES", "no job is asked for while less is free on a disk of the agent's"),
    OPTION_GROUPS(struct config, advertised_queues, queue_fields, "queues shown to users, with a description"),
    OPTION_GROUPS(struct config, advertised_images, image_fields, "images shown to users, with provision data"),
    OPTION_STRING(struct config, setup_command, "", "COMMAND", "run by sh -c in the phase setup; empty: skipped"),
    OPTION_STRING(struct config, provision_command, "", "COMMAND", "the same for provision"),
    OPTION_STRING(struct config, firmware_update_command, "", "COMMAND", "the same for firmware_update"),
    OPTION_STRING(struct config, test_command, "", "COMMAND", "the same for test"),
    OPTION_STRING(struct config, allocate_command, "", "COMMAND", "the same for allocate"),
    OPTION_STRING(struct config, reserve_command, "", "COMMAND", "the same for reserve"),
    OPTION_STRING(struct config, cleanup_command, "", "COMMAND", "the same for cleanup, which always runs"),
    OPTION_BOOL(struct config, cgroup, "true", "a control group for the job, if the agent may make one"),
    OPTION_INT(struct config, memory_max, "0", 0, INT64_C(1) << 50, "BYTES", "most memory for all that a job runs (needs a control group); 0: no limit"),
    OPTION_INT(struct config, pids_max, "0", 0, 1 << 22, "COUNT", "most processes of a job at once (needs a control group); 0: no limit"),
    OPTION_INT(struct config, kill_grace, "10", 0, HOUR, "SECONDS", "between SIGTERM and SIGKILL to what a phase started"),
    OPTION_INT(struct config, cancel_interval, "10", 1, HOUR, "SECONDS", "how often to look whether the job was cancelled"),
    OPTION_INT(struct config, lease_s, "60", 0, HOUR, "SECONDS", "how long a job is lent for, if the server lends; 0: not asked for"),
    OPTION_INT(struct config, wait_s, "50", 0, 300, "SECONDS", "how long a request may wait at the server, if it offers that; 0: none does"),
    OPTION_INT(struct config, stop_timeout, "60", 1, DAY, "SECONDS", "how long cleanup and the last reports may take after SIGTERM"),
    OPTION_INT(struct config, retry_pause_ms, "300", 1, 60000, "MS", "first pause before a failed request is repeated; doubles"),
    OPTION_INT(struct config, server_pause_min, "30", 1, DAY, "SECONDS", "first pause while the server is away; doubles"),
    OPTION_INT(struct config, server_pause_max, "180", 1, DAY, "SECONDS", "longest pause while the server is away"),
    OPTION_INT(struct config, metrics_port, "0", 0, UINT16_MAX, "PORT", "serve Prometheus metrics here; 0: do not"),
    OPTION_STRING(struct config, metrics_address, "*", "ADDRESS", "of this machine, for the metrics; * for all of them"),
    OPTION_END};
/* clang-format on */

/* --- rules ----------------------------------------------------------------------------- */

static int check_agent_id(const void *filled, struct err *err)
{
    const char *id = ((const struct config *)filled)->agent_id;

    if (!*id)
        return err_set(err, ERR_INVALID, "is empty");
    if (strchr(id, '/'))
        return err_set(err, ERR_INVALID, "has a slash");
    return 0;
}

static int check_server_address(const void *filled, struct err *err)
{
    const char *text = ((const struct config *)filled)->server_address;

    if (!*text)
        return err_set(err, ERR_INVALID, "is empty");
    if (!address_is_server(text))
        return err_set(err, ERR_INVALID, "is neither host:port nor a http or https URL");
    return 0;
}

static int check_job_queues(const void *filled, struct err *err)
{
    const struct option_list *queues = &((const struct config *)filled)->job_queues;

    if (queues->count == 0)
        return err_set(err, ERR_INVALID, "is empty");
    for (size_t i = 0; i < queues->count; i++)
        if (!*queues->items[i])
            return err_set(err, ERR_INVALID, "has an empty name");
    return 0;
}

static int check_directory(const char *path, struct err *err)
{
    return path && !*path ? err_set(err, ERR_INVALID, "is empty") : 0;
}

static int check_execution(const void *filled, struct err *err)
{
    return check_directory(((const struct config *)filled)->execution_basedir, err);
}

static int check_logging(const void *filled, struct err *err)
{
    return check_directory(((const struct config *)filled)->logging_basedir, err);
}

static int check_results(const void *filled, struct err *err)
{
    return check_directory(((const struct config *)filled)->results_basedir, err);
}

static int check_level(const void *filled, struct err *err)
{
    enum log_level level;

    if (log_level_parse(((const struct config *)filled)->logging_level, &level, NULL) < 0)
        return err_set(err, ERR_INVALID, "is none of DEBUG, INFO, WARNING, ERROR");
    return 0;
}

static int check_server_pauses(const void *filled, struct err *err)
{
    const struct config *config = filled;

    if (config->server_pause_max < config->server_pause_min)
        return err_set(err, ERR_INVALID, "is less than \"server_pause_min\" (%lld)",
                       (long long)config->server_pause_min);
    return 0;
}

static int check_metrics_address(const void *filled, struct err *err)
{
    const char *text = ((const struct config *)filled)->metrics_address;
    struct in6_addr address;

    if (strcmp(text, "*") != 0 && inet_pton(AF_INET, text, &address) != 1 &&
        inet_pton(AF_INET6, text, &address) != 1)
        return err_set(err, ERR_INVALID, "is neither an IPv4 or IPv6 address nor \"*\"");
    return 0;
}

static const struct option_rule rules[] = {
    {"agent_id", check_agent_id},
    {"server_address", check_server_address},
    {"job_queues", check_job_queues},
    {"execution_basedir", check_execution},
    {"logging_basedir", check_logging},
    {"results_basedir", check_results},
    {"logging_level", check_level},
    {"server_pause_max", check_server_pauses},
    {"metrics_address", check_metrics_address},
    {NULL, NULL},
};

int config_load(struct config *config, const struct config_source *source, struct err *err)
{
    const struct option_reading reading = {rows, rules, source->path, source->report, source->arg};

    memset(config, 0, sizeof(*config));
    return option_read(&reading, config, err);
}
const struct option_row *config_rows(void)
{
    return rows;
}

int config_check(const struct config *config, const char *name, struct err *err)
{
    for (const struct option_rule *rule = rules; rule->name; rule++)
        if (strcmp(rule->name, name) == 0 && rule->check(config, err) < 0)
            return -1;
    return 0;
}

void config_done(struct config *config)
{
    option_free(rows, config);
}

const char *config_command(const struct config *config, enum phase phase)
{
    const char *const commands[PHASE_COUNT] = {
        [PHASE_SETUP] = config->setup_command,
        [PHASE_PROVISION] = config->provision_command,
        [PHASE_FIRMWARE_UPDATE] = config->firmware_update_command,
        [PHASE_TEST] = config->test_command,
        [PHASE_ALLOCATE] = config->allocate_command,
        [PHASE_RESERVE] = config->reserve_command,
        [PHASE_CLEANUP] = config->cleanup_command,
    };

    return commands[phase] ? commands[phase] : "";
}

void config_each_string(const struct config *config,
                        void (*visit)(void *arg, const char *name, const char *value), void *arg)
{
    for (const struct option_row *row = rows; row->name; row++) {
        char *const *value = (char *const *)(const void *)((const char *)config + row->offset);

        if (row->type == OPTION_TYPE_STRING && *value)
            visit(arg, row->name, *value);
    }
}

void config_print_help(FILE *out)
{
    option_print_help(rows, out);
}
