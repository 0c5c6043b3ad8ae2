/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: the command line's grammar and the help text. */
#include "cli/cli_options.h"

#include "base/text.h"
#include "cli/cli_args.h"
#include "cli/cli_exit.h"
#include "proto/command_line.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

static const char usage[] =
    "usage: pvf COMMAND [OPTION…] CODE\n"
    "\n"
    "  pvf precheck CODE                     would validators accept this runtime?\n"
    "  pvf prepare  CODE -o ARTIFACT         compile it\n"
    "  pvf validate CODE --pvd F --pov F     run a candidate; also --params F, --bundle F\n"
    "  pvf inspect  CODE|ARTIFACT            what is inside\n"
    "  pvf doctor                            can this machine run a secure validator?\n"
    "  pvf cache list|verify|gc|warm|export  artifacts that outlive a host; pvf cache --help\n"
    "  pvf run                               a host for other programs; pvf run --help\n"
    "  pvf replay   BUNDLE                   repeat the job of an evidence bundle\n"
    "  pvf bench    [FOLDER…]                measure the workers; pvf bench --help\n"
    "\n"
    "input\n"
    "  --pvd FILE               SCALE PersistedValidationData\n"
    "  --pov FILE               block data of the PoV, compressed or not\n"
    "  --params FILE            SCALE ValidationParams instead of the two\n"
    "  --bundle FILE            SCALE PoV followed by SCALE PersistedValidationData\n"
    "  --artifact FILE          an artifact of 'pvf prepare' instead of CODE\n"
    "  --relay-parent HASH, --scheduling-parent HASH\n"
    "                           both: the candidate has a V3 descriptor\n"
    "chain\n"
    "  --executor-params P      SCALE hex, JSON, or a file with either (default: none)\n"
    "  --bomb-limit N           bytes of code after decompression (default 31457280)\n"
    "  --max-code-size N        bytes of code on chain, for the headroom (default 3145728)\n"
    "  --kind backing|approval  whose time limit counts (default backing)\n"
    "  --precheck               prepare: as a precheck does\n"
    "  --timeout MS             CPU time limit instead of the chain's\n"
    "  --metering callee|call-site\n"
    "                           experts: where compiled code counts its stack (default callee)\n"
    "  --compile-threads N      threads that compile one code (default: by the processors)\n"
    "  --plain-protocol         speak to our own workers, too, as a node would\n"
    "output\n"
    "  -o, --output FILE        prepare: the artifact; validate: the SCALE ValidationResult\n"
    "  --expect FILE            compare the SCALE ValidationResult; exit 5 if it differs\n"
    "  --repeat N               do it N times and tell min, median and max\n"
    "  --json, --tsv            for programs\n"
    "  --workers DIR            folder of the worker programs (also $PVF_WORKERS)\n"
    "  --prepare-worker FILE, --execute-worker FILE\n"
    "                           doctor: examine these programs\n"
    "  -h, --help; -V, --version\n"
    "\n"
    "exit status: 0 valid, 1 invalid, 2 usage, 3 possibly invalid, 4 internal, 5 not as expected,\n"
    "6 not ready for a secure validator (doctor)\n";

enum option_id {
    OPT_PVD = 256,
    OPT_POV,
    OPT_PARAMS,
    OPT_BUNDLE,
    OPT_ARTIFACT,
    OPT_RELAY_PARENT,
    OPT_SCHEDULING_PARENT,
    OPT_EXECUTOR_PARAMS,
    OPT_BOMB_LIMIT,
    OPT_MAX_CODE_SIZE,
    OPT_KIND,
    OPT_METERING,
    OPT_COMPILE_THREADS,
    OPT_PLAIN_PROTOCOL,
    OPT_PRECHECK,
    OPT_TIMEOUT,
    OPT_EXPECT,
    OPT_REPEAT,
    OPT_JSON,
    OPT_TSV,
    OPT_WORKERS,
    OPT_PREPARE_WORKER,
    OPT_EXECUTE_WORKER,
};

static const struct option long_options[] = {
    {"pvd", required_argument, NULL, OPT_PVD},
    {"pov", required_argument, NULL, OPT_POV},
    {"params", required_argument, NULL, OPT_PARAMS},
    {"bundle", required_argument, NULL, OPT_BUNDLE},
    {"artifact", required_argument, NULL, OPT_ARTIFACT},
    {"relay-parent", required_argument, NULL, OPT_RELAY_PARENT},
    {"scheduling-parent", required_argument, NULL, OPT_SCHEDULING_PARENT},
    {"executor-params", required_argument, NULL, OPT_EXECUTOR_PARAMS},
    {"bomb-limit", required_argument, NULL, OPT_BOMB_LIMIT},
    {"max-code-size", required_argument, NULL, OPT_MAX_CODE_SIZE},
    {"kind", required_argument, NULL, OPT_KIND},
    {"metering", required_argument, NULL, OPT_METERING},
    {"compile-threads", required_argument, NULL, OPT_COMPILE_THREADS},
    {"plain-protocol", no_argument, NULL, OPT_PLAIN_PROTOCOL},
    {"precheck", no_argument, NULL, OPT_PRECHECK},
    {"timeout", required_argument, NULL, OPT_TIMEOUT},
    {"output", required_argument, NULL, 'o'},
    {"expect", required_argument, NULL, OPT_EXPECT},
    {"repeat", required_argument, NULL, OPT_REPEAT},
    {"json", no_argument, NULL, OPT_JSON},
    {"tsv", no_argument, NULL, OPT_TSV},
    {"workers", required_argument, NULL, OPT_WORKERS},
    {"prepare-worker", required_argument, NULL, OPT_PREPARE_WORKER},
    {"execute-worker", required_argument, NULL, OPT_EXECUTE_WORKER},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, 'V'},
    {NULL, 0, NULL, 0},
};

#define SEE_HELP "see 'pvf --help' or pvf(1)"

struct parents {
    bool relay;
    bool scheduling;
};

static int hash(const char *name, const char *text, uint8_t out[32], bool *ret_given)
{
    size_t len = 0;
    if (!pvf__text_from_hex(text, out, 32, &len) || len != 32) {
        return pvf__cli_fail(
            PVF__CLI_USAGE, SEE_HELP, "--%s takes 64 hex digits, not '%s'", name, text);
    }
    *ret_given = true;
    return -1;
}

static int kind(const char *text, struct pvf__cli_options *options)
{
    options->approval = strcmp(text, "approval") == 0;
    if (!options->approval && strcmp(text, "backing") != 0) {
        return pvf__cli_fail(
            PVF__CLI_USAGE, SEE_HELP, "--kind is 'backing' or 'approval', not '%s'", text);
    }
    return -1;
}

/* Options whose value is a text that is looked at later; NULL for the others. */
static const char **text_slot(int id, struct pvf__cli_options *options)
{
    switch (id) {
    case 'o':
        return &options->output;
    case OPT_PVD:
        return &options->pvd;
    case OPT_POV:
        return &options->pov;
    case OPT_PARAMS:
        return &options->params;
    case OPT_BUNDLE:
        return &options->bundle;
    case OPT_ARTIFACT:
        return &options->artifact;
    case OPT_EXECUTOR_PARAMS:
        return &options->executor_params;
    case OPT_EXPECT:
        return &options->expect;
    case OPT_WORKERS:
        return &options->workers;
    case OPT_PREPARE_WORKER:
        return &options->prepare_worker;
    case OPT_EXECUTE_WORKER:
        return &options->execute_worker;
    default:
        return NULL;
    }
}

static int take(int id, struct pvf__cli_options *options, struct parents *parents)
{
    const char **slot = text_slot(id, options);
    if (slot) {
        *slot = optarg;
        return -1;
    }
    switch (id) {
    case OPT_RELAY_PARENT:
        return hash("relay-parent", optarg, options->relay_parent, &parents->relay);
    case OPT_SCHEDULING_PARENT:
        return hash("scheduling-parent", optarg, options->scheduling_parent, &parents->scheduling);
    case OPT_BOMB_LIMIT:
        return pvf__cli_args_u32(
            "bomb-limit", optarg, 1, UINT32_MAX, SEE_HELP, &options->bomb_limit);
    case OPT_MAX_CODE_SIZE:
        return pvf__cli_args_u32(
            "max-code-size", optarg, 1, UINT32_MAX, SEE_HELP, &options->max_code_size);
    case OPT_KIND:
        return kind(optarg, options);
    case OPT_METERING:
        return pvf__cli_args_metering(optarg, SEE_HELP, &options->metering);
    case OPT_COMPILE_THREADS:
        return pvf__cli_args_compile_threads(optarg, SEE_HELP, &options->compile_threads);
    case OPT_PLAIN_PROTOCOL:
        options->plain_protocol = true;
        return -1;
    case OPT_PRECHECK:
        options->precheck = true;
        return -1;
    case OPT_TIMEOUT:
        options->has_timeout = true;
        return pvf__cli_args_timeout(optarg, SEE_HELP, &options->timeout_ms);
    case OPT_REPEAT:
        return pvf__cli_args_u32(
            "repeat", optarg, 1, PVF__CLI_ARGS_REPEATS, SEE_HELP, &options->repeat);
    case OPT_JSON:
        options->format = PVF__CLI_JSON;
        return -1;
    case OPT_TSV:
        options->format = PVF__CLI_TSV;
        return -1;
    case 'h':
        return fputs(usage, stdout) < 0 ? PVF__CLI_INTERNAL : PVF__CLI_OK;
    case 'V':
        return puts("pvf " PVF__CLI_VERSION) < 0 ? PVF__CLI_INTERNAL : PVF__CLI_OK;
    default: /* getopt has said what is wrong */
        return pvf__cli_fail(PVF__CLI_USAGE, NULL, "%s", SEE_HELP);
    }
}

static int command(const char *name, enum pvf__cli_command *ret)
{
    static const char *const names[] = {"precheck", "prepare", "validate", "inspect", "doctor"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(name, names[i]) == 0) {
            *ret = (enum pvf__cli_command)i;
            return -1;
        }
    }
    static const char *const apart[] = {"cache", "run", "replay", "bench"};
    for (size_t i = 0; i < sizeof apart / sizeof apart[0]; i++) {
        if (strcmp(name, apart[i]) == 0) {
            return pvf__cli_fail(
                PVF__CLI_USAGE, "its options come after it", "'%s' comes first", name);
        }
    }
    return pvf__cli_fail(PVF__CLI_USAGE, SEE_HELP, "there is no command '%s'", name);
}

/* Which inputs a candidate is made of: exactly one form. */
static int check_validate(const struct pvf__cli_options *options)
{
    int forms = (options->params != NULL) + (options->bundle != NULL) +
                (options->pvd != NULL || options->pov != NULL);
    if (forms != 1 || (options->pvd != NULL) != (options->pov != NULL)) {
        return pvf__cli_fail(PVF__CLI_USAGE,
                             "give --pvd and --pov, or --params, or --bundle",
                             "validate needs one candidate");
    }
    if ((options->code != NULL) == (options->artifact != NULL)) {
        return pvf__cli_fail(PVF__CLI_USAGE,
                             "pvf validate CODE …, or pvf validate --artifact FILE …",
                             "validate needs either CODE or an artifact");
    }
    if (options->params && options->has_v3) {
        return pvf__cli_fail(PVF__CLI_USAGE,
                             "leave --relay-parent and --scheduling-parent out",
                             "ValidationParams hold the parents of a V3 candidate themselves");
    }
    return -1;
}

/* It examines the machine, not a file. */
static int check_doctor(const struct pvf__cli_options *options)
{
    if (options->code || options->pvd || options->pov || options->params || options->bundle ||
        options->artifact || options->expect || options->output || options->has_v3) {
        return pvf__cli_fail(PVF__CLI_USAGE, SEE_HELP, "doctor takes no file but worker programs");
    }
    if (options->format == PVF__CLI_TSV) {
        return pvf__cli_fail(PVF__CLI_USAGE, "take --json", "doctor has no --tsv");
    }
    return -1;
}

static int check_other(const struct pvf__cli_options *options)
{
    if (!options->code) {
        return pvf__cli_fail(PVF__CLI_USAGE, SEE_HELP, "CODE is missing");
    }
    if (options->pvd || options->pov || options->params || options->bundle || options->artifact ||
        options->expect || options->has_v3) {
        return pvf__cli_fail(
            PVF__CLI_USAGE, SEE_HELP, "options about a candidate go with validate only");
    }
    if (options->output && options->command != PVF__CLI_PREPARE) {
        return pvf__cli_fail(
            PVF__CLI_USAGE, SEE_HELP, "--output goes with prepare and validate only");
    }
    if (options->command == PVF__CLI_PREPARE && !options->output) {
        return pvf__cli_fail(PVF__CLI_USAGE,
                             "add -o ARTIFACT; 'pvf precheck' compiles without keeping anything",
                             "prepare needs a file for the artifact");
    }
    return -1;
}

/* An option that changes nothing would be taken for one that did. */
static int check_compiling(const struct pvf__cli_options *options)
{
    const char *option = options->metering != PVF_METERING_DEFAULT ? PVF__WORD_METERING
                         : options->compile_threads != 0           ? PVF__WORD_COMPILE_THREADS
                                                                   : NULL;
    if (option != NULL && (options->command == PVF__CLI_INSPECT || options->artifact)) {
        return pvf__cli_fail(PVF__CLI_USAGE,
                             "it goes with precheck, prepare, and validate CODE",
                             "%s is for code that is compiled now",
                             option);
    }
    return -1;
}

static int check_inputs(const struct pvf__cli_options *options)
{
    if (options->command == PVF__CLI_DOCTOR) {
        return check_doctor(options);
    }
    if (options->prepare_worker || options->execute_worker) {
        return pvf__cli_fail(PVF__CLI_USAGE,
                             "name their folder: --workers DIR",
                             "--prepare-worker and --execute-worker go with doctor only");
    }
    return options->command == PVF__CLI_VALIDATE ? check_validate(options) : check_other(options);
}

int pvf__cli_options_parse(int argc, char **argv, struct pvf__cli_options *ret)
{
    struct pvf__cli_options options = {
        .bomb_limit = PVF__CLI_BOMB_LIMIT,
        .max_code_size = PVF__CLI_MAX_CODE_SIZE,
        .repeat = 1,
    };
    struct parents parents = {false, false};
    for (;;) {
        int id = getopt_long(argc, argv, "ho:V", long_options, NULL);
        if (id == -1) {
            break;
        }
        int stop = take(id, &options, &parents);
        if (stop >= 0) {
            return stop;
        }
    }
    if (optind >= argc) {
        return pvf__cli_fail(PVF__CLI_USAGE, SEE_HELP, "no command given");
    }
    int stop = command(argv[optind], &options.command);
    if (stop >= 0) {
        return stop;
    }
    if (argc - optind > 2) {
        return pvf__cli_fail(
            PVF__CLI_USAGE, "one CODE at a time", "'%s' is one file too many", argv[optind + 2]);
    }
    if (parents.relay != parents.scheduling) {
        return pvf__cli_fail(PVF__CLI_USAGE,
                             SEE_HELP,
                             "a V3 candidate needs --relay-parent and --scheduling-parent");
    }
    options.precheck = options.precheck || options.command == PVF__CLI_PRECHECK;
    options.has_v3 = parents.relay;
    options.code = argc - optind == 2 ? argv[optind + 1] : NULL;
    stop = check_inputs(&options);
    if (stop < 0) {
        stop = check_compiling(&options);
    }
    if (stop < 0) {
        *ret = options;
    }
    return stop;
}
