/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: the command line of `pvf bench`. */
#include "cli/cli_args.h"
#include "cli/cli_bench.h"
#include "cli/cli_exit.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

static const char usage[] =
    "usage: pvf bench [OPTION…] [FOLDER…]\n"
    "\n"
    "Each FOLDER holds a candidate and its code (default: tests/data/adder and\n"
    "tests/data/shell-2021).  Both pairs of workers get the same jobs, by turns, in one run.\n"
    "\n"
    "  --workers DIR            folder of the worker programs (also $PVF_WORKERS)\n"
    "  --reference DIR          compare with the workers in this folder\n"
    "  --against PREPARE,EXECUTE\n"
    "                           compare with these two programs\n"
    "  --plain-protocol         compare with the same programs, spoken to as a node would\n"
    "  --runs N                 jobs to measure per side and case (default 100)\n"
    "  --prepares N             preparations per side and case (default 5)\n"
    "  --warm-up N              jobs before that are not measured (default 3)\n"
    "  --executor-params P      as for 'pvf prepare'\n"
    "  --no-fence               neither side uses what this machine has against hostile code\n"
    "  --json, --markdown       other forms of the table\n"
    "  -h, --help\n"
    "\n"
    "exit status: 0 measured, 2 usage, 4 a job failed or gave another result\n";

#define SEE_HELP "see 'pvf bench --help' or pvf(1)"

enum option_id {
    OPT_WORKERS = 256,
    OPT_REFERENCE,
    OPT_AGAINST,
    OPT_PLAIN_PROTOCOL,
    OPT_RUNS,
    OPT_PREPARES,
    OPT_WARM_UP,
    OPT_EXECUTOR_PARAMS,
    OPT_NO_FENCE,
    OPT_JSON,
    OPT_MARKDOWN,
};

static const struct option long_options[] = {
    {"workers", required_argument, NULL, OPT_WORKERS},
    {"reference", required_argument, NULL, OPT_REFERENCE},
    {"against", required_argument, NULL, OPT_AGAINST},
    {"plain-protocol", no_argument, NULL, OPT_PLAIN_PROTOCOL},
    {"runs", required_argument, NULL, OPT_RUNS},
    {"prepares", required_argument, NULL, OPT_PREPARES},
    {"warm-up", required_argument, NULL, OPT_WARM_UP},
    {"executor-params", required_argument, NULL, OPT_EXECUTOR_PARAMS},
    {"no-fence", no_argument, NULL, OPT_NO_FENCE},
    {"json", no_argument, NULL, OPT_JSON},
    {"markdown", no_argument, NULL, OPT_MARKDOWN},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

static int against(const char *text, struct pvf__bench_options *options)
{
    const char *comma = strchr(text, ',');
    size_t len = comma != NULL ? (size_t)(comma - text) : 0;
    if (len == 0 || len >= PATH_MAX || comma[1] == '\0' || strlen(comma + 1) >= PATH_MAX) {
        return pvf__cli_fail(PVF__CLI_USAGE,
                             SEE_HELP,
                             "--against takes two programs with a comma between, not '%s'",
                             text);
    }
    memcpy(options->against[0], text, len);
    options->against[0][len] = '\0';
    memcpy(options->against[1], comma + 1, strlen(comma + 1) + 1);
    return -1;
}

static int take(int id, struct pvf__bench_options *options)
{
    switch (id) {
    case OPT_WORKERS:
        options->workers = optarg;
        return -1;
    case OPT_REFERENCE:
        options->reference = optarg;
        return -1;
    case OPT_AGAINST:
        return against(optarg, options);
    case OPT_PLAIN_PROTOCOL:
        options->plain_protocol = true;
        return -1;
    case OPT_RUNS:
        return pvf__cli_args_u32("runs", optarg, 1, 1000000, SEE_HELP, &options->runs);
    case OPT_PREPARES:
        return pvf__cli_args_u32("prepares", optarg, 1, 10000, SEE_HELP, &options->prepares);
    case OPT_WARM_UP:
        return pvf__cli_args_u32("warm-up", optarg, 1, 10000, SEE_HELP, &options->warm_up);
    case OPT_EXECUTOR_PARAMS:
        options->executor_params = optarg;
        return -1;
    case OPT_NO_FENCE:
        options->fenced = false;
        return -1;
    case OPT_JSON:
        options->form = PVF__BENCH_JSON;
        return -1;
    case OPT_MARKDOWN:
        options->form = PVF__BENCH_MARKDOWN;
        return -1;
    case 'h':
        return fputs(usage, stdout) < 0 ? PVF__CLI_INTERNAL : PVF__CLI_OK;
    default: /* getopt has said what is wrong */
        return pvf__cli_fail(PVF__CLI_USAGE, NULL, "%s", SEE_HELP);
    }
}

int pvf__bench_options_parse(int argc, char **argv, struct pvf__bench_options *ret)
{
    static struct pvf__bench_options options;
    options = (struct pvf__bench_options){
        .fenced = true, .runs = 100, .prepares = 5, .warm_up = 3, .form = PVF__BENCH_ROWS};
    for (;;) {
        int id = getopt_long(argc, argv, "h", long_options, NULL);
        if (id == -1) {
            break;
        }
        int stop = take(id, &options);
        if (stop >= 0) {
            return stop;
        }
    }
    int others = (options.reference != NULL) + (options.against[0][0] != '\0');
    if (others + options.plain_protocol > 1) {
        return pvf__cli_fail(PVF__CLI_USAGE,
                             "name one of them",
                             others > 1 ? "--reference and --against exclude each other"
                                        : "--plain-protocol excludes another pair");
    }
    options.folders = argv + optind;
    options.folder_count = argc - optind;
    *ret = options;
    return -1;
}
