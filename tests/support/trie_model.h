/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_TESTS_SUPPORT_TRIE_MODEL_H
#define PVF_TESTS_SUPPORT_TRIE_MODEL_H

#include "base/buf.h"
#include "base/slice.h"
#include "trie/trie.h"

#include <stddef.h>
#include <stdint.h>

/*
 * A trie as one would draw it: a node for every half byte of every key, walked by recursion.  It
 * shares with src/trie the hash functions and the type of a pair, nothing else.  Keys and values
 * stay the caller's.  Ends the process when memory runs out.
 */
struct trie_model;

struct trie_model *trie_model_new(void);
void trie_model_free(struct trie_model *model);

/* A key that is there already gets the new value. */
void trie_model_insert(struct trie_model *model, struct pvf__slice key, struct pvf__slice value);

void trie_model_root(const struct trie_model *model,
                     enum pvf__trie_hash hash,
                     unsigned version,
                     uint8_t out[32]);

/*
 * The compact proof of a key, from the top down.  `nodes` are `max` empty buffers; returns how many
 * were filled, 0 if the key is not there.
 */
size_t trie_model_prove(const struct trie_model *model,
                        enum pvf__trie_hash hash,
                        unsigned version,
                        struct pvf__slice key,
                        struct pvf__buf *nodes,
                        size_t max);

#endif
