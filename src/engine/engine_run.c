/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: instances and the call of validate_block; the order of its steps is the order in which
 * the reference's errors show.  Trusts nothing that the guest exports, returns or leaves in its
 * memory.
 */
#include "engine/engine_run.h"

#include "engine/engine_link.h"
#include "engine/engine_provider.h"
#include "engine/engine_raw.h"
#include "engine/engine_text.h"
#include "engine/engine_warm.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MEMORY "memory"
#define HEAP_BASE "__heap_base"
#define ENTRY "validate_block"

/* Above any number of pages that a parameter can ask for (32 bits and 32 more). */
#define MAX_PAGES ((uint64_t)1 << 33)

struct pvf__engine_instance {
    struct pvf__link_state state; /* the data of `store` */
    wasmtime_store_t *store;
    wasmtime_instance_t raw;
    wasmtime_func_t entry;
    uint32_t heap_base;
};

static void
fail(struct pvf__engine_outcome *outcome, enum pvf__engine_class class, const char *text)
{
    outcome->class = class;
    (void)snprintf(outcome->text, sizeof(outcome->text), "%s", text);
}

/* Grows under the store's limit, as memory.grow of the guest does. */
static bool grow(void *context, uint64_t delta_pages)
{
    struct pvf__link_state *state = context;
    uint64_t before;
    wasmtime_error_t *error =
        wasmtime_memory_grow(state->context, &state->raw_memory, delta_pages, &before);
    if (error != NULL) {
        wasmtime_error_delete(error);
        return false;
    }
    pvf__link_look(state);
    return true;
}

/* Runs the start function; the host side has no memory and no heap for it yet. */
static bool instantiate(struct pvf__engine_instance *instance,
                        const struct pvf__engine_module *module,
                        struct pvf__engine_outcome *outcome)
{
    static const char context[] =
        PVF__ENGINE_CONSTRUCTION "failed to instantiate a new WASM module instance";
    wasm_trap_t *trap = NULL;
    wasmtime_error_t *error = wasmtime_instance_pre_instantiate(
        module->pre, instance->state.context, &instance->raw, &trap);
    if (error == NULL && trap == NULL) {
        return true;
    }
    outcome->class = PVF__ENGINE_RUNTIME_CONSTRUCTION;
    if (trap != NULL) {
        pvf__text_from_trap(context, trap, outcome->text, sizeof(outcome->text));
    } else {
        pvf__text_from_error(context, error, outcome->text, sizeof(outcome->text));
    }
    return false;
}

static bool
find(struct pvf__engine_instance *instance, const char *name, wasmtime_extern_t *ret_item)
{
    return wasmtime_instance_export_get(
        instance->state.context, &instance->raw, name, strlen(name), ret_item);
}

static const char *find_memory(struct pvf__engine_instance *instance)
{
    wasmtime_extern_t item;
    if (!find(instance, MEMORY, &item)) {
        return "Other: memory is not exported under `memory` name";
    }
    if (item.kind != WASMTIME_EXTERN_MEMORY) {
        wasmtime_extern_delete(&item);
        return "Other: the `memory` export should have memory type";
    }
    instance->state.raw_memory = item.of.memory;
    return NULL;
}

/* Its value is that of now: the start function may have changed it. */
static const char *find_heap_base(struct pvf__engine_instance *instance)
{
    wasmtime_extern_t item;
    if (!find(instance, HEAP_BASE, &item)) {
        return "Other: __heap_base is not found";
    }
    if (item.kind != WASMTIME_EXTERN_GLOBAL) {
        wasmtime_extern_delete(&item);
        return "Other: __heap_base is not a global";
    }
    /* A number, which owns nothing: no other type passes the rewriter. */
    wasmtime_val_t value;
    wasmtime_global_get(instance->state.context, &item.of.global, &value);
    if (value.kind != WASMTIME_I32) {
        return "Other: __heap_base is not a i32";
    }
    instance->heap_base = (uint32_t)value.of.i32;
    return NULL;
}

static bool is_entry_type(const wasm_functype_t *type)
{
    const wasm_valtype_vec_t *params = wasm_functype_params(type);
    const wasm_valtype_vec_t *results = wasm_functype_results(type);
    return params->size == 2 && results->size == 1 &&
           wasm_valtype_kind(params->data[0]) == WASM_I32 &&
           wasm_valtype_kind(params->data[1]) == WASM_I32 &&
           wasm_valtype_kind(results->data[0]) == WASM_I64;
}

static const char *find_entry(struct pvf__engine_instance *instance)
{
    wasmtime_extern_t item;
    if (!find(instance, ENTRY, &item)) {
        return "Other: Exported method validate_block is not found";
    }
    if (item.kind != WASMTIME_EXTERN_FUNC) {
        wasmtime_extern_delete(&item);
        return "Other: Export validate_block is not a function";
    }
    wasm_functype_t *type = wasmtime_func_type(instance->state.context, &item.of.func);
    bool fits = is_entry_type(type);
    wasm_functype_delete(type);
    if (!fits) {
        return "Other: Exported function 'validate_block' has invalid signature.";
    }
    instance->entry = item.of.func;
    return NULL;
}

struct pvf__engine_instance *pvf__engine_instance_prepare(const struct pvf__engine_module *module,
                                                          const struct pvf__engine_limits *limits,
                                                          struct pvf__engine_outcome *ret_outcome)
{
    struct pvf__engine_instance *instance = calloc(1, sizeof(*instance));
    if (instance == NULL) {
        fail(ret_outcome,
             PVF__ENGINE_RUNTIME_CONSTRUCTION,
             PVF__ENGINE_CONSTRUCTION "no memory for an instance");
        return NULL;
    }
    uint64_t max_pages = limits->max_pages < MAX_PAGES ? limits->max_pages : MAX_PAGES;
    instance->store = wasmtime_store_new(module->engine->raw, &instance->state, NULL);
    wasmtime_store_limiter(instance->store, (int64_t)(max_pages * PVF__GUEST_PAGE), -1, -1, -1, -1);
    struct pvf__link_state *state = &instance->state;
    state->context = wasmtime_store_context(instance->store);
    state->memory.max_pages = max_pages;
    state->memory.grow = grow;
    state->memory.look = pvf__link_look;
    state->memory.context = state;
    state->calls.provider = &pvf__engine_provider;
    state->calls.max_log_level = limits->max_log_level;
    state->calls.no_memory = limits->no_memory;
    return instance;
}

bool pvf__engine_instance_start(struct pvf__engine_instance *instance,
                                const struct pvf__engine_module *module,
                                struct pvf__engine_outcome *ret_outcome)
{
    if (!instantiate(instance, module, ret_outcome)) {
        return false;
    }
    const char *problem = find_memory(instance);
    if (problem == NULL) {
        problem = find_heap_base(instance);
    }
    if (problem == NULL) {
        problem = find_entry(instance);
    }
    if (problem != NULL) {
        fail(ret_outcome, PVF__ENGINE_INVALID, problem);
    }
    return problem == NULL;
}

struct pvf__engine_instance *pvf__engine_instance_new(const struct pvf__engine_module *module,
                                                      const struct pvf__engine_limits *limits,
                                                      struct pvf__engine_outcome *ret_outcome)
{
    struct pvf__engine_instance *instance =
        pvf__engine_instance_prepare(module, limits, ret_outcome);
    if (instance != NULL && !pvf__engine_instance_start(instance, module, ret_outcome)) {
        pvf__engine_instance_delete(instance);
        return NULL;
    }
    return instance;
}

/* The input's length; more than the heap's largest block can hold is as good as any such number. */
static uint32_t input_len(const struct pvf__engine_input *input)
{
    uint64_t len = 0;
    for (size_t i = 0; i < input->count; i++) {
        uint64_t left = UINT32_MAX - len;
        len += input->parts[i].len < left ? input->parts[i].len : left;
    }
    return (uint32_t)len;
}

/* A block for the input, and the input in it. */
static const char *write_input(struct pvf__link_state *state,
                               const struct pvf__engine_input *input,
                               uint32_t len,
                               uint32_t *ret_ptr)
{
    enum pvf__allocator_fault fault =
        pvf__allocator_allocate(&state->allocator, &state->memory, len, ret_ptr);
    if (fault != PVF__ALLOCATOR_OK) {
        return pvf__allocator_text(fault);
    }
    uint8_t *at;
    if (!pvf__guest_range(&state->memory, *ret_ptr, len, &at)) {
        return "Other: memory write is out of bounds";
    }
    pvf__engine_warm_input(&state->memory, *ret_ptr, len);
    for (size_t i = 0; i < input->count; i++) {
        if (input->parts[i].len > 0) {
            memcpy(at, input->parts[i].data, input->parts[i].len);
            at += input->parts[i].len;
        }
    }
    return NULL;
}

void pvf__engine_instance_call(struct pvf__engine_instance *instance,
                               const struct pvf__engine_input *input,
                               pvf__engine_output_fn output,
                               void *context,
                               struct pvf__engine_outcome *ret_outcome)
{
    struct pvf__link_state *state = &instance->state;
    uint32_t len = input_len(input);
    uint32_t ptr = 0;
    pvf__link_look(state);
    pvf__allocator_init(&state->allocator, instance->heap_base);
    const char *problem = write_input(state, input, len, &ptr);
    if (problem != NULL) {
        fail(ret_outcome, PVF__ENGINE_INVALID, problem);
        return;
    }
    state->calls.memory = &state->memory;
    state->calls.allocator = &state->allocator;
    /* Two parameters in, one result out, in the same places. */
    wasmtime_val_raw_t values[2];
    memset(values, 0, sizeof(values));
    values[0].i64 = ptr;
    values[1].i64 = len;
    wasm_trap_t *trap = NULL;
    wasmtime_error_t *error =
        wasmtime_func_call_unchecked(state->context, &instance->entry, values, 2, &trap);
    if (error != NULL || trap != NULL) {
        ret_outcome->class = PVF__ENGINE_INVALID;
        pvf__text_abort(error, trap, ret_outcome->text, sizeof(ret_outcome->text));
        return;
    }
    uint64_t result = (uint64_t)values[0].i64;
    uint8_t *data;
    if (!pvf__guest_range(&state->memory, (uint32_t)result, (uint32_t)(result >> 32), &data)) {
        fail(ret_outcome, PVF__ENGINE_INVALID, "Output exceeds bounds of wasm memory");
        return;
    }
    ret_outcome->class = PVF__ENGINE_OK;
    ret_outcome->text[0] = '\0';
    if (output != NULL) {
        output(context, data, (size_t)(result >> 32));
    }
}

void pvf__engine_instance_warm_thread(struct pvf__engine_instance *instance)
{
    pvf__engine_warm_thread(instance->state.context);
}

void pvf__engine_instance_warm_up(struct pvf__engine_instance *instance,
                                  const struct pvf__engine_module *module)
{
    struct pvf__link_state *state = &instance->state;
    pvf__link_look(state);
    pvf__engine_warm_memory(
        &state->memory, instance->heap_base, pvf__engine_module_image(module).len);
}

void pvf__engine_instance_delete(struct pvf__engine_instance *instance)
{
    if (instance != NULL) {
        wasmtime_store_delete(instance->store);
        free(instance);
    }
}

void pvf__engine_run(const struct pvf__engine_module *module,
                     const struct pvf__engine_limits *limits,
                     const struct pvf__engine_input *input,
                     pvf__engine_output_fn output,
                     void *context,
                     struct pvf__engine_outcome *ret_outcome)
{
    struct pvf__engine_instance *instance = pvf__engine_instance_new(module, limits, ret_outcome);
    if (instance != NULL) {
        pvf__engine_instance_call(instance, input, output, context, ret_outcome);
        pvf__engine_instance_delete(instance);
    }
}
