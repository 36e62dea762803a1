/* SPDX-License-Identifier: GPL-3.0-or-later
 * Writes device-info.json. */
#include "connector/device_info.h"

#include "common/buf.h"
#include "common/cleanup.h"
#include "common/fs.h"
#include "common/json.h"
#include "connector/config.h"

#define FILE_MAX ((size_t)1 << 20)

static int add_configured(struct json_object *info, const struct config *config, struct err *err)
{
    static const char *const keys[] = {"device_ip", "agent_name"};

    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        const char *text = config_text(config, keys[i]);

        if (text && jsn_set(info, keys[i], json_object_new_string(text), err) < 0)
            return -1;
    }
    return 0;
}

static int add_more(struct json_object *info, struct json_object *more, struct err *err)
{
    if (more) {
        json_object_object_foreach(more, key, value)
        {
            if (jsn_set(info, key, json_object_get(value), err) < 0)
                return -1;
        }
    }
    return 0;
}

int device_info_write(const struct config *config, struct json_object *more, struct err *err)
{
    AUTO(buf) struct buf text = BUF_INIT(FILE_MAX);
    struct json_object *file = json_object_new_object();
    struct json_object *info = json_object_new_object();
    int rc = file && info ? 0 : err_set(err, ERR_INTERNAL, "out of memory");

    if (rc == 0 && (add_configured(info, config, err) < 0 || add_more(info, more, err) < 0))
        rc = -1;
    if (rc == 0)
        rc = jsn_set(file, "device_info", json_object_get(info), err);
    if (rc == 0 && jsn_add_tree(&text, file) < 0)
        rc = err_set(err, ERR_TOO_LARGE, "the device information is too large");
    if (rc == 0)
        rc = fs_write_atomic(DEVICE_INFO_FILE, buf_text(&text), text.len, 0644, err);
    (void)json_object_put(info);
    (void)json_object_put(file);
    return rc;
}
