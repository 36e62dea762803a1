/* SPDX-License-Identifier: GPL-3.0-or-later
 * What people read of an option table: the list in --help and a sample file. */
#include "common/option.h"

#include <string.h>

void option_print_help(const struct option_row *rows, FILE *out)
{
    for (const struct option_row *row = rows; row->name; row++) {
        (void)fprintf(out, "  %s = %s\n        %s", row->name, row->value_name, row->help);
        if (row->required)
            (void)fprintf(out, " (required)");
        else if (row->fallback && *row->fallback)
            (void)fprintf(out, " (default %s)", row->fallback);
        (void)fputc('\n', out);
    }
}

static void print_group_sample(const struct option_row *row, FILE *out)
{
    (void)fprintf(out, "#%s = ( {", row->name);
    for (int i = 0; row->fields[i]; i++)
        (void)fprintf(out, " %s = \"…\";", row->fields[i]);
    (void)fprintf(out, " } );\n");
}

static void print_row_sample(const struct option_row *row, FILE *out)
{
    const char *quote = row->type == OPTION_TYPE_STRING ? "\"" : "";

    if (row->type == OPTION_TYPE_GROUPS)
        print_group_sample(row, out);
    else if (row->type == OPTION_TYPE_LIST)
        (void)fprintf(out, "#%s = ( \"%s\" );\n", row->name, row->value_name);
    else if (row->required)
        (void)fprintf(out, "%s = \"%s\";\n", row->name, row->value_name);
    else
        (void)fprintf(out, "#%s = %s%s%s;\n", row->name, quote,
                      row->fallback ? row->fallback : row->value_name, quote);
}

void option_print_sample(const struct option_row *rows, FILE *out)
{
    for (const struct option_row *row = rows; row->name; row++) {
        (void)fprintf(out, "%s# %s\n", row == rows ? "" : "\n", row->help);
        print_row_sample(row, out);
    }
}
