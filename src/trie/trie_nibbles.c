/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: keys and partial keys as half bytes.  Trusts the lengths, never the bytes. */
#include "trie/trie_nibbles.h"

#include <string.h>

struct pvf__nibbles pvf__trie_nibbles_from(struct pvf__slice key, size_t start)
{
    return (struct pvf__nibbles){.bytes = key.data, .start = start, .count = 2 * key.len - start};
}

struct pvf__nibbles pvf__trie_nibbles_packed(const uint8_t *bytes, size_t count)
{
    return (struct pvf__nibbles){.bytes = bytes, .start = count % 2, .count = count};
}

size_t pvf__trie_nibbles_common(struct pvf__slice a, struct pvf__slice b)
{
    const size_t len = a.len < b.len ? a.len : b.len;
    size_t i = 0;
    while (len - i >= sizeof(uint64_t) && memcmp(a.data + i, b.data + i, sizeof(uint64_t)) == 0) {
        i += sizeof(uint64_t);
    }
    while (i < len && a.data[i] == b.data[i]) {
        i++;
    }
    return 2 * i + (i < len && (a.data[i] ^ b.data[i]) < 0x10 ? 1 : 0);
}

bool pvf__trie_nibbles_starts_with(struct pvf__nibbles run, struct pvf__nibbles prefix)
{
    if (prefix.count > run.count) {
        return false;
    }
    for (size_t i = 0; i < prefix.count; i++) {
        if (pvf__trie_nibbles_at(run.bytes, run.start + i) !=
            pvf__trie_nibbles_at(prefix.bytes, prefix.start + i)) {
            return false;
        }
    }
    return true;
}

void pvf__trie_nibbles_pack(struct pvf__nibbles run, struct pvf__buf *out)
{
    if (run.count == 0 || pvf__buf_reserve(out, run.count / 2 + 1) != 0) {
        return;
    }
    size_t at = run.start;
    const size_t end = run.start + run.count;
    if (run.count % 2 != 0) {
        (void)pvf__buf_u8(out, (uint8_t)pvf__trie_nibbles_at(run.bytes, at));
        at++;
    }
    if (at % 2 == 0) {
        (void)pvf__buf_append(out, run.bytes + at / 2, (end - at) / 2);
        return;
    }
    for (; at < end; at += 2) {
        (void)pvf__buf_u8(out,
                          (uint8_t)(pvf__trie_nibbles_at(run.bytes, at) << 4 |
                                    pvf__trie_nibbles_at(run.bytes, at + 1)));
    }
}
