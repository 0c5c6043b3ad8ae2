/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_TESTS_SUPPORT_TRIE_CASE_H
#define PVF_TESTS_SUPPORT_TRIE_CASE_H

/* Random tries from a seed, the same on every machine.  Include support/test.h before. */
#include "support/trie_model.h"

#include <stdlib.h>
#include <string.h>

enum {
    TRIE_CASE_PAIRS = 60,
    TRIE_CASE_KEY = 40,
    TRIE_CASE_VALUE = 80,
    TRIE_CASE_NODES = 90
};

struct trie_case {
    uint64_t seed;
    struct pvf__trie_pair pairs[TRIE_CASE_PAIRS]; /* in the order of insertion, keys may repeat */
    size_t count;
    uint8_t keys[TRIE_CASE_PAIRS][TRIE_CASE_KEY];
    uint8_t values[TRIE_CASE_PAIRS][TRIE_CASE_VALUE];
    struct trie_model *model;
};

/* A number below `below`: splitmix64, from its public description. */
static inline unsigned trie_case_random(struct trie_case *item, unsigned below)
{
    item->seed += 0x9E3779B97F4A7C15;
    uint64_t word = item->seed;
    word = (word ^ word >> 30) * 0xBF58476D1CE4E5B9;
    word = (word ^ word >> 27) * 0x94D049BB133111EB;
    return (unsigned)((word ^ word >> 31) % below);
}

/*
 * Few different bytes in the keys, so that prefixes, long common parts and equal keys are frequent;
 * values on both sides of the 32 bytes that matter, for nodes and for values.
 */
static inline void trie_case_make(struct trie_case *item, uint64_t seed)
{
    static const uint8_t alphabet[8] = {0x00, 0x01, 0x10, 0x11, 0x12, 0x61, 0x6F, 0xFF};
    static const uint8_t lengths[8] = {0, 1, 2, 26, 31, 32, 33, TRIE_CASE_VALUE};
    item->seed = seed;
    item->model = trie_model_new();
    item->count = trie_case_random(item, TRIE_CASE_PAIRS + 1);
    const unsigned letters = 1 + trie_case_random(item, 8);
    const unsigned longest = 1 + trie_case_random(item, 6);
    const unsigned shared = trie_case_random(item, 2) == 0 ? trie_case_random(item, 34) : 0;
    for (size_t i = 0; i < item->count; i++) {
        const size_t len = shared + trie_case_random(item, longest + 1);
        const size_t value_len = lengths[trie_case_random(item, 8)];
        for (size_t k = 0; k < len; k++) {
            item->keys[i][k] =
                k < shared ? (uint8_t)(k * 5) : alphabet[trie_case_random(item, letters)];
        }
        for (size_t k = 0; k < value_len; k++) {
            item->values[i][k] = (uint8_t)trie_case_random(item, 256);
        }
        item->pairs[i].key = (struct pvf__slice){item->keys[i], len};
        item->pairs[i].value = (struct pvf__slice){item->values[i], value_len};
        trie_model_insert(item->model, item->pairs[i].key, item->pairs[i].value);
    }
}

static inline void trie_case_done(struct trie_case *item)
{
    trie_model_free(item->model);
}

/* The value that counts for the key of pair `index`: that of the last pair with the key. */
static inline struct pvf__slice trie_case_value(const struct trie_case *item, size_t index)
{
    struct pvf__slice value = item->pairs[index].value;
    const struct pvf__slice key = item->pairs[index].key;
    for (size_t i = index; i < item->count; i++) {
        const struct pvf__slice other = item->pairs[i].key;
        if (other.len == key.len && (key.len == 0 || memcmp(other.data, key.data, key.len) == 0)) {
            value = item->pairs[i].value;
        }
    }
    return value;
}

/* Buffers as the slices that the checker takes. */
static inline void
trie_case_slices(const struct pvf__buf *nodes, size_t count, struct pvf__slice *ret)
{
    for (size_t i = 0; i < count; i++) {
        ret[i] = (struct pvf__slice){nodes[i].data, nodes[i].len};
    }
}

#endif
