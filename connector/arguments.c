/* SPDX-License-Identifier: GPL-3.0-or-later
 * Parses the command line; prints help and version. */
#include "connector/arguments.h"

#include "connector/connector.h"

#include <config.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define DEFAULT_JOB "testflinger.json"

static void print_help(void)
{
    printf("Usage: testflinger-device-connector TYPE STAGE -c CONFIG [JOB]\n"
           "Run one stage of a job on a device, in the job's directory.\n\n"
           "  -c, --config FILE  the device's configuration, YAML\n"
           "  -V, --version      print the version and exit\n"
           "  -h, --help         print this and exit\n\n"
           "JOB is the job as an agent received it (default: " DEFAULT_JOB ").\n\n"
           "Types:\n");
    for (const struct type *type = types; type->name; type++)
        printf("  %-17s %s\n", type->name, type->help);
    printf("\nStages:\n");
    for (enum stage stage = 0; stage < STAGE_COUNT; stage++)
        printf("  %-17s %s\n", stage_name(stage), stage_help(stage));
}

__attribute__((format(printf, 1, 2))) static int wrong_usage(const char *format, ...)
{
    va_list args;

    fputs("testflinger-device-connector: ", stderr);
    va_start(args, format);
    (void)vfprintf(stderr, format, args);
    va_end(args);
    fputs("\nTry \"testflinger-device-connector --help\".\n", stderr);
    return EXIT_USAGE;
}

static int parse_options(struct arguments *args, int argc, char **argv)
{
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'},
        {"version", no_argument, NULL, 'V'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    int option;

    while ((option = getopt_long(argc, argv, "c:hV", options, NULL)) != -1) {
        switch (option) {
        case 'c':
            args->config = optarg;
            break;
        case 'V':
            printf("testflinger-device-connector %s\n", PACKAGE_VERSION);
            return EXIT_SUCCESS;
        case 'h':
            print_help();
            return EXIT_SUCCESS;
        default: /* getopt has said what is wrong */
            return EXIT_USAGE;
        }
    }
    return -1;
}

int arguments_parse(struct arguments *args, int argc, char **argv)
{
    int status, stage;

    *args = (struct arguments){.job = DEFAULT_JOB};
    status = parse_options(args, argc, argv);
    if (status >= 0)
        return status;
    argc -= optind;
    argv += optind;
    if (argc < 2)
        return wrong_usage("which type and which stage?");
    if (argc > 3)
        return wrong_usage("unexpected argument \"%s\"", argv[3]);
    args->type = type_find(argv[0]);
    if (!args->type)
        return wrong_usage("unknown type \"%s\"", argv[0]);
    stage = stage_find(argv[1]);
    if (stage < 0)
        return wrong_usage("unknown stage \"%s\"", argv[1]);
    args->stage = (enum stage)stage;
    if (argc == 3)
        args->job = argv[2];
    if (!args->config)
        return wrong_usage("option -c is missing");
    return -1;
}
