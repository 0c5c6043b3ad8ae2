/* SPDX-License-Identifier: Apache-2.0 */
/* The "twox" hashes against xxHash's own code: every short length, and random long ones. */
#include "support/test.h"

#include "hash/hash.h"

#include <stdlib.h>
#include <string.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

/* Room for a misaligned start too. */
#define BYTES 200000U
#define SHORT 300U

static uint8_t *some_bytes(void)
{
    uint8_t *bytes = malloc(BYTES);
    assert_non_null(bytes);
    uint64_t state = 1;
    for (size_t i = 0; i < BYTES; i++) {
        state = state * UINT64_C(6364136223846793005) + 1442695040888963407;
        bytes[i] = (uint8_t)(state >> 56);
    }
    return bytes;
}

static void compare(const uint8_t *data, size_t len)
{
    uint8_t want[32];
    for (unsigned seed = 0; seed < 4; seed++) {
        const XXH64_hash_t word = XXH64(data, len, seed);
        for (unsigned i = 0; i < 8; i++) {
            want[8 * seed + i] = (uint8_t)(word >> (8 * i));
        }
    }
    uint8_t out[32];
    pvf__hash_twox_64(data, len, out);
    assert_memory_equal(out, want, 8);
    pvf__hash_twox_128(data, len, out);
    assert_memory_equal(out, want, 16);
    pvf__hash_twox_256(data, len, out);
    assert_memory_equal(out, want, 32);
}

static void short_inputs_have_the_librarys_hashes(void **state)
{
    (void)state;
    uint8_t *bytes = some_bytes();
    for (size_t len = 0; len <= SHORT; len++) {
        /* Exactly so many bytes, so that a sanitizer sees one read too much. */
        uint8_t *exact = malloc(len > 0 ? len : 1);
        assert_non_null(exact);
        memcpy(exact, bytes, len);
        compare(exact, len);
        free(exact);
    }
    free(bytes);
    compare(NULL, 0);
}

static void long_inputs_have_the_librarys_hashes(void **state)
{
    (void)state;
    uint8_t *bytes = some_bytes();
    uint64_t random = 7;
    for (unsigned i = 0; i < 500; i++) {
        random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
        const size_t start = (random >> 33) % 64;
        const size_t len = (random >> 40) % (BYTES - start);
        compare(bytes + start, len);
    }
    compare(bytes, BYTES);
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(short_inputs_have_the_librarys_hashes),
        cmocka_unit_test(long_inputs_have_the_librarys_hashes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
