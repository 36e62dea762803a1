/* SPDX-License-Identifier: GPL-3.0-or-later
 * The types of device connector. */
#include "connector/builtin.h"
#include "connector/connector.h"
#include "connector/fake.h"
#include "connector/multi.h"
#include "connector/noprovision.h"
#include "connector/qemu.h"
#include "connector/script.h"

#include <stddef.h>
#include <string.h>

const struct type types[] = {
    {"fake_connector",
     "shows the job's provision_data and provisions nothing",
     {fake_provision, fake_firmware_update, builtin_runtest, NULL, builtin_reserve, NULL}},
    {"multi",
     "gets a device for each of the job's own jobs",
     {multi_provision, NULL, multi_runtest, NULL, multi_reserve, multi_cleanup}},
    {"noprovision",
     "takes the device as it is: it must answer over ssh",
     {noprovision_provision, NULL, builtin_runtest, NULL, builtin_reserve, NULL}},
    {"qemu",
     "starts a virtual machine on this host from the job's disk image",
     {qemu_provision, NULL, qemu_runtest, qemu_allocate, qemu_reserve, qemu_cleanup}},
    {"script",
     "runs the commands of its configuration",
     {script_stage, script_stage, script_runtest, script_stage, script_reserve, script_stage}},
    {NULL, NULL, {NULL}},
};

const struct type *type_find(const char *name)
{
    for (const struct type *type = types; type->name; type++)
        if (strcmp(type->name, name) == 0)
            return type;
    return NULL;
}
