/* SPDX-License-Identifier: GPL-3.0-or-later
 * A request as curl options, and curl's outcome as a reply or an error.  Knows nothing of how the
 * transfer is driven. */
#include "fetch/exchange.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define REDIRECTS_MAX 5L

static size_t on_header(char *data, size_t size, size_t count, void *arg)
{
    struct exchange *x = arg;
    size_t len = size * count;

    if (len >= 5 && memcmp(data, "HTTP/", 5) == 0) /* a redirect or "100 Continue" came before */
        buf_clear(&x->reply->headers);
    if (buf_add(&x->reply->headers, data, len) < 0) {
        x->failure = ERR_TOO_LARGE;
        return 0;
    }
    return len;
}

static size_t on_body(char *data, size_t size, size_t count, void *arg)
{
    struct exchange *x = arg;
    size_t len = size * count;
    long status = 0;

    (void)curl_easy_getinfo(x->easy, CURLINFO_RESPONSE_CODE, &status);
    if (x->req->sink && status >= 200 && status < 300) {
        if (x->req->sink(x->req->sink_arg, data, len) == 0)
            return len;
        x->failure = ERR_INTERNAL;
        return 0;
    }
    if (buf_add(&x->reply->body, data, len) < 0) {
        x->failure = ERR_TOO_LARGE;
        return 0;
    }
    return len;
}

static int add_header(struct exchange *x, const char *line)
{
    struct curl_slist *longer = curl_slist_append(x->headers, line);

    if (!longer)
        return -1;
    x->headers = longer;
    return 0;
}

static int set_headers(struct exchange *x)
{
    const struct fetch_request *req = x->req;
    char line[256];

    if (req->body) {
        (void)snprintf(line, sizeof(line), "Content-Type: %s",
                       req->content_type ? req->content_type : "application/json");
        if (add_header(x, line) < 0)
            return -1;
    }
    for (size_t i = 0; req->headers && req->headers[i]; i++)
        if (add_header(x, req->headers[i]) < 0)
            return -1;
    return curl_easy_setopt(x->easy, CURLOPT_HTTPHEADER, x->headers) == CURLE_OK ? 0 : -1;
}

static int set_upload(struct exchange *x)
{
    curl_mimepart *part;

    x->mime = curl_mime_init(x->easy);
    part = x->mime ? curl_mime_addpart(x->mime) : NULL;
    if (!part || curl_mime_name(part, "file") != CURLE_OK ||
        curl_mime_filedata(part, x->req->upload_path) != CURLE_OK ||
        curl_mime_type(part, "application/gzip") != CURLE_OK)
        return -1;
    if (x->req->upload_name && curl_mime_filename(part, x->req->upload_name) != CURLE_OK)
        return -1;
    return curl_easy_setopt(x->easy, CURLOPT_MIMEPOST, x->mime) == CURLE_OK ? 0 : -1;
}

static int set_method_and_body(struct exchange *x)
{
    const struct fetch_request *req = x->req;
    CURL *easy = x->easy;
    CURLcode rc = CURLE_OK;

    if (req->upload_path)
        return set_upload(x);
    if (strcmp(req->method, "HEAD") == 0)
        rc = curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    else if (req->body || strcmp(req->method, "POST") == 0) {
        rc = curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)req->body_len);
        if (rc == CURLE_OK)
            rc = curl_easy_setopt(easy, CURLOPT_POSTFIELDS, req->body ? req->body : "");
    }
    if (rc == CURLE_OK && strcmp(req->method, "HEAD") != 0)
        rc = curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, req->method);
    return rc == CURLE_OK ? 0 : -1;
}

static int set_auth(struct exchange *x)
{
    const struct fetch_request *req = x->req;
    CURLcode rc = CURLE_OK;

    if (req->bearer) {
        rc = curl_easy_setopt(x->easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_BEARER);
        if (rc == CURLE_OK)
            rc = curl_easy_setopt(x->easy, CURLOPT_XOAUTH2_BEARER, req->bearer);
    } else if (req->basic_user) {
        rc = curl_easy_setopt(x->easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
        if (rc == CURLE_OK)
            rc = curl_easy_setopt(x->easy, CURLOPT_USERNAME, req->basic_user);
        if (rc == CURLE_OK)
            rc = curl_easy_setopt(x->easy, CURLOPT_PASSWORD,
                                  req->basic_password ? req->basic_password : "");
    }
    return rc == CURLE_OK ? 0 : -1;
}

/* One option after the other until one fails. */
#define SET(option, value) (rc = rc == CURLE_OK ? curl_easy_setopt(easy, (option), (value)) : rc)

static int set_limits(struct exchange *x)
{
    CURL *easy = x->easy;
    CURLcode rc = CURLE_OK;

    SET(CURLOPT_TIMEOUT, (long)x->req->timeout_s);
    SET(CURLOPT_CONNECTTIMEOUT, (long)FETCH_CONNECT_S);
    if (x->req->stall_s) {
        SET(CURLOPT_LOW_SPEED_LIMIT, 1L);
        SET(CURLOPT_LOW_SPEED_TIME, (long)x->req->stall_s);
    }
    /* only a GET may wander: a redirected POST could be turned into another method */
    SET(CURLOPT_FOLLOWLOCATION, strcmp(x->req->method, "GET") == 0 ? 1L : 0L);
    SET(CURLOPT_MAXREDIRS, REDIRECTS_MAX);
    SET(CURLOPT_PROTOCOLS_STR, "http,https");
    SET(CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
    SET(CURLOPT_NOSIGNAL, 1L);
    return rc == CURLE_OK ? 0 : -1;
}

static int set_plumbing(struct exchange *x, struct fetch *client)
{
    CURL *easy = x->easy;
    CURLcode rc = CURLE_OK;

    SET(CURLOPT_ERRORBUFFER, x->error);
    SET(CURLOPT_USERAGENT, client->user_agent);
    SET(CURLOPT_SHARE, client->share);
    SET(CURLOPT_COOKIEFILE, ""); /* keep cookies, read none */
    SET(CURLOPT_HEADERFUNCTION, on_header);
    SET(CURLOPT_HEADERDATA, (void *)x);
    SET(CURLOPT_WRITEFUNCTION, on_body);
    SET(CURLOPT_WRITEDATA, (void *)x);
    SET(CURLOPT_PRIVATE, (void *)x);
    SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    return rc == CURLE_OK ? 0 : -1;
}
#undef SET

int exchange_init(struct exchange *x, struct fetch *client, CURL *easy,
                  const struct fetch_request *req, struct fetch_reply *reply, struct err *err)
{
    assert(req->method && req->url && req->timeout_s > 0);
    *x = (struct exchange){.easy = easy, .req = req, .reply = reply};
    reply->status = 0;
    buf_clear(&reply->body);
    buf_clear(&reply->headers);
    if (curl_easy_setopt(easy, CURLOPT_URL, req->url) != CURLE_OK || set_plumbing(x, client) < 0 ||
        set_limits(x) < 0 || set_auth(x) < 0 || set_headers(x) < 0 || set_method_and_body(x) < 0)
        return err_set(err, ERR_INTERNAL,
                       "could not prepare a request: out of memory or bad value");
    return 0;
}

/* The part of the URL that may be shown: no user, no query. */
static int url_for_people(const char *url, size_t *ret_skip)
{
    const char *host = strstr(url, "://");
    size_t len;
    const char *at;

    host = host ? host + 3 : url;
    len = strcspn(host, "/?#");
    at = memrchr(host, '@', len);
    if (at) {
        len -= (size_t)(at + 1 - host);
        host = at + 1;
    }
    *ret_skip = (size_t)(host - url);
    return (int)(len < 200 ? len : 200);
}

static const struct {
    CURLcode curl;
    enum err_code code;
    const char *text;
} failures[] = {
    {CURLE_OPERATION_TIMEDOUT, ERR_UPSTREAM_TIMEOUT, "no answer in time"},
    {CURLE_URL_MALFORMAT, ERR_INVALID, "not a valid address"},
    {CURLE_UNSUPPORTED_PROTOCOL, ERR_INVALID, "not a valid address"},
    {CURLE_READ_ERROR, ERR_INTERNAL, "could not read the file to send"},
    {CURLE_OUT_OF_MEMORY, ERR_INTERNAL, "out of memory"},
};

int exchange_result(struct exchange *x, CURLcode code, struct err *err)
{
    enum err_code kind = ERR_UPSTREAM;
    const char *text = x->error[0] ? x->error : curl_easy_strerror(code);
    size_t skip;
    long status = 0;
    int len;

    if (code == CURLE_OK && !x->failure) {
        (void)curl_easy_getinfo(x->easy, CURLINFO_RESPONSE_CODE, &status);
        x->reply->status = (int)status;
        return 0;
    }
    for (size_t i = 0; i < sizeof(failures) / sizeof(failures[0]); i++)
        if (failures[i].curl == code) {
            kind = failures[i].code;
            text = failures[i].text;
        }
    if (x->failure == ERR_TOO_LARGE) {
        kind = ERR_TOO_LARGE;
        text = "the reply is too large";
    } else if (x->failure) {
        kind = x->failure;
        text = "could not store the reply";
    }
    len = url_for_people(x->req->url, &skip);
    return err_set(err, kind, "could not reach \"%.*s\": %s", len, x->req->url + skip, text);
}

void exchange_done(struct exchange *x)
{
    /* the handle must not keep what is freed here */
    (void)curl_easy_setopt(x->easy, CURLOPT_HTTPHEADER, (struct curl_slist *)NULL);
    if (x->mime)
        (void)curl_easy_setopt(x->easy, CURLOPT_MIMEPOST, (curl_mime *)NULL);
    /* curl_easy_reset() forgets this list without freeing it; the cookies are in the share */
    (void)curl_easy_setopt(x->easy, CURLOPT_COOKIEFILE, (char *)NULL);
    curl_slist_free_all(x->headers);
    curl_mime_free(x->mime);
    x->headers = NULL;
    x->mime = NULL;
}
