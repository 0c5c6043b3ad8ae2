/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: how commands use libpvf.  Outcome texts come from workers and are cleaned here. */
#include "cli/cli_job.h"

#include "base/error.h"
#include "cli/cli_report.h"
#include "proto/prepare_msg.h"
#include "pvf/host.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct pvf__cli_session {
    pvf_host *host;
    pvf_prepare_outcome prepared; /* the last one: its artifact lives as long */
};

int pvf__cli_job_open(const struct pvf__cli_workers *workers,
                      const struct pvf__cli_options *options,
                      struct pvf__cli_session **ret,
                      pvf_error *err)
{
    pvf_host_config config = {
        .prepare_worker_path = workers->prepare,
        .execute_worker_path = workers->execute,
        .log_directives = getenv("RUST_LOG"),
        /* What goes wrong is told once, in the outcome; who sets RUST_LOG wants more. */
        .quiet = getenv("RUST_LOG") == NULL,
        .plain_protocol = options->plain_protocol,
        .security_mode = PVF_SECURITY_DETECT,
        .metering = (int32_t)options->metering,
        .compile_threads = options->compile_threads,
    };
    struct pvf__cli_session *session = calloc(1, sizeof *session);
    if (!session) {
        return pvf__error_set(err, PVF_ERR_NO_MEMORY, "out of memory");
    }
    int status = pvf_host_new(&config, &session->host, err);
    if (status != PVF_OK) {
        free(session);
        return status;
    }
    *ret = session;
    return PVF_OK;
}

void pvf__cli_job_close(struct pvf__cli_session *session)
{
    if (session) {
        pvf_prepare_outcome_done(&session->prepared);
        pvf_host_free(session->host);
        free(session);
    }
}

/* A name for programs: "hard timeout" becomes "HardTimeout". */
static void join_words(const char *words, char *out, size_t size)
{
    size_t len = 0;
    bool start = true;
    for (; *words != '\0' && len + 1 < size; words++) {
        if (*words == ' ' || *words == '-') {
            start = true;
            continue;
        }
        char letter = *words;
        if (start) {
            letter = (char)toupper((unsigned char)letter);
        }
        out[len++] = letter;
        start = false;
    }
    out[len] = '\0';
}

static void copy_text(const char *text, char *out, size_t size)
{
    (void)snprintf(out, size, "%s", text);
    pvf__cli_report_clean(out);
}

enum pvf__cli_class pvf__cli_prepare_class(const pvf_prepare_outcome *outcome)
{
    if (outcome->ok) {
        return PVF__CLI_CLASS_VALID;
    }
    if (outcome->deterministic) {
        return PVF__CLI_CLASS_INVALID;
    }
    return outcome->error == PVF__PREPARE_JOB_DIED || outcome->error == PVF__PREPARE_TIMED_OUT ||
                   outcome->error == PVF__PREPARE_RUNTIME_CONSTRUCTION
               ? PVF__CLI_CLASS_POSSIBLY_INVALID
               : PVF__CLI_CLASS_INTERNAL;
}

static pvf_bytes bytes_of(struct pvf__slice slice)
{
    return (pvf_bytes){.data = slice.data, .len = slice.len};
}

int pvf__cli_job_prepare(struct pvf__cli_session *session,
                         struct pvf__slice code,
                         const struct pvf__executor_params *params,
                         const struct pvf__cli_options *options,
                         uint64_t timeout_ms,
                         struct pvf__cli_outcome *ret,
                         pvf_error *err)
{
    pvf_prepare_request request = {
        .code = bytes_of(code),
        .bomb_limit = options->bomb_limit,
        .executor_params = bytes_of(params->raw),
        .timeout_ms = timeout_ms,
        .kind = options->precheck ? PVF_PREPARE_PRECHECKING : PVF_PREPARE_COMPILATION,
    };
    pvf_prepare_outcome *outcome = &session->prepared;
    pvf_prepare_outcome_done(outcome);
    int status = pvf_host_prepare(session->host, &request, outcome, err);
    if (status != PVF_OK) {
        return status;
    }
    memset(ret, 0, sizeof *ret);
    ret->class = pvf__cli_prepare_class(outcome);
    if (outcome->ok) {
        (void)snprintf(ret->artifact, sizeof ret->artifact, "%s", outcome->artifact_path);
        memcpy(ret->checksum, outcome->checksum, sizeof ret->checksum);
        ret->artifact_len = outcome->artifact_size;
    } else {
        copy_text(outcome->name, ret->reason, sizeof ret->reason);
        copy_text(outcome->text, ret->text, sizeof ret->text);
    }
    ret->cpu_us = outcome->cpu_us;
    ret->wall_us = outcome->wall_us;
    ret->code_len = outcome->code_len;
    ret->peak_rss = outcome->max_rss_kib > 0 ? (uint64_t)outcome->max_rss_kib * 1024 : 0;
    ret->peak_alloc = outcome->peak_allocated;
    return PVF_OK;
}

int pvf__cli_job_keep(struct pvf__cli_session *session, const char *path, pvf_error *err)
{
    return pvf_prepare_outcome_keep(&session->prepared, path, err);
}

static enum pvf__cli_class execute_class(const pvf_outcome *outcome)
{
    switch (outcome->verdict) {
    case PVF_VERDICT_VALID:
        return PVF__CLI_CLASS_VALID;
    case PVF_VERDICT_INVALID:
        return PVF__CLI_CLASS_INVALID;
    case PVF_VERDICT_POSSIBLY_INVALID:
        return PVF__CLI_CLASS_POSSIBLY_INVALID;
    default:
        return PVF__CLI_CLASS_INTERNAL;
    }
}

static void fill_request(const struct pvf__cli_candidate *candidate, pvf_execute_request *request)
{
    const struct pvf__persisted_validation_data *pvd = &candidate->pvd;
    request->parent_head = bytes_of(pvd->parent_head);
    request->relay_parent_number = pvd->relay_parent_number;
    memcpy(request->relay_parent_storage_root, pvd->relay_parent_storage_root, 32);
    request->max_pov_size = pvd->max_pov_size;
    request->pov = bytes_of(candidate->pov);
    request->descriptor_version = PVF_DESCRIPTOR_V1;
    if (candidate->has_v3) {
        request->descriptor_version = PVF_DESCRIPTOR_V3;
        memcpy(request->relay_parent, candidate->relay_parent, 32);
        memcpy(request->scheduling_parent, candidate->scheduling_parent, 32);
    }
}

int pvf__cli_job_execute(struct pvf__cli_session *session,
                         const char *artifact,
                         const uint8_t checksum[32],
                         const struct pvf__executor_params *params,
                         const struct pvf__cli_candidate *candidate,
                         uint64_t timeout_ms,
                         struct pvf__buf *result,
                         struct pvf__cli_outcome *ret,
                         pvf_error *err)
{
    pvf_execute_request request = {
        .artifact_path = artifact,
        .executor_params = bytes_of(params->raw),
        .timeout_ms = timeout_ms,
    };
    pvf_outcome outcome;
    memcpy(request.checksum, checksum, sizeof request.checksum);
    fill_request(candidate, &request);
    memset(&outcome, 0, sizeof outcome);
    int status = pvf_host_execute(session->host, &request, &outcome, err);
    if (status != PVF_OK) {
        return status;
    }
    memset(ret, 0, sizeof *ret);
    ret->class = execute_class(&outcome);
    if (ret->class == PVF__CLI_CLASS_VALID) {
        status = pvf__buf_append(result, outcome.result, outcome.result_len);
        if (status != PVF_OK) {
            (void)pvf__error_set(
                err, status, "no room for a result of %zu bytes", outcome.result_len);
        }
    } else {
        join_words(pvf_reason_name(outcome.reason), ret->reason, sizeof ret->reason);
        copy_text(outcome.text, ret->text, sizeof ret->text);
    }
    ret->cpu_us = outcome.cpu_us;
    ret->wall_us = outcome.wall_us;
    ret->pov_len = outcome.pov_size;
    pvf_outcome_done(&outcome);
    return status;
}

int pvf__cli_job_inspect(struct pvf__cli_session *session,
                         struct pvf__slice bytes,
                         const struct pvf__executor_params *params,
                         const struct pvf__cli_options *options,
                         struct pvf__buf *json,
                         pvf_error *err)
{
    char *text = NULL;
    int status = pvf_host_inspect(
        session->host, bytes_of(bytes), bytes_of(params->raw), options->bomb_limit, &text, err);
    if (status != PVF_OK) {
        return status;
    }
    status = pvf__buf_append(json, text, strlen(text));
    if (status != PVF_OK) {
        (void)pvf__error_set(err, status, "the answer has more than %zu bytes", json->max);
    }
    free(text);
    return status;
}
