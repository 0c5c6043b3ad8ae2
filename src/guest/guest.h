/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_GUEST_GUEST_H
#define PVF_GUEST_GUEST_H

#include "base/cleanup.h"

#include <stdbool.h>
#include <stdint.h>

/* Bytes of a Wasm page. */
#define PVF__GUEST_PAGE 65536U

/*
 * A guest's linear memory as the host sees it.  Whoever runs the guest owns it and keeps `base`
 * true whenever host code runs.  The bytes are the guest's, to be trusted in nothing; they cannot
 * change while a host call runs, except by the host call itself.
 */
struct pvf__guest_memory {
    uint8_t *base;
    uint64_t size;      /* bytes, at most 4 GiB; a memory never shrinks, so never too many */
    uint64_t max_pages; /* limit of the store, which may be above what Wasm allows (65 536) */
    /* Adds pages of zero and updates base and size; false, and nothing changed, when refused. */
    bool (*grow)(void *context, uint64_t delta_pages);
    /*
     * Makes `size` that of now: the guest grows its memory without a word to the host.  NULL where
     * only `grow` changes it.
     */
    void (*look)(void *context);
    void *context;
};

/*
 * Whether the memory has `end` bytes.  The size is looked at only when the known one is too small,
 * which is nearly never; after a refusal `size` is that of now.
 */
static inline PVF__NODISCARD bool pvf__guest_holds(struct pvf__guest_memory *memory, uint64_t end)
{
    if (end > memory->size && memory->look != NULL) {
        memory->look(memory->context);
    }
    return end <= memory->size;
}

/*
 * The one way to guest bytes: false unless `len` bytes at `ptr` lie inside the memory.  The sum is
 * not reduced to 32 bits, and is checked for a length of 0 too: `ptr` may then be the size itself.
 * The pointer is good until the memory grows.
 */
static inline PVF__NODISCARD bool
pvf__guest_range(struct pvf__guest_memory *memory, uint32_t ptr, uint32_t len, uint8_t **ret)
{
    if (!pvf__guest_holds(memory, (uint64_t)ptr + len)) {
        return false;
    }
    *ret = ptr > 0 ? memory->base + ptr : memory->base;
    return true;
}

#endif
