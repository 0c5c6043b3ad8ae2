/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_ENGINE_ENGINE_STACK_H
#define PVF_ENGINE_ENGINE_STACK_H

#include "base/cleanup.h"
#include "pvf/error.h"

#include <stddef.h>
#include <stdint.h>

/*
 * The stack that a run needs: the guest's share and 2 MiB for host functions.  The reference adds
 * in 32 bits, so that a limit within 2 MiB of 4 GiB leaves it with next to no stack and its job
 * may die; here the sum does not wrap, which only accepts more.
 */
size_t pvf__engine_stack_size(uint32_t native_stack_max);

/*
 * Calls fn(arg) in a thread of its own with at least `size` bytes of stack and waits for its end.
 * The pages are reserved, not committed; below the stack lies a guard that faults.
 */
PVF__NODISCARD int
pvf__engine_on_big_stack(void (*fn)(void *arg), void *arg, size_t size, pvf_error *err);

#endif
