/* SPDX-License-Identifier: GPL-3.0-or-later
 * The server's options: file, environment (TESTFLINGER_<OPTION>), defaults. */
#ifndef SERVER_CONFIG_H
#define SERVER_CONFIG_H

#include "common/err.h"
#include "common/log.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct config {
    char *listen;
    char *port_file;
    int64_t loops;
    int64_t connections_max;
    int64_t waiting_max;
    int64_t header_timeout_s;
    int64_t body_timeout_s;
    int64_t keepalive_timeout_s;
    int64_t drain_timeout_s;
    int64_t upload_max_bytes;

    char *database;
    char *database_password_file;
    bool db_prepare;
    int64_t statement_timeout_ms;
    int64_t connect_timeout_s;
    int64_t workers;
    int64_t slow_workers;
    int64_t bulk_workers;
    int64_t queue_max;
    int64_t list_days;
    int64_t lease_min_s;
    int64_t reap_period_ms;
    int64_t upkeep_period_ms;

    char *jwt_key_file;
    char *secrets_key_file;
    int64_t token_leeway_s;
    int64_t access_token_lifetime_s;
    int64_t refresh_token_lifetime_s;
    int64_t bcrypt_cost;

    char *webhook_base_url;
    char *webhook_token_file;

    char *log_level;
    char *log_file;
    char *security_log_level;
    char *security_log_file;
    bool trust_forwarded_for;
};

/* path NULL: environment and defaults alone.  *ret_config is released with config_done(). */
int config_load(const char *path, struct config *ret_config, struct err *err);
void config_done(struct config *config);

enum log_level config_log_level(const struct config *config);
enum log_level config_security_log_level(const struct config *config);
/* The connection string with the password of database_password_file in it; the caller frees it. */
int config_conninfo(const struct config *config, char **ret_conninfo, struct err *err);

void config_print_help(FILE *out);
void config_print_sample(FILE *out);

#endif
