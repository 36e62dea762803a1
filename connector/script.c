/* SPDX-License-Identifier: GPL-3.0-or-later
 * Runs <stage>_command of the configuration with sh, in the job's directory, for <stage>_timeout at
 * most. */
#include "connector/script.h"

#include "common/buf.h"
#include "common/cleanup.h"
#include "connector/builtin.h"
#include "connector/config.h"
#include "connector/environment.h"
#include "connector/job.h"
#include "connector/job_environment.h"
#include "connector/process.h"
#include "connector/serial.h"

#include <stdio.h>
#include <string.h>

#define KEY_SIZE       64
#define SAID_MAX       2000
#define TIMEOUT_MAX_MS ((int64_t)30 * 24 * 3600 * 1000)

struct command {
    const char *text;
    int64_t timeout_ms;
};

/* *ret_command stays empty if there is none. */
static int read_command(const struct run *run, struct command *ret_command, struct err *err)
{
    struct json_object *text;
    char key[KEY_SIZE];

    (void)snprintf(key, sizeof(key), "%s_command", stage_name(run->stage));
    text = config_get(run->config, key);
    if (text && !json_object_is_type(text, json_type_string))
        return err_set(err, ERR_INVALID, "%s of the configuration is no command", key);
    ret_command->text = config_text(run->config, key);
    (void)snprintf(key, sizeof(key), "%s_timeout", stage_name(run->stage));
    return config_duration_ms(run->config, key, PROCESS_FOREVER, TIMEOUT_MAX_MS,
                              &ret_command->timeout_ms, err);
}

/* What the command is told; names of ours before those of the job. */
static int fill_environment(struct environment *environment, const struct run *run, struct err *err)
{
    const struct {
        const char *name, *value;
    } variables[] = {{"TESTFLINGER_STAGE", stage_name(run->stage)},
                     {"TESTFLINGER_JOB_FILE", run->job_path},
                     {"TESTFLINGER_CONFIG_FILE", run->config_path}};

    if (environment_for(environment, run, err) < 0)
        return -1;
    for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++)
        if (environment_set(environment, variables[i].name, variables[i].value, err) < 0)
            return -1;
    return job_environment_add(environment, run->job->tree, err);
}

/* Of a command that ended with another status than 0: what it said last is the cause. */
static int judge(const struct run *run, int status, struct buf *said, struct failure *failure)
{
    const char *start = buf_text(said);

    while (said->len > 0 && strchr("\r\n ", said->data[said->len - 1]))
        buf_cut(said, said->len - 1);
    if (said->len >= SAID_MAX - 1 && strchr(start, '\n'))
        start = strchr(start, '\n') + 1; /* the first line may lack its beginning */
    (void)failure_set(failure, status == FAILURE_UNRECOVERABLE ? FAILURE_RECOVERY : FAILURE_STAGE,
                      NULL, "the %s command ended with %d", stage_name(run->stage), status);
    (void)snprintf(failure->cause, sizeof(failure->cause), "%s", start);
    /* what a test ends with is its result */
    if (run->stage == STAGE_RUNTEST)
        failure->status = status;
    return -1;
}

static int run_command(const struct run *run, const struct command *command,
                       const struct environment *environment, struct failure *failure)
{
    AUTO(buf) struct buf said = BUF_INIT(SAID_MAX);
    const char *const argv[] = {"sh", "-c", command->text, NULL};
    const struct process process = {.argv = argv,
                                    .environment = environment_items(environment),
                                    .timeout_ms = command->timeout_ms,
                                    .errors = &said,
                                    .errors_shown = true};
    struct err err = ERR_INIT;
    int status;

    if (process_run(&process, run->stop, &status, &err) < 0)
        return failure_set(failure, FAILURE_STAGE, &err, "the %s command did not end well",
                           stage_name(run->stage));
    return status == 0 ? 0 : judge(run, status, &said, failure);
}

static int run_with_environment(const struct run *run, const struct command *command,
                                struct failure *failure)
{
    struct environment environment = {0};
    struct err err = ERR_INIT;
    int status;

    if (fill_environment(&environment, run, &err) < 0)
        status = failure_from_input(failure, &err);
    else
        status = run_command(run, command, &environment, failure);
    environment_done(&environment);
    return status;
}

int script_stage(const struct run *run, struct failure *failure)
{
    struct err err = ERR_INIT;
    struct command command;

    if (read_command(run, &command, &err) < 0)
        return failure_from_input(failure, &err);
    if (command.text)
        return run_with_environment(run, &command, failure);
    if (run->stage == STAGE_FIRMWARE_UPDATE)
        return failure_set(failure, FAILURE_JOB, NULL,
                           "the configuration has no firmware_update_command");
    return 0;
}

int script_runtest(const struct run *run, struct failure *failure)
{
    struct serial serial = {0};
    struct err err = ERR_INIT;
    struct command command;
    int status;

    if (read_command(run, &command, &err) < 0)
        return failure_from_input(failure, &err);
    if (!command.text)
        return builtin_runtest(run, failure);
    if (serial_start(&serial, run->config, SERIAL_TEST_LOG, &err) < 0)
        return failure_from_input(failure, &err);
    status = run_with_environment(run, &command, failure);
    serial_stop(&serial);
    return status;
}

int script_reserve(const struct run *run, struct failure *failure)
{
    struct err err = ERR_INIT;
    struct command command;

    if (read_command(run, &command, &err) < 0)
        return failure_from_input(failure, &err);
    return command.text ? run_with_environment(run, &command, failure)
                        : builtin_reserve(run, failure);
}
