/* SPDX-License-Identifier: GPL-3.0-or-later
 * The connection string, from the three places in which it may stand. */
#include "server/dbadmin/database.h"

#include "server/config.h"

#include <stdlib.h>
#include <string.h>

static int read_config(const char *path, char **ret_conninfo, struct err *err)
{
    struct config config = {.listen = NULL};
    int rc;

    /* The environment counts more than the file there too. */
    if (config_load(path, &config, err) < 0)
        return -1;
    rc = config_conninfo(&config, ret_conninfo, err);
    config_done(&config);
    return rc;
}

int database_find(const struct arguments *arguments, char **ret_conninfo, struct err *err)
{
    const char *conninfo = argument_value(arguments, ARG_DATABASE);
    const char *path = argument_value(arguments, ARG_CONFIG);

    if (!conninfo && path)
        return read_config(path, ret_conninfo, err);
    if (!conninfo)
        conninfo = getenv("TESTFLINGER_DATABASE");
    if (!conninfo || !conninfo[0])
        return err_set(err, ERR_INVALID,
                       "no database given: use --database, --config or TESTFLINGER_DATABASE");
    *ret_conninfo = strdup(conninfo);
    return *ret_conninfo ? 0 : err_set(err, ERR_INTERNAL, "out of memory");
}
