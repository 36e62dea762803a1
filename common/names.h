/* SPDX-License-Identifier: GPL-3.0-or-later
 * Enumerations and texts made from names.def. */
#ifndef COMMON_NAMES_H
#define COMMON_NAMES_H

enum phase {
#define PHASE(name, text) PHASE_##name,
#include "common/names.def"
    PHASE_COUNT
};

enum role {
    ROLE_NONE, /* not authenticated */
#define ROLE(name, text) ROLE_##name,
#include "common/names.def"
    ROLE_COUNT
};

const char *phase_name(enum phase phase);
/* -1 if the text names no phase. */
int phase_from_name(const char *text);

const char *role_name(enum role role);
/* ROLE_NONE if the text names no role. */
enum role role_from_name(const char *text);

#endif
