/* SPDX-License-Identifier: GPL-3.0-or-later
 * Texts of phases and roles. */
#include "common/names.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

static const char *const phases[] = {
#define PHASE(name, text) [PHASE_##name] = text,
#include "common/names.def"
};

static const char *const roles[] = {
    [ROLE_NONE] = "none",
#define ROLE(name, text) [ROLE_##name] = text,
#include "common/names.def"
};

const char *phase_name(enum phase phase)
{
    assert(phase < PHASE_COUNT);
    return phases[phase];
}

int phase_from_name(const char *text)
{
    for (int i = 0; i < PHASE_COUNT; i++)
        if (strcmp(phases[i], text) == 0)
            return i;
    return -1;
}

const char *role_name(enum role role)
{
    assert(role < ROLE_COUNT);
    return roles[role];
}

enum role role_from_name(const char *text)
{
    for (int i = ROLE_NONE + 1; i < ROLE_COUNT; i++)
        if (strcmp(roles[i], text) == 0)
            return (enum role)i;
    return ROLE_NONE;
}
