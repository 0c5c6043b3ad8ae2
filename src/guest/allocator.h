/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_GUEST_ALLOCATOR_H
#define PVF_GUEST_ALLOCATOR_H

#include "base/cleanup.h"
#include "guest/guest.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * The heap of a guest: free lists by powers of two over a bump pointer.  Every pointer that it
 * gives is seen by the guest and so is consensus, as is each refusal.
 *
 * Before each payload stands a header of 8 bytes, little endian: bit 32 set and the order in the
 * low 32 bits while in use; bit 32 clear and the address of the next free header of the same order
 * (or NIL) while free.  Headers live where the guest can write, so the guest may forge them, at any
 * address: nothing of a header is kept on this side, and no header is believed without a check.
 */

/* Orders 0 … 22: payloads of 8 bytes … 32 MiB. */
#define PVF__ALLOCATOR_ORDERS 23U
#define PVF__ALLOCATOR_MAX 33554432U

enum pvf__allocator_fault {
    PVF__ALLOCATOR_OK = 0,
    PVF__ALLOCATOR_POISONED,        /* an earlier call failed */
    PVF__ALLOCATOR_SHRUNK,          /* the memory got smaller */
    PVF__ALLOCATOR_TOO_LARGE,       /* more than 32 MiB asked for */
    PVF__ALLOCATOR_OUT_OF_SPACE,    /* the memory may not grow that far */
    PVF__ALLOCATOR_BAD_LIST,        /* a list leads outside the memory */
    PVF__ALLOCATOR_LISTED_OCCUPIED, /* a list leads to a header in use */
    PVF__ALLOCATOR_BAD_ORDER,       /* a header in use holds no order */
    PVF__ALLOCATOR_BAD_POINTER,     /* freed address below 8 */
    PVF__ALLOCATOR_NOT_ALLOCATED,   /* freed address has a free header */
    PVF__ALLOCATOR_UNDERFLOW,       /* more was freed than was allocated */
    PVF__ALLOCATOR_READ_OUTSIDE,    /* header outside the memory */
    PVF__ALLOCATOR_WRITE_OUTSIDE,
};

struct pvf__allocator {
    uint32_t bumper; /* where the next header comes that no list has; wraps at 4 GiB */
    uint32_t heads[PVF__ALLOCATOR_ORDERS];
    bool poisoned; /* after a fault every later call fails */
    uint64_t last_seen_size;
    uint32_t bytes_allocated; /* with headers; wraps */
};

/* `heap_base` as the guest exports it; rounded up to 8, wrapping to 0 from 0xFFFFFFF9 on. */
void pvf__allocator_init(struct pvf__allocator *allocator, uint32_t heap_base);

/* *ret: address of at least `size` bytes (8 for 0), not cleared.  May grow the memory. */
PVF__NODISCARD enum pvf__allocator_fault pvf__allocator_allocate(struct pvf__allocator *allocator,
                                                                 struct pvf__guest_memory *memory,
                                                                 uint32_t size,
                                                                 uint32_t *ret);

/* Takes any address whose header looks in use, given by this allocator or not. */
PVF__NODISCARD enum pvf__allocator_fault pvf__allocator_free(struct pvf__allocator *allocator,
                                                             struct pvf__guest_memory *memory,
                                                             uint32_t ptr);

/* The reference's wording of a fault; never NULL. */
const char *pvf__allocator_text(enum pvf__allocator_fault fault);

#endif
