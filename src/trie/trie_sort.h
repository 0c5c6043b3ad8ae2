/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_TRIE_TRIE_SORT_H
#define PVF_TRIE_TRIE_SORT_H

#include "trie/trie.h"

/*
 * Sorts pairs by the bytes of their keys, a prefix before what it begins, and keeps the last of
 * those with equal keys; *ret_count is how many are left.  Pairs that come in order cost one
 * comparison each.  On PVF_ERR_NO_MEMORY, the only failure, the pairs are as they were.
 */
PVF__NODISCARD int
pvf__trie_sort_unique(struct pvf__trie_pair *pairs, size_t count, size_t *ret_count);

#endif
