/* SPDX-License-Identifier: GPL-3.0-or-later
 * THE table: everything that can be asked for.  Sorted by path. */
#include "server/routes.h"

#include "server/handlers/service.h"

const struct route routes[] = {
    {"GET", "/", MAY_PUBLIC, service_version, LANE_LOOP, BODY_NONE, 0, NULL, NULL, false},
    {"GET", "/healthz", MAY_PUBLIC, service_health, LANE_LOOP, BODY_NONE, 0, NULL, NULL, false},
    {"GET", "/metrics", MAY_PUBLIC, service_metrics, LANE_SLOW, BODY_NONE, 0, NULL, NULL, false},
    {"GET", "/readyz", MAY_PUBLIC, service_ready, LANE_FAST, BODY_NONE, 0, NULL, NULL, false},
    {"GET", "/v1/", MAY_PUBLIC, service_version, LANE_LOOP, BODY_NONE, 0, NULL, NULL, false},
};
const size_t route_count = sizeof(routes) / sizeof(routes[0]);
