/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_TESTS_SUPPORT_HOSTCALL_BENCH_H
#define PVF_TESTS_SUPPORT_HOSTCALL_BENCH_H

#include "hostcall/hostcall.h"
#include "support/fake_provider.h"
#include "support/small_guest.h"

#include <string.h>

/*
 * Host functions called by name, as a guest would: two pages of memory with the heap on the second,
 * and the fake crypto.
 */
struct bench {
    struct small_guest guest;
    struct pvf__allocator allocator;
    struct pvf__hostcall_context context;
};

#define BENCH_HEAP 65536U
#define BENCH_SIZE 131072U

static inline void bench_init(struct bench *bench, uint64_t max_pages)
{
    memset(bench, 0, sizeof(*bench));
    small_guest_init(&bench->guest, 2, max_pages);
    pvf__allocator_init(&bench->allocator, BENCH_HEAP);
    bench->context.memory = &bench->guest.memory;
    bench->context.allocator = &bench->allocator;
    bench->context.provider = &fake_provider;
}

static inline void bench_done(struct bench *bench)
{
    small_guest_done(&bench->guest);
}

static inline uint64_t fat(uint32_t ptr, uint32_t len)
{
    return (uint64_t)len << 32 | ptr;
}

/* Puts bytes into the guest and gives the fat pointer to them. */
static inline uint64_t put(struct bench *bench, uint32_t ptr, const void *data, uint32_t len)
{
    memcpy(bench->guest.memory.base + ptr, data, len);
    return fat(ptr, len);
}

static inline uint64_t put_text(struct bench *bench, uint32_t ptr, const char *text)
{
    return put(bench, ptr, text, (uint32_t)strlen(text));
}

/* Calls "ext_<name>" with up to five arguments; the status of the call. */
static inline int
bench_call(struct bench *bench, const char *name, const uint64_t args[5], uint64_t *ret)
{
    char full[128] = "ext_";
    size_t len = strlen(name);
    if (len >= sizeof(full) - 4) {
        abort();
    }
    memcpy(full + 4, name, len + 1);
    const struct pvf__hostcall *call = pvf__hostcall_find(full, 4 + len, true);
    if (call == NULL) {
        abort();
    }
    bench->context.trap[0] = '\0';
    return call->call(&bench->context, args, ret);
}

#define ARGS(...)                                                                                  \
    (const uint64_t[5])                                                                            \
    {                                                                                              \
        __VA_ARGS__                                                                                \
    }

#endif
