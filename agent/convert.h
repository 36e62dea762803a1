/* SPDX-License-Identifier: GPL-3.0-or-later
 * The YAML configuration of the agents written in Python becomes one of this agent.  What cannot be
 * kept is said, and what is written is a configuration that can be read. */
#ifndef AGENT_CONVERT_H
#define AGENT_CONVERT_H

#include "common/buf.h"
#include "common/err.h"

#include <stddef.h>

#define CONVERT_TEXT_MAX ((size_t)64 << 20)

struct conversion {
    const char *path;
    /* Called for everything that is lost or changed: "FILE:LINE: key "NAME": …".  Values are never
     * shown, since they may be secrets. */
    void (*report)(void *arg, const char *loss);
    void *arg;
};

/* Adds the configuration to *out; *ret_losses counts the reports.  Fails, and adds nothing, if the
 * file cannot be read, is no YAML mapping, or lacks what an agent must have. */
int convert(const struct conversion *conversion, struct buf *out, size_t *ret_losses,
            struct err *err);

#endif
