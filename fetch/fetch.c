/* SPDX-License-Identifier: GPL-3.0-or-later
 * The waiting form, and what callers do with a reply. */
#include "fetch/fetch.h"

#include "fetch/exchange.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define BASE_URL_MAX 4096

struct fetch *fetch_new(const char *user_agent, struct err *err)
{
    struct fetch *client;

    /* counted by curl: safe to call for every client */
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        (void)err_set(err, ERR_INTERNAL, "could not start the HTTP client library");
        return NULL;
    }
    client = calloc(1, sizeof(*client));
    if (!client) {
        curl_global_cleanup();
        (void)err_set(err, ERR_INTERNAL, "out of memory");
        return NULL;
    }
    client->easy = curl_easy_init();
    client->share = curl_share_init();
    client->user_agent = strdup(user_agent);
    if (!client->easy || !client->share || !client->user_agent ||
        curl_share_setopt(client->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_COOKIE) != CURLSHE_OK) {
        (void)err_set(err, ERR_INTERNAL, "out of memory");
        fetch_free(client);
        return NULL;
    }
    return client;
}

void fetch_free(struct fetch *client)
{
    if (!client)
        return;
    curl_easy_cleanup(client->easy);
    (void)curl_share_cleanup(client->share);
    free(client->user_agent);
    free(client);
    curl_global_cleanup();
}

void fetch_reply_init(struct fetch_reply *reply, size_t body_max)
{
    reply->status = 0;
    buf_init(&reply->body, body_max);
    buf_init(&reply->headers, FETCH_HEADERS_MAX);
}

void fetch_reply_done(struct fetch_reply *reply)
{
    reply->status = 0;
    buf_done(&reply->body);
    buf_done(&reply->headers);
}

int fetch_run(struct fetch *client, const struct fetch_request *req, struct fetch_reply *reply,
              struct err *err)
{
    struct exchange x;
    int rc;

    curl_easy_reset(client->easy);
    rc = exchange_init(&x, client, client->easy, req, reply, err);
    if (rc == 0)
        rc = exchange_result(&x, curl_easy_perform(client->easy), err);
    exchange_done(&x);
    return rc;
}

enum fetch_class fetch_classify(const struct fetch_reply *reply, const struct err *err)
{
    static const int later[] = {408, 429, 500, 502, 503, 504};

    if (reply->status >= 200 && reply->status < 300)
        return FETCH_OK;
    if (reply->status == 401)
        return FETCH_AUTH;
    if (reply->status == 0)
        return !err || err->code == ERR_UPSTREAM || err->code == ERR_UPSTREAM_TIMEOUT
                   ? FETCH_RETRY
                   : FETCH_REFUSED;
    for (size_t i = 0; i < sizeof(later) / sizeof(later[0]); i++)
        if (reply->status == later[i])
            return FETCH_RETRY;
    return FETCH_REFUSED;
}

int fetch_header(const struct fetch_reply *reply, const char *name, char *ret_value, size_t size)
{
    size_t name_len = strlen(name);
    const char *line = buf_text(&reply->headers);

    for (; *line; line += strcspn(line, "\n"), line += *line == '\n') {
        const char *value = line + name_len + 1;
        size_t len;

        if (strncasecmp(line, name, name_len) != 0 || line[name_len] != ':')
            continue;
        value += strspn(value, " \t");
        len = strcspn(value, "\r\n");
        if (len >= size)
            len = size - 1;
        memcpy(ret_value, value, len);
        ret_value[len] = '\0';
        return 0;
    }
    return -1;
}

int fetch_sink_fd(void *arg, const char *data, size_t len)
{
    int fd = *(const int *)arg;

    while (len > 0) {
        ssize_t n = write(fd, data, len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return -1;
        data += n;
        len -= (size_t)n;
    }
    return 0;
}

int fetch_add_escaped(struct buf *b, const char *text)
{
    static const char kept[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    int rc = 0;

    for (const unsigned char *p = (const unsigned char *)text; *p && rc == 0; p++)
        rc = strchr(kept, *p) ? buf_addc(b, (char)*p) : buf_addf(b, "%%%02X", *p);
    return rc;
}

char *fetch_base_url(const char *server)
{
    struct buf url = BUF_INIT(BASE_URL_MAX);
    size_t len = strlen(server);
    char *text;

    while (len > 0 && server[len - 1] == '/')
        len--;
    if (!strstr(server, "://"))
        (void)buf_adds(&url, "http://");
    (void)buf_add(&url, server, len);
    text = buf_take(&url);
    buf_done(&url);
    return text;
}
