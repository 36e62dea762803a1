/* SPDX-License-Identifier: GPL-3.0-or-later
 * The stages.  What they have in common with other types works on a configuration to which the
 * machine's address is added. */
#include "connector/qemu.h"

#include "common/buf.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/json.h"
#include "connector/builtin.h"
#include "connector/config.h"
#include "connector/device_info.h"
#include "connector/qemu_boot.h"
#include "connector/qemu_config.h"
#include "connector/qemu_image.h"
#include "connector/qemu_seed.h"
#include "connector/qemu_vm.h"
#include "connector/serial.h"
#include "connector/ssh.h"
#include "connector/stop.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define ADDRESS       "127.0.0.1"
#define PROVISION_LOG "provision-serial.log"
#define LOCK_MS       (20 * 1000) /* a stage that is being ended needs some time */
#define LOCK_PAUSE_MS 100
#define CONSOLE_MAX   2500

/* --- the machine as a device like any other --------------------------------------------- */

struct view {
    struct config config;
    struct run run; /* the stage's, with that configuration */
    struct ssh ssh; /* borrows from all of that */
};

static void view_done(struct view *view)
{
    config_done(&view->config);
}

static int set_text(struct view *view, const char *key, const char *text, struct err *err)
{
    return jsn_set(view->config.tree, key, json_object_new_string(text), err);
}

static int fill_view(struct view *view, const struct qemu_config *qemu, int port, struct err *err)
{
    char key[QEMU_FILE_SIZE], socket[QEMU_FILE_SIZE];

    qemu_seed_identity(qemu, key);
    qemu_path(qemu, QEMU_TTY_SOCKET, socket);
    if (!qemu->identity && set_text(view, "ssh_identity", key, err) < 0)
        return -1;
    if (set_text(view, "device_ip", ADDRESS, err) < 0 ||
        set_text(view, "serial_socket", socket, err) < 0 ||
        jsn_set(view->config.tree, "ssh_port", json_object_new_int(port), err) < 0)
        return -1;
    return ssh_of_run(&view->ssh, &view->run, err);
}

static int view_make(struct view *view, const struct run *run, const struct qemu_config *qemu,
                     struct err *err)
{
    int port;

    *view = (struct view){.run = *run};
    if (qemu_vm_ssh_port(qemu, run->stop, &port, err) < 0)
        return -1;
    if (json_object_deep_copy(run->config->tree, &view->config.tree, NULL) < 0)
        return err_set(err, ERR_INTERNAL, "out of memory");
    view->run.config = &view->config;
    return fill_view(view, qemu, port, err);
}

static int tell_device(const struct view *view, struct err *err)
{
    struct json_object *more = json_object_new_object();
    struct json_object *port = config_get(&view->config, "ssh_port");
    int rc = -1;

    if (more && jsn_set(more, "ssh_port", json_object_get(port), err) == 0)
        rc = device_info_write(&view->config, more, err);
    (void)json_object_put(more);
    return rc;
}

/* --- stages of a machine that runs ------------------------------------------------------ */

/* Runs a stage that all types have, on the machine. */
static int with_machine(const struct run *run, stage_fn *stage, struct failure *failure)
{
    struct qemu_config qemu;
    struct qemu_vm vm = QEMU_VM_NONE;
    struct view view = {.config = {NULL}};
    struct err err = ERR_INIT;
    int status;

    if (qemu_config_read(&qemu, run, &err) < 0)
        return failure_from_input(failure, &err);
    if (!qemu_vm_find(&qemu, qemu.name, &vm))
        return failure_set(failure, FAILURE_STAGE, NULL,
                           "the job has no virtual machine: it did not provision one, or it has "
                           "ended");
    if (view_make(&view, run, &qemu, &err) < 0)
        status = failure_set(failure, FAILURE_STAGE, &err,
                             "could not find the way to the virtual machine");
    else if (tell_device(&view, &err) < 0)
        status = failure_from(failure, FAILURE_STAGE, &err);
    else
        status = stage ? stage(&view.run, failure) : 0;
    if (status != 0 && !qemu_vm_lives(&vm))
        (void)fprintf(stderr, "testflinger-device-connector: the virtual machine has ended\n");
    view_done(&view);
    qemu_vm_done(&vm);
    return status;
}

int qemu_runtest(const struct run *run, struct failure *failure)
{
    return with_machine(run, builtin_runtest, failure);
}

int qemu_allocate(const struct run *run, struct failure *failure)
{
    return with_machine(run, NULL, failure);
}

int qemu_reserve(const struct run *run, struct failure *failure)
{
    return with_machine(run, builtin_reserve, failure);
}

/* --- stages that make and destroy it ---------------------------------------------------- */

/* Two stages at once would take the machine from each other. */
static int lock(const struct qemu_config *qemu, struct stop *stop, int *ret_fd, struct err *err)
{
    AUTO_CLOSE int fd = open(qemu->state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int64_t deadline = clock_ms(&clock_system) + LOCK_MS;

    if (fd < 0)
        return err_set_errno(err, errno, "could not open \"%s\"", qemu->state_dir);
    while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
        if (errno != EWOULDBLOCK)
            return err_set_errno(err, errno, "could not lock \"%s\"", qemu->state_dir);
        if (stop_wait(stop, LOCK_PAUSE_MS))
            return stop_error(stop, err);
        if (clock_ms(&clock_system) >= deadline)
            return err_set(err, ERR_CONFLICT, "another stage is at work in \"%s\"",
                           qemu->state_dir);
    }
    *ret_fd = take_fd(&fd);
    return 0;
}

static int open_state(struct qemu_config *qemu, const struct run *run, int *ret_lock,
                      struct failure *failure)
{
    struct err err = ERR_INIT;

    if (qemu_config_read(qemu, run, &err) < 0)
        return failure_from_input(failure, &err);
    if (lock(qemu, run->stop, ret_lock, &err) < 0)
        return failure_from(failure, FAILURE_STAGE, &err);
    return 0;
}

/* A host on which machines cannot be ended is of no use for another job. */
static int destroy(const struct qemu_config *qemu, const char *what, struct failure *failure)
{
    struct err err = ERR_INIT;
    int count;

    if (qemu_vm_destroy(qemu, &count, &err) < 0)
        return failure_set(failure, FAILURE_RECOVERY, &err,
                           "could not destroy the virtual machine");
    if (count > 0)
        (void)printf("destroyed %s\n", what);
    return 0;
}

static int prepare(const struct qemu_config *qemu, const struct run *run, struct failure *failure)
{
    struct err err = ERR_INIT;

    if (mkdir(qemu->dir, 0700) < 0)
        (void)err_set_errno(&err, errno, "could not make \"%s\"", qemu->dir);
    else if (qemu_image_prepare(qemu, run, &err) == 0 && qemu_seed_make(qemu, run, &err) == 0)
        return 0;
    /* an address that is none is the job's, too */
    return failure_set(failure,
                       err.code == ERR_BAD_REQUEST || err.code == ERR_INVALID ? FAILURE_JOB
                                                                              : FAILURE_STAGE,
                       &err, "could not prepare the virtual machine's disks");
}

/* With its console being read, from the first character on. */
static int boot(const struct qemu_config *qemu, const struct view *view, const struct qemu_vm *vm,
                struct err *err)
{
    int64_t start = clock_ms(&clock_system);
    const struct ssh *ssh = &view->ssh;

    if (qemu_vm_continue(qemu, view->run.stop, err) < 0 ||
        qemu_boot_wait(vm, ssh, qemu->boot_timeout_ms, err) < 0 || tell_device(view, err) < 0)
        return -1;
    (void)printf("the virtual machine answers over ssh after %lld seconds: %s@%s, port %d\n",
                 (long long)(clock_ms(&clock_system) - start + 500) / 1000, ssh->user, ssh->host,
                 (int)ssh->port);
    return 0;
}

static int fail_boot(const struct err *err, struct failure *failure)
{
    AUTO(buf) struct buf console = BUF_INIT(CONSOLE_MAX);

    qemu_boot_add_tail(PROVISION_LOG, &console);
    return failure_set(failure, FAILURE_STAGE, NULL, "the virtual machine did not start: %s%s%s",
                       err->text, console.len > 0 ? "; its console ended with:\n" : "",
                       buf_text(&console));
}

static int start(const struct qemu_config *qemu, const struct run *run, struct failure *failure)
{
    struct view view = {.config = {NULL}};
    struct qemu_vm vm = QEMU_VM_NONE;
    struct serial serial = {0};
    struct err err = ERR_INIT;
    int rc = qemu_vm_start(qemu, run->stop, &err);

    if (rc == 0 && !qemu_vm_find(qemu, qemu->name, &vm))
        rc = err_set(&err, ERR_GONE, "it ended at once");
    if (rc == 0)
        rc = view_make(&view, run, qemu, &err);
    if (rc == 0)
        rc = serial_start(&serial, &view.config, PROVISION_LOG, &err);
    if (rc == 0)
        rc = boot(qemu, &view, &vm, &err);
    serial_stop(&serial);
    if (rc < 0)
        rc = fail_boot(&err, failure);
    view_done(&view);
    qemu_vm_done(&vm);
    return rc;
}

int qemu_provision(const struct run *run, struct failure *failure)
{
    AUTO_CLOSE int lock_fd = -1;
    struct qemu_config qemu;
    struct failure second = {.kind = FAILURE_STAGE};

    if (open_state(&qemu, run, &lock_fd, failure) < 0 ||
        destroy(&qemu, "a virtual machine that was left over", failure) < 0)
        return -1;
    if (prepare(&qemu, run, failure) == 0 && start(&qemu, run, failure) == 0)
        return 0;
    if (destroy(&qemu, "the virtual machine", &second) < 0)
        *failure = second; /* the worse of the two */
    return -1;
}

int qemu_cleanup(const struct run *run, struct failure *failure)
{
    AUTO_CLOSE int lock_fd = -1;
    struct qemu_config qemu;

    if (open_state(&qemu, run, &lock_fd, failure) < 0)
        return -1;
    return destroy(&qemu, "the virtual machine", failure);
}
