/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_TESTS_SUPPORT_SMALL_GUEST_H
#define PVF_TESTS_SUPPORT_SMALL_GUEST_H

#include "guest/guest.h"

#include <stdlib.h>
#include <string.h>

/*
 * A guest memory of a few pages on the test's own heap.  Each growth moves it and frees the old
 * bytes, so that a sanitizer sees every pointer that was kept across one.
 */
struct small_guest {
    struct pvf__guest_memory memory;
    unsigned growths;
};

static inline bool small_guest_grow(void *context, uint64_t delta_pages)
{
    struct small_guest *guest = context;
    uint64_t size = guest->memory.size + delta_pages * PVF__GUEST_PAGE;
    if (size > guest->memory.max_pages * PVF__GUEST_PAGE) {
        return false;
    }
    uint8_t *moved = calloc(1, size > 0 ? size : 1);
    if (moved == NULL) {
        return false;
    }
    if (guest->memory.size > 0) {
        memcpy(moved, guest->memory.base, guest->memory.size);
    }
    free(guest->memory.base);
    guest->memory.base = moved;
    guest->memory.size = size;
    guest->growths++;
    return true;
}

static inline void small_guest_init(struct small_guest *guest, uint64_t pages, uint64_t max_pages)
{
    *guest = (struct small_guest){
        .memory = {.max_pages = max_pages, .grow = small_guest_grow, .context = guest}};
    if (pages > 0 && !small_guest_grow(guest, pages)) {
        abort();
    }
    guest->growths = 0;
}

static inline void small_guest_done(struct small_guest *guest)
{
    free(guest->memory.base);
    guest->memory.base = NULL;
    guest->memory.size = 0;
}

#endif
