/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: BLAKE2b as host and workers share it, by libsodium. */
#include "hash/hash.h"

#include <sodium/crypto_generichash_blake2b.h>

#if defined(__has_feature)
#if __has_feature(memory_sanitizer)
#include <sanitizer/msan_interface.h>
/* The library is not instrumented: without a word the sanitizer neither looks at what it reads nor
 * knows what it wrote. */
#define LIBRARY_READS(data, len) __msan_check_mem_is_initialized(data, len)
#define LIBRARY_WROTE(data, len) __msan_unpoison(data, len)
#endif
#endif
#ifndef LIBRARY_READS
#define LIBRARY_READS(data, len) ((void)0)
#define LIBRARY_WROTE(data, len) ((void)0)
#endif

void pvf__hash_blake2b_256(const uint8_t *data, size_t len, uint8_t out[32])
{
    LIBRARY_READS(data, len);
    /* Fails only for sizes out of range, and these are constants. */
    (void)crypto_generichash_blake2b(out, 32, data, len, NULL, 0);
    LIBRARY_WROTE(out, 32);
}
