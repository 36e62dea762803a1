/* SPDX-License-Identifier: GPL-3.0-or-later
 * Artifacts and attachments: one archive each, kept as it came and never looked into.  Bytes go
 * through in pieces, both ways, so that none of it is ever whole in memory. */
#include "server/store/file.h"

#include "server/app.h"
#include "server/crypto/digest.h"
#include "server/handlers/handlers.h"

#include <stdlib.h>

#define ARTIFACT    "artifact"
#define ATTACHMENTS "attachments"

struct upload {
    char file[UUID_TEXT_SIZE]; /* "": the job has its attachments; the bytes are dropped */
    int64_t chunks, size_bytes;
    struct digest digest;
};

static int open_upload(struct app *app, const struct request *req, const char *kind,
                       void **ret_state, struct err *err)
{
    char id[UUID_TEXT_SIZE];
    struct upload *upload;
    struct poster by;

    if (request_uuid(req, "id", id, err) < 0 || handler_poster(req, &by, err) < 0)
        return -1;
    upload = calloc(1, sizeof(*upload));
    if (!upload)
        return err_set(err, ERR_INTERNAL, "out of memory");
    digest_init(&upload->digest);
    if (file_store_open(app->db, id, kind, &by, upload->file, err) < 0) {
        free(upload);
        return -1;
    }
    *ret_state = upload;
    return 0;
}

static int open_artifact(struct app *app, const struct request *req, void **ret_state,
                         struct err *err)
{
    return open_upload(app, req, ARTIFACT, ret_state, err);
}

static int open_attachments(struct app *app, const struct request *req, void **ret_state,
                            struct err *err)
{
    return open_upload(app, req, ATTACHMENTS, ret_state, err);
}

static int write_piece(struct app *app, void *state, const void *data, size_t len, struct err *err)
{
    struct upload *upload = state;

    if (!upload->file[0] || len == 0)
        return 0;
    if (file_store_write(app->db, upload->file, upload->chunks, data, len, err) < 0)
        return -1;
    digest_add(&upload->digest, data, len);
    upload->chunks++;
    upload->size_bytes += (int64_t)len;
    return 0;
}

static int finish_upload(struct app *app, void *state, struct response *res, struct err *err)
{
    struct upload *upload = state;
    unsigned char hash[DIGEST_SIZE];

    digest_finish(&upload->digest, hash);
    if (upload->file[0] &&
        file_store_finish(app->db, upload->file, upload->size_bytes, hash, err) < 0)
        return -1;
    free(upload);
    return response_ok(res);
}

static void abandon_upload(struct app *app, void *state)
{
    struct upload *upload = state;

    /* What fails here is swept away later: an unfinished file is never visible. */
    if (upload->file[0])
        (void)file_store_abandon(app->db, upload->file, NULL);
    free(upload);
}

const struct upload_handler artifact_upload = {open_artifact, write_piece, finish_upload,
                                               abandon_upload};
const struct upload_handler attachments_upload = {open_attachments, write_piece, finish_upload,
                                                  abandon_upload};

struct download {
    struct file_info info;
    int64_t chunk; /* the next one to send */
};

static int next_chunk(struct app *app, void *state, struct buf *piece, struct err *err)
{
    struct download *download = state;

    if (download->chunk >= download->info.chunks)
        return 0;
    if (file_store_read(app->db, download->info.file, download->chunk, piece, err) < 0)
        return -1;
    download->chunk++;
    return download->chunk < download->info.chunks;
}

/* 204 if there is no such file: content_type stays unset then. */
static int send_file(struct app *app, const struct request *req, const char *kind,
                     const char *content_type, struct response *res, struct err *err)
{
    struct download *download;
    struct file_info info;
    char id[UUID_TEXT_SIZE];
    bool found;

    if (request_uuid(req, "id", id, err) < 0 ||
        file_store_get(app->db, id, kind, &info, &found, err) < 0)
        return -1;
    if (!found)
        return response_none(res);
    res->content_type = content_type;
    if (info.size_bytes == 0)
        return 0;
    download = malloc(sizeof(*download));
    if (!download)
        return err_set(err, ERR_INTERNAL, "out of memory");
    *download = (struct download){.info = info};
    res->stream = (struct stream){
        .next = next_chunk, .free = free, .state = download, .size_bytes = info.size_bytes};
    return 0;
}

/* GET /v1/result/{id}/artifact */
int artifact_download(struct app *app, const struct request *req, struct response *res,
                      struct err *err)
{
    if (send_file(app, req, ARTIFACT, "application/x-tar", res, err) < 0)
        return -1;
    if (!res->content_type)
        return 0;
    /* today's clients expect it of whatever was uploaded */
    if (response_header(res, "Content-Encoding", "gzip", err) < 0)
        return -1;
    return response_header(res, "Content-Disposition", "inline; filename=artifact.tar.gz", err);
}

/* GET /v1/job/{id}/attachments */
int attachments_download(struct app *app, const struct request *req, struct response *res,
                         struct err *err)
{
    return send_file(app, req, ATTACHMENTS, "application/gzip", res, err);
}
