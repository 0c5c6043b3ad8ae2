/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_TRIE_TRIE_CODEC_H
#define PVF_TRIE_TRIE_CODEC_H

#include "base/buf.h"
#include "base/slice.h"
#include "trie/trie.h"
#include "trie/trie_nibbles.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PVF__TRIE_CHILDREN 16
#define PVF__TRIE_HASH_LEN 32

enum pvf__trie_kind {
    PVF__TRIE_EMPTY,
    PVF__TRIE_LEAF,
    PVF__TRIE_BRANCH
};

enum pvf__trie_value {
    PVF__TRIE_NO_VALUE, /* of a branch only */
    PVF__TRIE_INLINE,   /* the value itself */
    PVF__TRIE_HASHED,   /* its hash, PVF__TRIE_HASH_LEN bytes */
};

/*
 * A node, its bytes owned by somebody else.  On the wire: header (kind and count of half bytes),
 * partial key, bitmap of children (branch), value, children (branch).  A child is its encoding,
 * or the hash of that when it is not shorter than a hash.
 */
struct pvf__trie_node {
    enum pvf__trie_kind kind;
    enum pvf__trie_value value_kind;
    struct pvf__nibbles partial;
    struct pvf__slice value;
    unsigned bitmap; /* bit i: child i exists */
    struct pvf__slice child[PVF__TRIE_CHILDREN];
};

/* The hash that a trie was made with. */
void pvf__trie_codec_hash(enum pvf__trie_hash hash, struct pvf__slice data, uint8_t out[32]);

/*
 * Gives a node a value in the form that the state version wants.  `digest` must live as long as
 * the node; it holds the hash of a value that is not stored inline.
 */
void pvf__trie_codec_set_value(enum pvf__trie_hash hash,
                               unsigned version,
                               struct pvf__slice value,
                               struct pvf__trie_node *node,
                               uint8_t digest[PVF__TRIE_HASH_LEN]);

/*
 * Appends a node up to its children: the whole of a leaf.  A branch goes on with the SCALE bytes
 * of one child for each bit of its bitmap, in order; node->child is not looked at.  Failure shows
 * in out->failed.
 */
void pvf__trie_codec_put_node(const struct pvf__trie_node *node, struct pvf__buf *out);

/*
 * How a node stands in its parent: its encoding if that is shorter than a hash, else the hash.
 * Returns the length of what was written.
 */
size_t pvf__trie_codec_reference(enum pvf__trie_hash hash,
                                 struct pvf__slice encoding,
                                 uint8_t out[PVF__TRIE_HASH_LEN]);

/*
 * Reads one node; false when the bytes are no node.  Bytes behind the node are ignored, since the
 * reference ignores them.  The slices point into `data`.
 */
PVF__NODISCARD bool pvf__trie_codec_get_node(struct pvf__slice data, struct pvf__trie_node *ret);

#endif
