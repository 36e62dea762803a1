/* SPDX-License-Identifier: GPL-3.0-or-later
 * The table of stages. */
#include "connector/stage.h"

#include <assert.h>
#include <string.h>

static const struct row {
    const char *name, *section, *error, *help;
} rows[STAGE_COUNT] = {
#define STAGE(id, name, section, error, help) [STAGE_##id] = {name, section, error, help},
#include "connector/stages.def"
#undef STAGE
};

static const struct row *row_of(enum stage stage)
{
    assert(stage < STAGE_COUNT);
    return &rows[stage];
}

const char *stage_name(enum stage stage)
{
    return row_of(stage)->name;
}

const char *stage_section(enum stage stage)
{
    return row_of(stage)->section;
}

const char *stage_error(enum stage stage)
{
    return row_of(stage)->error;
}

const char *stage_help(enum stage stage)
{
    return row_of(stage)->help;
}

int stage_find(const char *name)
{
    for (int stage = 0; stage < STAGE_COUNT; stage++)
        if (strcmp(rows[stage].name, name) == 0)
            return stage;
    return -1;
}
