/* SPDX-License-Identifier: GPL-3.0-or-later
 * noprovision: the device is used as it is. */
#ifndef CONNECTOR_NOPROVISION_H
#define CONNECTOR_NOPROVISION_H

#include "connector/connector.h"

stage_fn noprovision_provision;

#endif
