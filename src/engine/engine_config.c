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
    FROM_THREADS,
    FROM_STACK,
    FROM_STACK_AND_MARGIN,
    FROM_TIER,
};

struct setting {
    enum source source;
    bool in_artifact; /* an artifact compiled under another value is another artifact */
    const char *name;
    uint64_t fixed;
    uint64_t first_tier;                     /* FROM_TIER: instead of `fixed` */
    void (*set_flag)(wasm_config_t *, bool); /* one of the two is not NULL */
    void (*set_size)(wasm_config_t *, size_t);
    const char *reason;
};

static void set_opt_level(wasm_config_t *config, size_t level)
{
    wasmtime_config_cranelift_opt_level_set(config, (wasmtime_opt_level_t)level);
}

#if WASMTIME_VERSION_MAJOR >= 48
static void set_regalloc(wasm_config_t *config, size_t algorithm)
{
    wasmtime_config_cranelift_regalloc_algorithm_set(config,
                                                     (wasmtime_regalloc_algorithm_t)algorithm);
}
#endif

static void set_strategy(wasm_config_t *config, size_t strategy)
{
    wasmtime_config_strategy_set(config, (wasmtime_strategy_t)strategy);
}

/* Flags and sizes that are always the same, and those that come from somewhere. */
#define FLAG(key, value, in_artifact, reason)                                                      \
    {                                                                                              \
        FIXED, in_artifact, #key, value, 0, wasmtime_config_##key##_set, NULL, reason              \
    }
#define FLAG_FROM(key, source, in_artifact, reason)                                                \
    {                                                                                              \
        source, in_artifact, #key, 0, 0, wasmtime_config_##key##_set, NULL, reason                 \
    }
#define SIZE_FROM(key, source, reason)                                                             \
    {                                                                                              \
        source, false, #key, 0, 0, NULL, wasmtime_config_##key##_set, reason                       \
    }
#define CHOICE(key, value, setter, reason)                                                         \
    {                                                                                              \
        FIXED, true, #key, value, 0, NULL, setter, reason                                          \
    }
/* The first tier has another value: it is for speed of compiling, not of the code. */
#define TIERED(key, value, first_tier, setter, reason)                                             \
    {                                                                                              \
        FROM_TIER, true, #key, value, first_tier, NULL, setter, reason                             \
    }
#define OFF(key, reason) FLAG(key, 0, true, reason)
/* A setting that the C API lacks and the wrapper has. */
#define OFF_HERE(key, reason)                                                                      \
    {                                                                                              \
        FIXED, true, #key, 0, 0, pvf_engine_config_##key, NULL, reason                             \
    }

/* Applied from top to bottom. */
static const struct setting SETTINGS[] = {
    SIZE_FROM(
        async_stack_size, FROM_STACK_AND_MARGIN, "must be in place before a larger max_wasm_stack"),
    SIZE_FROM(max_wasm_stack, FROM_STACK, "the StackNativeMax parameter"),
    CHOICE(strategy, WASMTIME_STRATEGY_CRANELIFT, set_strategy, "the reference's compiler"),
    TIERED(cranelift_opt_level,
           WASMTIME_OPT_LEVEL_SPEED_AND_SIZE,
           WASMTIME_OPT_LEVEL_NONE,
           set_opt_level,
           "as the reference"),
#if WASMTIME_VERSION_MAJOR >= 48
    TIERED(cranelift_regalloc_algorithm,
           WASMTIME_REGALLOC_BACKTRACKING,
           WASMTIME_REGALLOC_SINGLE_PASS,
           set_regalloc,
           "as the reference"),
#endif
    FLAG(cranelift_nan_canonicalization,
         1,
         true,
         "consensus: the bits of a NaN must not depend on the processor"),
    FLAG_FROM(parallel_compilation,
              FROM_THREADS,
              false,
              "the operator's choice; the artifact is the same"),
    FLAG(memory_init_cow, 1, true, "data is mapped, not copied; the guest cannot tell"),
    OFF(memory_may_move, "host functions keep a memory's address; 4 GiB are reserved for it"),
    OFF(native_unwind_info, "nothing unwinds through guest code; artifacts are a little smaller"),
    OFF(debug_info, "custom sections are never read"),
    OFF_HERE(address_map, "places in the rewritten module help nobody; a seventh of an artifact"),
#if WASMTIME_VERSION_MAJOR >= 48
    OFF_HERE(debug_symbols, "no debugger sees artifacts; backtraces name functions without it"),
#endif
    OFF(consume_fuel, "metering is part of the rewritten module"),
    OFF(epoch_interruption, "the supervisor ends a job from outside"),
    FLAG_FROM(wasm_bulk_memory, FROM_BULK_MEMORY, true, "the WasmExtBulkMemory parameter"),
    /*
     * Every proposal beyond the reference's feature set.  Extended constant expressions have no
     * setter: the rewriter refuses them.
     */
    OFF(wasm_threads, "off in the reference"),
    OFF(wasm_tail_call, "off in the reference"),
    OFF(wasm_reference_types, "off in the reference"),
    OFF(wasm_function_references, "unknown to the reference"),
    OFF(wasm_gc, "unknown to the reference"),
    OFF(wasm_simd, "off in the reference"),
    OFF(wasm_relaxed_simd, "off in the reference"),
    OFF(wasm_multi_value, "off in the reference"),
    OFF(wasm_multi_memory, "off in the reference"),
    OFF(wasm_memory64, "off in the reference"),
    OFF(wasm_wide_arithmetic, "unknown to the reference"),
    OFF(wasm_stack_switching, "unknown to the reference"),
#if WASMTIME_VERSION_MAJOR >= 48
    OFF(wasm_exceptions, "unknown to the reference"),
    OFF(wasm_custom_page_sizes, "unknown to the reference"),
    OFF(wasm_branch_hinting, "a custom section must not steer the compiler"),
    OFF(shared_memory, "goes with threads"),
#endif
};

#define SETTING_COUNT (sizeof(SETTINGS) / sizeof(SETTINGS[0]))

static uint64_t value_of(const struct setting *setting, const struct pvf__engine_settings *settings)
{
    switch (setting->source) {
    case FROM_BULK_MEMORY:
        return settings->bulk_memory ? 1 : 0;
    case FROM_THREADS:
        return settings->compile_threads > 1 ? 1 : 0;
    case FROM_STACK:
        return settings->native_stack_max;
    case FROM_STACK_AND_MARGIN:
        return settings->native_stack_max + ASYNC_STACK_MARGIN;
    case FROM_TIER:
        return settings->first_tier ? setting->first_tier : setting->fixed;
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
    engine->compile_threads = settings->compile_threads;
    *ret = engine;
    return 0;
}

/* Bytes for each value: 256 MiB for 65536 (tests/conformance/test_first_tier.c). */
#define FIRST_TIER_VALUE_BYTES 4096u

bool pvf__engine_first_tier_fits(uint32_t native_stack_max, uint32_t logical_stack_max)
{
    return native_stack_max / FIRST_TIER_VALUE_BYTES >= logical_stack_max;
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
