/* SPDX-License-Identifier: GPL-3.0-or-later
 * testflinger-agent: options, configuration, and the parts that the loop works with. */
#include "agent/api.h"
#include "agent/cgroup.h"
#include "agent/config.h"
#include "agent/context.h"
#include "agent/convert.h"
#include "agent/lock.h"
#include "agent/logfile.h"
#include "agent/loop.h"
#include "agent/reactor.h"
#include "agent/runner.h"
#include "agent/spool.h"
#include "agent/telemetry.h"
#include "common/buf.h"
#include "common/cleanup.h"
#include "common/log.h"
#include "common/parse.h"
#include "fetch/token.h"

#include <config.h>
#include <getopt.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXIT_USAGE 2
#define EXIT_LOSS  3

struct arguments {
    const char *config;
    const char *token_file;
    bool token_wanted; /* --token-file was given: it must be there */
    bool check;
    const char *convert;  /* NULL: serve */
    int64_t metrics_port; /* -1: as configured */
    int status;           /* to exit with at once; -1: go on */
};

static void print_help(void)
{
    printf(
        "Usage: testflinger-agent [OPTION]...\n"
        "Serve one device: take jobs from a Testflinger server, run their phases, report.\n\n"
        "  -c, --config FILE      configuration (default: " CONFIG_DEFAULT_FILE ")\n"
        "      --token-file PATH  JSON with a refresh_token\n"
        "                         (default: " CONFIG_DEFAULT_TOKEN ", if it is there)\n"
        "  -p, --metrics_port PORT\n"
        "                         serve Prometheus metrics on this port; 0: do not\n"
        "      --check            check the configuration and exit\n"
        "      --convert FILE     print the YAML configuration of a Python agent as one of this\n"
        "                         agent; what is lost is told on standard error (status 3)\n"
        "  -V, --version          print the version and exit\n"
        "  -h, --help             print this and exit\n\n"
        "Configuration file:\n");
    config_print_help(stdout);
}

static void parse_port(const char *text, struct arguments *args)
{
    struct err err = ERR_INIT;

    if (parse_int64(text, 0, UINT16_MAX, &args->metrics_port, &err) == 0)
        return;
    fprintf(stderr, "testflinger-agent: --metrics_port: %s\n", err.text);
    args->status = EXIT_USAGE;
}

static void parse_arguments(int argc, char **argv, struct arguments *args)
{
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'},
        {"token-file", required_argument, NULL, 't'},
        {"metrics_port", required_argument, NULL, 'p'},
        {"check", no_argument, NULL, 'k'},
        {"convert", required_argument, NULL, 'o'},
        {"version", no_argument, NULL, 'V'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    int option;

    *args =
        (struct arguments){CONFIG_DEFAULT_FILE, CONFIG_DEFAULT_TOKEN, false, false, NULL, -1, -1};
    while (args->status < 0 && (option = getopt_long(argc, argv, "c:p:hV", options, NULL)) != -1) {
        switch (option) {
        case 'c':
            args->config = optarg;
            break;
        case 't':
            args->token_file = optarg;
            args->token_wanted = true;
            break;
        case 'p':
            parse_port(optarg, args);
            break;
        case 'k':
            args->check = true;
            break;
        case 'o':
            args->convert = optarg;
            break;
        case 'V':
            printf("testflinger-agent %s\n", PACKAGE_VERSION);
            args->status = EXIT_SUCCESS;
            break;
        case 'h':
            print_help();
            args->status = EXIT_SUCCESS;
            break;
        default: /* getopt has said what is wrong */
            args->status = EXIT_USAGE;
            break;
        }
    }
    if (args->status < 0 && optind < argc) {
        fprintf(stderr, "testflinger-agent: unexpected argument \"%s\"\n", argv[optind]);
        args->status = EXIT_USAGE;
    }
}

/* *ret_token stays NULL if the default file is not there. */
static int read_token(const struct arguments *args, char **ret_token, struct err *err)
{
    struct err why = ERR_INIT;

    if (fetch_token_read(args->token_file, ret_token, &why) == 0 ||
        (why.code == ERR_NOT_FOUND && !args->token_wanted))
        return 0;
    *err = why;
    return -1;
}

/* They are read from descriptors by the loop and the runner. */
static int block_signals(struct err *err)
{
    static const int blocked[] = {SIGTERM, SIGINT, SIGUSR1, SIGHUP, SIGCHLD};
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigset_t set;

    (void)sigemptyset(&set);
    for (size_t i = 0; i < sizeof(blocked) / sizeof(blocked[0]); i++)
        (void)sigaddset(&set, blocked[i]);
    if (sigprocmask(SIG_BLOCK, &set, NULL) < 0 || sigaction(SIGPIPE, &ignore, NULL) < 0)
        return err_set(err, ERR_INTERNAL, "could not block signals");
    return 0;
}

static int set_up_log(const struct config *config, struct err *err)
{
    enum log_level level;

    if (log_level_parse(config->logging_level, &level, err) < 0)
        return -1;
    log_set_level(level);
    if (logfile_open(config->logging_basedir, err) < 0)
        return -1;
    log_set_quiet(config->logging_quiet);
    return 0;
}

/* NULL if there is to be none, or cannot be: the log says so once, and /proc serves instead. */
static struct cgroup *make_cgroup(const struct config *config)
{
    const struct cgroup_limits limits = {config->memory_max, config->pids_max};
    AUTO(buf) struct buf dir = BUF_INIT(8192);
    AUTO(buf) struct buf unset = BUF_INIT(8192);
    struct cgroup *cgroup = NULL;
    struct err err = ERR_INIT;

    if (config->cgroup && cgroup_find(&dir, &err) == 0)
        cgroup = cgroup_new(buf_text(&dir), config->agent_id, &limits, &unset, &err);
    if (!cgroup)
        log_info("cgroup", "none: %s", config->cgroup ? err.text : "not wanted");
    if (unset.len || (!cgroup && (limits.memory_max || limits.pids_max)))
        log_warning("cgroup", "limits of jobs are not set: %s",
                    unset.len ? buf_text(&unset) : "there is no control group");
    return cgroup;
}

/* Makes what the loop needs, and runs it. */
static int serve(const struct config *config, const char *token, struct err *err)
{
    struct reactor reactor = REACTOR_INIT(&clock_system);
    const struct api_config server = {config->server_address, token, config->retry_pause_ms};
    struct context context = {.config = config, .reactor = &reactor};
    struct cgroup *cgroup = NULL;
    struct loop *loop = NULL;
    AUTO_CLOSE int lock_fd = -1;
    int status = -1;

    if (uuid_make(clock_us(reactor.clock), context.boot, err) < 0 ||
        lock_take_name(config->lock_basedir, config->agent_id, &lock_fd, err) < 0)
        return -1;
    context.spool =
        spool_new(config->execution_basedir, config->results_basedir, config->agent_id, err);
    if (context.spool) {
        cgroup = make_cgroup(config);
        context.runner = runner_new(&reactor, cgroup, err);
    }
    if (context.runner)
        context.api = api_new(&reactor, &server, err);
    if (context.api)
        context.telemetry = telemetry_new(&context, err);
    if (context.telemetry)
        loop = loop_new(&context, err);
    if (loop) {
        log_info("start", "agent=%s server=%s authenticated=%d", LOG_VALUE(config->agent_id),
                 LOG_VALUE(api_server(context.api)), token != NULL);
        status = loop_run(loop, err);
    }
    loop_free(loop);
    telemetry_free(context.telemetry);
    api_free(context.api);
    runner_free(context.runner);
    cgroup_free(cgroup);
    spool_free(context.spool);
    return status;
}

static void tell_loss(void *arg, const char *loss)
{
    (void)arg;
    fprintf(stderr, "testflinger-agent: %s\n", loss);
}

static int print_converted(const char *path, struct err *err)
{
    const struct conversion conversion = {path, tell_loss, NULL};
    AUTO(buf) struct buf text = BUF_INIT(CONVERT_TEXT_MAX);
    size_t losses;

    if (convert(&conversion, &text, &losses, err) < 0)
        return -1;
    if (fputs(buf_text(&text), stdout) == EOF || fflush(stdout) == EOF)
        return err_set(err, ERR_INTERNAL, "could not write the configuration");
    return losses > 0 ? EXIT_LOSS : EXIT_SUCCESS;
}

static void complain(void *arg, const struct err *mistake)
{
    (void)arg;
    fprintf(stderr, "testflinger-agent: %s\n", mistake->text);
}

static int run(const struct arguments *args, struct err *err)
{
    const struct config_source source = {args->config, complain, NULL};
    struct config config;
    char *token = NULL;
    int status = -1;

    if (config_load(&config, &source, err) < 0)
        return EXIT_FAILURE; /* every mistake was told */
    if (args->metrics_port >= 0)
        config.metrics_port = args->metrics_port;
    if (args->check) {
        /* the default token file may be for the agent's user alone */
        if (!args->token_wanted || read_token(args, &token, err) == 0) {
            printf("%s is fine\n", args->config);
            status = EXIT_SUCCESS;
        }
    } else if (read_token(args, &token, err) == 0 && block_signals(err) == 0 &&
               set_up_log(&config, err) == 0) {
        status = serve(&config, token, err);
        if (status < 0)
            log_error("end", "error=%s", LOG_VALUE(err->text));
        (void)log_set_file(NULL, NULL);
    }
    free(token);
    config_done(&config);
    return status;
}

int main(int argc, char **argv)
{
    struct arguments args;
    struct err err = ERR_INIT;
    int status;

    parse_arguments(argc, argv, &args);
    if (args.status >= 0)
        return args.status;
    status = args.convert ? print_converted(args.convert, &err) : run(&args, &err);
    if (status < 0) {
        fprintf(stderr, "testflinger-agent: %s\n", err.text);
        return EXIT_FAILURE;
    }
    return status;
}
