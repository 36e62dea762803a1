/* SPDX-License-Identifier: GPL-3.0-or-later
 * Artifacts and attachments: one archive each, kept as it came and never looked into.  Bytes go
 * through in pieces, both ways, so that none of it is ever whole in memory. */
#include "server/store/file.h"

#include "common/cleanup.h"
#include "server/app.h"
#include "server/crypto/digest.h"
#include "server/handlers/handlers.h"
#include "server/wake.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARTIFACT    "artifact"
#define ATTACHMENTS "attachments"

/* Downloads find a byte by it. */
static_assert(STREAM_PIECE_MAX == (size_t)FILE_CHUNK_BYTES, "an upload's pieces are the chunks");

struct upload {
    char job[UUID_TEXT_SIZE];
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
    memcpy(upload->job, id, sizeof(upload->job));
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
    AUTO(buf) struct buf queue = BUF_INIT(NAME_MAX_BYTES + 1);
    unsigned char hash[DIGEST_SIZE];

    digest_finish(&upload->digest, hash);
    if (upload->file[0] &&
        file_store_finish(app->db, upload->file, upload->size_bytes, hash, &queue, err) < 0)
        return -1;
    if (queue.len > 0) {
        wake_tell(app->waker, WAKE_JOB, upload->job);
        wake_tell(app->waker, WAKE_QUEUE, buf_text(&queue));
    }
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
    char file[UUID_TEXT_SIZE];
    int64_t at, end; /* bytes of the file that are still to be sent; end is behind the last */
};

static int next_chunk(struct app *app, void *state, struct buf *piece, struct err *err)
{
    struct download *download = state;
    int64_t chunk = download->at / FILE_CHUNK_BYTES, skip = download->at % FILE_CHUNK_BYTES;
    int64_t left = download->end - download->at;

    if (left <= 0)
        return 0;
    if (file_store_read(app->db, download->file, chunk, piece, err) < 0)
        return -1;
    if ((int64_t)piece->len <= skip)
        return err_set(err, ERR_INTERNAL, "chunk %lld of a file is too short", (long long)chunk);
    buf_drop(piece, (size_t)skip);
    if ((int64_t)piece->len > left)
        buf_cut(piece, (size_t)left);
    download->at += (int64_t)piece->len;
    return download->at < download->end;
}

/* Streams the bytes of the range; none at all are an empty body. */
static int send_bytes(const struct file_info *info, const struct byte_range *range,
                      struct response *res, struct err *err)
{
    struct download *download;

    if (info->size_bytes == 0)
        return 0;
    download = calloc(1, sizeof(*download));
    if (!download)
        return err_set(err, ERR_INTERNAL, "out of memory");
    memcpy(download->file, info->file, sizeof(download->file));
    download->at = range->first;
    download->end = range->last + 1;
    res->stream = (struct stream){.next = next_chunk,
                                  .free = free,
                                  .state = download,
                                  .size_bytes = download->end - download->at};
    return 0;
}

static int send_part(const struct file_info *info, const struct byte_range *range,
                     struct response *res, struct err *err)
{
    char text[80];

    (void)snprintf(text, sizeof(text), "bytes %lld-%lld/%lld", (long long)range->first,
                   (long long)range->last, (long long)info->size_bytes);
    if (response_header(res, "Content-Range", text, err) < 0)
        return -1;
    res->status = 206;
    return send_bytes(info, range, res, err);
}

/* 416 tells how large the file is. */
static int refuse_range(const struct file_info *info, struct response *res, struct err *err)
{
    static const char body[] = "{\"message\":\"the file has no such bytes\",\"detail\":{}}\n";
    char text[40];

    (void)snprintf(text, sizeof(text), "bytes */%lld", (long long)info->size_bytes);
    if (response_header(res, "Content-Range", text, err) < 0)
        return -1;
    res->status = 416;
    return response_json(res, body, strlen(body));
}

/* A kind of file, and what is said of its bytes. */
struct bundle {
    const char *kind;
    const char *content_type;
    const char *encoding, *disposition; /* or NULL */
};

static int describe(const struct bundle *bundle, const struct file_info *info, struct response *res,
                    struct err *err)
{
    res->content_type = bundle->content_type;
    if (response_etag(res, ETAG_STRONG, info->sha256, err) < 0 ||
        response_header(res, "Accept-Ranges", "bytes", err) < 0)
        return -1;
    if (bundle->encoding && response_header(res, "Content-Encoding", bundle->encoding, err) < 0)
        return -1;
    return bundle->disposition
               ? response_header(res, "Content-Disposition", bundle->disposition, err)
               : 0;
}

static int answer_file(const struct bundle *bundle, const struct request *req,
                       const struct file_info *info, struct response *res, struct err *err)
{
    struct byte_range range = {0, info->size_bytes - 1};
    enum range_kind kind = request_range(req, info->sha256, info->size_bytes, &range);

    if (request_has_version(req, info->sha256))
        return response_etag(res, ETAG_STRONG, info->sha256, err) < 0 ? -1
                                                                      : response_unchanged(res);
    if (kind == RANGE_NONE)
        return refuse_range(info, res, err);
    if (describe(bundle, info, res, err) < 0)
        return -1;
    return kind == RANGE_PART ? send_part(info, &range, res, err)
                              : send_bytes(info, &range, res, err);
}

static int send_file(struct app *app, const struct request *req, const struct bundle *bundle,
                     struct response *res, struct err *err)
{
    struct file_query query = {.kind = bundle->kind};
    struct file_info info;
    char id[UUID_TEXT_SIZE];

    query.id = id;
    if (request_uuid(req, "id", id, err) < 0 || handler_attempt(req, &query.attempt, err) < 0 ||
        handler_reader(req, &query.by, err) < 0 || file_store_get(app->db, &query, &info, err) < 0)
        return -1;
    return info.found ? answer_file(bundle, req, &info, res, err) : response_none(res);
}

/* GET /v1/result/{id}/artifact */
int artifact_download(struct app *app, const struct request *req, struct response *res,
                      struct err *err)
{
    /* today's clients expect this encoding of whatever was uploaded */
    static const struct bundle artifact = {ARTIFACT, "application/x-tar", "gzip",
                                           "inline; filename=artifact.tar.gz"};

    return send_file(app, req, &artifact, res, err);
}

/* GET /v1/job/{id}/attachments */
int attachments_download(struct app *app, const struct request *req, struct response *res,
                         struct err *err)
{
    static const struct bundle attachments = {ATTACHMENTS, "application/gzip", NULL, NULL};

    return send_file(app, req, &attachments, res, err);
}
