/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: the list of executor parameters, its meaning and its hashes.  Entries may repeat; which one
 * counts is part of consensus.
 */
#include "proto/executor_params.h"

#include "base/error.h"
#include "hash/hash.h"
#include "proto/proto_error.h"
#include "pvf/status.h"
#include "scale/scale.h"

static const uint8_t empty_list[1] = {0};

/* Which timeouts were given: later entries of the same kind do not count. */
struct seen {
    bool prep[2];
    bool exec[2];
};

void pvf__executor_params_init(struct pvf__executor_params *ret)
{
    *ret = (struct pvf__executor_params){
        .raw = {.data = empty_list, .len = sizeof(empty_list)},
        .max_memory_pages = PVF__PARAM_DEFAULT_PAGES,
        .logical_max = PVF__PARAM_DEFAULT_LOGICAL,
        .native_max = PVF__PARAM_DEFAULT_NATIVE,
        .precheck_timeout_ms = PVF__PARAM_DEFAULT_PRECHECK_MS,
        .prepare_timeout_ms = PVF__PARAM_DEFAULT_PREPARE_MS,
        .backing_timeout_ms = PVF__PARAM_DEFAULT_BACKING_MS,
        .approval_timeout_ms = PVF__PARAM_DEFAULT_APPROVAL_MS,
    };
}

const char *pvf__executor_param_name(enum pvf__param_kind kind)
{
    static const char *const names[] = {
        "unknown",
        "MaxMemoryPages",
        "StackLogicalMax",
        "StackNativeMax",
        "PrecheckingMaxMemory",
        "PvfPrepTimeout",
        "PvfExecTimeout",
        "WasmExtBulkMemory",
        "EnabledHostFunction",
    };
    size_t index = (size_t)kind;
    return index < sizeof(names) / sizeof(names[0]) ? names[index] : names[0];
}

static bool get_payload(struct pvf__cursor *cursor, struct pvf__executor_param *param)
{
    uint32_t word;
    switch (param->kind) {
    case PVF__PARAM_MAX_MEMORY_PAGES:
    case PVF__PARAM_STACK_LOGICAL_MAX:
    case PVF__PARAM_STACK_NATIVE_MAX:
        if (!pvf__scale_get_u32(cursor, &word)) {
            return false;
        }
        param->value = word;
        return true;
    case PVF__PARAM_PRECHECKING_MAX_MEMORY:
        return pvf__scale_get_u64(cursor, &param->value);
    case PVF__PARAM_PREP_TIMEOUT:
    case PVF__PARAM_EXEC_TIMEOUT:
        return pvf__scale_get_tag(cursor, 2, &param->sub) &&
               pvf__scale_get_u64(cursor, &param->value);
    case PVF__PARAM_BULK_MEMORY:
        return true;
    case PVF__PARAM_HOST_FUNCTION:
        /* Its own enum has a single variant, with index 1. */
        return pvf__scale_get_tag(cursor, PVF__PARAM_ECC_RFC163 + 1, &param->sub) &&
               param->sub == PVF__PARAM_ECC_RFC163;
    default:
        return false;
    }
}

bool pvf__executor_param_get(struct pvf__cursor *cursor, struct pvf__executor_param *ret)
{
    struct pvf__cursor at = *cursor;
    struct pvf__executor_param param = {.sub = 0};
    uint8_t index;
    if (!pvf__scale_get_tag(&at, PVF__PARAM_HOST_FUNCTION + 1, &index) || index == 0) {
        return false;
    }
    param.kind = (enum pvf__param_kind)index;
    if (!get_payload(&at, &param)) {
        return false;
    }
    *cursor = at;
    *ret = param;
    return true;
}

void pvf__executor_param_put(struct pvf__buf *buf, const struct pvf__executor_param *param)
{
    pvf__scale_put_u8(buf, (uint8_t)param->kind);
    switch (param->kind) {
    case PVF__PARAM_MAX_MEMORY_PAGES:
    case PVF__PARAM_STACK_LOGICAL_MAX:
    case PVF__PARAM_STACK_NATIVE_MAX:
        pvf__scale_put_u32(buf, (uint32_t)param->value);
        break;
    case PVF__PARAM_PRECHECKING_MAX_MEMORY:
        pvf__scale_put_u64(buf, param->value);
        break;
    case PVF__PARAM_PREP_TIMEOUT:
    case PVF__PARAM_EXEC_TIMEOUT:
        pvf__scale_put_u8(buf, param->sub);
        pvf__scale_put_u64(buf, param->value);
        break;
    case PVF__PARAM_HOST_FUNCTION:
        pvf__scale_put_u8(buf, param->sub);
        break;
    case PVF__PARAM_BULK_MEMORY:
    default:
        break;
    }
}

/* The first timeout of a kind counts. */
static void apply_timeout(uint64_t *slot, bool *seen, uint64_t value)
{
    if (!*seen) {
        *slot = value;
        *seen = true;
    }
}

static void apply(struct pvf__executor_params *params,
                  struct seen *seen,
                  const struct pvf__executor_param *param)
{
    uint32_t word = (uint32_t)param->value;
    bool second = param->sub == 1;
    switch (param->kind) {
    case PVF__PARAM_MAX_MEMORY_PAGES:
        params->max_memory_pages =
            word > UINT32_MAX - PVF__PARAM_EXTRA_PAGES ? UINT32_MAX : word + PVF__PARAM_EXTRA_PAGES;
        break;
    case PVF__PARAM_STACK_LOGICAL_MAX:
        params->logical_max = word;
        break;
    case PVF__PARAM_STACK_NATIVE_MAX:
        params->native_max = word;
        break;
    case PVF__PARAM_PRECHECKING_MAX_MEMORY:
        apply_timeout(
            &params->prechecking_max_memory, &params->has_prechecking_max_memory, param->value);
        break;
    case PVF__PARAM_PREP_TIMEOUT:
        apply_timeout(second ? &params->prepare_timeout_ms : &params->precheck_timeout_ms,
                      &seen->prep[second ? 1 : 0],
                      param->value);
        break;
    case PVF__PARAM_EXEC_TIMEOUT:
        apply_timeout(second ? &params->approval_timeout_ms : &params->backing_timeout_ms,
                      &seen->exec[second ? 1 : 0],
                      param->value);
        break;
    case PVF__PARAM_BULK_MEMORY:
        params->bulk_memory = true;
        break;
    case PVF__PARAM_HOST_FUNCTION:
        params->ecc_rfc163 = true;
        break;
    default:
        break;
    }
}

/* On failure `at` stands at the entry that was refused. */
static bool get_list(struct pvf__cursor *at, struct pvf__executor_params *ret)
{
    const uint8_t *start = at->at;
    struct pvf__executor_params params;
    struct seen seen = {0};
    pvf__executor_params_init(&params);
    if (!pvf__scale_get_compact(at, &params.count)) {
        return false;
    }
    for (uint32_t i = 0; i < params.count; i++) {
        struct pvf__executor_param param;
        if (!pvf__executor_param_get(at, &param)) {
            return false;
        }
        apply(&params, &seen, &param);
    }
    params.raw = (struct pvf__slice){.data = start, .len = (size_t)(at->at - start)};
    *ret = params;
    return true;
}

bool pvf__executor_params_get(struct pvf__cursor *cursor, struct pvf__executor_params *ret)
{
    struct pvf__cursor at = *cursor;
    if (!get_list(&at, ret)) {
        return false;
    }
    *cursor = at;
    return true;
}

int pvf__executor_params_decode(const uint8_t *data,
                                size_t len,
                                struct pvf__executor_params *ret,
                                pvf_error *err)
{
    struct pvf__cursor cursor;
    pvf__cursor_init(&cursor, data, len);
    if (!get_list(&cursor, ret)) {
        return pvf__proto_malformed(&cursor, "executor parameters", err);
    }
    return 0;
}

void pvf__executor_params_put(struct pvf__buf *buf, const struct pvf__executor_params *params)
{
    pvf__scale_put_fixed(buf, params->raw.data, params->raw.len);
}

void pvf__executor_params_hash(const struct pvf__executor_params *params, uint8_t out[32])
{
    pvf__hash_blake2b_256(params->raw.data, params->raw.len, out);
}

int pvf__executor_params_prep_hash(const struct pvf__executor_params *params, uint8_t out[32])
{
    static const uint8_t tag[4] = {'p', 'r', 'e', 'p'};
    PVF__CLEANUP_BUF struct pvf__buf text = PVF__BUF_INIT(SIZE_MAX);
    struct pvf__cursor cursor;
    uint32_t count;
    pvf__scale_put_fixed(&text, tag, sizeof(tag));
    pvf__cursor_init(&cursor, params->raw.data, params->raw.len);
    if (!pvf__scale_get_compact(&cursor, &count)) {
        return PVF_ERR_INVALID_ARG;
    }
    for (uint32_t i = 0; i < count; i++) {
        struct pvf__executor_param param;
        if (!pvf__executor_param_get(&cursor, &param)) {
            return PVF_ERR_INVALID_ARG;
        }
        if (param.kind == PVF__PARAM_STACK_LOGICAL_MAX || param.kind == PVF__PARAM_BULK_MEMORY) {
            pvf__executor_param_put(&text, &param);
        }
    }
    if (text.failed != 0) {
        return text.failed;
    }
    pvf__hash_blake2b_256(text.data, text.len, out);
    return 0;
}
