/* SPDX-License-Identifier: GPL-3.0-or-later
 * The option table, and what does not fit into one row. */
#include "server/config.h"

#include "common/address.h"
#include "common/buf.h"
#include "common/cleanup.h"
#include "common/fs.h"
#include "common/option.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define CONNINFO_MAX ((size_t)16 << 10)

static const struct option_row rows[] = {
    OPTION_STRING(struct config, listen, "127.0.0.1:8000", "HOST:PORT",
                  "address to serve; port 0 is any free one, host * is every address"),
    OPTION_STRING(struct config, port_file, NULL, "FILE",
                  "file to write the port to, once requests are taken"),
    OPTION_INT(struct config, loops, "1", 1, 64, "N", "threads for connections"),
    OPTION_INT(struct config, connections_max, "4000", 16, 1000000, "N",
               "open connections of one loop; more wait at the socket"),
    OPTION_INT(struct config, waiting_max, "2000", 1, 1000000, "N",
               "requests of one client, or of one agent, that may wait; more are answered 429"),
    OPTION_INT(struct config, header_timeout_s, "30", 1, 3600, "SECONDS",
               "time for a whole request header"),
    OPTION_INT(struct config, body_timeout_s, "60", 1, 86400, "SECONDS",
               "time for a whole request body, and a second more for each 64 KiB"),
    OPTION_INT(struct config, keepalive_timeout_s, "75", 1, 3600, "SECONDS",
               "silence after which a connection is closed"),
    OPTION_INT(struct config, drain_timeout_s, "30", 0, 3600, "SECONDS",
               "time for requests under way after SIGTERM"),
    OPTION_INT(struct config, upload_max_bytes, "10737418240", 1, INT64_C(1) << 50, "BYTES",
               "largest artifact or attachment"),
    OPTION_STRING(struct config, database, "dbname=testflinger", "CONNINFO",
                  "how to reach PostgreSQL, as libpq takes it"),
    OPTION_STRING(struct config, database_password_file, NULL, "FILE",
                  "file with the password for the database"),
    OPTION_BOOL(struct config, db_prepare, "true",
                "prepare statements (false behind a pgbouncer that cannot)"),
    OPTION_INT(struct config, statement_timeout_ms, "30000", 100, 3600000, "MS",
               "longest time for one SQL statement"),
    OPTION_INT(struct config, connect_timeout_s, "5", 2, 300, "SECONDS",
               "longest time for one attempt to connect to the database"),
    OPTION_INT(struct config, workers, "8", 1, 256, "N",
               "worker threads, one database connection each"),
    OPTION_INT(struct config, slow_workers, "2", 1, 64, "N",
               "further ones for slow requests: passwords, searches"),
    OPTION_INT(struct config, bulk_workers, "0", 0, 64, "N",
               "further ones for pieces of files and long answers; 0: half of the processors"),
    OPTION_INT(struct config, queue_max, "1000", 1, 100000, "N",
               "new requests that may wait for a worker; more are answered 503"),
    OPTION_INT(struct config, list_days, "7", 1, 36500, "DAYS",
               "age up to which lists of jobs without limit show what has ended"),
    OPTION_INT(struct config, lease_min_s, "30", 1, 3600, "SECONDS",
               "shortest lease that an agent may ask for"),
    OPTION_INT(struct config, reap_period_ms, "2000", 50, 5000, "MS",
               "how often leases whose time is over are looked for, by all servers together"),
    OPTION_INT(struct config, upkeep_period_ms, "300000", 50, 86400000, "MS",
               "how often the other periodic work is done: partitions, what has expired"),
    OPTION_REQUIRED(struct config, jwt_key_file, "FILE",
                    "keys of access tokens, one a line: the first signs, all are accepted"),
    OPTION_STRING(struct config, secrets_key_file, NULL, "FILE",
                  "keys of the store for secrets, a line \"ID KEY\" each: the first seals; "
                  "none: no store"),
    OPTION_INT(struct config, token_leeway_s, "5", 0, 300, "SECONDS",
               "difference of clocks allowed in access tokens"),
    OPTION_INT(struct config, access_token_lifetime_s, "600", 10, 86400, "SECONDS",
               "how long an access token is valid"),
    OPTION_INT(struct config, refresh_token_lifetime_s, "518400", 60, 31536000, "SECONDS",
               "how long a refresh token is valid"),
    OPTION_INT(struct config, bcrypt_cost, "12", 4, 16, "N", "cost of hashing a client's secret"),
    OPTION_STRING(struct config, webhook_base_url, NULL, "URL",
                  "where events of jobs may be sent: their webhooks must lead to this host"),
    OPTION_STRING(struct config, webhook_token_file, NULL, "FILE",
                  "file with the token to send there"),
    OPTION_STRING(struct config, log_level, "info", "LEVEL",
                  "debug (also claims that got nothing), info, warning or error"),
    OPTION_STRING(struct config, log_file, NULL, "FILE", "log to this file as well as to stderr"),
    OPTION_STRING(struct config, security_log_level, "info", "LEVEL",
                  "info: all of the security log; warning: what was refused"),
    OPTION_STRING(struct config, security_log_file, NULL, "FILE",
                  "the security log's own file, instead of the ordinary log"),
    OPTION_BOOL(struct config, trust_forwarded_for, "false",
                "the security log believes X-Forwarded-For: only a proxy reaches this server"),
    OPTION_END};

static int check(const struct config *config, struct err *err)
{
    enum log_level level;
    char origin[ADDRESS_ORIGIN_SIZE];

    if (config->webhook_base_url && address_origin(config->webhook_base_url, origin) < 0)
        return err_set(err, ERR_INVALID, "option webhook_base_url: \"%s\" is not a http(s) address",
                       config->webhook_base_url);
    if (config->log_level && log_level_parse(config->log_level, &level, err) < 0)
        return err_prefix(err, "option log_level");
    if (config->security_log_level && log_level_parse(config->security_log_level, &level, err) < 0)
        return err_prefix(err, "option security_log_level");
    return 0;
}

int config_load(const char *path, struct config *ret_config, struct err *err)
{
    struct config config = {0};

    if (option_load(rows, path, &config, err) < 0)
        return -1;
    if (check(&config, err) < 0) {
        config_done(&config);
        return -1;
    }
    *ret_config = config;
    return 0;
}

void config_done(struct config *config)
{
    option_free(rows, config);
}

enum log_level config_log_level(const struct config *config)
{
    enum log_level level = LOG_LEVEL_INFO;

    (void)log_level_parse(config->log_level, &level, NULL); /* checked when it was loaded */
    return level;
}

enum log_level config_security_log_level(const struct config *config)
{
    enum log_level level = LOG_LEVEL_INFO;

    (void)log_level_parse(config->security_log_level, &level, NULL); /* checked as above */
    return level;
}

static bool is_uri(const char *conninfo)
{
    return strncmp(conninfo, "postgresql://", 13) == 0 || strncmp(conninfo, "postgres://", 11) == 0;
}

/* In a URI as a percent-encoded parameter, else as a quoted value. */
static void add_password(struct buf *b, const char *conninfo, const char *password)
{
    bool uri = is_uri(conninfo);

    (void)buf_adds(b, conninfo);
    if (uri)
        (void)buf_adds(b, strchr(conninfo, '?') ? "&password=" : "?password=");
    else
        (void)buf_adds(b, " password='");
    for (const unsigned char *p = (const unsigned char *)password; *p; p++) {
        if (uri && !isalnum(*p))
            (void)buf_addf(b, "%%%02X", *p);
        else if (!uri && (*p == '\'' || *p == '\\'))
            (void)buf_addf(b, "\\%c", *p);
        else
            (void)buf_addc(b, (char)*p);
    }
    if (!uri)
        (void)buf_addc(b, '\'');
}

int config_conninfo(const struct config *config, char **ret_conninfo, struct err *err)
{
    AUTO(buf) struct buf text = BUF_INIT(CONNINFO_MAX);
    char *password = NULL;

    if (!config->database_password_file) {
        (void)buf_adds(&text, config->database);
    } else {
        if (fs_read_secret(config->database_password_file, &password, err) < 0)
            return -1;
        add_password(&text, config->database, password);
        explicit_bzero(password, strlen(password));
        free(password);
    }
    *ret_conninfo = buf_take(&text);
    return *ret_conninfo ? 0 : err_set(err, ERR_INVALID, "option database is too long");
}

void config_print_help(FILE *out)
{
    option_print_help(rows, out);
}

void config_print_sample(FILE *out)
{
    option_print_sample(rows, out);
}
