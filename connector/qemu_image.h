/* SPDX-License-Identifier: GPL-3.0-or-later
 * The disk of a virtual machine: the job's image, from an address or an attachment, and over it a
 * file that takes what the machine writes. */
#ifndef CONNECTOR_QEMU_IMAGE_H
#define CONNECTOR_QEMU_IMAGE_H

#include "common/err.h"
#include "connector/qemu_config.h"

#include <stddef.h>
#include <stdint.h>

struct run;

#define QEMU_HEADER_SIZE 104 /* of a qcow2 image; a shorter file has less */

struct qemu_image {
    const char *format; /* "raw" or "qcow2" */
    int64_t size;       /* of the disk that it is, bytes */
};

/* What an image is, by the first bytes of the file and its size.  Refused, with ERR_BAD_REQUEST:
 * images that name other files, which would be read with our rights, encrypted ones, and formats
 * that would only boot as raw by mistake. */
int qemu_image_inspect(struct qemu_image *image, const unsigned char *header, size_t len,
                       int64_t file_size, struct err *err);

/* Makes the machine's disk for the job's provision_data.  ERR_BAD_REQUEST: the job is wrong. */
int qemu_image_prepare(const struct qemu_config *qemu, const struct run *run, struct err *err);

#endif
