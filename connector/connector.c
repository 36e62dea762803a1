/* SPDX-License-Identifier: GPL-3.0-or-later
 * The frame around a stage: reads what it needs, runs it, and tells why it failed. */
#include "connector/connector.h"

#include "common/cleanup.h"
#include "connector/arguments.h"
#include "connector/config.h"
#include "connector/device_info.h"
#include "connector/job.h"
#include "connector/stop.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define SIGNAL_STATUS 128

/* A job that asks for what the type cannot do must not look as if it was done; that a type has
 * nothing to prepare or undo is no fault. */
static int what_is_missing(const struct run *run, struct failure *failure)
{
    if (run->stage == STAGE_PROVISION || run->stage == STAGE_ALLOCATE ||
        run->stage == STAGE_CLEANUP)
        return 0;
    return failure_set(failure, FAILURE_JOB, NULL, "devices of type %s have no stage %s",
                       run->type->name, stage_name(run->stage));
}

static int run_stage(const struct run *run, struct failure *failure)
{
    stage_fn *stage = run->type->stages[run->stage];
    struct err err = ERR_INIT;

    if ((run->stage == STAGE_PROVISION || run->stage == STAGE_ALLOCATE) &&
        device_info_write(run->config, NULL, &err) < 0)
        return failure_from(failure, FAILURE_STAGE, &err);
    return stage ? stage(run, failure) : what_is_missing(run, failure);
}

/* Says it, writes it for the agent, and returns the exit status. */
static int report(const struct failure *failure, enum stage stage)
{
    struct err err = ERR_INIT;

    (void)fflush(stdout);
    (void)fprintf(stderr, "testflinger-device-connector: %s: %s%s%s\n", stage_name(stage),
                  failure->message, failure->cause[0] ? ": " : "", failure->cause);
    if (failure_write(failure, stage, &err) < 0)
        (void)fprintf(stderr, "testflinger-device-connector: %s\n", err.text);
    return failure_status(failure);
}

static int load_and_run(const struct arguments *args, struct run *run, struct failure *failure)
{
    AUTO_FREE char *config_path = realpath(args->config, NULL);
    AUTO_FREE char *job_path = realpath(args->job, NULL);
    struct config config = {NULL};
    struct job job = {NULL};
    struct err err = ERR_INIT;
    int status;

    if (config_load(&config, config_path ? config_path : args->config, &err) < 0) {
        status = failure_from(failure, FAILURE_CONFIG, &err);
    } else if (job_load(&job, job_path ? job_path : args->job, &err) < 0) {
        status = failure_from(failure, FAILURE_JOB, &err);
    } else {
        run->config = &config;
        run->config_path = config_path;
        run->job = &job;
        run->job_path = job_path;
        status = run_stage(run, failure);
    }
    job_done(&job);
    config_done(&config);
    return status;
}

static int run_and_report(const struct arguments *args)
{
    AUTO_FREE char *dir = getcwd(NULL, 0);
    struct stop stop = {.fd = -1};
    struct run run = {.stage = args->stage, .type = args->type, .dir = dir, .stop = &stop};
    struct failure failure = {.kind = FAILURE_STAGE};
    struct err err = ERR_INIT;
    int status;

    if (!dir)
        status = failure_set(&failure, FAILURE_STAGE, NULL, "could not find the working directory");
    else if (stop_init(&stop, &err) < 0)
        status = failure_from(&failure, FAILURE_STAGE, &err);
    else
        status = load_and_run(args, &run, &failure);
    stop_done(&stop);
    if (status < 0)
        status = report(&failure, args->stage);
    /* ended by a signal, whatever the stage made of that */
    return stop.number && status != FAILURE_UNRECOVERABLE ? SIGNAL_STATUS + stop.number : status;
}

int connector_run(int argc, char **argv)
{
    struct arguments args;
    int status;

    /* what is printed goes into the job's log while the stage runs */
    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    status = arguments_parse(&args, argc, argv);
    if (status < 0)
        status = run_and_report(&args);
    return fflush(stdout) == 0 ? status : EXIT_FAILURE;
}
