/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A proof made of anything.  Input: a byte of flags, the root, SCALE Vec<Vec<u8>> of nodes, Vec<u8>
 * key, then the value up to the end.  What is proven stays proven with bytes behind a node, and
 * proves no other value.
 */
#include "fuzz/fuzz.h"

#include "scale/scale.h"
#include "trie/trie.h"

#include <stdlib.h>
#include <string.h>

enum {
    MOST_NODES = 64
};

static void check(int condition)
{
    if (condition == 0) {
        abort();
    }
}

static void check_proven(enum pvf__trie_hash hash,
                         unsigned version,
                         const uint8_t *root,
                         struct pvf__slice *nodes,
                         size_t count,
                         struct pvf__slice key,
                         struct pvf__slice value)
{
    uint8_t *longer = malloc(value.len + 1);
    uint8_t *trailed = malloc(nodes[0].len + 1);
    if (longer != NULL && trailed != NULL) {
        memcpy(longer, value.data, value.len);
        longer[value.len] = 0;
        const struct pvf__slice other = {longer, value.len + 1};
        check(pvf__trie_verify_proof(hash, version, root, nodes, count, key, other) == 0);
        memcpy(trailed, nodes[0].data, nodes[0].len);
        trailed[nodes[0].len] = 0x55;
        nodes[0] = (struct pvf__slice){trailed, nodes[0].len + 1};
        check(pvf__trie_verify_proof(hash, version, root, nodes, count, key, value) == 1);
    }
    free(longer);
    free(trailed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct pvf__cursor cursor;
    struct pvf__slice nodes[MOST_NODES];
    struct pvf__slice key;
    struct pvf__slice value;
    const uint8_t *root;
    uint8_t flags;
    uint32_t count;
    pvf__cursor_init(&cursor, data, len);
    if (!pvf__cursor_u8(&cursor, &flags) || !pvf__cursor_claim(&cursor, 32, &root) ||
        !pvf__scale_get_compact(&cursor, &count) || count > MOST_NODES) {
        return 0;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (!pvf__scale_get_bytes(&cursor, &nodes[i])) {
            return 0;
        }
    }
    if (!pvf__scale_get_bytes(&cursor, &key)) {
        return 0;
    }
    value.len = pvf__cursor_left(&cursor);
    if (!pvf__cursor_claim(&cursor, value.len, &value.data)) {
        return 0;
    }
    const enum pvf__trie_hash hash = (flags & 1) != 0 ? PVF__TRIE_KECCAK_256 : PVF__TRIE_BLAKE2_256;
    const unsigned version = flags >> 1 & 1U;
    const int proven = pvf__trie_verify_proof(hash, version, root, nodes, count, key, value);
    check(proven == 0 || proven == 1);
    if (proven == 1) {
        check(count > 0);
        check_proven(hash, version, root, nodes, count, key, value);
    }
    return 0;
}
