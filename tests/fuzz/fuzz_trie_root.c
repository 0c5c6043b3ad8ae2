/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Roots against the model.  Input: a byte of flags, then pairs: a byte each for the lengths of key
 * and value, their bytes.  The first pair's proof by the model must hold.
 */
#include "fuzz/fuzz.h"

#include "base/cursor.h"
#include "support/trie_model.h"
#include "trie/trie.h"

#include <stdlib.h>
#include <string.h>

enum {
    MOST_PAIRS = 128,
    MOST_NODES = 520
};

static void check(int condition)
{
    if (condition == 0) {
        abort();
    }
}

static size_t read_pairs(struct pvf__cursor *cursor, struct pvf__trie_pair *ret)
{
    size_t count = 0;
    while (count < MOST_PAIRS) {
        struct pvf__trie_pair *pair = &ret[count];
        uint8_t key_len;
        uint8_t value_len;
        if (!pvf__cursor_u8(cursor, &key_len) || !pvf__cursor_u8(cursor, &value_len) ||
            !pvf__cursor_claim(cursor, key_len, &pair->key.data) ||
            !pvf__cursor_claim(cursor, value_len, &pair->value.data)) {
            break;
        }
        pair->key.len = key_len;
        pair->value.len = value_len;
        count++;
    }
    return count;
}

static void check_first(const struct trie_model *model,
                        enum pvf__trie_hash hash,
                        unsigned version,
                        const uint8_t root[32],
                        const struct pvf__trie_pair *pair)
{
    static struct pvf__buf nodes[MOST_NODES];
    static struct pvf__slice proof[MOST_NODES];
    for (size_t i = 0; i < MOST_NODES; i++) {
        pvf__buf_init(&nodes[i], SIZE_MAX);
    }
    const size_t count = trie_model_prove(model, hash, version, pair->key, nodes, MOST_NODES);
    check(count > 0);
    for (size_t i = 0; i < count; i++) {
        proof[i] = (struct pvf__slice){nodes[i].data, nodes[i].len};
    }
    check(pvf__trie_verify_proof(hash, version, root, proof, count, pair->key, pair->value) == 1);
    for (size_t i = 0; i < count; i++) {
        pvf__buf_done(&nodes[i]);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct pvf__cursor cursor;
    struct pvf__trie_pair pairs[MOST_PAIRS];
    uint8_t flags;
    pvf__cursor_init(&cursor, data, len);
    if (!pvf__cursor_u8(&cursor, &flags)) {
        return 0;
    }
    const enum pvf__trie_hash hash = (flags & 1) != 0 ? PVF__TRIE_KECCAK_256 : PVF__TRIE_BLAKE2_256;
    const unsigned version = flags >> 1 & 1U;
    size_t count = read_pairs(&cursor, pairs);
    struct trie_model *model = trie_model_new();
    for (size_t i = 0; i < count; i++) {
        trie_model_insert(model, pairs[i].key, pairs[i].value);
    }
    uint8_t expected[32];
    uint8_t root[32];
    trie_model_root(model, hash, version, expected);
    check(pvf__trie_root(hash, version, pairs, count, root) == 0);
    check(memcmp(root, expected, sizeof(root)) == 0);
    /* Sorted now, and the first key is there once: it is not greater than any other. */
    if (count > 0) {
        check_first(model, hash, version, root, &pairs[0]);
    }
    trie_model_free(model);
    return 0;
}
