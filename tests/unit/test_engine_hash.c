/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hashes of host calls, which take vector code that fits the processor, against libsodium's
 * portable code (nothing here calls sodium_init): every short length, and random long ones.
 */
#include "support/test.h"

#include "engine/engine_provider.h"

#include <sodium/crypto_generichash_blake2b.h>
#include <sodium/crypto_hash_sha256.h>
#include <stdlib.h>
#include <string.h>

#define BYTES 100000U
#define SHORT 300U

static void compare(const uint8_t *data, size_t len)
{
    uint8_t want[32];
    uint8_t out[32];
    assert_int_equal(crypto_hash_sha256(want, data, len), 0);
    assert_int_equal(pvf__engine_provider.hash(PVF__PROVIDER_SHA2_256, data, len, out), 0);
    assert_memory_equal(out, want, 32);
    assert_int_equal(crypto_generichash_blake2b(want, 32, data, len, NULL, 0), 0);
    assert_int_equal(pvf__engine_provider.hash(PVF__PROVIDER_BLAKE2B_256, data, len, out), 0);
    assert_memory_equal(out, want, 32);
    assert_int_equal(crypto_generichash_blake2b(want, 16, data, len, NULL, 0), 0);
    assert_int_equal(pvf__engine_provider.hash(PVF__PROVIDER_BLAKE2B_128, data, len, out), 0);
    assert_memory_equal(out, want, 16);
}

static void hashes_are_those_of_another_library(void **state)
{
    (void)state;
    uint8_t *bytes = malloc(BYTES);
    assert_non_null(bytes);
    uint64_t random = 1;
    for (size_t i = 0; i < BYTES; i++) {
        random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
        bytes[i] = (uint8_t)(random >> 56);
    }
    for (size_t len = 0; len <= SHORT; len++) {
        compare(bytes + len % 8, len);
    }
    for (unsigned i = 0; i < 100; i++) {
        random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
        const size_t start = (random >> 33) % 64;
        compare(bytes + start, (random >> 40) % (BYTES - start));
    }
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hashes_are_those_of_another_library),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
