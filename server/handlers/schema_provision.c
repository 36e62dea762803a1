/* SPDX-License-Identifier: GPL-3.0-or-later
 * The shapes of provision_data, one for each kind of device.  An object is stored as the first
 * shape that takes it loads it. */
#include "server/handlers/handlers.h"

#include "common/json.h"

/* clang-format off */
#define STRING(field)       {.name = (field), .type = SCHEMA_STRING}
#define BOOLEAN(field)      {.name = (field), .type = SCHEMA_BOOL}
#define INTEGER(field)      {.name = (field), .type = SCHEMA_INT}
#define FREE_FORM(field)    {.name = (field), .type = SCHEMA_OBJECT}
#define URL(field)          {.name = (field), .type = SCHEMA_URL}
#define REQUIRED_URL(field) {.name = (field), .type = SCHEMA_URL, .required = true}
#define EMAIL(field)        {.name = (field), .type = SCHEMA_EMAIL}
#define ATTACHMENTS         {.name = "attachments", .type = SCHEMA_LIST, .items = &attachment_item}
#define TASKS(needed)       {.name = "robot_tasks", .type = SCHEMA_LIST, .items = &string_item, \
                             .required = (needed)}
#define END                 {.type = SCHEMA_END}
/* clang-format on */

static const struct schema_field object_item = {.type = SCHEMA_OBJECT};
static const struct schema_field string_item = {.type = SCHEMA_STRING};
static const struct schema_field url_item = {.type = SCHEMA_URL};

static bool has(struct json_object *object, const char *key)
{
    return json_object_object_get_ex(object, key, NULL);
}

static int check_image_source(struct json_object *value, struct err *err)
{
    if (!has(value, "url") && !has(value, "use_attachment"))
        return err_set(err, ERR_INVALID, "url or use_attachment is needed");
    return 0;
}

static int check_one_source(struct json_object *value, struct err *err)
{
    if (has(value, "url") + has(value, "urls") + has(value, "attachments") != 1)
        return err_set(err, ERR_INVALID, "exactly one of url, urls, attachments is needed");
    return 0;
}

static const struct schema_field url_fields[] = {REQUIRED_URL("url"), END};
static const struct schema cm3 = {.fields = url_fields};
static const struct schema oem_script = {.fields = url_fields};

static const struct schema_field maas_fields[] = {
    STRING("distro"),     STRING("kernel"),
    STRING("user_data"),  {.name = "disks", .type = SCHEMA_LIST, .items = &object_item},
    BOOLEAN("ephemeral"), END,
};
static const struct schema maas = {.fields = maas_fields};

static const struct schema_field multi_fields[] = {
    {.name = "jobs", .type = SCHEMA_LIST, .items = &object_item, .required = true, .min = 1},
    END,
};
static const struct schema multi = {.fields = multi_fields};

static const struct schema_field muxpi_fields[] = {
    URL("url"),
    STRING("use_attachment"),
    ATTACHMENTS,
    BOOLEAN("create_user"),
    STRING("boot_check_url"),
    {.name = "media", .type = SCHEMA_STRING, .one_of = "sd usb"},
    END,
};
static const struct schema muxpi = {.fields = muxpi_fields, .check = check_image_source};

static const struct schema_field noprovision_fields[] = {
    {.name = "skip", .type = SCHEMA_BOOL, .fallback = "true"},
    END,
};
static const struct schema noprovision = {.fields = noprovision_fields};

static const struct schema_field oem_autoinstall_fields[] = {
    URL("url"),
    ATTACHMENTS,
    STRING("token_file"),
    STRING("user_data"),
    STRING("redeploy_cfg"),
    STRING("authorized_keys"),
    STRING("control_host_iso_url"),
    STRING("control_host_iso_type"),
    BOOLEAN("update_user_data"),
    END,
};
static const struct schema oem_autoinstall = {.fields = oem_autoinstall_fields};

#define IOT_SOURCE                                                                                 \
    URL("url"), {.name = "urls", .type = SCHEMA_LIST, .items = &url_item, .min = 1},               \
    {                                                                                              \
        .name = "attachments", .type = SCHEMA_LIST, .items = &attachment_item, .max = 1            \
    }

static const struct schema_field iot_custom_fields[] = {
    IOT_SOURCE,
    {.name = "provision_plan", .type = SCHEMA_OBJECT, .required = true},
    EMAIL("ubuntu_sso_email"),
    BOOLEAN("agent_ssh_access"),
    INTEGER("provisioning_timeout"),
    END,
};
static const struct schema iot_custom = {.fields = iot_custom_fields, .check = check_one_source};

static const struct schema_field iot_preset_fields[] = {
    IOT_SOURCE,
    {.name = "preset", .type = SCHEMA_STRING, .required = true},
    FREE_FORM("preset_kwargs"),
    BOOLEAN("agent_ssh_access"),
    INTEGER("provisioning_timeout"),
    END,
};
static const struct schema iot_preset = {.fields = iot_preset_fields, .check = check_one_source};

static const struct schema_field kvm_autoinstall_fields[] = {
    REQUIRED_URL("url"),
    TASKS(true),
    INTEGER("robot_retries"),
    STRING("autoinstall_storage_layout"),
    STRING("autoinstall_base_user_data"),
    STRING("cmdline_append"),
    BOOLEAN("autoinstall_oem"),
    EMAIL("ubuntu_sso_email"),
    INTEGER("provisioning_timeout"),
    END,
};
static const struct schema kvm_autoinstall = {.fields = kvm_autoinstall_fields};

static const struct schema_field kvm_generic_fields[] = {
    REQUIRED_URL("url"),
    TASKS(true),
    {.name = "live_image", .type = SCHEMA_BOOL, .required = true},
    {.name = "wait_until_ssh", .type = SCHEMA_BOOL, .required = true},
    INTEGER("robot_retries"),
    INTEGER("provisioning_timeout"),
    END,
};
static const struct schema kvm_generic = {.fields = kvm_generic_fields};

static const struct schema_field kvm_oem_fields[] = {
    REQUIRED_URL("alloem_url"),
    TASKS(true),
    INTEGER("robot_retries"),
    URL("url"),
    STRING("oem"),
    INTEGER("provisioning_timeout"),
    END,
};
static const struct schema kvm_oem = {.fields = kvm_oem_fields};

static const struct schema_field kvm_preset_fields[] = {
    {.name = "preset", .type = SCHEMA_STRING, .required = true},
    URL("alloem_url"),
    URL("url"),
    STRING("autoinstall_base_user_data"),
    STRING("autoinstall_storage_layout"),
    STRING("cmdline_append"),
    STRING("oem"),
    BOOLEAN("autoinstall_oem"),
    BOOLEAN("live_image"),
    BOOLEAN("wait_until_ssh"),
    TASKS(false),
    EMAIL("ubuntu_sso_email"),
    INTEGER("provisioning_timeout"),
    END,
};
static const struct schema kvm_preset = {.fields = kvm_preset_fields};

const struct schema *const provision_shapes[] = {
    &cm3,        &maas,       &multi,      &muxpi,           &noprovision, &oem_autoinstall,
    &oem_script, &iot_custom, &iot_preset, &kvm_autoinstall, &kvm_generic, &kvm_oem,
    &kvm_preset, NULL,
};
