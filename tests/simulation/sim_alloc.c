/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: the core's memory in the simulation (linked with --wrap): counted, and failing at random.
 */
#include "simulation/world.h"

#include <stdlib.h>

unsigned sim_calloc_fails;
uint64_t sim_calloc_random = 1;
long sim_allocated;

/* The names that the linker's --wrap wants. */
void *real_calloc(size_t count, size_t size) __asm__("__real_calloc");
void real_free(void *pointer) __asm__("__real_free");
void *wrap_calloc(size_t count, size_t size) __asm__("__wrap_calloc");
void wrap_free(void *pointer) __asm__("__wrap_free");

void *wrap_calloc(size_t count, size_t size)
{
    if (sim_calloc_fails > 0) {
        sim_calloc_random = sim_calloc_random * UINT64_C(6364136223846793005) + 1442695040888963407;
        if ((sim_calloc_random >> 33) % 100 < sim_calloc_fails) {
            return NULL;
        }
    }
    void *pointer = real_calloc(count, size);
    sim_allocated += pointer != NULL;
    return pointer;
}

void wrap_free(void *pointer)
{
    sim_allocated -= pointer != NULL;
    real_free(pointer);
}
