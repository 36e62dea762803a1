/* SPDX-License-Identifier: GPL-3.0-or-later
 * testflinger-server: command line, signals, the watchdog.  The main thread does nothing else; it
 * is the only one that takes signals. */
#include <config.h>

#include "common/clock.h"
#include "common/fs.h"
#include "common/log.h"
#include "common/service.h"
#include "server/config.h"
#include "server/server.h"

#include <errno.h>
#include <getopt.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define LARGE_BLOCK   (256 << 10)
#define TICK_MS       1000
#define DRAIN_TICK_MS 20
#define DRAIN_HARD_MS 15000 /* for workers that are stuck, on top of the option's time */

struct arguments {
    const char *config_path;
    bool check;
};

static void print_help(void)
{
    (void)printf("usage: testflinger-server [-c FILE] [--check]\n"
                 "Serves the Testflinger API.\n"
                 "\n"
                 "  -c, --config FILE   read options from FILE\n"
                 "      --check         check options and the files they name, then end\n"
                 "      --print-config  print a sample of FILE, then end\n"
                 "  -h, --help          print this text, then end\n"
                 "  -V, --version       print the version, then end\n"
                 "\n"
                 "Options, in FILE as NAME = VALUE; or in the environment as TESTFLINGER_NAME:\n");
    config_print_help(stdout);
}

/* Returns 0 to go on, 1 if all is done, -1 if the command line is wrong. */
static int parse_arguments(int argc, char **argv, struct arguments *ret_arguments)
{
    enum { OPT_CHECK = 256, OPT_PRINT_CONFIG };
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'},
        {"check", no_argument, NULL, OPT_CHECK},
        {"print-config", no_argument, NULL, OPT_PRINT_CONFIG},
        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'V'},
        {NULL, 0, NULL, 0},
    };
    int opt;

    while ((opt = getopt_long(argc, argv, "c:hV", options, NULL)) != -1) {
        if (opt == 'c')
            ret_arguments->config_path = optarg;
        else if (opt == OPT_CHECK)
            ret_arguments->check = true;
        else if (opt == OPT_PRINT_CONFIG)
            config_print_sample(stdout);
        else if (opt == 'h')
            print_help();
        else if (opt == 'V')
            (void)printf("testflinger-server %s\n", PACKAGE_VERSION);
        if (opt == '?')
            return -1;
        if (opt != 'c' && opt != OPT_CHECK)
            return 1;
    }
    return optind == argc ? 0 : -1;
}

static int fail(const struct err *err)
{
    (void)fprintf(stderr, "testflinger-server: %s\n", err->text);
    return EXIT_FAILURE;
}

/* Signals are blocked everywhere and taken by the main thread alone. */
static void block_signals(sigset_t *ret_set)
{
    (void)sigemptyset(ret_set);
    (void)sigaddset(ret_set, SIGTERM);
    (void)sigaddset(ret_set, SIGINT);
    (void)sigaddset(ret_set, SIGHUP);
    (void)pthread_sigmask(SIG_BLOCK, ret_set, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
}

/* Every connection is a file: take what the system allows. */
static void raise_file_limit(const struct config *config)
{
    struct rlimit limit;
    rlim_t wanted = (rlim_t)(config->loops * config->connections_max) + 512;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= wanted)
        return;
    limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
    if (setrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur < wanted)
        log_warning("config", "text=\"fewer files than connections_max may be open\" files=%llu",
                    (unsigned long long)limit.rlim_cur);
}

/* The next signal, 0 after ms without one. */
static int wait_signal(const sigset_t *set, int64_t ms)
{
    const struct timespec timeout = {ms / 1000, ms % 1000 * 1000000};
    int sig = sigtimedwait(set, NULL, &timeout);

    return sig < 0 ? 0 : sig;
}

static int apply_log_options(const struct config *config, struct err *err)
{
    log_set_level(config_log_level(config));
    return log_set_file(config->log_file, err);
}

/* SIGHUP: the log is opened again; of the options only those of the log can change. */
static void reload(const struct server *server, const char *config_path)
{
    struct config fresh;
    struct err err = ERR_INIT;

    service_notify("RELOADING=1");
    if (config_load(config_path, &fresh, &err) < 0) {
        log_error("reload", "error=%s", LOG_VALUE(err.text));
        (void)log_reopen(&err);
    } else {
        if (apply_log_options(&fresh, &err) < 0)
            log_error("reload", "error=%s", LOG_VALUE(err.text));
        config_done(&fresh);
        log_info("reload", "text=\"log opened again\"");
    }
    if (server_reopen_logs(server, &err) < 0)
        log_error("reload", "error=%s", LOG_VALUE(err.text));
    service_notify("READY=1");
}

static int announce(const struct config *config, const struct server *server, struct err *err)
{
    char port[16];
    int len = snprintf(port, sizeof(port), "%d\n", server_port(server));

    log_info("listening", "url=%s version=%s", server_url(server), PACKAGE_VERSION);
    if (config->port_file && fs_write_atomic(config->port_file, port, (size_t)len, 0644, err) < 0)
        return -1;
    service_notify("READY=1");
    return 0;
}

static void serve(const struct server *server, const sigset_t *signals, const char *config_path)
{
    int64_t watchdog_ms = service_watchdog_ms();
    int64_t tick_ms = watchdog_ms && watchdog_ms / 2 < TICK_MS ? watchdog_ms / 2 : TICK_MS;
    int sig;

    for (;;) {
        sig = wait_signal(signals, tick_ms);
        if (sig == SIGTERM || sig == SIGINT)
            break;
        if (sig == SIGHUP)
            reload(server, config_path);
        if (watchdog_ms && server_alive(server))
            service_notify("WATCHDOG=1");
    }
    log_info("stopping", "signal=%d", sig);
}

/* A second signal cuts it short.  Workers that never come back are left behind: the database bounds
 * what they do, and whoever started us wants us to end. */
static int stop(struct server *server, const struct config *config, const sigset_t *signals)
{
    int64_t end_ms = clock_ms(&clock_system) + config->drain_timeout_s * 1000 + DRAIN_HARD_MS;

    service_notify("STOPPING=1");
    server_drain(server, config->drain_timeout_s * 1000);
    while (!server_drained(server)) {
        if (clock_ms(&clock_system) > end_ms) {
            log_error("stopped", "text=\"requests were still under way\"");
            _exit(EXIT_FAILURE);
        }
        if (wait_signal(signals, DRAIN_TICK_MS))
            server_drain(server, 0);
    }
    server_free(server);
    log_info("stopped", "text=\"nothing left under way\"");
    return EXIT_SUCCESS;
}

/* What bodies and logs need, megabytes at times, goes back to the system at once.  As it is, glibc
 * raises this limit when it meets such blocks, and every thread keeps what it once needed. */
static void give_back_large_blocks(void)
{
    (void)mallopt(M_MMAP_THRESHOLD, LARGE_BLOCK);
}

static int run(const struct config *config, const char *config_path)
{
    struct err err = ERR_INIT;
    struct server *server;
    sigset_t signals;
    int status;

    if (apply_log_options(config, &err) < 0)
        return fail(&err);
    block_signals(&signals);
    raise_file_limit(config);
    give_back_large_blocks();
    server = server_start(config, &clock_system, &err);
    if (!server)
        return fail(&err);
    if (announce(config, server, &err) < 0) {
        (void)stop(server, config, &signals);
        return fail(&err);
    }
    serve(server, &signals, config_path);
    status = stop(server, config, &signals);
    if (config->port_file)
        (void)unlink(config->port_file);
    return status;
}

int main(int argc, char **argv)
{
    struct arguments arguments = {0};
    struct config config;
    struct err err = ERR_INIT;
    int rc = parse_arguments(argc, argv, &arguments);

    if (rc < 0) {
        (void)fprintf(stderr, "usage: testflinger-server [-c FILE] [--check] (see --help)\n");
        return 2;
    }
    if (rc > 0)
        return EXIT_SUCCESS;
    if (config_load(arguments.config_path, &config, &err) < 0)
        return fail(&err);
    if (arguments.check)
        rc = server_check(&config, &err) < 0 ? fail(&err) : EXIT_SUCCESS;
    else
        rc = run(&config, arguments.config_path);
    config_done(&config);
    (void)log_set_file(NULL, NULL);
    return rc;
}
