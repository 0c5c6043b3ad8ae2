/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_TRIE_TRIE_NIBBLES_H
#define PVF_TRIE_TRIE_NIBBLES_H

#include "base/buf.h"
#include "base/slice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A run of half bytes inside bytes that somebody else owns; the high half of a byte comes first.
 * `bytes` may be NULL when `count` is 0.
 */
struct pvf__nibbles {
    const uint8_t *bytes;
    size_t start; /* of the first half byte, counted in half bytes from `bytes` */
    size_t count;
};

/* Half byte number `index` of bytes that hold it. */
static inline unsigned pvf__trie_nibbles_at(const uint8_t *bytes, size_t index)
{
    return index % 2 == 0 ? bytes[index / 2] >> 4 : bytes[index / 2] & 0x0F;
}

/* The half bytes of a key from number `start` on, which is at most their count. */
struct pvf__nibbles pvf__trie_nibbles_from(struct pvf__slice key, size_t start);

/* How many half bytes two keys have in common at their beginning. */
size_t pvf__trie_nibbles_common(struct pvf__slice a, struct pvf__slice b);

/* Whether `run` begins with `prefix`. */
bool pvf__trie_nibbles_starts_with(struct pvf__nibbles run, struct pvf__nibbles prefix);

/* Appends the packed form: a byte of its own for the first of an odd count, then two a byte. */
void pvf__trie_nibbles_pack(struct pvf__nibbles run, struct pvf__buf *out);

/* The run of `count` half bytes that packed bytes hold: (count + 1) / 2 of them. */
struct pvf__nibbles pvf__trie_nibbles_packed(const uint8_t *bytes, size_t count);

#endif
