/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: what a bundle's manifest says.  Texts of outcomes come from workers and may hold anything:
 * the writer escapes them.
 */
#include "evidence/evidence_manifest.h"

#include "base/json_out.h"
#include "evidence/evidence_machine.h"
#include "hash/hash.h"
#include "pvf/version.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static void put_file(struct pvf__json_out *json, const char *file, struct pvf__slice bytes)
{
    uint8_t hash[32];
    if (bytes.data == NULL) {
        return;
    }
    pvf__hash_blake2b_256(bytes.data, bytes.len, hash);
    pvf__json_out_open(json, file, '{');
    pvf__json_out_number(json, "size", bytes.len);
    pvf__json_out_hex(json, "blake2b_256", hash, sizeof(hash));
    pvf__json_out_close(json, '}');
}

static void put_time(struct pvf__json_out *json)
{
    char text[32];
    struct tm parts;
    time_t now = time(NULL);
    if (gmtime_r(&now, &parts) != NULL &&
        strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &parts) > 0) {
        pvf__json_out_string(json, "written", text);
    }
}

/* What the job was asked to do: with the files, all that a repetition needs. */
static void put_request(struct pvf__json_out *json, const struct pvf__evidence *evidence)
{
    static const uint8_t no_params[1] = {0};
    const pvf_execute_request *execution = evidence->execution;
    bool none = evidence->executor_params.len == 0;
    pvf__json_out_open(json, "request", '{');
    pvf__json_out_hex(json,
                      "executor_params",
                      none ? no_params : evidence->executor_params.data,
                      none ? 1 : evidence->executor_params.len);
    pvf__json_out_number(json, "bomb_limit", evidence->bomb_limit);
    pvf__json_out_number(json, "prepare_timeout_ms", evidence->prepare_timeout_ms);
    pvf__json_out_bool(json, "precheck", evidence->prepare_kind == PVF_PREPARE_PRECHECKING);
    pvf__json_out_number(json, "metering", (uint64_t)(uint32_t)evidence->metering);
    if (evidence->kind != NULL) {
        pvf__json_out_string(json, "kind", evidence->kind);
    }
    if (execution != NULL) {
        pvf__json_out_number(json, "timeout_ms", execution->timeout_ms);
        pvf__json_out_number(
            json, "descriptor_version", (uint64_t)(uint32_t)execution->descriptor_version);
        pvf__json_out_number(json, "descriptor_byte", execution->descriptor_byte);
        pvf__json_out_hex(json, "relay_parent", execution->relay_parent, 32);
        pvf__json_out_hex(json, "scheduling_parent", execution->scheduling_parent, 32);
    }
    pvf__json_out_close(json, '}');
}

static void put_preparation(struct pvf__json_out *json, const pvf_prepare_outcome *outcome)
{
    pvf__json_out_open(json, "preparation", '{');
    pvf__json_out_bool(json, "ok", outcome->ok);
    if (outcome->ok) {
        pvf__json_out_number(json, "artifact_size", outcome->artifact_size);
        pvf__json_out_hex(json, "checksum", outcome->checksum, 32);
    } else {
        pvf__json_out_number(json, "error", (uint64_t)(uint32_t)outcome->error);
        pvf__json_out_string(json, "name", outcome->name != NULL ? outcome->name : "");
        pvf__json_out_bool(json, "deterministic", outcome->deterministic);
        pvf__json_out_string(json, "text", outcome->text);
    }
    pvf__json_out_hex(json, "prep_hash", outcome->prep_hash, 32);
    pvf__json_out_number(json, "cpu_us", outcome->cpu_us);
    pvf__json_out_number(json, "wall_us", outcome->wall_us);
    pvf__json_out_number(json, "code_len", outcome->code_len);
    if (outcome->max_rss_kib >= 0) {
        pvf__json_out_number(json, "max_rss_kib", (uint64_t)outcome->max_rss_kib);
    }
    pvf__json_out_number(json, "peak_allocated", outcome->peak_allocated);
    pvf__json_out_close(json, '}');
}

static void put_outcome(struct pvf__json_out *json, const struct pvf__evidence *evidence)
{
    const pvf_outcome *outcome = evidence->outcome;
    pvf__json_out_open(json, "outcome", '{');
    pvf__json_out_number(json, "verdict", (uint64_t)(uint32_t)outcome->verdict);
    pvf__json_out_string(json, "verdict_name", pvf_verdict_name(outcome->verdict));
    pvf__json_out_number(json, "reason", (uint64_t)(uint32_t)outcome->reason);
    pvf__json_out_string(json, "reason_name", pvf_reason_name(outcome->reason));
    pvf__json_out_string(json, "text", outcome->text);
    pvf__json_out_bool(json, "retry", outcome->retry);
    pvf__json_out_number(json, "attempts", evidence->attempts);
    pvf__json_out_number(json, "cpu_us", outcome->cpu_us);
    pvf__json_out_number(json, "wall_us", outcome->wall_us);
    pvf__json_out_number(json, "queued_us", evidence->queued_us);
    pvf__json_out_number(json, "pov_size", outcome->pov_size);
    if (outcome->verdict == PVF_VERDICT_VALID) {
        pvf__json_out_hex(json, "head_hash", outcome->head_hash, 32);
    }
    pvf__json_out_close(json, '}');
}

static void put_program(struct pvf__json_out *json,
                        const char *key,
                        const struct pvf__evidence_program *program)
{
    if (program->path == NULL) {
        return;
    }
    pvf__json_out_open(json, key, '{');
    pvf__json_out_string(json, "path", program->path);
    if (program->version != NULL) {
        pvf__json_out_string(json, "version", program->version);
    }
    if (program->blake2b_256 != NULL) {
        pvf__json_out_number(json, "size", program->size);
        pvf__json_out_hex(json, "blake2b_256", program->blake2b_256, 32);
    }
    pvf__json_out_close(json, '}');
}

static void put_security(struct pvf__json_out *json, const pvf_security_status *security)
{
    pvf__json_out_open(json, "security", '{');
    pvf__json_out_bool(json, "secure_validator_mode", security->secure_validator_mode);
    pvf__json_out_bool(json, "landlock", security->can_enable_landlock);
    pvf__json_out_bool(json, "seccomp", security->can_enable_seccomp);
    pvf__json_out_bool(json, "change_root", security->can_unshare_user_namespace_and_change_root);
    pvf__json_out_bool(json, "secure_clone", security->can_do_secure_clone);
    pvf__json_out_close(json, '}');
}

void pvf__evidence_manifest(const struct pvf__evidence *evidence,
                            const struct pvf__evidence_files *files,
                            struct pvf__buf *buf)
{
    struct pvf__json_out json = {.buf = buf};
    pvf__json_out_open(&json, NULL, '{');
    pvf__json_out_string(&json, "format", PVF__EVIDENCE_FORMAT);
    pvf__json_out_number(&json, "version", PVF__EVIDENCE_VERSION);
    put_time(&json);
    pvf__json_out_string(&json, "pvf", PVF_VERSION);
    pvf__json_out_open(&json, "files", '{');
    pvf__json_out_open(&json, PVF__EVIDENCE_CODE, '{');
    pvf__json_out_number(&json, "size", evidence->code.len);
    pvf__json_out_hex(&json, "blake2b_256", evidence->code_hash, 32);
    pvf__json_out_close(&json, '}');
    put_file(&json, PVF__EVIDENCE_PVD, files->pvd);
    put_file(&json, PVF__EVIDENCE_POV, files->pov);
    put_file(&json, PVF__EVIDENCE_RESULT, files->result);
    pvf__json_out_close(&json, '}');
    put_request(&json, evidence);
    if (evidence->outcome != NULL) {
        put_outcome(&json, evidence);
    }
    if (evidence->preparation != NULL) {
        put_preparation(&json, evidence->preparation);
    }
    put_program(&json, "prepare_worker", &evidence->prepare_worker);
    put_program(&json, "execute_worker", &evidence->execute_worker);
    put_security(&json, &evidence->security);
    pvf__evidence_machine(&json);
    pvf__json_out_close(&json, '}');
    (void)pvf__buf_u8(buf, '\n');
}
