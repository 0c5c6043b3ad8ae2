/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: the engine's settings, all in one table.  The engine aborts the process when it does not
 * like a setting, so every value is checked here before the engine sees it.
 */
#include "engine/engine_config.h"

#include "base/error.h"
#include "engine/engine_raw.h"

#include <pvf_shim.h>
#include <stdio.h>
#include <stdlib.h>

/*
 * The engine wants max_wasm_stack within its async stack's size, although no async stack is ever
 * made here.  The margin is the reference's for host functions.
 */
#define ASYNC_STACK_MARGIN ((uint64_t)2 * 1024 * 1024)

/* Where the value of a setting comes from. */
enum source {
    FIXED,
    FROM_BULK_MEMORY,
    FROM_PARALLEL,
    FROM_STACK,
    FROM_STACK_AND_MARGIN,
};

struct setting {
    const char *name;
    enum source source;
    uint64_t fixed;
    void (*set_flag)(wasm_config_t *, bool); /* one of the two is not NULL */
    void (*set_size)(wasm_config_t *, size_t);
    bool in_artifact; /* an artifact compiled under another value is another artifact */
    const char *reason;
};

static void set_opt_level(wasm_config_t *config, size_t level)
{
    wasmtime_config_cranelift_opt_level_set(config, (wasmtime_opt_level_t)level);
}

static void set_strategy(wasm_config_t *config, size_t strategy)
{
    wasmtime_config_strategy_set(config, (wasmtime_strategy_t)strategy);
}

#define OFF FIXED, 0
#define ON FIXED, 1
#define FLAG(setter) wasmtime_config_##setter##_set, NULL
#define SIZE(setter) NULL, wasmtime_config_##setter##_set

/* Applied from top to bottom. */
static const struct setting SETTINGS[] = {
    {"async_stack_size",
     FROM_STACK_AND_MARGIN,
     0,
     SIZE(async_stack_size),
     false,
     "must be in place before a larger max_wasm_stack"},
    {"max_wasm_stack", FROM_STACK, 0, SIZE(max_wasm_stack), false, "the StackNativeMax parameter"},
    {"strategy",
     FIXED,
     WASMTIME_STRATEGY_CRANELIFT,
     NULL,
     set_strategy,
     true,
     "the reference's compiler"},
    {"cranelift_opt_level",
     FIXED,
     WASMTIME_OPT_LEVEL_SPEED_AND_SIZE,
     NULL,
     set_opt_level,
     true,
     "as the reference"},
    {"cranelift_nan_canonicalization",
     ON,
     FLAG(cranelift_nan_canonicalization),
     true,
     "consensus: the bits of a NaN must not depend on the processor"},
    {"parallel_compilation",
     FROM_PARALLEL,
     0,
     FLAG(parallel_compilation),
     false,
     "the operator's choice; the artifact is the same"},
    {"memory_init_cow",
     ON,
     FLAG(memory_init_cow),
     true,
     "data segments are mapped, not copied; cannot be seen by the guest"},
    {"native_unwind_info",
     OFF,
     FLAG(native_unwind_info),
     true,
     "nothing unwinds through guest code; without it artifacts are smaller and load faster"},
    {"debug_info", OFF, FLAG(debug_info), true, "custom sections are never read"},
    {"consume_fuel", OFF, FLAG(consume_fuel), true, "metering is part of the rewritten module"},
    {"epoch_interruption",
     OFF,
     FLAG(epoch_interruption),
     true,
     "the supervisor ends a job from outside"},
    {"wasm_bulk_memory",
     FROM_BULK_MEMORY,
     0,
     FLAG(wasm_bulk_memory),
     true,
     "the WasmExtBulkMemory parameter"},
    /* Every proposal beyond the reference's feature set.  Extended constant expressions have no
     * setter: the rewriter refuses them (executor facts, differing validity rules). */
    {"wasm_threads", OFF, FLAG(wasm_threads), true, "off in the reference"},
    {"wasm_tail_call", OFF, FLAG(wasm_tail_call), true, "off in the reference"},
    {"wasm_reference_types", OFF, FLAG(wasm_reference_types), true, "off in the reference"},
    {"wasm_function_references", OFF, FLAG(wasm_function_references), true, "unknown there"},
    {"wasm_gc", OFF, FLAG(wasm_gc), true, "unknown there"},
    {"wasm_simd", OFF, FLAG(wasm_simd), true, "off in the reference"},
    {"wasm_relaxed_simd", OFF, FLAG(wasm_relaxed_simd), true, "off in the reference"},
    {"wasm_multi_value", OFF, FLAG(wasm_multi_value), true, "off in the reference"},
    {"wasm_multi_memory", OFF, FLAG(wasm_multi_memory), true, "off in the reference"},
    {"wasm_memory64", OFF, FLAG(wasm_memory64), true, "off in the reference"},
    {"wasm_wide_arithmetic", OFF, FLAG(wasm_wide_arithmetic), true, "unknown there"},
    {"wasm_stack_switching", OFF, FLAG(wasm_stack_switching), true, "unknown there"},
#if WASMTIME_VERSION_MAJOR >= 48
    {"wasm_exceptions", OFF, FLAG(wasm_exceptions), true, "unknown to the reference"},
    {"wasm_custom_page_sizes", OFF, FLAG(wasm_custom_page_sizes), true, "unknown there"},
    {"wasm_branch_hinting",
     OFF,
     FLAG(wasm_branch_hinting),
     true,
     "a custom section must not steer the compiler"},
    {"shared_memory", OFF, FLAG(shared_memory), true, "goes with threads"},
#endif
};

#define SETTING_COUNT (sizeof(SETTINGS) / sizeof(SETTINGS[0]))

static uint64_t value_of(const struct setting *setting, const struct pvf__engine_settings *settings)
{
    switch (setting->source) {
    case FROM_BULK_MEMORY:
        return settings->bulk_memory ? 1 : 0;
    case FROM_PARALLEL:
        return settings->parallel ? 1 : 0;
    case FROM_STACK:
        return settings->native_stack_max;
    case FROM_STACK_AND_MARGIN:
        return settings->native_stack_max + ASYNC_STACK_MARGIN;
    case FIXED:
    default:
        return setting->fixed;
    }
}

int pvf__engine_new(const struct pvf__engine_settings *settings,
                    struct pvf__engine **ret,
                    pvf_error *err)
{
    if (settings->native_stack_max == 0) {
        /* A parameter may say so; the reference's engine refuses, and so must this one. */
        return pvf__error_set(err,
                              PVF_ERR_INVALID_ARG,
                              "cannot create the engine: max_wasm_stack size cannot be zero");
    }
    struct pvf__engine *engine = malloc(sizeof(*engine));
    if (engine == NULL) {
        return pvf__error_set(err, PVF_ERR_NO_MEMORY, "no memory for the engine");
    }
    wasm_config_t *config = wasm_config_new();
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        uint64_t value = value_of(&SETTINGS[i], settings);
        if (SETTINGS[i].set_flag != NULL) {
            SETTINGS[i].set_flag(config, value != 0);
        } else {
            SETTINGS[i].set_size(config, (size_t)value);
        }
    }
    engine->raw = wasm_engine_new_with_config(config);
    *ret = engine;
    return 0;
}

void pvf__engine_delete(struct pvf__engine *engine)
{
    if (engine != NULL) {
        wasm_engine_delete(engine->raw);
        free(engine);
    }
}

int pvf__engine_describe(const struct pvf__engine_settings *settings, struct pvf__buf *buf)
{
    char line[128];
    int len = snprintf(line, sizeof(line), "engine=%s\n", pvf_engine_version());
    int status = pvf__buf_append(buf, line, (size_t)len);
    for (size_t i = 0; i < SETTING_COUNT && status == 0; i++) {
        if (SETTINGS[i].in_artifact) {
            unsigned long long value = value_of(&SETTINGS[i], settings);
            len = snprintf(line, sizeof(line), "%s=%llu\n", SETTINGS[i].name, value);
            status = pvf__buf_append(buf, line, (size_t)len);
        }
    }
    return status;
}
