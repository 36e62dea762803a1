/* SPDX-License-Identifier: GPL-3.0-or-later
 * fake_connector: for trying out jobs and agents without a device. */
#ifndef CONNECTOR_FAKE_H
#define CONNECTOR_FAKE_H

#include "connector/connector.h"

stage_fn fake_provision;
stage_fn fake_firmware_update;

#endif
