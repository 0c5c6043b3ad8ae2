/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: the order of pairs.  A merge sort, since "the last one counts" needs a stable order, which
 * qsort does not promise, and since keys chosen by a stranger must not make it quadratic.
 */
#include "trie/trie_sort.h"

#include "base/checked.h"
#include "pvf/status.h"

#include <stdbool.h>
#include <string.h>

static int compare(struct pvf__slice a, struct pvf__slice b)
{
    const size_t len = a.len < b.len ? a.len : b.len;
    const int order = len > 0 ? memcmp(a.data, b.data, len) : 0;
    if (order != 0) {
        return order;
    }
    return a.len < b.len ? -1 : a.len > b.len;
}

static bool is_strictly_ascending(const struct pvf__trie_pair *pairs, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        if (compare(pairs[i - 1].key, pairs[i].key) >= 0) {
            return false;
        }
    }
    return true;
}

/* Merges from[low, middle) and from[middle, high) into the same places of `to`. */
static void merge(const struct pvf__trie_pair *from,
                  size_t low,
                  size_t middle,
                  size_t high,
                  struct pvf__trie_pair *to)
{
    size_t left = low;
    size_t right = middle;
    if (right < high && compare(from[right - 1].key, from[right].key) <= 0) {
        memcpy(to + low, from + low, (high - low) * sizeof(*to));
        return;
    }
    for (size_t at = low; at < high; at++) {
        const bool take_left =
            right == high || (left < middle && compare(from[left].key, from[right].key) <= 0);
        to[at] = take_left ? from[left++] : from[right++];
    }
}

static void
merge_all(const struct pvf__trie_pair *from, size_t count, size_t width, struct pvf__trie_pair *to)
{
    size_t low = 0;
    while (low < count) {
        const size_t middle = count - low > width ? low + width : count;
        const size_t high = count - middle > width ? middle + width : count;
        merge(from, low, middle, high, to);
        low = high;
    }
}

static size_t keep_last_of_equal(struct pvf__trie_pair *pairs, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (i + 1 == count || compare(pairs[i].key, pairs[i + 1].key) != 0) {
            pairs[kept++] = pairs[i];
        }
    }
    return kept;
}

int pvf__trie_sort_unique(struct pvf__trie_pair *pairs, size_t count, size_t *ret_count)
{
    if (is_strictly_ascending(pairs, count)) {
        *ret_count = count;
        return 0;
    }
    size_t size;
    if (!pvf__checked_mul(count, sizeof(*pairs), &size)) {
        return PVF_ERR_NO_MEMORY;
    }
    PVF__CLEANUP_FREE struct pvf__trie_pair *other = malloc(size);
    if (other == NULL) {
        return PVF_ERR_NO_MEMORY;
    }
    struct pvf__trie_pair *from = pairs;
    struct pvf__trie_pair *to = other;
    for (size_t width = 1; width < count; width *= 2) {
        merge_all(from, count, width, to);
        struct pvf__trie_pair *swap = from;
        from = to;
        to = swap;
    }
    if (from != pairs) {
        memcpy(pairs, from, size);
    }
    *ret_count = keep_last_of_equal(pairs, count);
    return 0;
}
