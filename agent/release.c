/* SPDX-License-Identifier: GPL-3.0-or-later
 * os-release(5), read by ssh.  Address and user come from a job and its commands: nothing of them
 * may become an option of ssh or a label with surprises. */
#include "agent/release.h"

#include "common/json.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

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

struct aside *release_ask(struct reactor *reactor, struct runner *runner, struct json_object *info,
                          struct json_object *definition, const struct aside_command *answer)
{
    struct json_object *inner = jsn_get(info, "device_info");
    const char *address = jsn_text(inner ? inner : info, "device_ip");
    const char *user = jsn_text(jsn_get(definition, "test_data"), "test_username");
    struct aside_command command = *answer;
    char target[2 * WORD_MAX + 2];

    if (!user)
        user = "ubuntu";
    if (!address || !is_word(address, WORD ":", WORD_MAX) || !is_word(user, WORD, WORD_MAX))
        return NULL;
    (void)snprintf(target, sizeof(target), "%s@%s", user, address);
    const char *const argv[] = {"ssh", "-o", "BatchMode=yes", /* never ask */
                                "-o", "ConnectTimeout=5",
                                /* the device was installed anew: its key is a new one each time */
                                "-o", "StrictHostKeyChecking=no", "-o",
                                "UserKnownHostsFile=/dev/null", "-o", "ForwardAgent=no", "-o",
                                "ForwardX11=no", "--", target, "cat /etc/os-release", NULL};
    command.argv = (char *const *)(const void *)argv;
    command.limit_ms = RELEASE_LIMIT_S * 1000;
    return aside_start(reactor, runner, &command, NULL);
}
