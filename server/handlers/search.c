/* SPDX-License-Identifier: GPL-3.0-or-later
 * GET /v1/job/search: jobs by tags and states. */
#include "common/cleanup.h"
#include "common/json.h"
#include "server/handlers/handlers.h"
#include "server/handlers/job_list.h"

#include <stdio.h>
#include <string.h>

/* What may be asked for, and the states of jobs it means, as members of a JSON list. */
static const struct {
    const char *name;
    const char *states;
} searchable[] = {
    {"setup", "\"setup\""},
    {"provision", "\"provision\""},
    {"firmware_update", "\"firmware_update\""},
    {"test", "\"test\""},
    {"allocate", "\"allocate\""},
    {"allocated", "\"allocated\""},
    {"reserve", "\"reserve\""},
    {"cleanup", "\"cleanup\""},
    {"cancelled", "\"cancelled\""},
    {"completed", "\"complete\",\"completed\""},
    {"complete", "\"complete\",\"completed\""},
    {"waiting", "\"waiting\""},
    {"running", "\"running\""},
    {"active", NULL}, /* whatever has not ended; wins over all others */
};

/* Index in the table, -1 for another word. */
static int find_state(const char *name)
{
    for (size_t i = 0; i < sizeof(searchable) / sizeof(searchable[0]); i++)
        if (strcmp(searchable[i].name, name) == 0)
            return (int)i;
    return -1;
}

static void add_tags(const struct request *req, struct buf *query)
{
    bool any = false;

    for (size_t i = 0; i < req->query_count; i++) {
        if (strcmp(req->query[i].name, "tags") != 0)
            continue;
        (void)buf_adds(query, any ? "," : "\"tags\":[");
        (void)jsn_add_string(query, req->query[i].value, strlen(req->query[i].value));
        any = true;
    }
    if (any)
        (void)buf_adds(query, "],");
}

/* Each wrong state is named by its place among the states. */
static void add_states(const struct request *req, struct buf *query, struct buf *faults)
{
    AUTO(buf) struct buf wrong = BUF_INIT(QUERY_FAULTS_MAX / 2);
    AUTO(buf) struct buf states = BUF_INIT(JOB_QUERY_MAX);
    bool active = false;
    int place = 0;

    for (size_t i = 0; i < req->query_count; i++) {
        int state;

        if (strcmp(req->query[i].name, "state") != 0)
            continue;
        state = find_state(req->query[i].value);
        if (state < 0)
            (void)buf_addf(&wrong, "%s\"%d\":[\"no state of that name\"]", wrong.len ? "," : "{",
                           place);
        else if (searchable[state].states)
            (void)buf_addf(&states, "%s%s", states.len ? "," : "", searchable[state].states);
        else
            active = true;
        place++;
    }
    if (wrong.len && buf_addc(&wrong, '}') == 0)
        query_complain(faults, "state", buf_text(&wrong));
    if (active)
        (void)buf_adds(query, "\"active\":true,");
    else if (states.len)
        (void)buf_addf(query, "\"states\":[%s],", buf_text(&states));
}

static void add_match(const struct request *req, struct buf *query, struct buf *faults)
{
    const char *match = request_query(req, "match");

    if (!match || strcmp(match, "any") == 0)
        return;
    if (strcmp(match, "all") == 0)
        (void)buf_adds(query, "\"all\":true,");
    else
        query_complain(faults, "match", "[\"neither any nor all\"]");
}

/* GET /v1/job/search; parameters nobody knows are ignored */
int job_search(struct app *app, const struct request *req, struct response *res, struct err *err)
{
    AUTO(buf) struct buf query = BUF_INIT(JOB_QUERY_MAX);
    AUTO(buf) struct buf faults = BUF_INIT(QUERY_FAULTS_MAX);
    struct job_list *list;
    struct page page;

    add_tags(req, &query);
    add_states(req, &query, &faults);
    add_match(req, &query, &faults);
    page_take(req, &page, &faults);
    if (query_judge(&faults, res, err) < 0)
        return -1;
    list = job_list_open(app, &page, &query, err);
    return list ? job_list_answer(list, req, &page, res, err) : -1;
}
