/* SPDX-License-Identifier: GPL-3.0-or-later
 * Links that lead nowhere. */
#include "agent/owner.h"

#include "common/buf.h"
#include "common/cleanup.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define NAME_SIZE 4096

static char *link_path(const char *parent, const char *job_id, const char *suffix)
{
    struct buf path = BUF_INIT(8192);

    (void)buf_addf(&path, "%s/.%s%s", parent, job_id, suffix);
    return buf_take(&path);
}

int owner_set(const char *parent, const char *job_id, const char *agent, struct err *err)
{
    AUTO_FREE char *path = link_path(parent, job_id, "");
    AUTO_FREE char *new_path = link_path(parent, job_id, ".new");

    if (!path || !new_path)
        return err_set(err, ERR_INTERNAL, "out of memory");
    (void)unlink(new_path); /* of an agent that died */
    if (symlink(agent, new_path) < 0 || rename(new_path, path) < 0)
        return err_set_errno(err, errno, "could not make \"%s\"", path);
    return 0;
}

bool owner_is(const char *parent, const char *job_id, const char *agent)
{
    AUTO_FREE char *path = link_path(parent, job_id, "");
    char name[NAME_SIZE];
    ssize_t len = path ? readlink(path, name, sizeof(name)) : -1;

    return len >= 0 && (size_t)len == strlen(agent) && memcmp(name, agent, (size_t)len) == 0;
}

void owner_clear(const char *parent, const char *job_id)
{
    AUTO_FREE char *path = link_path(parent, job_id, "");

    if (path)
        (void)unlink(path);
}
