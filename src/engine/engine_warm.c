/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: what is done before an instance's call comes.  Beyond the guest's memory there is what the
 * engine reserved for it, which must trap whenever the guest runs.
 */
#include "engine/engine_warm.h"

#include <stdlib.h>
#include <sys/mman.h>

/*
 * What a small block uses of the heap, which grows with the runtime, and of the stack where the
 * linkers of today put it.  Borders of pages on any machine.
 */
#define HEAP ((uint64_t)64 << 10)
#define HEAP_OF_RUNTIME ((uint64_t)128 << 10)
#define HEAP_MAX ((uint64_t)1 << 20)
#define CODE_PER_HEAP_OF_RUNTIME 16
#define CODE_PER_HEAP 32
#define STACK ((uint64_t)64 << 10)
#define STACK_TOP ((uint64_t)1 << 20)
#define GRANULE ((uint64_t)64 << 10)

/* Inputs whose pages are made at once, and in huge ones; where that pays (docs/performance.md). */
#define INPUT_LARGE ((uint64_t)64 << 10)
#define INPUT_HUGE ((uint64_t)4 << 20)

/* The engine reserves as much for each memory (engine_config.c: memory_may_move). */
#define RESERVED ((uint64_t)4 << 30)

/* MADV_POPULATE_WRITE, newer than the oldest headers that this is compiled with. */
#define POPULATE_WRITE 23

static wasm_trap_t *
do_nothing(void *env, wasmtime_caller_t *caller, wasmtime_val_raw_t *values, size_t count)
{
    (void)env;
    (void)caller;
    (void)values;
    (void)count;
    return NULL;
}

/* The engine sets a thread up for calls when the first is made, whoever is called. */
void pvf__engine_warm_thread(wasmtime_context_t *context)
{
    wasm_valtype_vec_t params;
    wasm_valtype_vec_t results;
    wasmtime_func_t func;
    wasmtime_val_raw_t values[1];
    wasm_trap_t *trap = NULL;
    wasm_valtype_vec_new_empty(&params);
    wasm_valtype_vec_new_empty(&results);
    wasm_functype_t *type = wasm_functype_new(&params, &results);
    wasmtime_func_new_unchecked(context, type, do_nothing, NULL, NULL, &func);
    wasm_functype_delete(type);
    wasmtime_error_t *error = wasmtime_func_call_unchecked(context, &func, values, 0, &trap);
    /* There is nothing in it that could go wrong; the call that counts would tell. */
    if (error != NULL) {
        wasmtime_error_delete(error);
    }
    if (trap != NULL) {
        wasm_trap_delete(trap);
    }
}

static uint64_t at_most(uint64_t value, uint64_t limit)
{
    return value < limit ? value : limit;
}

/* Only advice: a kernel that does not take it leaves the pages to their first use. */
static void populate(const struct pvf__guest_memory *memory, uint64_t from, uint64_t to)
{
    if (from < to) {
        (void)madvise(memory->base + from, (size_t)(to - from), POPULATE_WRITE);
    }
}

void pvf__engine_warm_input(const struct pvf__guest_memory *memory, uint64_t at, uint64_t len)
{
    uint64_t from = at - at % GRANULE;
    if (len >= INPUT_HUGE) {
        (void)madvise(memory->base + from, (size_t)(at + len - from), MADV_HUGEPAGE);
    }
    if (len >= INPUT_LARGE) {
        populate(memory, from, at + len);
    }
}

/*
 * Memory that is there, but of no use before it grows: pages keep what they are while nobody may
 * use them.
 */
static void populate_beyond(const struct pvf__guest_memory *memory, uint64_t to)
{
    uint64_t from = memory->size;
    if (from >= to || to > RESERVED) {
        return;
    }
    if (mprotect(memory->base + from, (size_t)(to - from), PROT_READ | PROT_WRITE) == 0) {
        populate(memory, from, to);
    }
    /* A guest must never see it, even if the first call has done half of its work. */
    if (mprotect(memory->base + from, (size_t)(to - from), PROT_NONE) != 0) {
        abort();
    }
}

void pvf__engine_warm_touch(const uint8_t *from, size_t len)
{
    for (size_t at = 0; at < len; at += GRANULE) {
        (void)*(const volatile uint8_t *)(from + at);
    }
}

/* A test's few kilobytes of code use next to nothing, the smallest real runtime much more. */
static uint64_t heap_of(uint64_t code_len)
{
    uint64_t size = HEAP + at_most(code_len / CODE_PER_HEAP_OF_RUNTIME, HEAP_OF_RUNTIME);
    return size + at_most(code_len / CODE_PER_HEAP, HEAP_MAX - size);
}

void pvf__engine_warm_memory(const struct pvf__guest_memory *memory,
                             uint32_t heap_base,
                             size_t code_len)
{
    uint64_t heap = heap_base - heap_base % GRANULE;
    uint64_t heap_end = heap + heap_of(code_len);
    heap_end -= heap_end % GRANULE;
    populate(memory, heap, at_most(heap_end, memory->size));
    if (memory->size > heap) {
        populate_beyond(memory, heap_end);
    }
    /* Data lies between the stack and the heap; read, since a copy of all of it would cost more. */
    if (heap_base > STACK_TOP && memory->size >= STACK_TOP) {
        populate(memory, STACK_TOP - STACK, STACK_TOP);
        uint64_t data_end = at_most(heap, memory->size);
        if (data_end > STACK_TOP) {
            pvf__engine_warm_touch(memory->base + STACK_TOP, (size_t)(data_end - STACK_TOP));
        }
    }
}
