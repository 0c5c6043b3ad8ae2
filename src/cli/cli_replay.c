/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: the command replay: a bundle's job once more, and what is different about it. */
#include "cli/cli_replay.h"

#include "base/error.h"
#include "base/text.h"
#include "cache/cache_program.h"
#include "cli/cli_args.h"
#include "cli/cli_command.h"
#include "cli/cli_exit.h"
#include "cli/cli_report.h"
#include "cli/cli_workers.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

static const char usage[] =
    "usage: pvf replay [OPTION…] BUNDLE\n"
    "\n"
    "Repeats the job of an evidence bundle and compares what comes of it.\n"
    "\n"
    "  --workers DIR            folder of the worker programs (also $PVF_WORKERS)\n"
    "  --timeout MS             CPU time limit of the execution instead of the bundle's\n"
    "  --repeat N               execute N times; all have to agree\n"
    "  --json                   for programs\n"
    "  -h, --help\n"
    "\n"
    "exit status: 0 the same as recorded, 2 usage, or the bundle is damaged, 4 it could not be\n"
    "repeated here, 5 not the same\n";

#define SEE_HELP "see 'pvf replay --help' or pvf(1)"

enum option_id {
    OPT_WORKERS = 256,
    OPT_TIMEOUT,
    OPT_REPEAT,
    OPT_JSON,
};

static const struct option long_options[] = {
    {"workers", required_argument, NULL, OPT_WORKERS},
    {"timeout", required_argument, NULL, OPT_TIMEOUT},
    {"repeat", required_argument, NULL, OPT_REPEAT},
    {"json", no_argument, NULL, OPT_JSON},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

struct replay {
    const char *folder;
    const char *workers;
    uint64_t timeout_ms;
    uint32_t repeat;
    enum pvf__cli_format format;

    struct pvf__cli_bundle bundle;
    struct pvf__cli_report report;
    pvf_host *host;
    pvf_prepare_outcome artifact;
    pvf_outcome outcome; /* of the first execution */
    struct pvf__cli_times cpu;
    struct pvf__cli_times wall;
};

static int take(int id, struct replay *replay)
{
    switch (id) {
    case OPT_WORKERS:
        replay->workers = optarg;
        return -1;
    case OPT_TIMEOUT:
        return pvf__cli_args_timeout(optarg, SEE_HELP, &replay->timeout_ms);
    case OPT_REPEAT:
        return pvf__cli_args_u32(
            "repeat", optarg, 1, PVF__CLI_ARGS_REPEATS, SEE_HELP, &replay->repeat);
    case OPT_JSON:
        replay->format = PVF__CLI_JSON;
        return -1;
    case 'h':
        return fputs(usage, stdout) < 0 ? PVF__CLI_INTERNAL : PVF__CLI_OK;
    default: /* getopt has said what is wrong */
        return pvf__cli_fail(PVF__CLI_USAGE, NULL, "%s", SEE_HELP);
    }
}

static int parse(int argc, char **argv, struct replay *replay)
{
    for (;;) {
        int id = getopt_long(argc, argv, "h", long_options, NULL);
        if (id == -1) {
            break;
        }
        int stop = take(id, replay);
        if (stop >= 0) {
            return stop;
        }
    }
    if (argc - optind != 1) {
        return pvf__cli_fail(PVF__CLI_USAGE, SEE_HELP, "replay takes one bundle");
    }
    replay->folder = argv[optind];
    return -1;
}

/* 0x and the digest of a worker's file; "-" when it cannot be read. */
static void digest_of(const char *path, char out[67])
{
    uint8_t digest[32];
    uint64_t size;
    (void)snprintf(out, 67, "-");
    if (pvf__cache_program_digest(NULL, "", path, digest, &size, NULL) == 0) {
        (void)snprintf(out, 67, "0x");
        pvf__text_to_hex(digest, sizeof digest, out + 2);
    }
}

/* Which program is used, and is it the one that was used then? */
static void worker_row(struct replay *replay, const char *label, const char *key, const char *path)
{
    char version[64];
    char digest[67];
    char name[32];
    const char *then = pvf__cli_bundle_text(&replay->bundle, key, "version");
    const char *then_digest = pvf__cli_bundle_text(&replay->bundle, key, "blake2b_256");
    if (pvf_worker_version(path, version, sizeof version, NULL) != 0) {
        (void)snprintf(version, sizeof version, "unknown");
    }
    digest_of(path, digest);
    bool known = strlen(then_digest) == strlen(digest) && strlen(digest) > 1;
    bool same = known && strcmp(digest, then_digest) == 0;
    pvf__cli_report_row(&replay->report,
                        label,
                        same    ? "%s, the same file as then"
                        : known ? "%s, another file than then: %s"
                                : "%s here, %s then",
                        version,
                        then);
    (void)snprintf(name, sizeof name, "%s_version", key);
    pvf__cli_report_string(&replay->report, name, version);
    if (known) {
        (void)snprintf(name, sizeof name, "%s_same", key);
        pvf__cli_report_json(&replay->report, name, json_boolean(same));
    }
}

static int open_host(struct replay *replay)
{
    pvf_error err = PVF_ERROR_INIT;
    struct pvf__cli_workers workers;
    if (pvf__cli_workers_find(replay->workers, &workers, &err) != 0) {
        return pvf__cli_fail(
            PVF__CLI_USAGE, "name their folder: --workers DIR, or PVF_WORKERS=DIR", "%s", err.text);
    }
    const pvf_host_config config = {
        .prepare_worker_path = workers.prepare,
        .execute_worker_path = workers.execute,
        .log_directives = getenv("RUST_LOG"),
        .quiet = getenv("RUST_LOG") == NULL,
        .security_mode = PVF_SECURITY_DETECT,
        .metering = replay->bundle.metering,
    };
    if (pvf_host_new(&config, &replay->host, &err) != 0) {
        return pvf__cli_fail(PVF__CLI_INTERNAL,
                             "is there room in $TMPDIR, and are the worker programs intact?",
                             "the workers could not be made ready: %s",
                             err.text);
    }
    worker_row(replay, "prepare worker", "prepare_worker", workers.prepare);
    worker_row(replay, "execute worker", "execute_worker", workers.execute);
    return -1;
}

static void head_rows(struct replay *replay)
{
    struct pvf__cli_report *report = &replay->report;
    const struct pvf__cli_bundle *bundle = &replay->bundle;
    struct utsname machine;
    const char *cpu = pvf__cli_bundle_text(bundle, "machine", "cpu");
    const char *kernel = pvf__cli_bundle_text(bundle, "machine", "kernel");
    pvf__cli_report_row(report, "bundle", "%s", replay->folder);
    pvf__cli_report_row(report, "written", "%s", pvf__cli_bundle_text(bundle, NULL, "written"));
    pvf__cli_report_row(report, "machine then", "%s, kernel %s", cpu, kernel);
    if (uname(&machine) == 0) {
        pvf__cli_report_row(report, "kernel here", "%s", machine.release);
    }
    pvf__cli_report_string(report, "bundle", replay->folder);
    pvf__cli_report_json(report, "recorded", json_incref(bundle->manifest));
}

/* One row of what was and what is; the same words mean the same. */
static void compare_row(
    struct replay *replay, const char *label, const char *key, const char *then, const char *now)
{
    if (strcmp(then, now) == 0) {
        pvf__cli_report_row(&replay->report, label, "%s, as recorded", now);
    } else {
        pvf__cli_report_row(&replay->report, label, "%s, but recorded was: %s", now, then);
    }
    pvf__cli_report_string(&replay->report, key, now);
}

static int finish(struct replay *replay, bool same)
{
    int code = same ? PVF__CLI_OK : PVF__CLI_UNEXPECTED;
    pvf__cli_report_row(&replay->report, "replay", "%s", same ? "the same" : "DIFFERENT");
    pvf__cli_report_json(&replay->report, "same", json_boolean(same));
    pvf__cli_report_number(&replay->report, "exit", (uint64_t)code);
    if (!pvf__cli_report_print(&replay->report, replay->format)) {
        return pvf__cli_fail(PVF__CLI_INTERNAL, NULL, "standard output cannot be written");
    }
    return code;
}

static void prepare_rows(struct replay *replay)
{
    const pvf_prepare_outcome *now = &replay->artifact;
    const struct pvf__cli_bundle *bundle = &replay->bundle;
    const char *then = !bundle->has_preparation ? "-"
                       : bundle->prepared       ? "good"
                                          : pvf__cli_bundle_text(bundle, "preparation", "name");
    if (bundle->has_preparation) {
        compare_row(replay, "preparation", "preparation", then, now->ok ? "good" : now->name);
    } else {
        pvf__cli_report_row(&replay->report, "preparation", "%s", now->ok ? "good" : now->name);
    }
    if (!now->ok) {
        char text[PVF_OUTCOME_TEXT];
        memcpy(text, now->text, sizeof text);
        pvf__cli_report_clean(text);
        pvf__cli_report_row(&replay->report, "text", "%s", text);
        pvf__cli_report_string(&replay->report, "preparation_text", text);
    }
    pvf__cli_report_span(&replay->report, "prepare CPU", "prepare_cpu_us", now->cpu_us);
}

static int execute_once(struct replay *replay, uint32_t number, pvf_error *err)
{
    pvf_execute_request request = replay->bundle.execution;
    pvf_outcome outcome;
    memset(&outcome, 0, sizeof outcome);
    request.artifact_path = replay->artifact.artifact_path;
    memcpy(request.checksum, replay->artifact.checksum, sizeof request.checksum);
    if (replay->timeout_ms != 0) {
        request.timeout_ms = replay->timeout_ms;
    }
    int status = pvf_host_execute(replay->host, &request, &outcome, err);
    if (status != 0) {
        return status;
    }
    pvf__cli_times_add(&replay->cpu, outcome.cpu_us);
    pvf__cli_times_add(&replay->wall, outcome.wall_us);
    if (number == 0) {
        replay->outcome = outcome;
        return 0;
    }
    const pvf_outcome *first = &replay->outcome;
    if (outcome.verdict != first->verdict || outcome.result_len != first->result_len ||
        (outcome.result_len > 0 &&
         memcmp(outcome.result, first->result, outcome.result_len) != 0)) {
        status = pvf__error_set(err,
                                PVF_ERR_INTERNAL,
                                "run %u (%s) differs from run 1 (%s)",
                                number + 1,
                                pvf_verdict_name(outcome.verdict),
                                pvf_verdict_name(first->verdict));
    }
    pvf_outcome_done(&outcome);
    return status;
}

/*
 * The same class.  What was recorded as invalid after several attempts that each were possibly
 * invalid shows here as a single one of them.
 */
static bool same_verdict(const struct pvf__cli_bundle *bundle, const pvf_outcome *now)
{
    if (bundle->verdict == now->verdict) {
        return true;
    }
    return bundle->verdict == PVF_VERDICT_INVALID && now->verdict == PVF_VERDICT_POSSIBLY_INVALID &&
           bundle->reason == now->reason;
}

/* Only what was recorded is compared; rows say what. */
static bool same_result(struct replay *replay)
{
    const struct pvf__cli_bundle *bundle = &replay->bundle;
    const pvf_outcome *now = &replay->outcome;
    bool same = true;
    if (now->verdict != PVF_VERDICT_VALID) {
        return true;
    }
    pvf__cli_report_hex(&replay->report, "head_hash", now->head_hash, 32);
    if (bundle->has_head_hash) {
        bool head = memcmp(now->head_hash, bundle->head_hash, 32) == 0;
        pvf__cli_report_row(&replay->report, "head hash", head ? "as recorded" : "DIFFERENT");
        same = head;
    }
    if (bundle->result.len > 0) {
        bool result = now->result_len == bundle->result.len &&
                      memcmp(now->result, bundle->result.data, now->result_len) == 0;
        pvf__cli_report_row(&replay->report,
                            "result",
                            result ? "as recorded, %zu bytes" : "DIFFERENT, %zu bytes",
                            now->result_len);
        same = same && result;
    }
    return same;
}

static bool execution_rows(struct replay *replay)
{
    struct pvf__cli_report *report = &replay->report;
    const struct pvf__cli_bundle *bundle = &replay->bundle;
    pvf_outcome *now = &replay->outcome;
    char times[2][32];
    compare_row(replay,
                "verdict",
                "verdict",
                pvf_verdict_name(bundle->verdict),
                pvf_verdict_name(now->verdict));
    if (now->verdict != PVF_VERDICT_VALID || bundle->verdict != PVF_VERDICT_VALID) {
        compare_row(replay,
                    "reason",
                    "reason",
                    pvf_reason_name(bundle->reason),
                    pvf_reason_name(now->reason));
    }
    pvf__cli_report_clean(now->text);
    if (now->text[0] != '\0') {
        pvf__cli_report_row(report, "text", "%s", now->text);
        pvf__cli_report_string(report, "text", now->text);
    }
    pvf__cli_report_time(now->cpu_us, times[0], sizeof times[0]);
    pvf__cli_report_time(bundle->cpu_us, times[1], sizeof times[1]);
    pvf__cli_report_row(report, "CPU time", "%s, recorded %s", times[0], times[1]);
    pvf__cli_report_number(report, "cpu_us", now->cpu_us);
    pvf__cli_report_time(now->wall_us, times[0], sizeof times[0]);
    pvf__cli_report_time(bundle->wall_us, times[1], sizeof times[1]);
    pvf__cli_report_row(report, "wall time", "%s, recorded %s", times[0], times[1]);
    pvf__cli_report_number(report, "wall_us", now->wall_us);
    pvf__cli_times_rows(&replay->cpu, report, "CPU times", "cpu_us");
    pvf__cli_times_rows(&replay->wall, report, "wall times", "wall_us");
    bool same = same_result(replay);
    return same_verdict(bundle, now) && same;
}

static int local_fault(const char *what, const pvf_error *err)
{
    return pvf__cli_fail(PVF__CLI_INTERNAL,
                         "nothing can be compared; look at memory, disk and the worker programs",
                         "%s failed: %s",
                         what,
                         err->text);
}

static int run(struct replay *replay)
{
    pvf_error err = PVF_ERROR_INIT;
    const struct pvf__cli_bundle *bundle = &replay->bundle;
    if (pvf_host_prepare(replay->host, &bundle->preparation, &replay->artifact, &err) != 0) {
        return local_fault("preparing", &err);
    }
    prepare_rows(replay);
    if (!replay->artifact.ok) {
        return finish(replay,
                      bundle->has_preparation && !bundle->prepared &&
                          bundle->prepare_error == replay->artifact.error);
    }
    if (!bundle->has_outcome) {
        return finish(replay, bundle->prepared);
    }
    int status = 0;
    for (uint32_t i = 0; status == 0 && i < replay->repeat; i++) {
        status = execute_once(replay, i, &err);
    }
    return status != 0 ? local_fault("executing", &err) : finish(replay, execution_rows(replay));
}

static int start(struct replay *replay)
{
    pvf_error err = PVF_ERROR_INIT;
    if (!pvf__cli_report_init(&replay->report) ||
        !pvf__cli_times_init(&replay->cpu, replay->repeat) ||
        !pvf__cli_times_init(&replay->wall, replay->repeat)) {
        return pvf__cli_fail(PVF__CLI_INTERNAL, NULL, "out of memory");
    }
    if (pvf__cli_bundle_read(replay->folder, &replay->bundle, &err) != 0) {
        return pvf__cli_fail(PVF__CLI_USAGE,
                             "a bundle is a folder with a manifest.json; see 'Evidence' in pvf(1)",
                             "%s: %s",
                             replay->folder,
                             err.text);
    }
    head_rows(replay);
    int stop = open_host(replay);
    return stop >= 0 ? stop : run(replay);
}

int pvf__cli_replay_main(int argc, char **argv)
{
    static struct replay replay;
    replay.repeat = 1;
    int code = parse(argc, argv, &replay);
    if (code >= 0) {
        return code;
    }
    /* A reader of our output that goes away is an error of a write, not a death. */
    (void)signal(SIGPIPE, SIG_IGN);
    code = start(&replay);
    pvf_outcome_done(&replay.outcome);
    pvf_prepare_outcome_done(&replay.artifact);
    pvf_host_free(replay.host);
    pvf__cli_bundle_done(&replay.bundle);
    pvf__cli_times_done(&replay.cpu);
    pvf__cli_times_done(&replay.wall);
    pvf__cli_report_done(&replay.report);
    return code;
}
