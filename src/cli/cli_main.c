/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: the order of things in the program pvf. */
#include "base/fd.h"
#include "base/text.h"
#include "cli/cli_bench.h"
#include "cli/cli_cache.h"
#include "cli/cli_command.h"
#include "cli/cli_exit.h"
#include "cli/cli_params.h"
#include "cli/cli_replay.h"
#include "cli/cli_run.h"
#include "hash/hash.h"
#include "pvf/status.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

static int read_code(struct pvf__cli_context *context)
{
    pvf_error err = PVF_ERROR_INIT;
    if (!context->options.code) {
        return -1;
    }
    if (pvf__fd_read_file(context->options.code, &context->code, &err) != PVF_OK) {
        return pvf__cli_fail(PVF__CLI_USAGE, "name a file with the code", "%s", err.text);
    }
    struct pvf__cli_report *report = &context->report;
    char hex[65];
    pvf__hash_blake2b_256(context->code.data, context->code.len, context->code_hash);
    pvf__text_to_hex(context->code_hash, sizeof context->code_hash, hex);
    pvf__cli_report_row(report, "file", "%s", context->options.code);
    pvf__cli_report_row(report, "hash", "0x%s", hex);
    pvf__cli_report_string(report, "file", context->options.code);
    pvf__cli_report_hex(report, "code_hash", context->code_hash, sizeof context->code_hash);
    return -1;
}

static int read_params(struct pvf__cli_context *context)
{
    pvf_error err = PVF_ERROR_INIT;
    if (pvf__cli_params_read(
            context->options.executor_params, &context->params_scale, &context->params, &err) !=
        PVF_OK) {
        return pvf__cli_fail(PVF__CLI_USAGE,
                             "SCALE hex, JSON, or a file with either; see pvf(1)",
                             "--executor-params: %s",
                             err.text);
    }
    if (context->options.executor_params &&
        pvf__executor_params_check(&context->params, &err) != PVF_OK) {
        /* Workers take such a list all the same, so that a verdict about it can be had. */
        (void)fprintf(
            stderr, "pvf: note: no relay chain would accept these parameters: %s\n", err.text);
    }
    return -1;
}

/* All that the command line names is read before anything is run. */
static int read_candidate(struct pvf__cli_context *context)
{
    pvf_error err = PVF_ERROR_INIT;
    const struct pvf__cli_options *options = &context->options;
    if (options->command != PVF__CLI_VALIDATE) {
        return -1;
    }
    if (pvf__cli_input_read(options, &context->candidate, &err) != PVF_OK) {
        return pvf__cli_fail(
            PVF__CLI_USAGE, "see 'Candidate files' in pvf(1) for the formats", "%s", err.text);
    }
    if (options->expect && pvf__fd_read_file(options->expect, &context->expected, &err) != PVF_OK) {
        return pvf__cli_fail(
            PVF__CLI_USAGE, "name a file with a SCALE ValidationResult", "--expect: %s", err.text);
    }
    return -1;
}

static int open_session(struct pvf__cli_context *context)
{
    pvf_error err = PVF_ERROR_INIT;
    struct pvf__cli_workers workers;
    if (pvf__cli_workers_find(context->options.workers, &workers, &err) != PVF_OK) {
        return pvf__cli_fail(
            PVF__CLI_USAGE, "name their folder: --workers DIR, or PVF_WORKERS=DIR", "%s", err.text);
    }
    if (pvf__cli_job_open(&workers, &context->options, &context->session, &err) != PVF_OK) {
        return pvf__cli_fail(PVF__CLI_INTERNAL,
                             "is there room in $TMPDIR, and are the worker programs intact?",
                             "the workers could not be made ready: %s",
                             err.text);
    }
    return -1;
}

static int run(struct pvf__cli_context *context)
{
    static int (*const commands[])(struct pvf__cli_context *, bool *) = {
        pvf__cli_precheck, pvf__cli_prepare, pvf__cli_validate, pvf__cli_inspect, pvf__cli_doctor};
    bool print = false;
    int stop = read_code(context);
    if (stop < 0) {
        stop = read_params(context);
    }
    if (stop < 0) {
        stop = read_candidate(context);
    }
    if (stop < 0 && context->options.command != PVF__CLI_DOCTOR) {
        stop = open_session(context);
    }
    if (stop >= 0) {
        return stop;
    }
    int code = commands[context->options.command](context, &print);
    if (print) {
        pvf__cli_report_number(&context->report, "exit", (uint64_t)code);
        if (!pvf__cli_report_print(&context->report, context->options.format)) {
            return pvf__cli_fail(PVF__CLI_INTERNAL, NULL, "standard output cannot be written");
        }
    }
    return code;
}

/* Commands with a command line of their own. */
static const struct {
    const char *name;
    int (*main)(int argc, char **argv);
} apart[] = {
    {"bench", pvf__cli_bench_main},
    {"cache", pvf__cli_cache_main},
    {"replay", pvf__cli_replay_main},
    {"run", pvf__cli_run_main},
};

int main(int argc, char **argv)
{
    static struct pvf__cli_context context;
    for (size_t i = 0; argc > 1 && i < sizeof apart / sizeof apart[0]; i++) {
        if (strcmp(argv[1], apart[i].name) == 0) {
            return apart[i].main(argc - 1, argv + 1);
        }
    }
    int stop = pvf__cli_options_parse(argc, argv, &context.options);
    if (stop >= 0) {
        return stop;
    }
    /* A reader of our output that goes away is an error of a write, not a death. */
    (void)signal(SIGPIPE, SIG_IGN);
    pvf__buf_init(&context.params_scale, (size_t)1 << 20);
    pvf__buf_init(&context.code, PVF__CLI_MAX_CODE);
    pvf__buf_init(&context.expected, PVF__CLI_MAX_INPUT);
    if (!pvf__cli_report_init(&context.report)) {
        return pvf__cli_fail(PVF__CLI_INTERNAL, NULL, "out of memory");
    }
    int code = run(&context);
    pvf__cli_job_close(context.session);
    pvf__cli_report_done(&context.report);
    pvf__cli_input_done(&context.candidate);
    pvf__buf_done(&context.expected);
    pvf__buf_done(&context.code);
    pvf__buf_done(&context.params_scale);
    return code;
}
