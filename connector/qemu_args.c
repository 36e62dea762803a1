/* SPDX-License-Identifier: GPL-3.0-or-later
 * Builds the command line.  Paths that stand inside options with commas are all in the machine's
 * directory, whose name has none. */
#include "connector/qemu_args.h"

#include "common/buf.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

static void add(struct qemu_args *args, const char *item)
{
    assert(args->count < QEMU_LINE_MAX);
    args->items[args->count++] = item;
}

static void add_pair(struct qemu_args *args, const char *option, const char *value)
{
    add(args, option);
    add(args, value);
}

/* The option with a value made here. */
static int addf(struct qemu_args *args, struct err *err, const char *option, const char *format,
                ...) __attribute__((format(printf, 4, 5)));

static int addf(struct qemu_args *args, struct err *err, const char *option, const char *format,
                ...)
{
    struct buf text = BUF_INIT(1024);
    va_list list;
    char *made;

    va_start(list, format);
    (void)buf_addvf(&text, format, list);
    va_end(list);
    made = buf_take(&text);
    buf_done(&text);
    if (!made)
        return err_set(err, ERR_TOO_LARGE, "the value of %s is too long", option);
    args->owned[args->owned_count++] = made;
    add_pair(args, option, made);
    return 0;
}

static void add_boot(struct qemu_args *args, const struct qemu_config *qemu)
{
    if (qemu->kernel)
        add_pair(args, "-kernel", qemu->kernel);
    if (qemu->initrd)
        add_pair(args, "-initrd", qemu->initrd);
    if (qemu->append)
        add_pair(args, "-append", qemu->append);
}

static int add_disks(struct qemu_args *args, const struct qemu_config *qemu, struct err *err)
{
    if (addf(args, err, "-drive", "if=virtio,format=qcow2,file=%s/" QEMU_DISK, qemu->dir) < 0)
        return -1;
    return addf(args, err, "-drive", "if=virtio,format=raw,readonly=on,file=%s/" QEMU_SEED,
                qemu->dir);
}

/* Port 0: the kernel knows one that is free, and qemu tells which it was. */
static int add_network(struct qemu_args *args, const struct qemu_config *qemu, struct err *err)
{
    if (addf(args, err, "-netdev", "user,id=net0,restrict=%s,hostfwd=tcp:127.0.0.1:0-:22",
             qemu->restrict_network ? "on" : "off") < 0)
        return -1;
    /* no ROM: the machine boots from its disk or not at all */
    add_pair(args, "-device", "virtio-net-pci,netdev=net0,romfile=");
    return 0;
}

static int add_sockets(struct qemu_args *args, const struct qemu_config *qemu, struct err *err)
{
    if (addf(args, err, "-chardev", "socket,id=tty0,server=on,wait=off,path=%s/" QEMU_TTY_SOCKET,
             qemu->dir) < 0 ||
        addf(args, err, "-chardev", "socket,id=qmp0,server=on,wait=off,path=%s/" QEMU_QMP_SOCKET,
             qemu->dir) < 0)
        return -1;
    add_pair(args, "-serial", "chardev:tty0");
    add_pair(args, "-mon", "chardev=qmp0,mode=control");
    return 0;
}

static int add_machine(struct qemu_args *args, const struct qemu_config *qemu, const char *accel,
                       struct err *err)
{
    add(args, qemu->binary);
    add_pair(args, "-name", qemu->name);
    add(args, "-nodefaults");
    add(args, "-no-user-config");
    add_pair(args, "-display", "none");
    /* firmware of a machine without a screen talks to the serial console */
    add_pair(args, "-machine", "graphics=off");
    if (qemu->machine)
        add_pair(args, "-machine", qemu->machine);
    add_pair(args, "-accel", accel);
    add_pair(args, "-cpu", qemu->cpu_model);
    if (addf(args, err, "-m", "%" PRId64, qemu->memory_mib) < 0)
        return -1;
    return addf(args, err, "-smp", "%" PRId64, qemu->cpus);
}

int qemu_args_make(struct qemu_args *args, const struct qemu_config *qemu, const char *accel,
                   struct err *err)
{
    size_t extra = qemu->extra_args ? json_object_array_length(qemu->extra_args) : 0;

    if (add_machine(args, qemu, accel, err) < 0 || add_disks(args, qemu, err) < 0 ||
        add_network(args, qemu, err) < 0 || add_sockets(args, qemu, err) < 0)
        return -1;
    add_boot(args, qemu);
    /* without it a machine that just booted waits for its random numbers */
    add_pair(args, "-device", "virtio-rng-pci");
    for (size_t i = 0; i < extra; i++)
        add(args, json_object_get_string(json_object_array_get_idx(qemu->extra_args, i)));
    add(args, "-S");
    add(args, "-daemonize");
    /* by this a machine is recognised, see qemu_vm.c */
    return addf(args, err, "-pidfile", "%s/" QEMU_PID_FILE, qemu->dir);
}

void qemu_args_done(struct qemu_args *args)
{
    while (args->owned_count > 0)
        free(args->owned[--args->owned_count]);
    *args = (struct qemu_args){.count = 0};
}
