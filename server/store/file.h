/* SPDX-License-Identifier: GPL-3.0-or-later
 * Artifacts and attachments: one bundle for each job and kind, kept in chunks.  A file is not
 * visible before it is finished; what was begun and never finished is swept away later. */
#ifndef SERVER_STORE_FILE_H
#define SERVER_STORE_FILE_H

#include "common/buf.h"
#include "common/err.h"
#include "common/parse.h"
#include "server/store/result.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct db;

#define FILE_HASH_BYTES 32

/* kind: "artifact" or "attachments".  *ret_file is "" if the job has its attachments already: then
 * there is no file, and the bytes are to be dropped. */
int file_store_open(struct db *db, const char *id, const char *kind, const struct poster *by,
                    char ret_file[static UUID_TEXT_SIZE], struct err *err);
int file_store_write(struct db *db, const char *file, int64_t number, const void *data, size_t len,
                     struct err *err);
/* Appends to *ret_queue where a job can be claimed now; nothing if that did not change. */
int file_store_finish(struct db *db, const char *file, int64_t size_bytes,
                      const unsigned char hash[static FILE_HASH_BYTES], struct buf *ret_queue,
                      struct err *err);
int file_store_abandon(struct db *db, const char *file, struct err *err);

/* All chunks of a file but the last have this size. */
#define FILE_CHUNK_BYTES ((int64_t)256 << 10)

struct file_info {
    bool found; /* else nothing is in the rest */
    char file[UUID_TEXT_SIZE];
    char sha256[2 * FILE_HASH_BYTES + 1]; /* hexadecimal */
    int64_t size_bytes;
};

struct file_query {
    const char *id;   /* of the job */
    const char *kind; /* "artifact" or "attachments" */
    struct poster by; /* the agent that fetches attachments, or nobody */
    int64_t attempt;  /* of artifacts; or ATTEMPT_NEWEST */
};

/* ERR_CONFLICT: the agent's token is stale. */
int file_store_get(struct db *db, const struct file_query *query, struct file_info *ret_info,
                   struct err *err);
/* Appends one chunk. */
int file_store_read(struct db *db, const char *file, int64_t number, struct buf *ret_data,
                    struct err *err);

#endif
