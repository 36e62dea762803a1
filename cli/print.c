/* SPDX-License-Identifier: GPL-3.0-or-later
 * Printing of documents. */
#include "cli/print.h"

#include "common/buf.h"
#include "common/json.h"
#include "common/yaml.h"

#include <errno.h>
#include <string.h>

#define PRINT_MAX ((size_t)1 << 30)

int print_flush(FILE *out, struct err *err)
{
    if (fflush(out) != 0 || ferror(out))
        return err_set_errno(err, errno, "could not write the output");
    return 0;
}

int print_json(FILE *out, const char *text, size_t len, struct err *err)
{
    struct json_object *json = NULL;

    if (jsn_parse(text, len, &json, NULL) == 0) {
        text = json_object_to_json_string_length(json,
                                                 JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED |
                                                     JSON_C_TO_STRING_NOSLASHESCAPE,
                                                 &len);
        if (!text) {
            (void)json_object_put(json);
            return err_set(err, ERR_INTERNAL, "out of memory");
        }
    }
    if (fwrite(text, 1, len, out) == len)
        (void)fputc('\n', out);
    (void)json_object_put(json);
    return print_flush(out, err);
}

int print_yaml(FILE *out, struct json_object *json, struct err *err)
{
    struct buf text = BUF_INIT(PRINT_MAX);
    int rc = yml_add_tree(&text, json, err);

    if (rc == 0) {
        (void)fwrite(buf_text(&text), 1, text.len, out);
        rc = print_flush(out, err);
    }
    buf_done(&text);
    return rc;
}
