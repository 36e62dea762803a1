/* SPDX-License-Identifier: GPL-3.0-or-later
 * What an agent is told by its configuration file; read once, const from then on. */
#ifndef AGENT_CONFIG_H
#define AGENT_CONFIG_H

#include "common/err.h"
#include "common/names.h"
#include "common/option.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define CONFIG_DEFAULT_FILE  "testflinger-agent.conf"
#define CONFIG_DEFAULT_TOKEN "/var/lib/testflinger-agent/refresh_token"

#define CONFIG_GLOBAL_TIMEOUT_S 14400 /* of a job that does not say */
#define CONFIG_OUTPUT_TIMEOUT_S 900

struct config {
    char *agent_id;
    char *server_address;
    char *identifier;
    char *location;
    char *provision_type;
    struct option_list job_queues;
    int64_t polling_interval; /* seconds, as all below unless named otherwise */
    char *execution_basedir;
    char *logging_basedir;
    char *results_basedir;
    char *lock_basedir;
    char *logging_level;
    bool logging_quiet;
    int64_t global_timeout;
    int64_t output_timeout;
    int64_t output_bytes;
    int64_t output_rate;                    /* bytes a second */
    int64_t disk_min_free;                  /* bytes */
    struct option_groups advertised_queues; /* queue, description */
    struct option_groups advertised_images; /* queue, image, data */
    char *setup_command;
    char *provision_command;
    char *firmware_update_command;
    char *test_command;
    char *allocate_command;
    char *reserve_command;
    char *cleanup_command;
    /* how patient the agent is; labs rarely need to change these */
    bool cgroup;
    int64_t memory_max; /* bytes */
    int64_t pids_max;
    int64_t kill_grace;
    int64_t cancel_interval;
    int64_t lease_s; /* 0: no leases */
    int64_t wait_s;  /* 0: no request waits at the server */
    int64_t stop_timeout;
    int64_t retry_pause_ms;
    int64_t server_pause_min;
    int64_t server_pause_max;
    int64_t metrics_port; /* 0: none are served */
    char *metrics_address;
};

struct config_source {
    const char *path;
    void (*report)(void *arg, const struct err *mistake); /* told of each; or NULL */
    void *arg;
};

/* *config need not be initialised; on failure it holds nothing, and *err is the first mistake. */
int config_load(struct config *config, const struct config_source *source, struct err *err);
void config_done(struct config *config);

/* The table itself, and the rules for one of its options, for what fills a configuration from
 * elsewhere. */
const struct option_row *config_rows(void);
int config_check(const struct config *config, const char *name, struct err *err);

/* "" if there is none. */
const char *config_command(const struct config *config, enum phase phase);

/* Calls visit for every option that is a string and has a value. */
void config_each_string(const struct config *config,
                        void (*visit)(void *arg, const char *name, const char *value), void *arg);

void config_print_help(FILE *out);

#endif
