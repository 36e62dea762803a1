/* SPDX-License-Identifier: GPL-3.0-or-later
 * The tables of common/schema.h as JSON Schema 2020-12.  What is written is what clients should
 * send; that numbers are also taken as text, for example, is kept for old ones and not told. */
#include "common/json.h"
#include "server/openapi/openapi.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

static void add_field(struct buf *b, const struct schema_field *field);

static void add_text(struct buf *b, const char *text)
{
    (void)jsn_add_string(b, text, strlen(text));
}

/* "a b c" -> "enum":["a","b","c"] */
static void add_words(struct buf *b, const char *words)
{
    const char *comma = "";

    (void)buf_adds(b, ",\"enum\":[");
    while (*words) {
        size_t len = strcspn(words, " ");

        (void)buf_adds(b, comma);
        (void)jsn_add_string(b, words, len);
        words += len;
        words += strspn(words, " ");
        comma = ",";
    }
    (void)buf_addc(b, ']');
}

/* Limits mean characters at least and bytes at most for text: as characters the latter would be
 * too generous, and is still the best that JSON Schema can say. */
static void add_limits(struct buf *b, const struct schema_field *field, const char *least,
                       const char *most)
{
    if (field->min)
        (void)buf_addf(b, ",\"%s\":%" PRId64, least, field->min);
    if (field->max)
        (void)buf_addf(b, ",\"%s\":%" PRId64, most, field->max);
}

static void add_string(struct buf *b, const struct schema_field *field)
{
    (void)buf_adds(b, "\"type\":\"string\"");
    add_limits(b, field, "minLength", "maxLength");
    if (field->one_of)
        add_words(b, field->one_of);
}

static void add_int(struct buf *b, const struct schema_field *field)
{
    (void)buf_adds(b, "\"type\":\"integer\"");
    add_limits(b, field, "minimum", "maximum");
}

static void add_list(struct buf *b, const struct schema_field *field)
{
    (void)buf_adds(b, "\"type\":\"array\",\"items\":");
    add_field(b, field->items);
    add_limits(b, field, "minItems", "maxItems");
}

static void add_map(struct buf *b, const struct schema_field *field)
{
    (void)buf_adds(b, "\"type\":\"object\",\"additionalProperties\":");
    add_field(b, field->items);
    add_limits(b, field, "minProperties", "maxProperties");
}

static void add_object(struct buf *b, const struct schema_field *field)
{
    if (!field->nested) {
        (void)buf_adds(b, "\"type\":\"object\"");
        return;
    }
    (void)buf_adds(b, "\"allOf\":[");
    openapi_add_schema(b, field->nested);
    (void)buf_addc(b, ']');
}

static void add_variants(struct buf *b, const struct schema_field *field)
{
    (void)buf_adds(b, "\"anyOf\":[");
    for (size_t i = 0; field->variants[i]; i++) {
        (void)buf_adds(b, i ? "," : "");
        openapi_add_schema(b, field->variants[i]);
    }
    (void)buf_addc(b, ']');
}

/* By type: a function, or a text for those without limits. */
static const struct {
    void (*add)(struct buf *b, const struct schema_field *field);
    const char *text;
} types[] = {
    [SCHEMA_STRING] = {add_string, NULL},
    [SCHEMA_INT] = {add_int, NULL},
    [SCHEMA_BOOL] = {NULL, "\"type\":\"boolean\""},
    [SCHEMA_DURATION] = {NULL, "\"anyOf\":[{\"type\":\"integer\",\"minimum\":0},"
                               "{\"type\":\"string\"}],\"description\":\"seconds, or 1d5h30m\""},
    [SCHEMA_DATETIME] = {NULL, "\"type\":\"string\",\"format\":\"date-time\""},
    [SCHEMA_URL] = {NULL, "\"type\":\"string\",\"format\":\"uri\""},
    [SCHEMA_EMAIL] = {NULL, "\"type\":\"string\",\"format\":\"email\""},
    [SCHEMA_OBJECT] = {add_object, NULL},
    [SCHEMA_LIST] = {add_list, NULL},
    [SCHEMA_MAP] = {add_map, NULL},
    [SCHEMA_VARIANT] = {add_variants, NULL},
};

static void add_field(struct buf *b, const struct schema_field *field)
{
    assert(field->type != SCHEMA_END && field->type < sizeof(types) / sizeof(types[0]));
    (void)buf_adds(b, field->nullable ? "{\"anyOf\":[{\"type\":\"null\"},{" : "{");
    if (types[field->type].add)
        types[field->type].add(b, field);
    else
        (void)buf_adds(b, types[field->type].text);
    (void)buf_adds(b, field->nullable ? "}]" : "");
    if (field->fallback)
        (void)buf_addf(b, ",\"default\":%s", field->fallback);
    (void)buf_addc(b, '}');
}

static void add_required(struct buf *b, const struct schema *schema)
{
    const char *comma = "";

    (void)buf_adds(b, "\"required\":[");
    for (const struct schema_field *field = schema->fields; field->type != SCHEMA_END; field++)
        if (field->required) {
            (void)buf_adds(b, comma);
            add_text(b, field->name);
            comma = ",";
        }
    (void)buf_addc(b, ']');
}

void openapi_add_schema(struct buf *b, const struct schema *schema)
{
    const char *comma = "";

    (void)buf_adds(b, "{\"type\":\"object\",\"properties\":{");
    for (const struct schema_field *field = schema->fields; field->type != SCHEMA_END; field++) {
        (void)buf_adds(b, comma);
        add_text(b, field->name);
        (void)buf_addc(b, ':');
        add_field(b, field);
        comma = ",";
    }
    (void)buf_adds(b, "},");
    add_required(b, schema);
    (void)buf_addf(b, ",\"additionalProperties\":%s}", schema->open ? "true" : "false");
}
