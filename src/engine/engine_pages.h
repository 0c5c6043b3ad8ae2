/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_ENGINE_ENGINE_PAGES_H
#define PVF_ENGINE_ENGINE_PAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Huge pages for an artifact in memory (memfd_create) that many processes map: a job then needs one
 * page fault for each of them instead of one for each 64 KiB, and the processor has fewer addresses
 * to keep in mind.  All of it is advice: where the kernel does not take it, only speed is lost.
 */

#define PVF__ENGINE_HUGE_PAGE ((size_t)2 << 20)

/* Mappings that keep others out of a place; zero: none. */
struct pvf__engine_fillers {
    struct {
        void *at;
        size_t len;
    } each[4];
    size_t count;
};

/*
 * Sees to it that the next mapping of all of `fd`, wherever the kernel puts it, begins at a border
 * of huge pages.  Until then nothing that is as large may be mapped, and other threads had better
 * map nothing.  *fillers is to be given to pvf__engine_pages_placed, once the mapping is made.
 */
void pvf__engine_pages_place(int fd, struct pvf__engine_fillers *fillers);
void pvf__engine_pages_placed(struct pvf__engine_fillers *fillers);

/* The making of huge pages, one by one, since each takes the time to copy it. */
struct pvf__engine_pages {
    uint8_t *view; /* all of the artifact; NULL: there is nothing (more) to do */
    size_t len;
    size_t done;
};

/* `fd` may be closed afterwards. */
void pvf__engine_pages_open(int fd, struct pvf__engine_pages *ret);

/*
 * Makes the next huge page.  False when there was none left to make, or the kernel made none; then
 * nothing is left open.
 */
bool pvf__engine_pages_step(struct pvf__engine_pages *pages);

#endif
