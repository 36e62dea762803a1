/* SPDX-License-Identifier: GPL-3.0-or-later
 * The stages by which an agent drives a device. */
#ifndef CONNECTOR_STAGE_H
#define CONNECTOR_STAGE_H

enum stage {
#define STAGE(id, name, section, error, help) STAGE_##id,
#include "connector/stages.def"
#undef STAGE
    STAGE_COUNT
};

const char *stage_name(enum stage stage);
const char *stage_section(enum stage stage); /* of the job; "" if it has none */
const char *stage_error(enum stage stage);   /* what a failure of the stage is called */
const char *stage_help(enum stage stage);
/* -1 if there is none. */
int stage_find(const char *name);

#endif
