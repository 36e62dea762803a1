/* SPDX-License-Identifier: GPL-3.0-or-later
 * A machine is the process that has "-pidfile" and the path in our directory on its command line:
 * that is true from its first moment, whoever started it and whatever was lost since, and of no
 * process that got its number later. */
#include "connector/qemu_vm.h"

#include "common/buf.h"
#include "common/cleanup.h"
#include "common/fs.h"
#include "common/json.h"
#include "connector/process.h"
#include "connector/qemu_args.h"
#include "connector/qemu_qmp.h"
#include "connector/stop.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

#define START_MS     (60 * 1000)
#define ANSWER_MS    (10 * 1000)
#define QUIT_MS      3000
#define KILL_MS      (15 * 1000)
#define SAID_MAX     1000
#define CMDLINE_MAX  ((size_t)4 << 20)
#define MACHINES_MAX 100 /* ended in one go; more than one is a mistake already */
#define FORWARD_MARK "TCP[HOST_FORWARD]"

/* --- starting ------------------------------------------------------------------------- */

static int start_with(const struct qemu_config *qemu, const char *accel, struct stop *stop,
                      struct err *err)
{
    AUTO(buf) struct buf said = BUF_INIT(SAID_MAX);
    struct qemu_args args = {.count = 0};
    const struct process process = {
        .argv = args.items, .timeout_ms = START_MS, .output = &said, .errors = &said};
    int rc = qemu_args_make(&args, qemu, accel, err);
    int status = 0;

    if (rc == 0)
        rc = process_run(&process, stop, &status, err);
    if (rc == 0 && status != 0)
        rc = err_set(err, ERR_INTERNAL, "%s with %s ended with %d: %s", qemu->binary, accel, status,
                     process_last_line(&said));
    if (rc == 0)
        (void)printf("started a virtual machine with %lld MiB, %lld processor%s, %s\n",
                     (long long)qemu->memory_mib, (long long)qemu->cpus, qemu->cpus == 1 ? "" : "s",
                     accel);
    qemu_args_done(&args);
    return rc;
}

int qemu_vm_start(const struct qemu_config *qemu, struct stop *stop, struct err *err)
{
    struct err why = ERR_INIT;

    if (strcmp(qemu->accel, "auto") != 0)
        return start_with(qemu, qemu->accel, stop, err);
    if (access("/dev/kvm", R_OK | W_OK) == 0) {
        if (start_with(qemu, "kvm", stop, &why) == 0)
            return 0;
        /* the device is there and does not work in many a virtual host */
        (void)printf("trying again without kvm: %s\n", why.text);
    }
    return start_with(qemu, "tcg", stop, err);
}

/* --- finding -------------------------------------------------------------------------- */

/* "-option\0value\0" stands there. */
static bool has_pair(const struct buf *line, const char *option, const char *value)
{
    const char *before = "", *arg = buf_text(line);

    for (const char *end = arg + line->len; arg < end; arg += strlen(arg) + 1) {
        if (strcmp(before, option) == 0 && strcmp(arg, value) == 0)
            return true;
        before = arg;
    }
    return false;
}

static bool is_machine(const struct qemu_config *qemu, const char *name, pid_t pid)
{
    AUTO(buf) struct buf line = BUF_INIT(CMDLINE_MAX);
    char proc[64], path[QEMU_FILE_SIZE];

    (void)snprintf(proc, sizeof(proc), "/proc/%d/cmdline", (int)pid);
    qemu_path(qemu, QEMU_PID_FILE, path);
    return fs_read(proc, &line, NULL) == 0 && has_pair(&line, "-pidfile", path) &&
           (!name || has_pair(&line, "-name", name));
}

/* The descriptor first, then the look: it cannot become another process in between. */
static int open_machine(const struct qemu_config *qemu, const char *name, pid_t pid)
{
    AUTO_CLOSE int fd = -1;

    if (!is_machine(qemu, name, pid)) /* saves a descriptor for most */
        return -1;
    fd = pidfd_open(pid, 0);
    return fd >= 0 && is_machine(qemu, name, pid) ? take_fd(&fd) : -1;
}

bool qemu_vm_find(const struct qemu_config *qemu, const char *name, struct qemu_vm *ret_vm)
{
    DIR *proc = opendir("/proc");
    struct dirent *entry;
    int fd = -1;

    while (proc && fd < 0 && (entry = readdir(proc))) {
        long pid = strtol(entry->d_name, NULL, 10); /* 0 for what is no process */

        if (pid > 0 && (pid_t)pid != getpid())
            fd = open_machine(qemu, name, (pid_t)pid);
    }
    if (proc)
        (void)closedir(proc);
    if (fd < 0)
        return false;
    ret_vm->pid_fd = fd;
    return true;
}

/* True if it ended in that time. */
static bool ends_within(const struct qemu_vm *vm, int ms)
{
    struct pollfd wait = {.fd = vm->pid_fd, .events = POLLIN};

    return poll(&wait, 1, ms) > 0;
}

bool qemu_vm_lives(const struct qemu_vm *vm)
{
    return vm->pid_fd >= 0 && !ends_within(vm, 0);
}

void qemu_vm_done(struct qemu_vm *vm)
{
    if (vm->pid_fd >= 0)
        (void)close(vm->pid_fd);
    vm->pid_fd = -1;
}

/* --- asking --------------------------------------------------------------------------- */

/* One command on a connection of its own: it takes one at a time. */
static int ask(const struct qemu_config *qemu, const char *command, const char *arguments,
               struct stop *stop, struct json_object **ret_value, struct err *err)
{
    char path[QEMU_FILE_SIZE];
    struct qmp qmp;
    int rc;

    qemu_path(qemu, QEMU_QMP_SOCKET, path);
    rc = qmp_open(&qmp, path, ANSWER_MS, stop, err);
    if (rc == 0)
        rc = qmp_run(&qmp, command, arguments, ret_value, err);
    qmp_done(&qmp);
    return rc;
}

int qemu_vm_continue(const struct qemu_config *qemu, struct stop *stop, struct err *err)
{
    return ask(qemu, "cont", NULL, stop, NULL, err);
}

/* "  TCP[HOST_FORWARD]  15       127.0.0.1 36935       10.0.2.15    22     0     0" */
int qemu_parse_port(const char *text)
{
    const char *at = strstr(text, FORWARD_MARK);
    int port;

    if (!at || sscanf(at + strlen(FORWARD_MARK), "%*d 127.0.0.1 %5d", &port) != 1 || port < 1 ||
        port > 65535)
        return -1;
    return port;
}

int qemu_vm_ssh_port(const struct qemu_config *qemu, struct stop *stop, int *ret_port,
                     struct err *err)
{
    struct json_object *value = NULL;
    const char *text;
    int port;

    if (ask(qemu, "human-monitor-command", "{\"command-line\":\"info usernet\"}", stop, &value,
            err) < 0)
        return -1;
    text = json_object_is_type(value, json_type_string) ? json_object_get_string(value) : "";
    port = qemu_parse_port(text);
    (void)json_object_put(value);
    if (port < 0)
        return err_set(err, ERR_INTERNAL, "qemu does not tell the port for ssh");
    *ret_port = port;
    return 0;
}

/* --- ending --------------------------------------------------------------------------- */

/* Politely, so that what it has written is on the disk; then not. */
static int end_machine(const struct qemu_config *qemu, const struct qemu_vm *vm, struct err *err)
{
    char path[QEMU_FILE_SIZE];
    struct qmp qmp;

    qemu_path(qemu, QEMU_QMP_SOCKET, path);
    if (qmp_open(&qmp, path, QUIT_MS, NULL, NULL) == 0)
        (void)qmp_run(&qmp, "quit", NULL, NULL, NULL);
    else /* somebody else may be talking to it */
        (void)pidfd_send_signal(vm->pid_fd, SIGTERM, NULL, 0);
    qmp_done(&qmp);
    if (ends_within(vm, QUIT_MS))
        return 0;
    if (pidfd_send_signal(vm->pid_fd, SIGKILL, NULL, 0) < 0 && errno != ESRCH)
        return err_set_errno(err, errno, "could not kill the virtual machine of \"%s\"",
                             qemu->state_dir);
    if (!ends_within(vm, KILL_MS))
        return err_set(err, ERR_TIMEOUT, "the virtual machine of \"%s\" does not end",
                       qemu->state_dir);
    return 0;
}

int qemu_vm_destroy(const struct qemu_config *qemu, int *ret_count, struct err *err)
{
    struct qemu_vm vm = QEMU_VM_NONE;
    int count = 0;

    while (count < MACHINES_MAX && qemu_vm_find(qemu, NULL, &vm)) {
        int rc = end_machine(qemu, &vm, err);

        qemu_vm_done(&vm);
        if (rc < 0)
            return -1;
        count++;
    }
    if (fs_remove_tree(qemu->dir, err) < 0)
        return -1;
    *ret_count = count;
    return 0;
}
