/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_TRIE_TRIE_H
#define PVF_TRIE_TRIE_H

#include "base/cleanup.h"
#include "base/slice.h"

#include <stddef.h>
#include <stdint.h>

/*
 * Roots and proofs of Substrate's trie: base 16, Merkle-Patricia, no extension nodes.  State
 * version 0 keeps every value inside its node; version 1 (and any other number) keeps the hash of
 * a value of 33 bytes or more.  No depth or count is limited: memory is proportional to the input,
 * and nothing recurses.
 */
enum pvf__trie_hash {
    PVF__TRIE_BLAKE2_256,
    PVF__TRIE_KECCAK_256
};

struct pvf__trie_pair {
    struct pvf__slice key;
    struct pvf__slice value;
};

/*
 * The root of a trie of `count` pairs in any order; of pairs with equal keys the last one counts.
 * `pairs` is reordered, and what lies behind the distinct keys is unspecified afterwards.
 * 0 or PVF_ERR_NO_MEMORY.
 */
PVF__NODISCARD int pvf__trie_root(enum pvf__trie_hash hash,
                                  unsigned version,
                                  struct pvf__trie_pair *pairs,
                                  size_t count,
                                  uint8_t out[32]);

/* The root of a list: the key of value i is the SCALE compact form of i.  0 or PVF_ERR_NO_MEMORY.
 */
PVF__NODISCARD int pvf__trie_ordered_root(enum pvf__trie_hash hash,
                                          unsigned version,
                                          const struct pvf__slice *values,
                                          size_t count,
                                          uint8_t out[32]);

/*
 * Whether the compact proof `nodes` (from the top down, values and hashes on the path left out)
 * shows that the trie with this root holds `value` under `key`.  1 proven, 0 not proven for any
 * reason, malformed nodes among them; PVF_ERR_NO_MEMORY.
 */
PVF__NODISCARD int pvf__trie_verify_proof(enum pvf__trie_hash hash,
                                          unsigned version,
                                          const uint8_t root[32],
                                          const struct pvf__slice *nodes,
                                          size_t count,
                                          struct pvf__slice key,
                                          struct pvf__slice value);

#endif
