/* SPDX-License-Identifier: GPL-3.0-or-later
 * Rotation by day.  What cannot be renamed or removed stays: a log is not worth stopping for. */
#include "agent/logfile.h"

#include "common/buf.h"
#include "common/clock.h"
#include "common/fs.h"
#include "common/log.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOG_NAME "testflinger-agent.log"
#define DAY_LEN  10

int logfile_open(const char *dir, struct err *err)
{
    char *path = fs_join(dir, LOG_NAME);
    int rc = path ? fs_make_dirs(dir, err) : err_set(err, ERR_INTERNAL, "out of memory");

    if (rc == 0) {
        logfile_rotate(dir);
        rc = log_set_file(path, err);
    }
    free(path);
    return rc;
}

static void day_of(int64_t realtime_us, char ret_day[static DAY_LEN + 1])
{
    char text[CLOCK_TEXT_SIZE];

    clock_format_us(realtime_us, text);
    memcpy(ret_day, text, DAY_LEN);
    ret_day[DAY_LEN] = '\0';
}

static int is_rotated(const struct dirent *entry)
{
    size_t len = sizeof(LOG_NAME) - 1;

    return strncmp(entry->d_name, LOG_NAME ".", len + 1) == 0 &&
           strlen(entry->d_name) == len + 1 + DAY_LEN;
}

static void remove_old(const char *dir)
{
    struct dirent **entries = NULL;
    int count = scandir(dir, &entries, is_rotated, alphasort);

    for (int i = 0; i < count; i++) {
        char *path = fs_join(dir, entries[i]->d_name);

        if (path && i < count - LOGFILE_KEPT)
            (void)unlink(path);
        free(path);
        free(entries[i]);
    }
    free(entries);
}

void logfile_rotate(const char *dir)
{
    char *path = fs_join(dir, LOG_NAME);
    struct buf kept = BUF_INIT(8192);
    char today[DAY_LEN + 1];
    char day[DAY_LEN + 1];
    struct stat st;

    day_of(clock_us(&clock_system), today);
    if (path && stat(path, &st) == 0) {
        day_of((int64_t)st.st_mtim.tv_sec * 1000000, day);
        (void)buf_addf(&kept, "%s.%s", path, day);
        if (strcmp(day, today) < 0 && rename(path, buf_text(&kept)) == 0) {
            (void)log_reopen(NULL);
            remove_old(dir);
        }
    }
    buf_done(&kept);
    free(path);
}
