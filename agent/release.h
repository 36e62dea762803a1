/* SPDX-License-Identifier: GPL-3.0-or-later
 * Which release of a system a device runs, in a word for the labels of metrics: "22.04.5", "Core
 * 22". */
#ifndef AGENT_RELEASE_H
#define AGENT_RELEASE_H

#include "agent/aside.h"

#include <json-c/json.h>

#define RELEASE_SIZE    48
#define RELEASE_UNKNOWN "unknown"
#define RELEASE_LIMIT_S 10

/* What an os-release file says; RELEASE_UNKNOWN if that is no plain word. */
void release_parse(const char *text, char ret_release[static RELEASE_SIZE]);

/* Starts reading it over ssh.  The device's address is in info ({"device_info": {"device_ip": …}},
 * perhaps with an "ssh_port"), the user in the job ("test_username" of its test_data, else
 * "ubuntu").  NULL if there is no usable address or ssh could not be started; done as of struct
 * aside_command. */
struct aside *release_ask(struct reactor *reactor, struct runner *runner, struct json_object *info,
                          struct json_object *definition, const struct aside_command *answer);

#endif
