/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: the rules of the relay chain's runtime for a list of executor parameters.  For people who
 * write such lists; no worker and no verdict depends on them.
 */
#include "proto/executor_params.h"

#include "base/error.h"
#include "pvf/status.h"
#include "scale/scale.h"

/* Bounds of the runtime's consistency check. */
#define PAGES_MIN 1u
#define PAGES_MAX 65536u
#define LOGICAL_MIN 1024u
#define LOGICAL_MAX 131072u
#define NATIVE_PER_LOGICAL 128u
#define PRECHECK_MEMORY_MIN ((uint64_t)256 << 20)
#define PRECHECK_MEMORY_MAX ((uint64_t)16 << 30)

static int
check_range(const struct pvf__executor_param *param, uint64_t min, uint64_t max, pvf_error *err)
{
    if (param->value >= min && param->value <= max) {
        return 0;
    }
    return pvf__error_set(err,
                          PVF_ERR_INVALID_ARG,
                          "%s is %llu; it must be %llu to %llu",
                          pvf__executor_param_name(param->kind),
                          (unsigned long long)param->value,
                          (unsigned long long)min,
                          (unsigned long long)max);
}

static int check_entry(const struct pvf__executor_param *param, pvf_error *err)
{
    switch (param->kind) {
    case PVF__PARAM_MAX_MEMORY_PAGES:
        return check_range(param, PAGES_MIN, PAGES_MAX, err);
    case PVF__PARAM_STACK_LOGICAL_MAX:
        return check_range(param, LOGICAL_MIN, LOGICAL_MAX, err);
    case PVF__PARAM_PRECHECKING_MAX_MEMORY:
        return check_range(param, PRECHECK_MEMORY_MIN, PRECHECK_MEMORY_MAX, err);
    case PVF__PARAM_STACK_NATIVE_MAX:
    case PVF__PARAM_PREP_TIMEOUT:
    case PVF__PARAM_EXEC_TIMEOUT:
    case PVF__PARAM_BULK_MEMORY:
    case PVF__PARAM_HOST_FUNCTION:
    default:
        return 0;
    }
}

/* Two entries are the same when kind and, where there is one, sub-kind are. */
static int check_repeat(const struct pvf__executor_param *param, uint32_t *seen, pvf_error *err)
{
    uint32_t bit = 1u << (2 * (unsigned)param->kind + param->sub);
    if ((*seen & bit) != 0) {
        return pvf__error_set(err,
                              PVF_ERR_INVALID_ARG,
                              "%s stands twice in the list",
                              pvf__executor_param_name(param->kind));
    }
    *seen |= bit;
    return 0;
}

static int check_together(const struct pvf__executor_params *params, pvf_error *err)
{
    uint64_t native_min = (uint64_t)NATIVE_PER_LOGICAL * params->logical_max;
    if (params->native_max < native_min) {
        return pvf__error_set(
            err,
            PVF_ERR_INVALID_ARG,
            "StackNativeMax is %u; with StackLogicalMax %u it must be at least %llu (%u each)",
            params->native_max,
            params->logical_max,
            (unsigned long long)native_min,
            NATIVE_PER_LOGICAL);
    }
    if (params->precheck_timeout_ms >= params->prepare_timeout_ms) {
        return pvf__error_set(
            err,
            PVF_ERR_INVALID_ARG,
            "PvfPrepTimeout: Precheck has %llu ms; it must be below Prepare, which has %llu ms",
            (unsigned long long)params->precheck_timeout_ms,
            (unsigned long long)params->prepare_timeout_ms);
    }
    if (params->backing_timeout_ms >= params->approval_timeout_ms) {
        return pvf__error_set(
            err,
            PVF_ERR_INVALID_ARG,
            "PvfExecTimeout: Backing has %llu ms; it must be below Approval, which has %llu ms",
            (unsigned long long)params->backing_timeout_ms,
            (unsigned long long)params->approval_timeout_ms);
    }
    return 0;
}

int pvf__executor_params_check(const struct pvf__executor_params *params, pvf_error *err)
{
    struct pvf__cursor cursor;
    uint32_t count;
    uint32_t seen = 0;
    pvf__cursor_init(&cursor, params->raw.data, params->raw.len);
    if (!pvf__scale_get_compact(&cursor, &count)) {
        return pvf__error_set(err, PVF_ERR_INVALID_ARG, "the list has no count");
    }
    for (uint32_t i = 0; i < count; i++) {
        struct pvf__executor_param param;
        if (!pvf__executor_param_get(&cursor, &param)) {
            return pvf__error_set(err, PVF_ERR_INVALID_ARG, "entry %u cannot be read", i);
        }
        int status = check_repeat(&param, &seen, err);
        if (status == 0) {
            status = check_entry(&param, err);
        }
        if (status != 0) {
            return status;
        }
    }
    return check_together(params, err);
}
