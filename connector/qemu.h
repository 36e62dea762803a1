/* SPDX-License-Identifier: GPL-3.0-or-later
 * Devices that are virtual machines on this host.  provision starts one from the job's disk image,
 * the other stages find it running, cleanup destroys it.  Nothing about it is remembered but what
 * lies in its directory and what it says itself: a machine that a crash left is found like any. */
#ifndef CONNECTOR_QEMU_H
#define CONNECTOR_QEMU_H

#include "connector/connector.h"

stage_fn qemu_provision;
stage_fn qemu_runtest;
stage_fn qemu_allocate;
stage_fn qemu_reserve;
stage_fn qemu_cleanup;

#endif
