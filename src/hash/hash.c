/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: the hashes that host and workers share.  BLAKE2b by libsodium, XXH64 by xxHash. */
#include "hash/hash.h"

#include <sodium/crypto_generichash_blake2b.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

/* The seeds' passes go over one block at a time, so that the data comes from memory once. */
#define BLOCK ((size_t)32 * 1024)

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

void pvf__hash_twox(const uint8_t *data, size_t len, unsigned words, uint8_t *out)
{
    XXH64_state_t states[4];
    for (unsigned seed = 0; seed < words; seed++) {
        (void)XXH64_reset(&states[seed], seed);
    }
    while (len > 0) {
        size_t step = len < BLOCK ? len : BLOCK;
        for (unsigned seed = 0; seed < words; seed++) {
            (void)XXH64_update(&states[seed], data, step);
        }
        data += step;
        len -= step;
    }
    for (unsigned seed = 0; seed < words; seed++) {
        uint64_t word = XXH64_digest(&states[seed]);
        for (unsigned i = 0; i < 8; i++) {
            out[8 * seed + i] = (uint8_t)(word >> (8 * i));
        }
    }
}

void pvf__hash_twox_256(const uint8_t *data, size_t len, uint8_t out[32])
{
    pvf__hash_twox(data, len, 4, out);
}
