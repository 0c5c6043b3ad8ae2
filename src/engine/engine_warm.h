/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_ENGINE_ENGINE_WARM_H
#define PVF_ENGINE_ENGINE_WARM_H

#include "guest/guest.h"

#include <stddef.h>
#include <stdint.h>
#include <wasmtime.h>

/*
 * What can be done before an instance's call, or before its input is written.  Nothing that the
 * guest can see changes.  Only files of this folder include it.
 */

/*
 * Has these pages of a file in the process's tables, by reading one byte for all that the kernel
 * maps around a page.
 */
void pvf__engine_warm_touch(const uint8_t *from, size_t len);

/* What the first call in a thread costs. */
void pvf__engine_warm_thread(wasmtime_context_t *context);

/*
 * The pages that most calls will use, in memory and, above its end, of what it will grow to: those
 * stay out of the guest's reach until it does.  `code_len` tells how large the runtime is.
 */
void pvf__engine_warm_memory(const struct pvf__guest_memory *memory,
                             uint32_t heap_base,
                             size_t code_len);

/* The pages of an input that is about to be written, if it is large; it lies inside the memory. */
void pvf__engine_warm_input(const struct pvf__guest_memory *memory, uint64_t at, uint64_t len);

#endif
