/* SPDX-License-Identifier: GPL-3.0-or-later
 * The ssh keys of those who reserve a device. */
#ifndef CONNECTOR_KEYS_H
#define CONNECTOR_KEYS_H

#include "connector/connector.h"

#include <stddef.h>

struct ssh;

/* Lets every key of the job's reserve_data.ssh_keys ("lp:name", "gh:name") log in to the devices,
 * and those of the configuration's ssh_authorized_keys (public keys as they are).  Tells of each
 * what became of it; one that does not work does not keep the others from working. -1 only if the
 * stage is to end or the configuration is wrong. */
int keys_add(const struct run *run, const struct ssh *devices, size_t count, struct err *err);

#endif
