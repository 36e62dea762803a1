/* SPDX-License-Identifier: GPL-3.0-or-later
 * What the configuration says about a virtual machine, checked. */
#ifndef CONNECTOR_QEMU_CONFIG_H
#define CONNECTOR_QEMU_CONFIG_H

#include "common/err.h"

#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>

#define QEMU_PATH_SIZE 108 /* what a Unix socket's address has room for */
#define QEMU_NAME_SIZE 64
#define QEMU_ARGS_MAX  100 /* extra_args */

struct run;

/* Texts are the configuration's. */
struct qemu_config {
    const char *binary;
    const char *accel;   /* "auto", "kvm" or "tcg" */
    const char *machine; /* NULL: qemu's default */
    const char *cpu_model;
    const char *kernel; /* with initrd and append: NULL: the disk boots by itself */
    const char *initrd;
    const char *append;
    const char *identity;           /* file of a private key; NULL: one is made for each machine */
    struct json_object *extra_args; /* list of texts, or NULL */
    bool restrict_network;
    int64_t memory_mib, cpus;
    int64_t image_max_mib;               /* of a download */
    int64_t disk_size_mib, disk_max_mib; /* disk_size 0: as large as the image says */
    int64_t boot_timeout_ms, download_timeout_ms;
    char name[QEMU_NAME_SIZE];      /* of the machine: that of the job */
    char state_dir[QEMU_PATH_SIZE]; /* absolute, the lab's; exists */
    char dir[QEMU_PATH_SIZE];       /* in it, ours alone: made by provision, gone after cleanup */
};

/* The names in dir. */
#define QEMU_DISK       "disk.qcow2"
#define QEMU_IMAGE      "image"
#define QEMU_SEED       "seed.iso"
#define QEMU_SEED_DIR   "seed"
#define QEMU_KEY        "key"
#define QEMU_PID_FILE   "pid"
#define QEMU_QMP_SOCKET "qmp.sock"
#define QEMU_TTY_SOCKET "serial.sock"
#define QEMU_NAME_MAX   12 /* of the longest of them */
#define QEMU_FILE_SIZE  (QEMU_PATH_SIZE + QEMU_NAME_MAX)

/* Reads that of the run and makes state_dir. */
int qemu_config_read(struct qemu_config *qemu, const struct run *run, struct err *err);

/* The path of one of the names. */
void qemu_path(const struct qemu_config *qemu, const char *name, char ret_path[QEMU_FILE_SIZE]);

#endif
