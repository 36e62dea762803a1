/* SPDX-License-Identifier: GPL-3.0-or-later
 * Reading the master keys: the file is taken into one buffer that never grows, and wiped. */
#include "server/crypto/seal_keys.h"

#include "common/fs.h"

#include <sodium.h>
#include <string.h>

#define FILE_MAX ((size_t)16 << 10)
#define BLANKS   " \t"

static const char id_characters[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";

const struct seal_key *seal_keys_find(const struct seal_keys *keys, const char *id)
{
    for (size_t i = 0; i < keys->count; i++)
        if (strcmp(keys->keys[i].id, id) == 0)
            return &keys->keys[i];
    return NULL;
}

const char *seal_keys_newest(const struct seal_keys *keys)
{
    return keys->keys[0].id;
}

/* KEY and nothing behind it but blanks. */
static int read_key(const char *text, size_t len, unsigned char ret_key[static SEAL_KEY_SIZE])
{
    size_t size = 0;

    return sodium_base642bin(ret_key, SEAL_KEY_SIZE, text, len, BLANKS, &size, NULL,
                             sodium_base64_VARIANT_ORIGINAL) == 0 &&
                   size == SEAL_KEY_SIZE
               ? 0
               : -1;
}

/* One line, len bytes.  Errors never show what stands in it: it may be a key. */
static int add_line(struct seal_keys *keys, const char *line, size_t len, int number,
                    struct err *err)
{
    struct seal_key *key = &keys->keys[keys->count];
    size_t id_len = strspn(line, id_characters);

    if (keys->count == SEAL_KEYS_MAX)
        return err_set(err, ERR_INVALID, "line %d: more than %d keys", number, SEAL_KEYS_MAX);
    if (id_len == 0 || id_len >= SEAL_KEY_ID_SIZE || id_len >= len || !strchr(BLANKS, line[id_len]))
        return err_set(err, ERR_INVALID, "line %d: not of the form ID KEY", number);
    memcpy(key->id, line, id_len);
    key->id[id_len] = '\0';
    if (seal_keys_find(keys, key->id))
        return err_set(err, ERR_INVALID, "line %d: the id of key %s is taken", number, key->id);
    if (read_key(line + id_len, len - id_len, key->key) < 0)
        return err_set(err, ERR_INVALID, "line %d: the key is not %d bytes in base64", number,
                       SEAL_KEY_SIZE);
    keys->count++;
    return 0;
}

static int add_lines(struct seal_keys *keys, const char *text, struct err *err)
{
    for (int number = 1; *text; number++) {
        size_t len = strcspn(text, "\r\n");
        const char *line = text + strspn(text, BLANKS);
        size_t blanks = (size_t)(line - text);

        if (blanks < len && *line != '#' && add_line(keys, line, len - blanks, number, err) < 0)
            return -1;
        text += len;
        text += strncmp(text, "\r\n", 2) == 0 ? 2 : *text != '\0';
    }
    return keys->count > 0 ? 0 : err_set(err, ERR_INVALID, "there is no key in it");
}

static struct seal_keys *read_keys(const char *path, struct buf *text, struct err *err)
{
    struct seal_keys *keys;

    if (!buf_reserve(text, FILE_MAX)) {
        (void)err_set(err, ERR_INTERNAL, "out of memory");
        return NULL;
    }
    if (fs_read(path, text, err) < 0)
        return NULL;
    keys = sodium_malloc(sizeof(*keys));
    if (!keys) {
        (void)err_set(err, ERR_INTERNAL, "out of locked memory");
        return NULL;
    }
    memset(keys, 0, sizeof(*keys));
    if (add_lines(keys, buf_text(text), err) == 0 && sodium_mprotect_readonly(keys) == 0)
        return keys;
    (void)err_prefix(err, "file \"%s\"", path);
    sodium_free(keys);
    return NULL;
}

struct seal_keys *seal_keys_read(const char *path, struct err *err)
{
    struct buf text = BUF_INIT(FILE_MAX);
    struct seal_keys *keys = NULL;

    if (sodium_init() < 0)
        (void)err_set(err, ERR_INTERNAL, "could not start libsodium");
    else
        keys = read_keys(path, &text, err);
    if (text.data)
        explicit_bzero(text.data, text.cap);
    buf_done(&text);
    return keys;
}

void seal_keys_free(struct seal_keys *keys)
{
    sodium_free(keys); /* wipes; NULL is fine */
}
