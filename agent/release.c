/* SPDX-License-Identifier: GPL-3.0-or-later
 * os-release(5), read by ssh.  Address and user come from a job and its commands: nothing of them
 * may become an option of ssh or a label with surprises. */
#include "agent/release.h"

#include "common/json.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define SSH_PORT 22u
#define WORD_MAX 255
#define WORD     "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._"

/* Not empty, of these characters alone, and nothing that a program would take for an option. */
static bool is_word(const char *text, const char *characters, size_t max)
{
    size_t len = strspn(text, characters);

    return len > 0 && len <= max && text[len] == '\0' && text[0] != '-';
}

/* --- what the file says ---------------------------------------------------------------- */

/* Copies the first word of NAME=value, quoted or not; "" if it is not there. */
static void find_value(const char *text, const char *name, char ret_word[static RELEASE_SIZE])
{
    size_t name_len = strlen(name);

    ret_word[0] = '\0';
    for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
        const char *value = line + name_len + 1;
        size_t len;

        if (strncmp(line, name, name_len) != 0 || line[name_len] != '=')
            continue;
        value += strspn(value, "\"'");
        len = strcspn(value, "\"' \t\r\n");
        if (len < RELEASE_SIZE)
            (void)snprintf(ret_word, RELEASE_SIZE, "%.*s", (int)len, value);
    }
}

void release_parse(const char *text, char ret_release[static RELEASE_SIZE])
{
    char id[RELEASE_SIZE], version[RELEASE_SIZE], version_id[RELEASE_SIZE];
    const char *word = version;
    bool is_core;

    find_value(text, "ID", id);
    find_value(text, "VERSION", version); /* with the point release, unlike VERSION_ID */
    find_value(text, "VERSION_ID", version_id);
    is_core = strcmp(id, "ubuntu-core") == 0;
    if (is_core || version[0] < '0' || version[0] > '9')
        word = version_id;
    if (is_word(word, WORD, RELEASE_SIZE - sizeof("Core ")))
        (void)snprintf(ret_release, RELEASE_SIZE, "%s%.40s", is_core ? "Core " : "", word);
    else
        (void)snprintf(ret_release, RELEASE_SIZE, "%s", RELEASE_UNKNOWN);
}

/* --- asking ---------------------------------------------------------------------------- */

/* Without a port of its own that is the agent's machine, not a device on it. */
static bool is_loopback(const char *address)
{
    return strncmp(address, "127.", 4) == 0 || strcmp(address, "::1") == 0 ||
           strcmp(address, "localhost") == 0;
}

struct target {
    char login[2 * WORD_MAX + 2];
    char port[8];
};

static int find_target(struct json_object *info, struct json_object *definition,
                       struct target *ret_target)
{
    struct json_object *inner = jsn_get(info, "device_info");
    const char *address = jsn_text(inner ? inner : info, "device_ip");
    const char *user = jsn_text(jsn_get(definition, "test_data"), "test_username");
    int64_t port = jsn_int(inner ? inner : info, "ssh_port", 0);

    if (!user)
        user = "ubuntu";
    if (!address || !is_word(address, WORD ":", WORD_MAX) || !is_word(user, WORD, WORD_MAX) ||
        port < 0 || port > UINT16_MAX || (port == 0 && is_loopback(address)))
        return -1;
    (void)snprintf(ret_target->login, sizeof(ret_target->login), "%s@%s", user, address);
    (void)snprintf(ret_target->port, sizeof(ret_target->port), "%u",
                   port ? (unsigned)(uint16_t)port : SSH_PORT);
    return 0;
}

struct aside *release_ask(struct reactor *reactor, struct runner *runner, struct json_object *info,
                          struct json_object *definition, const struct aside_command *answer)
{
    struct aside_command command = *answer;
    struct target target;

    if (find_target(info, definition, &target) < 0)
        return NULL;
    /* clang-format off */
    const char *const argv[] = {"ssh",
                                "-o", "BatchMode=yes", /* never ask */
                                "-o", "ConnectTimeout=5",
                                /* the device was installed anew: its key is a new one each time */
                                "-o", "StrictHostKeyChecking=no",
                                "-o", "UserKnownHostsFile=/dev/null",
                                "-o", "ForwardAgent=no",
                                "-o", "ForwardX11=no",
                                "-p", target.port,
                                "--", target.login, "cat /etc/os-release", NULL};
    /* clang-format on */
    command.argv = (char *const *)(const void *)argv;
    command.limit_ms = RELEASE_LIMIT_S * 1000;
    return aside_start(reactor, runner, &command, NULL);
}
