/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: the command line of `pvf run`. */
#include "cli/cli_args.h"
#include "cli/cli_exit.h"
#include "cli/cli_run.h"
#include "pvf/log.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "usage: pvf run --cache DIR [OPTION…]\n"
    "\n"
    "Takes requests as lines of JSON from standard input and answers in the same way on standard\n"
    "output; docs/run-protocol.md describes them.  Ends when the input ends and all is answered.\n"
    "\n"
    "  --cache DIR              where artifacts live between runs (also $PVF_CACHE)\n"
    "  --listen PATH            a socket there instead of standard input and output\n"
    "  --metrics ADDRESS        answer GET /metrics and /health: PORT, IP:PORT or unix:PATH\n"
    "  --workers DIR            folder of the worker programs (also $PVF_WORKERS)\n"
    "  --node-version V         the version that the workers must have (default: any)\n"
    "  --secure                 refuse to start where a secure validator cannot run\n"
    "  --prepare-workers N      at most so many prepare at a time (default 2)\n"
    "  --execute-workers N      at most so many execute at a time (default 4)\n"
    "  --compile-threads N      threads that compile one code (default: by the processors)\n"
    "  --max-live N             requests of a client that may live at a time (default 64)\n"
    "  --copied-max SIZE        bytes of code and PoVs of requests that live (default 1G)\n"
    "  --policy fair|reference  how executions take turns (default fair)\n"
    "  --cancel-kills yes|no    a cancelled execution that runs is killed (default yes)\n"
    "  --first-tier             run new code at once, compiled fast, until it is optimised\n"
    "  --plain-protocol         speak to our own workers, too, as a node would\n"
    "  --cache-max SIZE         bytes of artifacts that are kept (default 10G)\n"
    "  --evidence DIR           keep a bundle of all that is not valid or good\n"
    "  --evidence-max SIZE      bytes of bundles that are kept (default 1G)\n"
    "  --log error|warn|info|debug\n"
    "                           what is told on standard error (default warn)\n"
    "  --log-format text|json   how (default text)\n"
    "  -h, --help\n"
    "\n"
    "exit status: 0 ended in order, 2 usage, 4 it could not start, or could not go on\n";

#define SEE_HELP "see 'pvf run --help' or pvf(1)"

enum option_id {
    OPT_CACHE = 256,
    OPT_LISTEN,
    OPT_METRICS,
    OPT_WORKERS,
    OPT_NODE_VERSION,
    OPT_SECURE,
    OPT_PREPARE_WORKERS,
    OPT_EXECUTE_WORKERS,
    OPT_COMPILE_THREADS,
    OPT_MAX_LIVE,
    OPT_COPIED_MAX,
    OPT_POLICY,
    OPT_CANCEL_KILLS,
    OPT_FIRST_TIER,
    OPT_PLAIN_PROTOCOL,
    OPT_CACHE_MAX,
    OPT_EVIDENCE,
    OPT_EVIDENCE_MAX,
    OPT_LOG,
    OPT_LOG_FORMAT,
};

static const struct option long_options[] = {
    {"cache", required_argument, NULL, OPT_CACHE},
    {"listen", required_argument, NULL, OPT_LISTEN},
    {"metrics", required_argument, NULL, OPT_METRICS},
    {"workers", required_argument, NULL, OPT_WORKERS},
    {"node-version", required_argument, NULL, OPT_NODE_VERSION},
    {"secure", no_argument, NULL, OPT_SECURE},
    {"prepare-workers", required_argument, NULL, OPT_PREPARE_WORKERS},
    {"execute-workers", required_argument, NULL, OPT_EXECUTE_WORKERS},
    {"compile-threads", required_argument, NULL, OPT_COMPILE_THREADS},
    {"max-live", required_argument, NULL, OPT_MAX_LIVE},
    {"copied-max", required_argument, NULL, OPT_COPIED_MAX},
    {"policy", required_argument, NULL, OPT_POLICY},
    {"cancel-kills", required_argument, NULL, OPT_CANCEL_KILLS},
    {"first-tier", no_argument, NULL, OPT_FIRST_TIER},
    {"plain-protocol", no_argument, NULL, OPT_PLAIN_PROTOCOL},
    {"cache-max", required_argument, NULL, OPT_CACHE_MAX},
    {"evidence", required_argument, NULL, OPT_EVIDENCE},
    {"evidence-max", required_argument, NULL, OPT_EVIDENCE_MAX},
    {"log", required_argument, NULL, OPT_LOG},
    {"log-format", required_argument, NULL, OPT_LOG_FORMAT},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

static int policy(const char *text, struct pvf__run_options *options)
{
    options->policy = strcmp(text, "reference") == 0 ? PVF_POLICY_REFERENCE : PVF_POLICY_FAIR;
    if (options->policy == PVF_POLICY_FAIR && strcmp(text, "fair") != 0) {
        return pvf__cli_fail(
            PVF__CLI_USAGE, SEE_HELP, "--policy is 'fair' or 'reference', not '%s'", text);
    }
    return -1;
}

static int cancel_kills(const char *text, struct pvf__run_options *options)
{
    options->cancel_spares = strcmp(text, "no") == 0;
    if (!options->cancel_spares && strcmp(text, "yes") != 0) {
        return pvf__cli_fail(
            PVF__CLI_USAGE, SEE_HELP, "--cancel-kills is 'yes' or 'no', not '%s'", text);
    }
    return -1;
}

static int log_level(const char *text, struct pvf__run_options *options)
{
    for (int32_t level = PVF_LOG_ERROR; level <= PVF_LOG_DEBUG; level++) {
        if (strcmp(text, pvf_log_level_name(level)) == 0) {
            options->log_level = level;
            return -1;
        }
    }
    return pvf__cli_fail(PVF__CLI_USAGE, SEE_HELP, "--log: there is no level '%s'", text);
}

static int log_format(const char *text, struct pvf__run_options *options)
{
    options->log_json = strcmp(text, "json") == 0;
    if (!options->log_json && strcmp(text, "text") != 0) {
        return pvf__cli_fail(
            PVF__CLI_USAGE, SEE_HELP, "--log-format is 'text' or 'json', not '%s'", text);
    }
    return -1;
}

/* Options whose value is a text that is looked at later; NULL for the others. */
static const char **text_slot(int id, struct pvf__run_options *options)
{
    switch (id) {
    case OPT_CACHE:
        return &options->cache;
    case OPT_LISTEN:
        return &options->listen;
    case OPT_METRICS:
        return &options->metrics;
    case OPT_WORKERS:
        return &options->workers;
    case OPT_NODE_VERSION:
        return &options->node_version;
    case OPT_EVIDENCE:
        return &options->evidence;
    default:
        return NULL;
    }
}

static int take(int id, struct pvf__run_options *options)
{
    const char **slot = text_slot(id, options);
    if (slot != NULL) {
        *slot = optarg;
        return -1;
    }
    switch (id) {
    case OPT_SECURE:
        options->secure = true;
        return -1;
    case OPT_CANCEL_KILLS:
        return cancel_kills(optarg, options);
    case OPT_FIRST_TIER:
        options->first_tier = true;
        return -1;
    case OPT_PLAIN_PROTOCOL:
        options->plain_protocol = true;
        return -1;
    case OPT_PREPARE_WORKERS:
        return pvf__cli_args_u32(
            "prepare-workers", optarg, 1, 64, SEE_HELP, &options->prepare_workers);
    case OPT_EXECUTE_WORKERS:
        return pvf__cli_args_u32(
            "execute-workers", optarg, 1, 256, SEE_HELP, &options->execute_workers);
    case OPT_COMPILE_THREADS:
        return pvf__cli_args_compile_threads(optarg, SEE_HELP, &options->compile_threads);
    case OPT_MAX_LIVE:
        return pvf__cli_args_u32("max-live", optarg, 1, 4096, SEE_HELP, &options->max_live);
    case OPT_COPIED_MAX:
        return pvf__cli_args_size("copied-max", optarg, &options->copied_max);
    case OPT_POLICY:
        return policy(optarg, options);
    case OPT_CACHE_MAX:
        return pvf__cli_args_size("cache-max", optarg, &options->cache_max);
    case OPT_EVIDENCE_MAX:
        return pvf__cli_args_size("evidence-max", optarg, &options->evidence_max);
    case OPT_LOG:
        return log_level(optarg, options);
    case OPT_LOG_FORMAT:
        return log_format(optarg, options);
    case 'h':
        return fputs(usage, stdout) < 0 ? PVF__CLI_INTERNAL : PVF__CLI_OK;
    default: /* getopt has said what is wrong */
        return pvf__cli_fail(PVF__CLI_USAGE, NULL, "%s", SEE_HELP);
    }
}

int pvf__run_options_parse(int argc, char **argv, struct pvf__run_options *ret)
{
    struct pvf__run_options options = {
        .policy = PVF_POLICY_FAIR, .log_level = PVF_LOG_WARN, .max_live = 64};
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
    if (optind < argc) {
        return pvf__cli_fail(PVF__CLI_USAGE, SEE_HELP, "run takes no '%s'", argv[optind]);
    }
    if (options.cache == NULL || options.cache[0] == '\0') {
        options.cache = getenv("PVF_CACHE");
    }
    if (options.cache == NULL || options.cache[0] == '\0') {
        return pvf__cli_fail(PVF__CLI_USAGE,
                             "--cache DIR, or PVF_CACHE=DIR",
                             "run needs a folder where artifacts live");
    }
    *ret = options;
    return -1;
}
