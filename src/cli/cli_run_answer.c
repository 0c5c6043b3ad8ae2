/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: what `pvf run` answers, one JSON object per line (docs/run-protocol.md).  Texts come from
 * workers and may hold anything: they are cleaned, and the writer escapes them.
 */
#include "base/text.h"
#include "cli/cli_job.h"
#include "cli/cli_report.h"
#include "cli/cli_run.h"
#include "hash/hash.h"
#include "pvf/status.h"
#include "pvf/version.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* A number above 2^63-1 is written as a text: readers disagree about those. */
static void put_number(struct pvf__json_out *json, const char *key, uint64_t value)
{
    char text[24];
    if (value <= INT64_MAX) {
        pvf__json_out_number(json, key, value);
        return;
    }
    (void)snprintf(text, sizeof text, "%" PRIu64, value);
    pvf__json_out_string(json, key, text);
}

static struct pvf__json_out
begin(struct pvf__run_client *client, const char *type, const json_t *id)
{
    struct pvf__json_out json = {.buf = &client->output};
    pvf__json_out_open(&json, NULL, '{');
    pvf__json_out_string(&json, "type", type);
    if (json_is_string(id)) {
        pvf__json_out_text(&json, "id", json_string_value(id), json_string_length(id));
    } else if (json_is_integer(id)) {
        pvf__json_out_number(&json, "id", (uint64_t)json_integer_value(id));
    }
    return json;
}

static void end(struct pvf__run_client *client, struct pvf__json_out *json)
{
    pvf__json_out_close(json, '}');
    (void)pvf__buf_u8(&client->output, '\n');
    if (client->output.failed != 0) {
        /* It cannot be told; half a line would be worse. */
        client->gone = true;
    }
}

static void put_text(struct pvf__json_out *json, const char *key, const char *text)
{
    char clean[PVF_OUTCOME_TEXT];
    (void)snprintf(clean, sizeof clean, "%s", text);
    pvf__cli_report_clean(clean);
    if (clean[0] != '\0') {
        pvf__json_out_string(json, key, clean);
    }
}

void pvf__run_answer_ready(struct pvf__run *run, struct pvf__run_client *client)
{
    pvf_security_status security;
    struct pvf__json_out json = begin(client, "ready", NULL);
    pvf_service_security(run->service, &security);
    pvf__json_out_number(&json, "protocol", PVF__RUN_PROTOCOL);
    pvf__json_out_string(&json, "pvf", PVF_VERSION);
    pvf__json_out_number(&json, "max_line", PVF__RUN_LINE_MAX);
    pvf__json_out_number(&json, "max_live", run->options.max_live);
    if (run->metrics != NULL) {
        pvf__json_out_string(&json, "metrics", pvf__cli_metrics_http_address(run->metrics));
    }
    pvf__json_out_open(&json, "security", '{');
    pvf__json_out_bool(&json, "secure_validator_mode", security.secure_validator_mode);
    pvf__json_out_bool(&json, "landlock", security.can_enable_landlock);
    pvf__json_out_bool(&json, "seccomp", security.can_enable_seccomp);
    pvf__json_out_bool(&json, "change_root", security.can_unshare_user_namespace_and_change_root);
    pvf__json_out_bool(&json, "secure_clone", security.can_do_secure_clone);
    pvf__json_out_close(&json, '}');
    end(client, &json);
}

void pvf__run_answer_error(struct pvf__run_client *client,
                           const json_t *id,
                           uint64_t line,
                           const pvf_error *err)
{
    struct pvf__json_out json = begin(client, "error", id);
    if (line != 0) {
        pvf__json_out_number(&json, "line", line);
    }
    pvf__json_out_string(&json, "status", pvf_status_name(err->code));
    put_text(&json, "text", err->text);
    end(client, &json);
}

static const char *class_word(enum pvf__cli_class class)
{
    switch (class) {
    case PVF__CLI_CLASS_VALID:
        return pvf_verdict_name(PVF_VERDICT_VALID);
    case PVF__CLI_CLASS_INVALID:
        return pvf_verdict_name(PVF_VERDICT_INVALID);
    case PVF__CLI_CLASS_POSSIBLY_INVALID:
        return pvf_verdict_name(PVF_VERDICT_POSSIBLY_INVALID);
    case PVF__CLI_CLASS_INTERNAL:
    default:
        return pvf_verdict_name(PVF_VERDICT_INTERNAL);
    }
}

static void put_preparation(struct pvf__json_out *json, const pvf_prepare_outcome *outcome)
{
    pvf__json_out_hex(json, "code_hash", outcome->code_hash, 32);
    pvf__json_out_hex(json, "prep_hash", outcome->prep_hash, 32);
    if (outcome->ok) {
        put_number(json, "artifact_size", outcome->artifact_size);
        pvf__json_out_hex(json, "checksum", outcome->checksum, 32);
    } else {
        pvf__json_out_string(json, "reason", outcome->name);
        put_text(json, "text", outcome->text);
    }
    put_number(json, "cpu_us", outcome->cpu_us);
    put_number(json, "wall_us", outcome->wall_us);
    put_number(json, "code_len", outcome->code_len);
    put_number(json, "peak_allocated", outcome->peak_allocated);
    if (outcome->max_rss_kib >= 0) {
        put_number(json, "peak_rss", (uint64_t)outcome->max_rss_kib * 1024);
    }
}

static void put_evidence(struct pvf__json_out *json, const char *path)
{
    if (path != NULL) {
        pvf__json_out_string(json, "evidence", path);
    }
}

void pvf__run_answer_precheck(struct pvf__run_job *job, const pvf_precheck_reply *reply)
{
    struct pvf__json_out json = begin(job->client, "precheck", job->id);
    put_number(&json, "job", reply->request);
    if (reply->status != 0) {
        pvf__json_out_string(&json, "verdict", pvf_verdict_name(PVF_VERDICT_INTERNAL));
        pvf__json_out_string(&json, "reason", pvf_status_name(reply->status));
        put_text(&json, "text", reply->text);
    } else {
        enum pvf__cli_class class = pvf__cli_prepare_class(reply->outcome);
        pvf__json_out_string(&json, "verdict", class_word(class));
        pvf__json_out_bool(&json, "stored", reply->stored);
        put_preparation(&json, reply->outcome);
    }
    put_evidence(&json, reply->evidence);
    end(job->client, &json);
}

static void put_result(struct pvf__json_out *json, const pvf_outcome *outcome, bool whole)
{
    uint8_t hash[32];
    pvf__json_out_hex(json, "head_hash", outcome->head_hash, 32);
    pvf__json_out_hex(json, "head_data", outcome->head_data.data, outcome->head_data.len);
    if (outcome->new_code.data != NULL) {
        pvf__hash_blake2b_256(outcome->new_code.data, outcome->new_code.len, hash);
        pvf__json_out_hex(json, "new_code_hash", hash, 32);
        put_number(json, "new_code_size", outcome->new_code.len);
    }
    pvf__json_out_number(json, "upward_messages", outcome->upward_messages);
    pvf__json_out_number(json, "horizontal_messages", outcome->horizontal_messages);
    pvf__json_out_number(json, "processed_downward_messages", outcome->processed_downward_messages);
    pvf__json_out_number(json, "hrmp_watermark", outcome->hrmp_watermark);
    pvf__hash_blake2b_256(outcome->result, outcome->result_len, hash);
    put_number(json, "result_size", outcome->result_len);
    pvf__json_out_hex(json, "result_hash", hash, 32);
    if (whole) {
        pvf__json_out_hex(json, "result", outcome->result, outcome->result_len);
    }
}

void pvf__run_answer_execute(struct pvf__run_job *job, const pvf_execute_reply *reply)
{
    const pvf_outcome *outcome = reply->outcome;
    struct pvf__json_out json = begin(job->client, "execute", job->id);
    put_number(&json, "job", reply->request);
    pvf__json_out_string(&json, "verdict", pvf_verdict_name(outcome->verdict));
    if (outcome->verdict == PVF_VERDICT_VALID) {
        put_result(&json, outcome, job->with_result);
    } else {
        pvf__json_out_string(&json, "reason", pvf_reason_name(outcome->reason));
        put_text(&json, "text", outcome->text);
        pvf__json_out_bool(&json, "retry", outcome->retry);
    }
    put_number(&json, "cpu_us", outcome->cpu_us);
    put_number(&json, "wall_us", outcome->wall_us);
    put_number(&json, "pov_size", outcome->pov_size);
    pvf__json_out_number(&json, "attempts", reply->attempts);
    put_number(&json, "queued_us", reply->queued_us);
    if (reply->first_tier) {
        pvf__json_out_bool(&json, "first_tier", true);
    }
    if (reply->preparation != NULL) {
        pvf__json_out_open(&json, "preparation", '{');
        pvf__json_out_string(
            &json, "verdict", class_word(pvf__cli_prepare_class(reply->preparation)));
        put_preparation(&json, reply->preparation);
        pvf__json_out_close(&json, '}');
    }
    put_evidence(&json, reply->evidence);
    end(job->client, &json);
}

void pvf__run_answer_stats(struct pvf__run *run, struct pvf__run_client *client, const json_t *id)
{
    static const char *const kinds[4] = {"dispute", "approval", "backing-system-paras", "backing"};
    pvf_service_stats stats = {.struct_size = sizeof stats};
    struct pvf__json_out json = begin(client, "stats", id);
    pvf_service_stats_get(run->service, &stats);
    pvf__json_out_number(&json, "requests", stats.requests);
    pvf__json_out_number(&json, "prepare_queued", stats.prepare_queued);
    pvf__json_out_open(&json, "execute_queued", '{');
    for (size_t i = 0; i < 4; i++) {
        pvf__json_out_number(&json, kinds[i], stats.execute_queued[i]);
    }
    pvf__json_out_close(&json, '}');
    pvf__json_out_number(&json, "prepare_workers", stats.prepare_workers);
    pvf__json_out_number(&json, "execute_workers", stats.execute_workers);
    pvf__json_out_number(&json, "execute_busy", stats.execute_busy);
    put_number(&json, "copied_bytes", stats.copied_bytes);
    put_number(&json, "cache_bytes", stats.cache_bytes);
    pvf__json_out_number(&json, "cache_entries", stats.cache_entries);
    put_number(&json, "preparations", stats.preparations);
    put_number(&json, "executions", stats.executions);
    put_number(&json, "worker_deaths", stats.worker_deaths);
    pvf__json_out_bool(&json, "healthy", stats.healthy);
    put_text(&json, "alarm", stats.alarm);
    end(client, &json);
}

void pvf__run_answer_count(struct pvf__run_client *client,
                           const char *type,
                           const json_t *id,
                           const char *key,
                           uint64_t value)
{
    struct pvf__json_out json = begin(client, type, id);
    put_number(&json, key, value);
    end(client, &json);
}

void pvf__run_answer_flag(
    struct pvf__run_client *client, const char *type, const json_t *id, const char *key, bool value)
{
    struct pvf__json_out json = begin(client, type, id);
    pvf__json_out_bool(&json, key, value);
    end(client, &json);
}
