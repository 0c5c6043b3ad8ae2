/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: the counting of the engine's memory, which the engine library does for us. */
#include "engine/engine_memory.h"

#include <pvf_shim.h>

void pvf__engine_memory_track(uint64_t limit, void (*on_limit)(void))
{
    /* The reference counts in signed numbers: a limit above them is none. */
    pvf_shim_alloc_track(limit > (uint64_t)INT64_MAX ? 0 : (int64_t)limit, on_limit);
}

void pvf__engine_memory_add(size_t len)
{
    (void)pvf_shim_alloc_add((int64_t)len);
}

uint64_t pvf__engine_memory_peak(void)
{
    int64_t peak = pvf_shim_alloc_peak();
    return peak > 0 ? (uint64_t)peak : 0;
}
