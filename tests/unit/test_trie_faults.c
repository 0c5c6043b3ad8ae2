/* SPDX-License-Identifier: Apache-2.0 */
/* Memory that runs out at the n-th request: an error, no leak, no other answer. */
#include "support/test.h"

#include "pvf/status.h"
#include "trie/trie.h"

#include <stdlib.h>
#include <string.h>

/* Linked with --wrap, which chooses these symbols. */
void *real_malloc(size_t size) __asm__("__real_malloc");
void *real_realloc(void *pointer, size_t size) __asm__("__real_realloc");
void *wrapped_malloc(size_t size) __asm__("__wrap_malloc");
void *wrapped_realloc(void *pointer, size_t size) __asm__("__wrap_realloc");

/* Requests that still succeed; negative: all. */
static long left = -1;

static bool is_refused(void)
{
    if (left < 0) {
        return false;
    }
    if (left == 0) {
        return true;
    }
    left--;
    return false;
}

void *wrapped_malloc(size_t size)
{
    return is_refused() ? NULL : real_malloc(size);
}

void *wrapped_realloc(void *pointer, size_t size)
{
    return is_refused() ? NULL : real_realloc(pointer, size);
}

enum {
    COUNT = 40,
    KEY = 8
};

static const uint8_t filler[600] = {1};

static void make_pairs(uint8_t keys[COUNT][KEY], struct pvf__trie_pair pairs[COUNT])
{
    for (unsigned i = 0; i < COUNT; i++) {
        memset(keys[i], (int)(i % 3), KEY);
        keys[i][i % KEY] = (uint8_t)(i * 41);
        pairs[i].key = (struct pvf__slice){keys[i], 1 + i % KEY};
        pairs[i].value = (struct pvf__slice){filler, (size_t)i * 15};
    }
}

/* Runs `call` with memory for more and more requests until it succeeds; it must at last. */
static void starve(int (*call)(uint8_t out[32]), int success)
{
    uint8_t expected[32] = {0};
    assert_int_equal(call(expected), success);
    for (long allowed = 0; allowed < 1000; allowed++) {
        uint8_t out[32] = {0};
        left = allowed;
        const int status = call(out);
        left = -1;
        if (status == success) {
            assert_true(allowed > 0);
            assert_memory_equal(out, expected, 32);
            return;
        }
        assert_int_equal(status, PVF_ERR_NO_MEMORY);
        const uint8_t untouched[32] = {0};
        assert_memory_equal(out, untouched, 32);
    }
    fail();
}

static int call_root(uint8_t out[32])
{
    static uint8_t keys[COUNT][KEY];
    static struct pvf__trie_pair pairs[COUNT];
    make_pairs(keys, pairs);
    return pvf__trie_root(PVF__TRIE_BLAKE2_256, 1, pairs, COUNT, out);
}

static int call_ordered_root(uint8_t out[32])
{
    static struct pvf__slice values[300];
    for (unsigned i = 0; i < 300; i++) {
        values[i] = (struct pvf__slice){filler, i};
    }
    return pvf__trie_ordered_root(PVF__TRIE_KECCAK_256, 0, values, 300, out);
}

static int call_proof(uint8_t out[32])
{
    const uint8_t node[3] = {0x42, 0x12, 0x00};
    const uint8_t key[1] = {0x12};
    const struct pvf__slice proof = {node, sizeof(node)};
    struct pvf__trie_pair pair = {{key, 1}, {filler, sizeof(filler)}};
    uint8_t root[32];
    /* The root comes from the same code, with the same memory. */
    int status = pvf__trie_root(PVF__TRIE_BLAKE2_256, 0, &pair, 1, root);
    if (status != 0) {
        return status;
    }
    status = pvf__trie_verify_proof(PVF__TRIE_BLAKE2_256, 0, root, &proof, 1, pair.key, pair.value);
    if (status == 1) {
        memcpy(out, root, 32);
    }
    return status;
}

static void every_request_may_fail(void **state)
{
    (void)state;
    starve(call_root, 0);
    starve(call_ordered_root, 0);
    starve(call_proof, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_request_may_fail),
    };
    return cmocka_run_group_tests_name("trie_faults", tests, NULL, NULL);
}
