/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random traces of the guest's heap against a second model, written as plainly as the rules read:
 * one function per rule, arithmetic in 64 bits, memory as an array of its own.  After each step
 * both gave the same answer and left the same bytes.
 */
#include "support/test.h"

#include "guest/allocator.h"
#include "support/small_guest.h"

#include <stdlib.h>
#include <string.h>

#define MAX_PAGES 24U
#define NIL 0xFFFFFFFFU

struct model {
    uint8_t bytes[MAX_PAGES * 65536];
    uint64_t pages;
    uint64_t bump; /* modulo 2^32 */
    uint32_t heads[23];
    uint64_t allocated; /* modulo 2^32 */
    bool poisoned;
};

static struct model model;

static bool model_read(uint64_t at, uint32_t *ret_low, bool *ret_used)
{
    if (at + 8 > model.pages * 65536 || at + 8 > UINT32_MAX) {
        return false;
    }
    memcpy(ret_low, model.bytes + at, 4);
    *ret_used = (model.bytes[at + 4] & 1) != 0;
    return true;
}

static bool model_write(uint64_t at, uint32_t low, bool used)
{
    if (at + 8 > model.pages * 65536 || at + 8 > UINT32_MAX) {
        return false;
    }
    memset(model.bytes + at, 0, 8);
    memcpy(model.bytes + at, &low, 4);
    model.bytes[at + 4] = used ? 1 : 0;
    return true;
}

static bool model_make_room(uint64_t need)
{
    if (need <= model.pages * 65536) {
        return true;
    }
    uint64_t want = need / 65536 + (need % 65536 != 0);
    if (model.pages >= MAX_PAGES || want > MAX_PAGES) {
        return false;
    }
    uint64_t next = 2 * model.pages;
    if (next > MAX_PAGES) {
        next = MAX_PAGES;
    }
    if (next < want) {
        next = want;
    }
    model.pages = next;
    return true;
}

/* 0 for any refusal: pointers are never 0. */
static uint32_t model_take(uint64_t size)
{
    if (model.poisoned) {
        return 0;
    }
    model.poisoned = true;
    if (size > 32 * 1024 * 1024) {
        return 0;
    }
    unsigned order = 0;
    uint64_t payload = 8;
    while (payload < size) {
        payload *= 2;
        order++;
    }
    uint64_t at = model.heads[order];
    if (at != NIL) {
        uint32_t link;
        bool used;
        if (at + payload + 8 > model.pages * 65536 || !model_read(at, &link, &used) || used) {
            return 0;
        }
        model.heads[order] = link;
    } else {
        if (!model_make_room(model.bump + payload + 8)) {
            return 0;
        }
        at = model.bump;
        model.bump = (model.bump + payload + 8) % ((uint64_t)1 << 32);
    }
    if (!model_write(at, order, true)) {
        return 0;
    }
    model.allocated = (model.allocated + payload + 8) % ((uint64_t)1 << 32);
    model.poisoned = false;
    return (uint32_t)at + 8;
}

static bool model_give(uint32_t ptr)
{
    if (model.poisoned) {
        return false;
    }
    model.poisoned = true;
    uint32_t order;
    bool used;
    if (ptr < 8 || !model_read((uint64_t)ptr - 8, &order, &used) || !used || order > 22) {
        return false;
    }
    uint32_t old = model.heads[order];
    model.heads[order] = ptr - 8;
    uint64_t bytes = ((uint64_t)8 << order) + 8;
    if (!model_write((uint64_t)ptr - 8, old, false) || model.allocated < bytes) {
        return false;
    }
    model.allocated -= bytes;
    model.poisoned = false;
    return true;
}

static uint64_t random_state;

static uint32_t random_below(uint32_t bound)
{
    random_state = random_state * 6364136223846793005U + 1442695040888963407U;
    return (uint32_t)((random_state >> 33) % bound);
}

/* What sizes a guest asks for: mostly small, rarely too large. */
static uint32_t random_size(void)
{
    uint32_t kind = random_below(100);
    if (kind < 80) {
        return random_below(300);
    }
    if (kind < 98) {
        return random_below(70000);
    }
    return kind == 98 ? random_below(UINT32_MAX) : 1U << random_below(21);
}

struct trace {
    struct small_guest guest;
    struct pvf__allocator allocator;
    uint32_t live[256];
    unsigned count;
    bool hostile; /* the guest writes over headers and frees what it likes */
};

static void step_take(struct trace *trace)
{
    uint32_t size = random_size();
    uint32_t ptr = 0;
    bool good = pvf__allocator_allocate(&trace->allocator, &trace->guest.memory, size, &ptr) == 0;
    assert_int_equal(good ? ptr : 0, model_take(size));
    if (good && trace->count < 256) {
        trace->live[trace->count++] = ptr;
    }
}

static void step_give(struct trace *trace)
{
    uint32_t ptr = 0;
    if (trace->hostile && random_below(20) == 0) {
        ptr = random_below(2 * 65536);
    } else if (trace->count > 0) {
        unsigned index = random_below(trace->count);
        ptr = trace->live[index];
        trace->live[index] = trace->live[--trace->count];
    } else {
        return;
    }
    bool good = pvf__allocator_free(&trace->allocator, &trace->guest.memory, ptr) == 0;
    assert_int_equal(good, model_give(ptr));
}

/* Writes a header, of a live or a free block, or anywhere, in both memories. */
static void step_forge(struct trace *trace)
{
    uint64_t size = trace->guest.memory.size;
    uint32_t at = random_below((uint32_t)size - 8);
    if (random_below(3) > 0 && trace->count > 0) {
        at = trace->live[random_below(trace->count)] - 8;
    }
    uint32_t low = random_below(4) > 0 ? random_below(26) : random_below((uint32_t)size + 100);
    uint8_t bytes[8] = {0};
    memcpy(bytes, &low, 4);
    bytes[4] = (uint8_t)random_below(256);
    bytes[7] = (uint8_t)random_below(256);
    memcpy(trace->guest.memory.base + at, bytes, 8);
    memcpy(model.bytes + at, bytes, 8);
}

/* The number of steps until the first refusal. */
static unsigned run_trace(uint64_t seed, bool hostile)
{
    random_state = seed;
    uint32_t heap_base = random_below(70000);
    uint64_t pages = 2 + random_below(3);
    struct trace trace = {.count = 0, .hostile = hostile};
    small_guest_init(&trace.guest, pages, MAX_PAGES);
    pvf__allocator_init(&trace.allocator, heap_base);
    memset(&model, 0, sizeof(model));
    memset(model.heads, 0xFF, sizeof(model.heads));
    model.pages = pages;
    model.bump = ((uint64_t)heap_base + 7) / 8 * 8;
    unsigned steps = 0;
    while (steps < 2000 && !model.poisoned) {
        uint32_t kind = random_below(100);
        if (hostile && kind < 3) {
            step_forge(&trace);
        } else if (kind < 56) {
            step_take(&trace);
        } else {
            step_give(&trace);
        }
        assert_int_equal(trace.guest.memory.size, model.pages * 65536);
        assert_int_equal(trace.allocator.poisoned, model.poisoned);
        steps++;
    }
    assert_memory_equal(trace.guest.memory.base, model.bytes, model.pages * 65536);
    assert_int_equal(trace.allocator.bytes_allocated, model.allocated);
    small_guest_done(&trace.guest);
    return steps;
}

static void honest_traces_agree(void **state)
{
    (void)state;
    unsigned long steps = 0;
    for (uint64_t seed = 1; seed <= 150; seed++) {
        steps += run_trace(seed, false);
    }
    assert_true(steps > 10000);
}

static void hostile_traces_agree(void **state)
{
    (void)state;
    unsigned long steps = 0;
    for (uint64_t seed = 1001; seed <= 1400; seed++) {
        steps += run_trace(seed, true);
    }
    assert_true(steps > 10000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(honest_traces_agree),
        cmocka_unit_test(hostile_traces_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
