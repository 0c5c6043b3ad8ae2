/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: the command prepare, and what precheck and validate share with it. */
#include "base/error.h"
#include "cli/cli_command.h"
#include "cli/cli_exit.h"
#include "cli/cli_progress.h"

#include <string.h>

const char *pvf__cli_class_name(enum pvf__cli_class class)
{
    static const char *const names[] = {"valid", "invalid", "possibly invalid", "internal"};
    return names[class];
}

int pvf__cli_class_exit(enum pvf__cli_class class)
{
    static const int codes[] = {
        PVF__CLI_OK, PVF__CLI_INVALID, PVF__CLI_POSSIBLY_INVALID, PVF__CLI_INTERNAL};
    return codes[class];
}

static const char *advice(enum pvf__cli_class class)
{
    switch (class) {
    case PVF__CLI_CLASS_POSSIBLY_INVALID:
        return "this may be the machine's doing (memory, load): run it again";
    case PVF__CLI_CLASS_INTERNAL:
        return "this machine's fault, no verdict: look at memory, disk and the worker programs";
    case PVF__CLI_CLASS_VALID:
    case PVF__CLI_CLASS_INVALID:
    default:
        return NULL;
    }
}

/*
 * A trap's text ends with the frames of the guest's stack, one line each before it was made one
 * line: for people they are rows of their own.
 */
static void reason_rows(struct pvf__cli_report *report, const struct pvf__cli_outcome *outcome)
{
    static const char mark[] = "WASM backtrace:";
    const char *trace = strstr(outcome->text, mark);
    int len = (int)(trace ? (size_t)(trace - outcome->text) : strlen(outcome->text));
    pvf__cli_report_row(report, "reason", "%s: %.*s", outcome->reason, len, outcome->text);
    const char *frame = trace ? strstr(trace, "    ") : NULL;
    while (frame) {
        frame += strspn(frame, " ");
        const char *next = strstr(frame, "    ");
        int width = (int)(next ? (size_t)(next - frame) : strlen(frame));
        pvf__cli_report_row(report, "  at", "%.*s", width, frame);
        frame = next;
    }
}

void pvf__cli_verdict_rows(struct pvf__cli_context *context, const struct pvf__cli_outcome *outcome)
{
    struct pvf__cli_report *report = &context->report;
    report->verdict = pvf__cli_class_name(outcome->class);
    memcpy(report->reason, outcome->reason, sizeof report->reason);
    pvf__cli_report_string(report, "verdict", report->verdict);
    pvf__cli_report_row(report, "verdict", "%s", report->verdict);
    if (outcome->class == PVF__CLI_CLASS_VALID) {
        return;
    }
    pvf__cli_report_string(report, "reason", outcome->reason);
    pvf__cli_report_string(report, "text", outcome->text);
    reason_rows(report, outcome);
    const char *what_to_do = advice(outcome->class);
    if (what_to_do) {
        pvf__cli_report_row(report, "what to do", "%s", what_to_do);
    }
}

uint64_t pvf__cli_prepare_timeout(const struct pvf__cli_context *context)
{
    const struct pvf__cli_options *options = &context->options;
    if (options->has_timeout && options->command != PVF__CLI_VALIDATE) {
        return options->timeout_ms;
    }
    return options->precheck ? context->params.precheck_timeout_ms
                             : context->params.prepare_timeout_ms;
}

int pvf__cli_prepare_run(struct pvf__cli_context *context,
                         uint32_t repeat,
                         struct pvf__cli_outcome *ret)
{
    struct pvf__slice code = {.data = context->code.data, .len = context->code.len};
    struct pvf__cli_times cpu;
    struct pvf__cli_times wall;
    pvf_error err = PVF_ERROR_INIT;
    int status = PVF_OK;
    memset(ret, 0, sizeof *ret);
    bool room = pvf__cli_times_init(&cpu, repeat);
    room = pvf__cli_times_init(&wall, repeat) && room;
    if (!room) {
        status = pvf__error_set(&err, PVF_ERR_NO_MEMORY, "no memory for %u figures", repeat);
    }
    pvf__cli_progress_begin("preparing");
    for (uint32_t i = 0; status == PVF_OK && i < repeat; i++) {
        struct pvf__cli_outcome outcome;
        status = pvf__cli_job_prepare(context->session,
                                      code,
                                      &context->params,
                                      &context->options,
                                      pvf__cli_prepare_timeout(context),
                                      &outcome,
                                      &err);
        if (status != PVF_OK) {
            break;
        }
        pvf__cli_times_add(&cpu, outcome.cpu_us);
        pvf__cli_times_add(&wall, outcome.wall_us);
        if (i > 0 && outcome.class != ret->class) {
            status = pvf__error_set(&err,
                                    PVF_ERR_INTERNAL,
                                    "run %u was %s, the one before it %s",
                                    i + 1,
                                    pvf__cli_class_name(outcome.class),
                                    pvf__cli_class_name(ret->class));
        }
        /* The last one's artifact is the one that exists. */
        *ret = outcome;
    }
    pvf__cli_progress_end();
    if (status == PVF_OK && repeat > 1) {
        pvf__cli_times_rows(&cpu, &context->report, "prepare CPU", "prepare_cpu_us");
        pvf__cli_times_rows(&wall, &context->report, "prepare wall", "prepare_wall_us");
        ret->cpu_us = pvf__cli_times_median(&cpu);
        ret->wall_us = pvf__cli_times_median(&wall);
    }
    pvf__cli_times_done(&cpu);
    pvf__cli_times_done(&wall);
    if (status == PVF_ERR_UNSUPPORTED) {
        /* Only this: a prepare worker that does not know what it is told. */
        return pvf__cli_fail(
            PVF__CLI_USAGE, "name the folder of pvf's own workers: --workers DIR", "%s", err.text);
    }
    if (status != PVF_OK) {
        return pvf__cli_fail(PVF__CLI_INTERNAL,
                             "no verdict; look at memory, disk and the worker programs",
                             "preparing failed: %s",
                             err.text);
    }
    return -1;
}

static void memory_rows(struct pvf__cli_context *context, const struct pvf__cli_outcome *outcome)
{
    struct pvf__cli_report *report = &context->report;
    const struct pvf__executor_params *params = &context->params;
    char text[32];
    if (outcome->peak_alloc > 0) {
        if (params->has_prechecking_max_memory) {
            pvf__cli_report_of_bytes(report,
                                     "allocated",
                                     "peak_alloc",
                                     outcome->peak_alloc,
                                     params->prechecking_max_memory);
        } else {
            pvf__cli_report_bytes(outcome->peak_alloc, text, sizeof text);
            pvf__cli_report_row(report, "allocated", "%s (the chain sets no limit)", text);
            pvf__cli_report_number(report, "peak_alloc", outcome->peak_alloc);
        }
    }
    if (outcome->peak_rss > 0) {
        pvf__cli_report_size(report, "peak memory", "peak_rss", outcome->peak_rss);
    }
}

void pvf__cli_prepare_rows(struct pvf__cli_context *context, const struct pvf__cli_outcome *outcome)
{
    struct pvf__cli_report *report = &context->report;
    pvf__cli_report_of_bytes(
        report, "code", "code_size", context->code.len, context->options.max_code_size);
    if (outcome->code_len > 0) {
        pvf__cli_report_of_bytes(report,
                                 "decompressed",
                                 "decompressed_size",
                                 outcome->code_len,
                                 context->options.bomb_limit);
    }
    if (outcome->cpu_us > 0) {
        pvf__cli_report_of_time(report,
                                "CPU time",
                                "cpu_us",
                                outcome->cpu_us,
                                pvf__cli_prepare_timeout(context) * 1000);
    }
    pvf__cli_report_span(report, "wall time", "wall_us", outcome->wall_us);
    memory_rows(context, outcome);
    if (outcome->artifact_len > 0) {
        pvf__cli_report_size(report, "artifact", "artifact_size", outcome->artifact_len);
    }
    report->cpu_us = outcome->cpu_us;
    report->wall_us = outcome->wall_us;
    report->peak_bytes = outcome->peak_rss;
    report->artifact_bytes = outcome->artifact_len;
}

int pvf__cli_prepare(struct pvf__cli_context *context, bool *ret_print)
{
    struct pvf__cli_outcome outcome;
    int stop = pvf__cli_prepare_run(context, context->options.repeat, &outcome);
    if (stop >= 0) {
        return stop;
    }
    if (outcome.class == PVF__CLI_CLASS_VALID) {
        pvf_error err = PVF_ERROR_INIT;
        if (pvf__cli_job_keep(context->session, context->options.output, &err) != PVF_OK) {
            return pvf__cli_fail(PVF__CLI_INTERNAL,
                                 "is the folder there, writable, and not full?",
                                 "the artifact could not be written: %s",
                                 err.text);
        }
        pvf__cli_report_row(&context->report, "written", "%s", context->options.output);
        pvf__cli_report_string(&context->report, "written", context->options.output);
        pvf__cli_report_hex(
            &context->report, "checksum", outcome.checksum, sizeof outcome.checksum);
    }
    pvf__cli_verdict_rows(context, &outcome);
    pvf__cli_prepare_rows(context, &outcome);
    *ret_print = true;
    return pvf__cli_class_exit(outcome.class);
}
