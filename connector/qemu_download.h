/* SPDX-License-Identifier: GPL-3.0-or-later
 * Fetches a large file, and stops at once when the stage is to end. */
#ifndef CONNECTOR_QEMU_DOWNLOAD_H
#define CONNECTOR_QEMU_DOWNLOAD_H

#include "common/err.h"

#include <stdint.h>

struct stop;

/* Writes what is at the http or https address to a new file.  -1 also if it is larger than max
 * bytes; what has come is left there then. */
int qemu_download(const char *url, const char *path, int64_t max, int64_t timeout_ms,
                  struct stop *stop, struct err *err);

#endif
