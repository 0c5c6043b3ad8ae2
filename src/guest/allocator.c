/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: the state of a guest's heap.  Trusts the memory's base and size, and no byte in it. */
#include "guest/allocator.h"

#include <endian.h>
#include <string.h>

#define NIL 0xFFFFFFFFU
#define HEADER 8U
#define OCCUPIED ((uint64_t)1 << 32)

static inline bool read_header(struct pvf__guest_memory *memory, uint32_t at, uint64_t *ret)
{
    uint8_t *bytes;
    /* A header may not end at 4 GiB, even in a memory of that size. */
    if (at > UINT32_MAX - HEADER || !pvf__guest_range(memory, at, HEADER, &bytes)) {
        return false;
    }
    uint64_t value;
    memcpy(&value, bytes, HEADER);
    *ret = le64toh(value);
    return true;
}

static inline bool write_header(struct pvf__guest_memory *memory, uint32_t at, uint64_t value)
{
    uint8_t *bytes;
    if (at > UINT32_MAX - HEADER || !pvf__guest_range(memory, at, HEADER, &bytes)) {
        return false;
    }
    value = htole64(value);
    memcpy(bytes, &value, HEADER);
    return true;
}

/* The smallest order whose payload holds `size` bytes, which are at most 32 MiB. */
static unsigned order_of(uint32_t size)
{
    if (size <= 8) {
        return 0;
    }
    return 29U - (unsigned)__builtin_clz(size - 1);
}

static uint32_t payload_of(unsigned order)
{
    return 8U << order;
}

void pvf__allocator_init(struct pvf__allocator *allocator, uint32_t heap_base)
{
    *allocator = (struct pvf__allocator){.bumper = (heap_base + 7U) & ~7U};
    for (unsigned i = 0; i < PVF__ALLOCATOR_ORDERS; i++) {
        allocator->heads[i] = NIL;
    }
}

/* What both operations look at first. */
static enum pvf__allocator_fault enter(struct pvf__allocator *allocator,
                                       struct pvf__guest_memory *memory)
{
    if (allocator->poisoned) {
        return PVF__ALLOCATOR_POISONED;
    }
    if (memory->size < allocator->last_seen_size) {
        return PVF__ALLOCATOR_SHRUNK;
    }
    allocator->last_seen_size = memory->size;
    return PVF__ALLOCATOR_OK;
}

/* Takes the first header off the list of `order`, which is not empty. */
static enum pvf__allocator_fault pop(struct pvf__allocator *allocator,
                                     struct pvf__guest_memory *memory,
                                     unsigned order,
                                     uint32_t *ret)
{
    uint32_t at = allocator->heads[order];
    if (!pvf__guest_holds(memory, (uint64_t)at + payload_of(order) + HEADER)) {
        return PVF__ALLOCATOR_BAD_LIST;
    }
    uint64_t header;
    if (!read_header(memory, at, &header)) {
        return PVF__ALLOCATOR_READ_OUTSIDE;
    }
    if ((header & OCCUPIED) != 0) {
        return (uint32_t)header >= PVF__ALLOCATOR_ORDERS ? PVF__ALLOCATOR_BAD_ORDER
                                                         : PVF__ALLOCATOR_LISTED_OCCUPIED;
    }
    allocator->heads[order] = (uint32_t)header;
    *ret = at;
    return PVF__ALLOCATOR_OK;
}

/*
 * Makes the memory at least `need` bytes: twice what it is, if the limit allows, else the limit.
 * A limit above 65 536 pages asks here for what no memory can give, though less would do: that
 * refusal is the reference's, and kept.
 */
static bool grow_to(struct pvf__guest_memory *memory, uint64_t need)
{
    uint64_t want = (need + PVF__GUEST_PAGE - 1) / PVF__GUEST_PAGE;
    uint64_t pages = memory->size / PVF__GUEST_PAGE;
    if (pages >= memory->max_pages || want > memory->max_pages) {
        return false;
    }
    uint64_t next = 2 * pages < memory->max_pages ? 2 * pages : memory->max_pages;
    next = next > want ? next : want;
    return memory->grow(memory->context, next - pages);
}

/* Takes a fresh header and payload at the bump pointer. */
static enum pvf__allocator_fault bump(struct pvf__allocator *allocator,
                                      struct pvf__guest_memory *memory,
                                      unsigned order,
                                      uint32_t *ret)
{
    uint64_t need = (uint64_t)allocator->bumper + payload_of(order) + HEADER;
    if (!pvf__guest_holds(memory, need) && !grow_to(memory, need)) {
        return PVF__ALLOCATOR_OUT_OF_SPACE;
    }
    *ret = allocator->bumper;
    allocator->bumper = (uint32_t)need;
    return PVF__ALLOCATOR_OK;
}

static enum pvf__allocator_fault allocate(struct pvf__allocator *allocator,
                                          struct pvf__guest_memory *memory,
                                          uint32_t size,
                                          uint32_t *ret)
{
    enum pvf__allocator_fault fault = enter(allocator, memory);
    if (fault != PVF__ALLOCATOR_OK) {
        return fault;
    }
    if (size > PVF__ALLOCATOR_MAX) {
        return PVF__ALLOCATOR_TOO_LARGE;
    }
    unsigned order = order_of(size);
    uint32_t at = 0;
    fault = allocator->heads[order] != NIL ? pop(allocator, memory, order, &at)
                                           : bump(allocator, memory, order, &at);
    if (fault != PVF__ALLOCATOR_OK) {
        return fault;
    }
    if (!write_header(memory, at, order | OCCUPIED)) {
        return PVF__ALLOCATOR_WRITE_OUTSIDE;
    }
    allocator->bytes_allocated += payload_of(order) + HEADER;
    *ret = at + HEADER;
    return PVF__ALLOCATOR_OK;
}

enum pvf__allocator_fault pvf__allocator_allocate(struct pvf__allocator *allocator,
                                                  struct pvf__guest_memory *memory,
                                                  uint32_t size,
                                                  uint32_t *ret)
{
    enum pvf__allocator_fault fault = allocate(allocator, memory, size, ret);
    if (fault != PVF__ALLOCATOR_OK) {
        allocator->poisoned = true;
    }
    return fault;
}

static enum pvf__allocator_fault
release(struct pvf__allocator *allocator, struct pvf__guest_memory *memory, uint32_t ptr)
{
    enum pvf__allocator_fault fault = enter(allocator, memory);
    if (fault != PVF__ALLOCATOR_OK) {
        return fault;
    }
    if (ptr < HEADER) {
        return PVF__ALLOCATOR_BAD_POINTER;
    }
    uint32_t at = ptr - HEADER;
    uint64_t header;
    if (!read_header(memory, at, &header)) {
        return PVF__ALLOCATOR_READ_OUTSIDE;
    }
    if ((header & OCCUPIED) == 0) {
        return PVF__ALLOCATOR_NOT_ALLOCATED;
    }
    unsigned order = (uint32_t)header;
    if (order >= PVF__ALLOCATOR_ORDERS) {
        return PVF__ALLOCATOR_BAD_ORDER;
    }
    uint32_t next = allocator->heads[order];
    allocator->heads[order] = at;
    if (!write_header(memory, at, next)) {
        return PVF__ALLOCATOR_WRITE_OUTSIDE;
    }
    uint32_t bytes = payload_of(order) + HEADER;
    if (allocator->bytes_allocated < bytes) {
        return PVF__ALLOCATOR_UNDERFLOW;
    }
    allocator->bytes_allocated -= bytes;
    return PVF__ALLOCATOR_OK;
}

enum pvf__allocator_fault pvf__allocator_free(struct pvf__allocator *allocator,
                                              struct pvf__guest_memory *memory,
                                              uint32_t ptr)
{
    enum pvf__allocator_fault fault = release(allocator, memory, ptr);
    if (fault != PVF__ALLOCATOR_OK) {
        allocator->poisoned = true;
    }
    return fault;
}

const char *pvf__allocator_text(enum pvf__allocator_fault fault)
{
    static const char *const texts[] = {
        [PVF__ALLOCATOR_OK] = "no fault",
        [PVF__ALLOCATOR_POISONED] = "Other: the allocator has been poisoned",
        [PVF__ALLOCATOR_SHRUNK] = "Shrinking of the underlying memory is observed",
        [PVF__ALLOCATOR_TOO_LARGE] = "Requested allocation size is too large",
        [PVF__ALLOCATOR_OUT_OF_SPACE] = "Allocator ran out of space",
        [PVF__ALLOCATOR_BAD_LIST] = "Other: Invalid header pointer detected",
        [PVF__ALLOCATOR_LISTED_OCCUPIED] = "Other: free list points to a occupied header",
        [PVF__ALLOCATOR_BAD_ORDER] = "Other: invalid order",
        [PVF__ALLOCATOR_BAD_POINTER] = "Other: Invalid pointer for deallocation",
        [PVF__ALLOCATOR_NOT_ALLOCATED] = "Other: the allocation points to an empty header",
        [PVF__ALLOCATOR_UNDERFLOW] = "Other: underflow of the currently allocated bytes count",
        [PVF__ALLOCATOR_READ_OUTSIDE] = "Other: read out of heap bounds",
        [PVF__ALLOCATOR_WRITE_OUTSIDE] = "Other: write out of heap bounds",
    };
    if ((unsigned)fault >= sizeof(texts) / sizeof(texts[0])) {
        return "unknown fault";
    }
    return texts[fault];
}
