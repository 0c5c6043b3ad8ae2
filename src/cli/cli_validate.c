/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: the command validate.  The result's bytes come from a worker; only their frame is read. */
#include "base/error.h"
#include "base/fd.h"
#include "base/text.h"
#include "cli/cli_command.h"
#include "cli/cli_exit.h"
#include "cli/cli_progress.h"
#include "hash/hash.h"
#include "proto/validation.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

/* The largest resident set of all ended processes of the jobs so far, bytes. */
static uint64_t children_peak(void)
{
    struct rusage usage;
    if (getrusage(RUSAGE_CHILDREN, &usage) != 0 || usage.ru_maxrss < 0) {
        return 0;
    }
    return (uint64_t)usage.ru_maxrss * 1024;
}

static int local_fault(const pvf_error *err)
{
    return pvf__cli_fail(PVF__CLI_INTERNAL,
                         "no verdict; look at memory, disk and the worker programs",
                         "executing failed: %s",
                         err->text);
}

/* The artifact that --artifact names, or one that is prepared now. */
static int get_artifact(struct pvf__cli_context *context, struct pvf__cli_outcome *ret)
{
    const char *path = context->options.artifact;
    if (!path) {
        return pvf__cli_prepare_run(context, 1, ret);
    }
    pvf_error err = PVF_ERROR_INIT;
    PVF__CLEANUP_BUF struct pvf__buf bytes = PVF__BUF_INIT((size_t)1 << 30);
    int status = strlen(path) < sizeof ret->artifact
                     ? pvf__fd_read_file(path, &bytes, &err)
                     : pvf__error_set(&err,
                                      PVF_ERR_LIMIT,
                                      "--artifact: a path of %zu bytes, at most %zu are possible",
                                      strlen(path),
                                      sizeof ret->artifact - 1);
    if (status != PVF_OK) {
        return pvf__cli_fail(PVF__CLI_USAGE, "name an artifact of 'pvf prepare'", "%s", err.text);
    }
    memset(ret, 0, sizeof *ret);
    memcpy(ret->artifact, path, strlen(path) + 1);
    ret->artifact_len = bytes.len;
    pvf__hash_twox_256(bytes.data, bytes.len, ret->checksum);
    return -1;
}

static uint64_t execute_timeout(const struct pvf__cli_context *context)
{
    if (context->options.has_timeout) {
        return context->options.timeout_ms;
    }
    return context->options.approval ? context->params.approval_timeout_ms
                                     : context->params.backing_timeout_ms;
}

struct runs {
    struct pvf__cli_outcome outcome; /* of the first */
    struct pvf__buf result;          /* of the first */
    struct pvf__cli_times cpu;
    struct pvf__cli_times wall;
};

static int run_once(struct pvf__cli_context *context,
                    const struct pvf__cli_outcome *artifact,
                    struct runs *runs,
                    uint32_t number,
                    pvf_error *err)
{
    struct pvf__cli_outcome outcome;
    PVF__CLEANUP_BUF struct pvf__buf result = PVF__BUF_INIT(runs->result.max);
    int status = pvf__cli_job_execute(context->session,
                                      artifact->artifact,
                                      artifact->checksum,
                                      &context->params,
                                      &context->candidate,
                                      execute_timeout(context),
                                      &result,
                                      &outcome,
                                      err);
    if (status != PVF_OK) {
        return status;
    }
    pvf__cli_times_add(&runs->cpu, outcome.cpu_us);
    pvf__cli_times_add(&runs->wall, outcome.wall_us);
    if (number == 0) {
        runs->outcome = outcome;
        return pvf__buf_append(&runs->result, result.data, result.len);
    }
    if (outcome.class != runs->outcome.class || result.len != runs->result.len ||
        (result.len > 0 && memcmp(result.data, runs->result.data, result.len) != 0)) {
        return pvf__error_set(err,
                              PVF_ERR_INTERNAL,
                              "run %u (%s) differs from run 1 (%s)",
                              number + 1,
                              pvf__cli_class_name(outcome.class),
                              pvf__cli_class_name(runs->outcome.class));
    }
    return PVF_OK;
}

static int run_all(struct pvf__cli_context *context,
                   const struct pvf__cli_outcome *artifact,
                   struct runs *runs)
{
    pvf_error err = PVF_ERROR_INIT;
    int status = PVF_OK;
    pvf__cli_progress_begin("executing");
    for (uint32_t i = 0; status == PVF_OK && i < context->options.repeat; i++) {
        status = run_once(context, artifact, runs, i, &err);
    }
    pvf__cli_progress_end();
    /* The workers end here, so that the kernel tells the peak of what they ran. */
    pvf__cli_job_close(context->session);
    context->session = NULL;
    if (status != PVF_OK) {
        return local_fault(&err);
    }
    struct pvf__cli_report *report = &context->report;
    pvf__cli_times_rows(&runs->cpu, report, "CPU time", "cpu_us");
    pvf__cli_times_rows(&runs->wall, report, "wall time", "wall_us");
    if (runs->cpu.count > 1) {
        runs->outcome.cpu_us = pvf__cli_times_median(&runs->cpu);
        runs->outcome.wall_us = pvf__cli_times_median(&runs->wall);
    }
    return -1;
}

static void result_rows(struct pvf__cli_report *report,
                        const struct pvf__validation_result *result,
                        const struct pvf__buf *raw)
{
    uint8_t hash[32];
    pvf__hash_blake2b_256(result->head_data.data, result->head_data.len, hash);
    pvf__text_to_hex(hash, sizeof hash, report->head_hash);
    pvf__cli_report_row(report, "head hash", "0x%s", report->head_hash);
    pvf__cli_report_hex(report, "head_hash", hash, sizeof hash);
    pvf__cli_report_row(report, "head data", "%zu bytes", result->head_data.len);
    pvf__cli_report_hex(report, "head_data", result->head_data.data, result->head_data.len);
    if (result->has_new_code) {
        pvf__hash_blake2b_256(result->new_code.data, result->new_code.len, hash);
        char hex[65];
        pvf__text_to_hex(hash, sizeof hash, hex);
        pvf__cli_report_row(report, "new code", "0x%s, %zu bytes", hex, result->new_code.len);
        pvf__cli_report_hex(report, "new_code_hash", hash, sizeof hash);
    }
    pvf__cli_report_row(report,
                        "messages",
                        "%u upward, %u horizontal, %u downward processed, HRMP watermark %u",
                        result->upward_count,
                        result->horizontal_count,
                        result->processed_downward_messages,
                        result->hrmp_watermark);
    pvf__cli_report_number(report, "upward_messages", result->upward_count);
    pvf__cli_report_number(report, "horizontal_messages", result->horizontal_count);
    pvf__cli_report_number(
        report, "processed_downward_messages", result->processed_downward_messages);
    pvf__cli_report_number(report, "hrmp_watermark", result->hrmp_watermark);
    pvf__cli_report_number(report, "result_size", raw->len);
    pvf__hash_blake2b_256(raw->data, raw->len, hash);
    pvf__cli_report_hex(report, "result_hash", hash, sizeof hash);
}

static void run_rows(struct pvf__cli_context *context,
                     const struct pvf__cli_outcome *prepared,
                     const struct runs *runs)
{
    struct pvf__cli_report *report = &context->report;
    const struct pvf__cli_outcome *outcome = &runs->outcome;
    if (context->candidate.has_max_pov_size) {
        pvf__cli_report_of_bytes(report,
                                 "PoV",
                                 "pov_size",
                                 context->candidate.pov.len,
                                 context->candidate.pvd.max_pov_size);
    }
    if (outcome->pov_len > 0) {
        pvf__cli_report_size(report, "PoV decompressed", "pov_decompressed_size", outcome->pov_len);
    }
    if (outcome->cpu_us > 0) {
        pvf__cli_report_of_time(
            report, "CPU time", "cpu_us", outcome->cpu_us, execute_timeout(context) * 1000);
    }
    pvf__cli_report_span(report, "wall time", "wall_us", outcome->wall_us);
    if (outcome->peak_rss > 0) {
        pvf__cli_report_size(report, "peak memory", "peak_rss", outcome->peak_rss);
    }
    pvf__cli_report_size(report, "artifact", "artifact_size", prepared->artifact_len);
    if (prepared->wall_us > 0) {
        char text[32];
        char peak[32];
        pvf__cli_report_time(prepared->wall_us, text, sizeof text);
        pvf__cli_report_bytes(prepared->peak_rss, peak, sizeof peak);
        pvf__cli_report_row(report, "prepared in", "%s, peak memory %s", text, peak);
        pvf__cli_report_number(report, "prepare_peak_rss", prepared->peak_rss);
        pvf__cli_report_number(report, "prepare_wall_us", prepared->wall_us);
        pvf__cli_report_number(report, "prepare_cpu_us", prepared->cpu_us);
    }
    report->cpu_us = outcome->cpu_us;
    report->wall_us = outcome->wall_us;
    report->peak_bytes = outcome->peak_rss;
    report->artifact_bytes = prepared->artifact_len;
}

/* PVF__CLI_OK, or PVF__CLI_UNEXPECTED with a row that says where the two differ. */
static int expect(struct pvf__cli_context *context, const struct pvf__buf *result)
{
    struct pvf__cli_report *report = &context->report;
    const struct pvf__buf *want = &context->expected;
    size_t at = 0;
    while (at < want->len && at < result->len && want->data[at] == result->data[at]) {
        at++;
    }
    bool same = at == want->len && at == result->len;
    pvf__cli_report_json(report, "as_expected", json_boolean(same));
    if (same) {
        pvf__cli_report_row(report, "expected result", "equal, %zu bytes", want->len);
        return PVF__CLI_OK;
    }
    pvf__cli_report_row(report,
                        "expected result",
                        "DIFFERS at byte %zu: %zu bytes here, %zu expected",
                        at,
                        result->len,
                        want->len);
    pvf__cli_report_number(report, "first_difference", at);
    return PVF__CLI_UNEXPECTED;
}

static int valid(struct pvf__cli_context *context, struct runs *runs, bool *ret_print)
{
    pvf_error err = PVF_ERROR_INIT;
    struct pvf__validation_result result;
    if (pvf__validation_result_decode(runs->result.data, runs->result.len, &result, &err) !=
        PVF_OK) {
        *ret_print = false;
        return local_fault(&err);
    }
    result_rows(&context->report, &result, &runs->result);
    if (context->options.output &&
        pvf__fd_write_file(
            context->options.output, 0644, runs->result.data, runs->result.len, &err) != PVF_OK) {
        *ret_print = false;
        return pvf__cli_fail(PVF__CLI_INTERNAL,
                             "is the folder there, writable, and not full?",
                             "the result could not be written: %s",
                             err.text);
    }
    return context->options.expect ? expect(context, &runs->result) : PVF__CLI_OK;
}

static int execute(struct pvf__cli_context *context,
                   const struct pvf__cli_outcome *prepared,
                   struct runs *runs,
                   bool *ret_print)
{
    uint64_t before = children_peak();
    int stop = run_all(context, prepared, runs);
    if (stop >= 0) {
        return stop;
    }
    /* The kernel keeps the largest of all only, so a preparation before would be in it. */
    uint64_t after = children_peak();
    if (context->options.artifact && after > before) {
        runs->outcome.peak_rss = after;
    }
    *ret_print = true;
    pvf__cli_verdict_rows(context, &runs->outcome);
    int code = pvf__cli_class_exit(runs->outcome.class);
    if (runs->outcome.class == PVF__CLI_CLASS_VALID) {
        code = valid(context, runs, ret_print);
    }
    run_rows(context, prepared, runs);
    return code;
}

int pvf__cli_validate(struct pvf__cli_context *context, bool *ret_print)
{
    struct pvf__cli_outcome prepared;
    struct runs runs;
    int stop = -1;
    memset(&prepared, 0, sizeof prepared);
    memset(&runs, 0, sizeof runs);
    pvf__buf_init(&runs.result, (size_t)256 << 20);
    bool room = pvf__cli_times_init(&runs.cpu, context->options.repeat);
    room = pvf__cli_times_init(&runs.wall, context->options.repeat) && room;
    if (!room) {
        stop = pvf__cli_fail(PVF__CLI_INTERNAL, NULL, "out of memory");
    }
    if (stop < 0) {
        stop = get_artifact(context, &prepared);
    }
    if (stop < 0 && prepared.class != PVF__CLI_CLASS_VALID) {
        /* No candidate of such a code can be judged; what is wrong is the code. */
        pvf__cli_verdict_rows(context, &prepared);
        pvf__cli_prepare_rows(context, &prepared);
        *ret_print = true;
        stop = pvf__cli_class_exit(prepared.class);
    }
    if (stop < 0) {
        stop = execute(context, &prepared, &runs, ret_print);
    }
    pvf__cli_times_done(&runs.cpu);
    pvf__cli_times_done(&runs.wall);
    pvf__buf_done(&runs.result);
    return stop;
}
