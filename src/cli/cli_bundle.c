/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: reading evidence bundles.  A bundle may come from anybody: every member is checked, every
 * file has a limit and a digest, and no path is taken from it.
 */
#include "base/error.h"
#include "base/fd.h"
#include "base/text.h"
#include "cli/cli_input.h"
#include "cli/cli_replay.h"
#include "evidence/evidence.h"
#include "hash/hash.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#define MANIFEST_MAX ((size_t)4 << 20)
#define PARAMS_MAX ((size_t)1 << 20)

/* One object of the manifest that is being read, for messages. */
struct object {
    const json_t *json;
    const char *name;
    pvf_error *err;
};

static int wrong(const struct object *object, const char *key, const char *need)
{
    return pvf__error_set(
        object->err, PVF_ERR_MALFORMED, "manifest: %s.%s has to be %s", object->name, key, need);
}

static int get_number(const struct object *object, const char *key, uint64_t max, uint64_t *ret)
{
    const json_t *value = json_object_get(object->json, key);
    if (!json_is_integer(value) || json_integer_value(value) < 0 ||
        (uint64_t)json_integer_value(value) > max) {
        char need[64];
        (void)snprintf(
            need, sizeof need, "a whole number of at most %llu", (unsigned long long)max);
        return wrong(object, key, need);
    }
    *ret = (uint64_t)json_integer_value(value);
    return 0;
}

static int get_i32(const struct object *object, const char *key, int32_t max, int32_t *ret)
{
    uint64_t value = 0;
    int status = get_number(object, key, (uint64_t)max, &value);
    if (status == 0) {
        *ret = (int32_t)value;
    }
    return status;
}

static int get_bool(const struct object *object, const char *key, bool *ret)
{
    const json_t *value = json_object_get(object->json, key);
    if (!json_is_boolean(value)) {
        return wrong(object, key, "true or false");
    }
    *ret = json_is_true(value);
    return 0;
}

static int get_hash(const struct object *object, const char *key, uint8_t out[32])
{
    const char *text = json_string_value(json_object_get(object->json, key));
    size_t len = 0;
    uint8_t hash[32];
    if (text == NULL || !pvf__text_from_hex(text, hash, sizeof hash, &len) || len != sizeof hash) {
        return wrong(object, key, "a hash of 64 hex digits");
    }
    memcpy(out, hash, sizeof hash);
    return 0;
}

static int get_object(const json_t *manifest, const char *name, struct object *ret, pvf_error *err)
{
    *ret = (struct object){.json = json_object_get(manifest, name), .name = name, .err = err};
    return json_is_object(ret->json)
               ? 0
               : pvf__error_set(err, PVF_ERR_MALFORMED, "manifest: there is no object %s", name);
}

static int read_file(const char *folder, const char *file, struct pvf__buf *buf, pvf_error *err)
{
    char path[PATH_MAX];
    int len = snprintf(path, sizeof path, "%s/%s", folder, file);
    return len >= 0 && (size_t)len < sizeof path
               ? pvf__fd_read_file(path, buf, err)
               : pvf__error_set(err, PVF_ERR_INVALID_ARG, "the path of the bundle is too long");
}

static int read_manifest(const char *folder, struct pvf__cli_bundle *bundle, pvf_error *err)
{
    PVF__CLEANUP_BUF struct pvf__buf text = PVF__BUF_INIT(MANIFEST_MAX);
    json_error_t where;
    int status = read_file(folder, PVF__EVIDENCE_MANIFEST, &text, err);
    if (status != 0) {
        return status;
    }
    bundle->manifest =
        json_loadb((const char *)text.data, text.len, JSON_REJECT_DUPLICATES, &where);
    if (!json_is_object(bundle->manifest)) {
        return pvf__error_set(err,
                              PVF_ERR_MALFORMED,
                              "manifest: no JSON object, line %d column %d: %s",
                              where.line,
                              where.column,
                              where.text);
    }
    const char *format = json_string_value(json_object_get(bundle->manifest, "format"));
    if (format == NULL || strcmp(format, PVF__EVIDENCE_FORMAT) != 0) {
        return pvf__error_set(err, PVF_ERR_MALFORMED, "manifest: this is no evidence bundle");
    }
    const json_t *version = json_object_get(bundle->manifest, "version");
    if (!json_is_integer(version) || json_integer_value(version) != PVF__EVIDENCE_VERSION) {
        return pvf__error_set(err,
                              PVF_ERR_UNSUPPORTED,
                              "the bundle is of another version than %u",
                              PVF__EVIDENCE_VERSION);
    }
    return 0;
}

/* A file that the manifest lists, compared with what is said there. */
static int read_listed(const char *folder,
                       const struct object *files,
                       const char *file,
                       struct pvf__buf *buf,
                       pvf_error *err)
{
    const struct object entry = {
        .json = json_object_get(files->json, file), .name = file, .err = err};
    uint8_t want[32];
    uint8_t have[32];
    uint64_t size = 0;
    if (!json_is_object(entry.json)) {
        return wrong(files, file, "an object");
    }
    int status = get_number(&entry, "size", buf->max, &size);
    if (status == 0) {
        status = get_hash(&entry, "blake2b_256", want);
    }
    if (status == 0) {
        status = read_file(folder, file, buf, err);
    }
    if (status != 0) {
        return status;
    }
    pvf__hash_blake2b_256(buf->data, buf->len, have);
    if (buf->len != size || memcmp(want, have, sizeof want) != 0) {
        return pvf__error_set(
            err, PVF_ERR_CORRUPT, "the file %s is damaged: it is not what the manifest says", file);
    }
    return 0;
}

static int read_files(const char *folder, struct pvf__cli_bundle *bundle, pvf_error *err)
{
    struct object files;
    int status = get_object(bundle->manifest, "files", &files, err);
    if (status == 0) {
        status = read_listed(folder, &files, PVF__EVIDENCE_CODE, &bundle->code, err);
    }
    bundle->has_execution = json_object_get(files.json, PVF__EVIDENCE_PVD) != NULL;
    if (status != 0 || !bundle->has_execution) {
        return status;
    }
    status = read_listed(folder, &files, PVF__EVIDENCE_PVD, &bundle->pvd_bytes, err);
    if (status == 0) {
        status = read_listed(folder, &files, PVF__EVIDENCE_POV, &bundle->pov, err);
    }
    if (status == 0 && json_object_get(files.json, PVF__EVIDENCE_RESULT) != NULL) {
        status = read_listed(folder, &files, PVF__EVIDENCE_RESULT, &bundle->result, err);
    }
    return status;
}

static int get_params(const struct object *request, struct pvf__cli_bundle *bundle)
{
    const char *text = json_string_value(json_object_get(request->json, "executor_params"));
    size_t len = text != NULL ? strlen(text) / 2 : 0;
    size_t used = 0;
    if (text == NULL || pvf__buf_reserve(&bundle->params_bytes, len) != 0 ||
        !pvf__text_from_hex(text, bundle->params_bytes.data, len, &used)) {
        return wrong(request, "executor_params", "hex of a SCALE list");
    }
    bundle->params_bytes.len = used;
    struct pvf__executor_params params;
    int status =
        pvf__executor_params_decode(bundle->params_bytes.data, used, &params, request->err);
    if (status == 0 && params.raw.len != used) {
        status = wrong(request, "executor_params", "hex of one SCALE list");
    }
    return status;
}

static int get_execution(const struct object *request, struct pvf__cli_bundle *bundle)
{
    struct pvf__persisted_validation_data pvd;
    pvf_execute_request *execution = &bundle->execution;
    uint64_t byte = 0;
    int status = pvf__persisted_validation_data_decode(
        bundle->pvd_bytes.data, bundle->pvd_bytes.len, &pvd, request->err);
    if (status != 0) {
        pvf__error_wrap(request->err, PVF__EVIDENCE_PVD);
        return status;
    }
    execution->executor_params = bundle->preparation.executor_params;
    execution->parent_head = (pvf_bytes){.data = pvd.parent_head.data, .len = pvd.parent_head.len};
    execution->relay_parent_number = pvd.relay_parent_number;
    memcpy(execution->relay_parent_storage_root, pvd.relay_parent_storage_root, 32);
    execution->max_pov_size = pvd.max_pov_size;
    execution->pov = (pvf_bytes){.data = bundle->pov.data, .len = bundle->pov.len};
    status = get_number(request, "timeout_ms", UINT32_MAX, &execution->timeout_ms);
    if (status == 0) {
        status = get_i32(
            request, "descriptor_version", PVF_DESCRIPTOR_UNKNOWN, &execution->descriptor_version);
    }
    if (status == 0) {
        status = get_number(request, "descriptor_byte", UINT8_MAX, &byte);
        execution->descriptor_byte = (uint8_t)byte;
    }
    if (status == 0) {
        status = get_hash(request, "relay_parent", execution->relay_parent);
    }
    if (status == 0) {
        status = get_hash(request, "scheduling_parent", execution->scheduling_parent);
    }
    return status;
}

static int get_request(struct pvf__cli_bundle *bundle, pvf_error *err)
{
    struct object request;
    pvf_prepare_request *preparation = &bundle->preparation;
    uint64_t bomb_limit = 0;
    bool precheck = false;
    int status = get_object(bundle->manifest, "request", &request, err);
    if (status == 0) {
        status = get_params(&request, bundle);
    }
    if (status == 0) {
        status = get_number(&request, "bomb_limit", UINT32_MAX, &bomb_limit);
    }
    if (status == 0) {
        status = get_number(&request, "prepare_timeout_ms", UINT32_MAX, &preparation->timeout_ms);
    }
    if (status == 0) {
        status = get_bool(&request, "precheck", &precheck);
    }
    if (status == 0) {
        status = get_i32(&request, "metering", PVF_METERING_CALL_SITE, &bundle->metering);
    }
    preparation->code = (pvf_bytes){.data = bundle->code.data, .len = bundle->code.len};
    preparation->bomb_limit = (uint32_t)bomb_limit;
    preparation->executor_params =
        (pvf_bytes){.data = bundle->params_bytes.data, .len = bundle->params_bytes.len};
    preparation->kind = precheck ? PVF_PREPARE_PRECHECKING : PVF_PREPARE_COMPILATION;
    return status == 0 && bundle->has_execution ? get_execution(&request, bundle) : status;
}

static int get_outcome(struct pvf__cli_bundle *bundle, pvf_error *err)
{
    struct object outcome;
    int status = get_object(bundle->manifest, "outcome", &outcome, err);
    if (status == 0) {
        status = get_i32(&outcome, "verdict", PVF_VERDICT_EXPIRED, &bundle->verdict);
    }
    if (status == 0) {
        status = get_i32(&outcome, "reason", 255, &bundle->reason);
    }
    if (status == 0) {
        status = get_number(&outcome, "cpu_us", INT64_MAX, &bundle->cpu_us);
    }
    if (status == 0) {
        status = get_number(&outcome, "wall_us", INT64_MAX, &bundle->wall_us);
    }
    if (status == 0 && json_object_get(outcome.json, "head_hash") != NULL) {
        status = get_hash(&outcome, "head_hash", bundle->head_hash);
        bundle->has_head_hash = true;
    }
    return status;
}

static int get_recorded(struct pvf__cli_bundle *bundle, pvf_error *err)
{
    struct object preparation;
    int status = 0;
    bundle->has_outcome = json_object_get(bundle->manifest, "outcome") != NULL;
    bundle->has_preparation = json_object_get(bundle->manifest, "preparation") != NULL;
    if (bundle->has_outcome ? !bundle->has_execution : !bundle->has_preparation) {
        return pvf__error_set(err,
                              PVF_ERR_MALFORMED,
                              "manifest: an outcome with its candidate, or a preparation, is "
                              "needed");
    }
    if (bundle->has_outcome) {
        status = get_outcome(bundle, err);
    }
    if (status != 0 || !bundle->has_preparation) {
        return status;
    }
    status = get_object(bundle->manifest, "preparation", &preparation, err);
    if (status == 0) {
        status = get_bool(&preparation, "ok", &bundle->prepared);
    }
    if (status == 0 && !bundle->prepared) {
        status = get_i32(&preparation, "error", 255, &bundle->prepare_error);
    }
    return status;
}

int pvf__cli_bundle_read(const char *folder, struct pvf__cli_bundle *ret, pvf_error *err)
{
    memset(ret, 0, sizeof *ret);
    pvf__buf_init(&ret->code, PVF__CLI_MAX_CODE);
    pvf__buf_init(&ret->pvd_bytes, PVF__CLI_MAX_INPUT);
    pvf__buf_init(&ret->pov, PVF__CLI_MAX_INPUT);
    pvf__buf_init(&ret->result, PVF__CLI_MAX_INPUT);
    pvf__buf_init(&ret->params_bytes, PARAMS_MAX);
    int status = read_manifest(folder, ret, err);
    if (status == 0) {
        status = read_files(folder, ret, err);
    }
    if (status == 0) {
        status = get_request(ret, err);
    }
    if (status == 0) {
        status = get_recorded(ret, err);
    }
    return status;
}

void pvf__cli_bundle_done(struct pvf__cli_bundle *bundle)
{
    json_decref(bundle->manifest);
    pvf__buf_done(&bundle->code);
    pvf__buf_done(&bundle->pvd_bytes);
    pvf__buf_done(&bundle->pov);
    pvf__buf_done(&bundle->result);
    pvf__buf_done(&bundle->params_bytes);
}

const char *
pvf__cli_bundle_text(const struct pvf__cli_bundle *bundle, const char *object, const char *key)
{
    const json_t *from =
        object != NULL ? json_object_get(bundle->manifest, object) : bundle->manifest;
    const char *text = json_string_value(json_object_get(from, key));
    return text != NULL && text[0] != '\0' ? text : "-";
}
