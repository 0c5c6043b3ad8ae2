/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: the check of a compact proof.  Proof, key and value were written by a stranger: whatever is
 * wrong with them makes the proof no proof, and nothing else.
 *
 * A compact proof holds the nodes on the way to the key, from the top down.  Where a node refers to
 * the next one, the reference is left empty; where the last one holds the value, so is the value.
 * A node may also stand inside its parent.  Filling in value and references from the bottom up must
 * end at the root.
 */
#include "trie/trie.h"

#include "base/buf.h"
#include "base/checked.h"
#include "pvf/status.h"
#include "scale/scale.h"
#include "trie/trie_codec.h"
#include "trie/trie_nibbles.h"

#include <stdbool.h>
#include <string.h>

/*
 * How many nodes may stand inside each other.  A node that stands in another takes at most 32
 * bytes, and 4 of them are spent by each step (header, bitmap, the child's length) before the last
 * node, which needs 2.  A longer chain can be read but not be filled in, so it is no proof.
 */
#define MAX_INLINE_CHAIN 8
#define MAX_CHAIN (1 + MAX_INLINE_CHAIN)

struct proof {
    enum pvf__trie_hash hash;
    unsigned version;
    struct pvf__slice key;
    struct pvf__slice value;
};

/* One proof node and those inside it, as far as they are on the way to the key. */
struct chain {
    struct pvf__trie_node nodes[MAX_CHAIN];
    unsigned way[MAX_CHAIN]; /* the child that leads on; not set for the node of the key */
    size_t count;
    bool is_last; /* the last node is that of the key; else the next proof node follows */
    size_t end;   /* the number of half bytes above the next proof node */
};

/* Whether the value of this key was left out of `node`, which is where the key ends. */
static bool lacks_value(const struct pvf__trie_node *node)
{
    if (node->kind == PVF__TRIE_LEAF) {
        return node->value_kind == PVF__TRIE_INLINE && node->value.len == 0;
    }
    return node->value_kind == PVF__TRIE_NO_VALUE;
}

/* Reads a proof node that `start` half bytes of the key lead to; false: this is no proof. */
static bool
read_chain(const struct proof *proof, struct pvf__slice data, size_t start, struct chain *chain)
{
    for (chain->count = 0; chain->count < MAX_CHAIN;) {
        struct pvf__trie_node *node = &chain->nodes[chain->count];
        const struct pvf__nibbles rest = pvf__trie_nibbles_from(proof->key, start);
        if (!pvf__trie_codec_get_node(data, node) || node->kind == PVF__TRIE_EMPTY ||
            !pvf__trie_nibbles_starts_with(rest, node->partial)) {
            return false;
        }
        chain->count++;
        start += node->partial.count;
        if (rest.count == node->partial.count) {
            chain->is_last = true;
            return lacks_value(node);
        }
        if (node->kind == PVF__TRIE_LEAF) {
            return false;
        }
        const unsigned way = pvf__trie_nibbles_at(proof->key.data, start);
        chain->way[chain->count - 1] = way;
        start++;
        data = node->child[way];
        if ((node->bitmap >> way & 1U) == 0 || data.len == PVF__TRIE_HASH_LEN) {
            return false;
        }
        if (data.len == 0) {
            chain->is_last = false;
            chain->end = start;
            return true;
        }
    }
    return false;
}

/* Appends the children of a branch; false if one is too long to be a reference. */
static bool put_children(const struct pvf__trie_node *node, struct pvf__buf *out)
{
    for (unsigned i = 0; i < PVF__TRIE_CHILDREN; i++) {
        if ((node->bitmap >> i & 1U) != 0) {
            if (node->child[i].len > PVF__TRIE_HASH_LEN) {
                return false;
            }
            pvf__scale_put_bytes(out, node->child[i]);
        }
    }
    return true;
}

/* The reference of a node that was filled in. */
struct reference {
    uint8_t bytes[PVF__TRIE_HASH_LEN];
    size_t len;
};

/*
 * Fills in a chain from its end: with the value if that is where the key ends, else with `below`,
 * the reference of the next proof node.  `below` becomes the hash of this one.  1, 0 for no proof,
 * or PVF_ERR_NO_MEMORY.
 */
static int fill_chain(const struct proof *proof,
                      struct chain *chain,
                      struct pvf__buf *scratch,
                      struct reference *below)
{
    uint8_t digest[PVF__TRIE_HASH_LEN];
    for (size_t i = chain->count; i-- > 0;) {
        struct pvf__trie_node *node = &chain->nodes[i];
        if (chain->is_last && i == chain->count - 1) {
            pvf__trie_codec_set_value(proof->hash, proof->version, proof->value, node, digest);
        } else {
            node->child[chain->way[i]] = (struct pvf__slice){below->bytes, below->len};
        }
        scratch->len = 0;
        pvf__trie_codec_put_node(node, scratch);
        if (!put_children(node, scratch)) {
            return 0;
        }
        if (scratch->failed != 0) {
            return PVF_ERR_NO_MEMORY;
        }
        if (i == 0) {
            pvf__trie_codec_hash(
                proof->hash, (struct pvf__slice){scratch->data, scratch->len}, below->bytes);
            below->len = PVF__TRIE_HASH_LEN;
        } else if (scratch->len > PVF__TRIE_HASH_LEN) {
            return 0;
        } else {
            memcpy(below->bytes, scratch->data, scratch->len);
            below->len = scratch->len;
        }
    }
    return 1;
}

/*
 * Goes down the proof; starts[i] becomes the number of half bytes above proof node i.  False: this
 * is no proof, also when nodes are left over.
 */
static bool
go_down(const struct proof *proof, const struct pvf__slice *nodes, size_t count, size_t *starts)
{
    struct chain chain;
    size_t start = 0;
    for (size_t i = 0; i < count; i++) {
        starts[i] = start;
        if (!read_chain(proof, nodes[i], start, &chain)) {
            return false;
        }
        if (chain.is_last) {
            return i == count - 1;
        }
        start = chain.end;
    }
    return false;
}

/* Goes up again, reading each node once more: memory stays at one number for each. */
static int go_up(const struct proof *proof,
                 const struct pvf__slice *nodes,
                 size_t count,
                 const size_t *starts,
                 struct reference *ret)
{
    PVF__CLEANUP_BUF struct pvf__buf scratch = PVF__BUF_INIT(SIZE_MAX);
    struct chain chain;
    int result = 1;
    for (size_t i = count; i-- > 0 && result == 1;) {
        result = read_chain(proof, nodes[i], starts[i], &chain)
                     ? fill_chain(proof, &chain, &scratch, ret)
                     : 0;
    }
    return result;
}

int pvf__trie_verify_proof(enum pvf__trie_hash hash,
                           unsigned version,
                           const uint8_t root[32],
                           const struct pvf__slice *nodes,
                           size_t count,
                           struct pvf__slice key,
                           struct pvf__slice value)
{
    const struct proof proof = {.hash = hash, .version = version, .key = key, .value = value};
    /* Each node but the last takes half a byte of the key at least. */
    if (count == 0 || count - 1 > 2 * key.len) {
        return 0;
    }
    size_t size;
    if (!pvf__checked_mul(count, sizeof(size_t), &size)) {
        return PVF_ERR_NO_MEMORY;
    }
    PVF__CLEANUP_FREE size_t *starts = malloc(size);
    if (starts == NULL) {
        return PVF_ERR_NO_MEMORY;
    }
    if (!go_down(&proof, nodes, count, starts)) {
        return 0;
    }
    struct reference top = {.len = 0};
    int result = go_up(&proof, nodes, count, starts, &top);
    if (result != 1) {
        return result;
    }
    return memcmp(top.bytes, root, PVF__TRIE_HASH_LEN) == 0 ? 1 : 0;
}
