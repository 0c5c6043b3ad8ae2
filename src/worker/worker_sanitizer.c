/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: how a sanitizer's allocator treats the absurd sizes that hostile code asks for.  Without a
 * sanitizer malloc() refuses a table of 32 GiB, and a verdict follows; a sanitizer ends the process
 * instead, or grants it, as the machine's memory has it.  Part of sanitizer builds only, and
 * compiled in because hosts give workers no environment.
 */
#include <sanitizer/asan_interface.h>
#if __has_include(<sanitizer/msan_interface.h>) /* clang only */
#include <sanitizer/msan_interface.h>
#endif

/*
 * 16 GiB: more than any honest code needs, less than that table.  Asked for before the sanitizer
 * runs: a constant, nothing computed.
 */
static const char options[] = "allocator_may_return_null=1:max_allocation_size_mb=16384";

const char *__asan_default_options(void)
{
    return options;
}

#if __has_include(<sanitizer/msan_interface.h>)
const char *__msan_default_options(void)
{
    return options;
}
#endif
