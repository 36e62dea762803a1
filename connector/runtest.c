/* SPDX-License-Identifier: GPL-3.0-or-later
 * Runs test_cmds.  A text is a script: it is written to a file and run by sh, or by what its #!
 * line names.  A list is a series of commands for sh, which ends at the first that fails. */
#include "connector/builtin.h"

#include "common/cleanup.h"
#include "common/fs.h"
#include "common/json.h"
#include "connector/environment.h"
#include "connector/job.h"
#include "connector/process.h"
#include "connector/serial.h"

#include <stdio.h>
#include <string.h>

#define SCRIPT_FILE "tf_cmd_script" /* a name that scripts of labs know */

static int run_command(const struct run *run, const struct environment *environment,
                       const char *const *argv, int *ret_status, struct err *err)
{
    const struct process process = {.argv = argv,
                                    .environment = environment_items(environment),
                                    .timeout_ms = PROCESS_FOREVER}; /* the agent has the limits */

    return process_run(&process, run->stop, ret_status, err);
}

static int run_script(const struct run *run, const struct environment *environment,
                      const char *script, int *ret_status, struct err *err)
{
    static const char *const by_shell[] = {"sh", "./" SCRIPT_FILE, NULL};
    bool named = strncmp(script, "#!", 2) == 0;

    if (fs_write_atomic(SCRIPT_FILE, script, strlen(script), 0700, err) < 0)
        return -1;
    return run_command(run, environment, named ? by_shell + 1 : by_shell, ret_status, err);
}

static int run_list(const struct run *run, const struct environment *environment,
                    struct json_object *list, int *ret_status, struct err *err)
{
    size_t count = json_object_array_length(list);
    int status = 0;

    for (size_t i = 0; i < count && status == 0; i++) {
        struct json_object *item = json_object_array_get_idx(list, i);
        const char *argv[] = {"sh", "-c", item ? json_object_get_string(item) : "", NULL};

        if (run_command(run, environment, argv, &status, err) < 0)
            return -1;
        if (status != 0)
            (void)fprintf(stderr,
                          "testflinger-device-connector: test command %zu of %zu ended with %d\n",
                          i + 1, count, status);
    }
    *ret_status = status;
    return 0;
}

static int check_list(struct json_object *list)
{
    for (size_t i = 0; i < json_object_array_length(list); i++)
        if (!json_object_is_type(json_object_array_get_idx(list, i), json_type_string))
            return -1;
    return 0;
}

/* With the environment made and the console watched. */
static int run_commands(const struct run *run, const struct environment *environment,
                        struct json_object *commands, struct failure *failure)
{
    struct err err = ERR_INIT;
    int status = 0, rc;

    if (json_object_is_type(commands, json_type_array))
        rc = run_list(run, environment, commands, &status, &err);
    else
        rc = run_script(run, environment, json_object_get_string(commands), &status, &err);
    if (rc < 0)
        return failure_set(failure, FAILURE_STAGE, &err, "could not run the test commands");
    return status;
}

int runtest_with(const struct run *run, const struct environment *environment,
                 struct failure *failure)
{
    struct json_object *commands = jsn_get(job_section(run->job, "test_data"), "test_cmds");
    struct serial serial = {0};
    struct err err = ERR_INIT;
    int status;

    if (!commands)
        return 0; /* a job may have test_data for its attachments alone */
    if (!json_object_is_type(commands, json_type_string) &&
        (!json_object_is_type(commands, json_type_array) || check_list(commands) < 0))
        return failure_set(failure, FAILURE_JOB, NULL,
                           "test_cmds must be a script or a list of commands");
    if (serial_start(&serial, run->config, SERIAL_TEST_LOG, &err) < 0)
        return failure_from_input(failure, &err);
    status = run_commands(run, environment, commands, failure);
    serial_stop(&serial);
    return status;
}

int builtin_runtest(const struct run *run, struct failure *failure)
{
    struct environment environment = {0};
    struct err err = ERR_INIT;
    int status;

    if (environment_for(&environment, run, &err) < 0)
        status = failure_from_input(failure, &err);
    else
        status = runtest_with(run, &environment, failure);
    environment_done(&environment);
    return status;
}
