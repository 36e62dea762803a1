/* SPDX-License-Identifier: GPL-3.0-or-later
 * Command lines for ssh and ssh-copy-id; with a password sshpass stands before them, which
 * gets it by the environment: arguments are seen by everybody on the machine. */
#include "connector/ssh.h"

#include "common/buf.h"
#include "common/cleanup.h"
#include "connector/config.h"
#include "connector/connector.h"
#include "connector/environment.h"
#include "connector/job.h"
#include "connector/stop.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEFAULT_USER "ubuntu"
#define ARGS_MAX     40
#define SAID_MAX     300
#define TRY_MS       (3 * SSH_CONNECT_S * 1000)
#define USER_MAX     64
#define HOST_MAX     255
#define ADDRESS_MAX  (USER_MAX + sizeof("@") + HOST_MAX)

struct line {
    const char *args[ARGS_MAX + 1]; /* NULL terminated */
    size_t count;
    const char *home; /* NULL: ours */
    char port[32];
    char address[ADDRESS_MAX];
};

static void add(struct line *line, const char *arg)
{
    assert(line->count < ARGS_MAX);
    line->args[line->count++] = arg;
}

static void add_option(struct line *line, const char *setting)
{
    add(line, "-o");
    add(line, setting);
}

/* The program with all that is the same for both. */
static void start_line(struct line *line, const struct ssh *ssh, const char *program)
{
    static const char *const settings[] = {
        "StrictHostKeyChecking=no",
        "UserKnownHostsFile=/dev/null",
        "GlobalKnownHostsFile=/dev/null",
        "LogLevel=ERROR",
        "ConnectTimeout=10",
        "ServerAliveInterval=15",
        "ServerAliveCountMax=4",
    };

    *line = (struct line){.count = 0};
    if (ssh->password) {
        add(line, "sshpass");
        add(line, "-e");
    }
    add(line, program);
    for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++)
        add_option(line, settings[i]);
    if (ssh->password) {
        add_option(line, "NumberOfPasswordPrompts=1");
        add_option(line, "PubkeyAuthentication=no");
    } else {
        add_option(line, "BatchMode=yes");
    }
    if (ssh->port > 0) {
        (void)snprintf(line->port, sizeof(line->port), "Port=%" PRId64, ssh->port);
        add_option(line, line->port);
    }
}

static void add_identity(struct line *line, const struct ssh *ssh)
{
    if (ssh->identity && !ssh->password) {
        add(line, "-i");
        add(line, ssh->identity);
    }
}

/* *environment stays empty if ours will do. */
static int fill_environment(struct environment *environment, const struct line *line,
                            const struct ssh *ssh, struct err *err)
{
    if (!ssh->password && !line->home)
        return 0;
    if (environment_copy(environment, err) < 0 ||
        (ssh->password && environment_set(environment, "SSHPASS", ssh->password, err) < 0) ||
        (line->home && environment_set(environment, "HOME", line->home, err) < 0))
        return -1;
    return 0;
}

/* Runs the line, whose only result is that it worked. */
static int run_well(const struct line *line, const struct ssh *ssh, int64_t timeout_ms,
                    struct err *err)
{
    AUTO(buf) struct buf said = BUF_INIT(SAID_MAX);
    struct environment environment = {0};
    int status = 0;
    int rc = fill_environment(&environment, line, ssh, err);
    const struct process process = {.argv = line->args,
                                    .environment = environment_items(&environment),
                                    .timeout_ms = timeout_ms,
                                    .output = &said,
                                    .errors = &said};

    if (rc == 0)
        rc = process_run(&process, ssh->stop, &status, err);
    environment_done(&environment);
    if (rc == 0 && status != 0)
        return err_set(err, ERR_UPSTREAM, "%s ended with %d: %s", line->args[ssh->password ? 2 : 0],
                       status, process_last_line(&said));
    return rc;
}

static void add_host(struct line *line, const struct ssh *ssh)
{
    add(line, "-l");
    add(line, ssh->user);
    add(line, "--");
    add(line, ssh->host);
}

/* ssh-copy-id keeps notes in ~/.ssh, and an agent may have no home it can write to. */
static int in_own_home(struct line *line, const struct ssh *ssh, int64_t timeout_ms,
                       struct err *err)
{
    AUTO_FREE char *home = getcwd(NULL, 0);
    int rc;

    if (!home || (mkdir(".ssh", 0700) < 0 && errno != EEXIST))
        return err_set_errno(err, errno, "could not make the directory \".ssh\"");
    line->home = home;
    rc = run_well(line, ssh, timeout_ms, err);
    line->home = NULL;
    (void)rmdir(".ssh");
    return rc;
}

int ssh_add_keys(const struct ssh *ssh, const char *public_file, int64_t timeout_ms,
                 struct err *err)
{
    struct line line;
    AUTO(buf) struct buf setting = BUF_INIT(4096);

    start_line(&line, ssh, "ssh-copy-id");
    /* its -i is the key to add; the one to log in with is told to ssh alone */
    if (ssh->identity && !ssh->password) {
        if (buf_addf(&setting, "IdentityFile=%s", ssh->identity) < 0)
            return err_set(err, ERR_INVALID, "ssh_identity is too long a path");
        add_option(&line, buf_text(&setting));
    }
    add(&line, "-f"); /* we do not have the private half */
    add(&line, "-i");
    add(&line, public_file);
    (void)snprintf(line.address, sizeof(line.address), "%s@%s", ssh->user, ssh->host);
    add(&line, line.address);
    return in_own_home(&line, ssh, timeout_ms, err);
}

int ssh_wait(const struct ssh *ssh, int tries, int64_t pause_ms, struct err *err)
{
    struct line line;

    start_line(&line, ssh, "ssh");
    add_identity(&line, ssh);
    add_host(&line, ssh);
    add(&line, "true");
    for (int try = 1;; try++) {
        struct err why = ERR_INIT;

        if (run_well(&line, ssh, TRY_MS, &why) == 0)
            return 0;
        /* a program that is not there will not come */
        if (try >= tries || why.code == ERR_NOT_FOUND || stop_wait(ssh->stop, pause_ms)) {
            *err = why;
            return -1;
        }
    }
}

static bool is_name(const char *text, size_t max, const char *also)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
    size_t len = strlen(text);

    for (size_t i = 0; i < len; i++)
        if (!strchr(letters, text[i]) && (i == 0 || !strchr(also, text[i])))
            return false;
    return len > 0 && len <= max;
}

const char *ssh_user(const struct run *run)
{
    const char *user = job_username(run->job);

    if (!user)
        user = config_text(run->config, "ssh_user");
    return user ? user : DEFAULT_USER;
}

int ssh_of_device(struct ssh *ssh, const struct run *run, const char *host, int64_t port,
                  struct err *err)
{
    const struct ssh found = {.host = host,
                              .user = ssh_user(run),
                              .password = job_password(run->job),
                              .identity = config_text(run->config, "ssh_identity"),
                              .port = port,
                              .stop = run->stop};

    /* "::1" begins with a colon */
    if (!is_name(host + strspn(host, ":"), HOST_MAX, ".-:%"))
        return err_set(err, ERR_INVALID, "device_ip \"%.100s\" is no host", host);
    if (!is_name(found.user, USER_MAX, ".-+"))
        return err_set(err, job_username(run->job) ? ERR_BAD_REQUEST : ERR_INVALID,
                       "%s \"%.100s\" is no user name",
                       job_username(run->job) ? "test_username" : "ssh_user", found.user);
    *ssh = found;
    return 0;
}

int ssh_of_run(struct ssh *ssh, const struct run *run, struct err *err)
{
    const char *host;
    int64_t port;

    if (config_require(run->config, "device_ip", &host, err) < 0 ||
        config_number(run->config, "ssh_port", 0, 65535, &port, err) < 0)
        return -1;
    return ssh_of_device(ssh, run, host, port, err);
}
