/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: the command line of `pvf cache`. */
#include "cli/cli_args.h"
#include "cli/cli_cache.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "usage: pvf cache COMMAND [OPTION…]\n"
    "\n"
    "  pvf cache list                        what is in it, least recently used first\n"
    "  pvf cache verify                      prove every artifact\n"
    "  pvf cache gc                          remove what is of no use, then down to the limits\n"
    "  pvf cache warm CODE…                  prepare codes and keep their artifacts\n"
    "  pvf cache export HASH -o FILE         copy the artifact of a code (a prefix will do)\n"
    "\n"
    "  --cache DIR              the cache folder, as a host has it (also $PVF_CACHE)\n"
    "  --json                   for programs\n"
    "  --max-size SIZE          gc: bytes that may stay; with K, M, G: powers of 1024\n"
    "  --min-free SIZE          gc: bytes of the file system that must be free\n"
    "  --dry-run                gc: only say what would be removed\n"
    "  -o, --output FILE        export: where to\n"
    "  --executor-params P      warm, export: as for 'pvf prepare' (default: none)\n"
    "  --bomb-limit N, --precheck, --timeout MS, --metering callee|call-site, --compile-threads "
    "N,\n"
    "  --workers DIR            warm: as for 'pvf prepare'\n"
    "  -h, --help\n"
    "\n"
    "exit status: 0 done, 1 not everything is good (verify), or a code is invalid (warm),\n"
    "2 usage, 3 a code is possibly invalid (warm), 4 internal, or the cache is in use\n";

#define SEE_HELP "see 'pvf cache --help' or pvf(1)"

enum option_id {
    OPT_CACHE = 256,
    OPT_JSON,
    OPT_MAX_SIZE,
    OPT_MIN_FREE,
    OPT_DRY_RUN,
    OPT_EXECUTOR_PARAMS,
    OPT_BOMB_LIMIT,
    OPT_PRECHECK,
    OPT_TIMEOUT,
    OPT_METERING,
    OPT_COMPILE_THREADS,
    OPT_WORKERS,
};

/* Which commands an option goes with. */
#define ALL 31u
#define ON_LIST (1u << PVF__CLI_CACHE_LIST)
#define ON_VERIFY (1u << PVF__CLI_CACHE_VERIFY)
#define ON_GC (1u << PVF__CLI_CACHE_GC)
#define ON_WARM (1u << PVF__CLI_CACHE_WARM)
#define ON_EXPORT (1u << PVF__CLI_CACHE_EXPORT)

static const struct option long_options[] = {
    {"cache", required_argument, NULL, OPT_CACHE},
    {"json", no_argument, NULL, OPT_JSON},
    {"max-size", required_argument, NULL, OPT_MAX_SIZE},
    {"min-free", required_argument, NULL, OPT_MIN_FREE},
    {"dry-run", no_argument, NULL, OPT_DRY_RUN},
    {"output", required_argument, NULL, 'o'},
    {"executor-params", required_argument, NULL, OPT_EXECUTOR_PARAMS},
    {"bomb-limit", required_argument, NULL, OPT_BOMB_LIMIT},
    {"precheck", no_argument, NULL, OPT_PRECHECK},
    {"timeout", required_argument, NULL, OPT_TIMEOUT},
    {"metering", required_argument, NULL, OPT_METERING},
    {"compile-threads", required_argument, NULL, OPT_COMPILE_THREADS},
    {"workers", required_argument, NULL, OPT_WORKERS},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

static unsigned commands_of(int id)
{
    switch (id) {
    case OPT_MAX_SIZE:
    case OPT_MIN_FREE:
    case OPT_DRY_RUN:
        return ON_GC;
    case 'o':
        return ON_EXPORT;
    case OPT_EXECUTOR_PARAMS:
        return ON_WARM | ON_EXPORT;
    case OPT_BOMB_LIMIT:
    case OPT_PRECHECK:
    case OPT_TIMEOUT:
    case OPT_METERING:
    case OPT_WORKERS:
        return ON_WARM;
    case OPT_JSON:
        return ON_LIST | ON_VERIFY | ON_GC | ON_WARM;
    default:
        return ALL;
    }
}

static int take(int id, struct pvf__cli_cache_options *options)
{
    switch (id) {
    case OPT_CACHE:
        options->folder = optarg;
        break;
    case OPT_JSON:
        options->json = true;
        break;
    case OPT_MAX_SIZE:
        return pvf__cli_args_size("max-size", optarg, &options->max_size);
    case OPT_MIN_FREE:
        return pvf__cli_args_size("min-free", optarg, &options->min_free);
    case OPT_DRY_RUN:
        options->dry_run = true;
        break;
    case 'o':
        options->output = optarg;
        break;
    case OPT_EXECUTOR_PARAMS:
        options->executor_params = optarg;
        break;
    case OPT_BOMB_LIMIT:
        return pvf__cli_args_u32(
            "bomb-limit", optarg, 1, UINT32_MAX, SEE_HELP, &options->bomb_limit);
    case OPT_PRECHECK:
        options->precheck = true;
        break;
    case OPT_TIMEOUT:
        return pvf__cli_args_timeout(optarg, SEE_HELP, &options->timeout_ms);
    case OPT_METERING:
        return pvf__cli_args_metering(optarg, SEE_HELP, &options->metering);
    case OPT_COMPILE_THREADS:
        return pvf__cli_args_compile_threads(optarg, SEE_HELP, &options->compile_threads);
    case OPT_WORKERS:
        options->workers = optarg;
        break;
    case 'h':
        return fputs(usage, stdout) < 0 ? PVF__CLI_INTERNAL : PVF__CLI_OK;
    default: /* getopt has said what is wrong */
        return pvf__cli_fail(PVF__CLI_USAGE, NULL, "%s", SEE_HELP);
    }
    return -1;
}

static int command(const char *name, enum pvf__cli_cache_command *ret)
{
    static const char *const names[] = {"list", "verify", "gc", "warm", "export"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(name, names[i]) == 0) {
            *ret = (enum pvf__cli_cache_command)i;
            return -1;
        }
    }
    return pvf__cli_fail(PVF__CLI_USAGE, SEE_HELP, "there is no command 'cache %s'", name);
}

static int check(const struct pvf__cli_cache_options *options, unsigned goes_with)
{
    if ((goes_with & 1u << options->command) == 0) {
        return pvf__cli_fail(
            PVF__CLI_USAGE, SEE_HELP, "one of the options does not go with this command");
    }
    if (options->folder == NULL || options->folder[0] == '\0') {
        return pvf__cli_fail(
            PVF__CLI_USAGE, "name it: --cache DIR, or PVF_CACHE=DIR", "no cache folder is given");
    }
    if (options->command == PVF__CLI_CACHE_WARM && options->operand_count == 0) {
        return pvf__cli_fail(PVF__CLI_USAGE, SEE_HELP, "CODE is missing");
    }
    if (options->command == PVF__CLI_CACHE_EXPORT &&
        (options->operand_count != 1 || options->output == NULL)) {
        return pvf__cli_fail(PVF__CLI_USAGE,
                             "pvf cache export HASH -o FILE",
                             "export needs the hash of one code, and a file");
    }
    if (options->command < PVF__CLI_CACHE_WARM && options->operand_count > 0) {
        return pvf__cli_fail(
            PVF__CLI_USAGE, SEE_HELP, "'%s' is one word too many", options->operands[0]);
    }
    return -1;
}

int pvf__cli_cache_options_parse(int argc, char **argv, struct pvf__cli_cache_options *ret)
{
    struct pvf__cli_cache_options options = {
        .folder = getenv("PVF_CACHE"),
        .max_size = UINT64_MAX,
        .bomb_limit = PVF__CLI_BOMB_LIMIT,
    };
    unsigned goes_with = ALL;
    for (;;) {
        int id = getopt_long(argc, argv, "ho:", long_options, NULL);
        if (id == -1) {
            break;
        }
        int stop = take(id, &options);
        if (stop >= 0) {
            return stop;
        }
        goes_with &= commands_of(id);
    }
    if (optind >= argc) {
        return pvf__cli_fail(PVF__CLI_USAGE, SEE_HELP, "cache needs a command");
    }
    int stop = command(argv[optind], &options.command);
    if (stop < 0) {
        options.operands = argv + optind + 1;
        options.operand_count = argc - optind - 1;
        stop = check(&options, goes_with);
    }
    if (stop < 0) {
        *ret = options;
    }
    return stop;
}
