/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_ENGINE_ENGINE_MEMORY_H
#define PVF_ENGINE_ENGINE_MEMORY_H

#include <stddef.h>
#include <stdint.h>

/*
 * Counts the memory that the engine asks for, as the preparation limit demands: requested bytes,
 * from 0 at the start.  More than `limit` bytes (0: no limit) calls `on_limit` inside the
 * allocator, which may only write(2) and _exit(2).
 */
void pvf__engine_memory_track(uint64_t limit, void (*on_limit)(void));

/* Counts memory of C code too. */
void pvf__engine_memory_add(size_t len);

/* Ends the counting; the highest number of bytes in use. */
uint64_t pvf__engine_memory_peak(void);

#endif
