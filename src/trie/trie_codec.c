/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: the encoding of a node, both directions.  What it decodes was written by a stranger; every
 * form that it accepts is the only form of that node, so that encoding it again gives the same
 * bytes less what trailed.
 */
#include "trie/trie_codec.h"

#include "base/cursor.h"
#include "crypto/keccak.h"
#include "hash/hash.h"
#include "scale/scale.h"

#include <string.h>

/* The longest value that state version 1 keeps inline. */
#define MAX_INLINE_VALUE 32

/*
 * The header byte of each kind: a prefix, and the greatest count its other bits can hold, which
 * says "more follows".  The empty node is the byte 0; 1 to 0x0F are no header.
 */
struct header {
    uint8_t prefix;
    uint8_t mask;
    enum pvf__trie_kind kind;
    enum pvf__trie_value value_kind;
};

/* In decreasing order of the prefix: the first one not above a byte is the byte's own. */
static const struct header headers[] = {
    {0xC0, 0x3F, PVF__TRIE_BRANCH, PVF__TRIE_INLINE},
    {0x80, 0x3F, PVF__TRIE_BRANCH, PVF__TRIE_NO_VALUE},
    {0x40, 0x3F, PVF__TRIE_LEAF, PVF__TRIE_INLINE},
    {0x20, 0x1F, PVF__TRIE_LEAF, PVF__TRIE_HASHED},
    {0x10, 0x0F, PVF__TRIE_BRANCH, PVF__TRIE_HASHED},
};
#define HEADERS (sizeof(headers) / sizeof(headers[0]))

void pvf__trie_codec_hash(enum pvf__trie_hash hash, struct pvf__slice data, uint8_t out[32])
{
    if (hash == PVF__TRIE_KECCAK_256) {
        pvf__keccak_256(data.data, data.len, out);
    } else {
        pvf__hash_blake2b_256(data.data, data.len, out);
    }
}

void pvf__trie_codec_set_value(enum pvf__trie_hash hash,
                               unsigned version,
                               struct pvf__slice value,
                               struct pvf__trie_node *node,
                               uint8_t digest[PVF__TRIE_HASH_LEN])
{
    if (version == 0 || value.len <= MAX_INLINE_VALUE) {
        node->value_kind = PVF__TRIE_INLINE;
        node->value = value;
        return;
    }
    pvf__trie_codec_hash(hash, value, digest);
    node->value_kind = PVF__TRIE_HASHED;
    node->value = (struct pvf__slice){.data = digest, .len = PVF__TRIE_HASH_LEN};
}

static bool get_bytes(struct pvf__cursor *cursor, size_t len, struct pvf__slice *ret)
{
    const uint8_t *data;
    if (!pvf__cursor_claim(cursor, len, &data)) {
        return false;
    }
    *ret = (struct pvf__slice){.data = data, .len = len};
    return true;
}

/*
 * A count below the mask stands in the header byte.  Else the header byte holds the mask, and the
 * rest follows as bytes to be summed up: 255 says that another one comes.
 */
static void put_header(const struct pvf__trie_node *node, struct pvf__buf *out)
{
    size_t i = 0;
    while (i < HEADERS - 1 &&
           (headers[i].kind != node->kind || headers[i].value_kind != node->value_kind)) {
        i++;
    }
    const struct header *header = &headers[i];
    const size_t count = node->partial.count;
    if (count < header->mask) {
        (void)pvf__buf_u8(out, (uint8_t)(header->prefix | count));
        return;
    }
    (void)pvf__buf_u8(out, header->prefix | header->mask);
    size_t rest = count - header->mask;
    for (; rest >= 255; rest -= 255) {
        (void)pvf__buf_u8(out, 255);
    }
    (void)pvf__buf_u8(out, (uint8_t)rest);
}

static bool get_header(struct pvf__cursor *cursor, struct pvf__trie_node *node)
{
    uint8_t first;
    if (!pvf__cursor_u8(cursor, &first)) {
        return false;
    }
    if (first == 0) {
        return true;
    }
    size_t i = 0;
    while (i < HEADERS && headers[i].prefix > first) {
        i++;
    }
    if (i == HEADERS) {
        return false;
    }
    node->kind = headers[i].kind;
    node->value_kind = headers[i].value_kind;
    size_t count = first & headers[i].mask;
    if (count == headers[i].mask) {
        /* Never wraps: every 255 was paid for with a byte. */
        uint8_t byte;
        do {
            if (!pvf__cursor_u8(cursor, &byte)) {
                return false;
            }
            count += byte;
        } while (byte == 255);
    }
    node->partial.count = count;
    return true;
}

void pvf__trie_codec_put_node(const struct pvf__trie_node *node, struct pvf__buf *out)
{
    if (node->kind == PVF__TRIE_EMPTY) {
        (void)pvf__buf_u8(out, 0);
        return;
    }
    put_header(node, out);
    pvf__trie_nibbles_pack(node->partial, out);
    if (node->kind == PVF__TRIE_BRANCH) {
        (void)pvf__buf_u8(out, (uint8_t)node->bitmap);
        (void)pvf__buf_u8(out, (uint8_t)(node->bitmap >> 8));
    }
    if (node->value_kind == PVF__TRIE_INLINE) {
        pvf__scale_put_bytes(out, node->value);
    } else if (node->value_kind == PVF__TRIE_HASHED) {
        pvf__scale_put_fixed(out, node->value.data, node->value.len);
    }
}

size_t pvf__trie_codec_reference(enum pvf__trie_hash hash,
                                 struct pvf__slice encoding,
                                 uint8_t out[PVF__TRIE_HASH_LEN])
{
    if (encoding.len >= PVF__TRIE_HASH_LEN) {
        pvf__trie_codec_hash(hash, encoding, out);
        return PVF__TRIE_HASH_LEN;
    }
    if (encoding.len > 0) {
        memcpy(out, encoding.data, encoding.len);
    }
    return encoding.len;
}

/* An odd count leaves half a byte over, and that must be zero. */
static bool get_partial(struct pvf__cursor *cursor, struct pvf__trie_node *node)
{
    const size_t count = node->partial.count;
    struct pvf__slice packed;
    if (!get_bytes(cursor, count / 2 + count % 2, &packed) ||
        (count % 2 != 0 && packed.data[0] > 0x0F)) {
        return false;
    }
    node->partial = pvf__trie_nibbles_packed(packed.data, count);
    return true;
}

static bool get_value(struct pvf__cursor *cursor, struct pvf__trie_node *node)
{
    switch (node->value_kind) {
    case PVF__TRIE_INLINE:
        return pvf__scale_get_bytes(cursor, &node->value);
    case PVF__TRIE_HASHED:
        return get_bytes(cursor, PVF__TRIE_HASH_LEN, &node->value);
    case PVF__TRIE_NO_VALUE:
    default:
        return true;
    }
}

static bool get_children(struct pvf__cursor *cursor, struct pvf__trie_node *node)
{
    for (unsigned i = 0; i < PVF__TRIE_CHILDREN; i++) {
        if ((node->bitmap >> i & 1U) != 0 && !pvf__scale_get_bytes(cursor, &node->child[i])) {
            return false;
        }
    }
    return true;
}

bool pvf__trie_codec_get_node(struct pvf__slice data, struct pvf__trie_node *ret)
{
    struct pvf__cursor cursor;
    pvf__cursor_init(&cursor, data.data, data.len);
    struct pvf__trie_node node = {.kind = PVF__TRIE_EMPTY};
    if (!get_header(&cursor, &node)) {
        return false;
    }
    if (node.kind != PVF__TRIE_EMPTY && !get_partial(&cursor, &node)) {
        return false;
    }
    if (node.kind == PVF__TRIE_BRANCH) {
        struct pvf__slice bitmap;
        if (!get_bytes(&cursor, 2, &bitmap)) {
            return false;
        }
        node.bitmap = bitmap.data[0] | (unsigned)bitmap.data[1] << 8;
        if (node.bitmap == 0) {
            return false;
        }
    }
    if (!get_value(&cursor, &node) || !get_children(&cursor, &node)) {
        return false;
    }
    *ret = node;
    return true;
}
