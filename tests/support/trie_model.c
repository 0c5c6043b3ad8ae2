/* SPDX-License-Identifier: Apache-2.0 */
#include "support/trie_model.h"

#include "crypto/keccak.h"
#include "hash/hash.h"

#include <stdbool.h>
#include <stdlib.h>

struct node {
    struct node *child[16];
    struct pvf__slice value;
    bool has_value;
    struct node *next; /* in the list of all nodes, for freeing */
};

struct trie_model {
    struct node root;
    struct node *all;
};

/* One walk over the trie. */
struct walk {
    enum pvf__trie_hash hash;
    unsigned version;
    struct pvf__slice key;
    struct pvf__buf *nodes; /* the proof, from the bottom up */
    size_t count;
    size_t max;
};

static struct node *new_node(struct trie_model *model)
{
    struct node *node = calloc(1, sizeof(*node));
    if (node == NULL) {
        abort();
    }
    node->next = model->all;
    model->all = node;
    return node;
}

struct trie_model *trie_model_new(void)
{
    struct trie_model *model = calloc(1, sizeof(*model));
    if (model == NULL) {
        abort();
    }
    return model;
}

void trie_model_free(struct trie_model *model)
{
    while (model->all != NULL) {
        struct node *node = model->all;
        model->all = node->next;
        free(node);
    }
    free(model);
}

static unsigned half_byte(struct pvf__slice key, size_t index)
{
    return key.data[index / 2] >> (index % 2 == 0 ? 4 : 0) & 15;
}

void trie_model_insert(struct trie_model *model, struct pvf__slice key, struct pvf__slice value)
{
    struct node *node = &model->root;
    for (size_t i = 0; i < 2 * key.len; i++) {
        struct node **child = &node->child[half_byte(key, i)];
        if (*child == NULL) {
            *child = new_node(model);
        }
        node = *child;
    }
    node->has_value = true;
    node->value = value;
}

static void digest(const struct walk *walk, const uint8_t *data, size_t len, uint8_t out[32])
{
    if (walk->hash == PVF__TRIE_KECCAK_256) {
        pvf__keccak_256(data, len, out);
    } else {
        pvf__hash_blake2b_256(data, len, out);
    }
}

static void put(struct pvf__buf *out, const void *data, size_t len)
{
    if (pvf__buf_append(out, data, len) != 0) {
        abort();
    }
}

static void put_byte(struct pvf__buf *out, unsigned byte)
{
    const uint8_t narrow = (uint8_t)byte;
    put(out, &narrow, 1);
}

/* Bytes with a SCALE length, below 2^30. */
static void put_vector(struct pvf__buf *out, const uint8_t *data, size_t len)
{
    const unsigned bytes = len < 64 ? 1 : len < 16384 ? 2 : 4;
    const size_t number = len * 4 + bytes / 2;
    for (unsigned i = 0; i < bytes; i++) {
        put_byte(out, (unsigned)(number >> (8 * i)) & 255);
    }
    put(out, data, len);
}

/* Header and partial key; `bits` of the header's byte are for the count. */
static void
put_start(struct pvf__buf *out, unsigned prefix, unsigned bits, const struct pvf__buf *partial)
{
    const size_t most = ((size_t)1 << bits) - 1;
    if (partial->len < most) {
        put_byte(out, prefix + (unsigned)partial->len);
    } else {
        put_byte(out, prefix + (unsigned)most);
        size_t left = partial->len - most;
        while (left >= 255) {
            put_byte(out, 255);
            left -= 255;
        }
        put_byte(out, (unsigned)left);
    }
    for (size_t i = 0; i < partial->len; i++) {
        if (i == 0 && partial->len % 2 == 1) {
            put_byte(out, partial->data[0]);
        } else {
            put_byte(out, partial->data[i] * 16U + partial->data[i + 1]);
            i++;
        }
    }
}

static unsigned children_of(const struct node *node)
{
    unsigned bitmap = 0;
    for (unsigned i = 0; i < 16; i++) {
        bitmap |= node->child[i] != NULL ? 1U << i : 0;
    }
    return bitmap;
}

/* Everything before the children.  `brief` leaves the value out, as a proof does. */
static void put_front(const struct walk *walk,
                      const struct node *node,
                      const struct pvf__buf *partial,
                      bool brief,
                      struct pvf__buf *out)
{
    const unsigned bitmap = children_of(node);
    const bool hashed = !brief && walk->version != 0 && node->value.len > 32;
    if (bitmap == 0) {
        put_start(out, hashed ? 0x20 : 0x40, hashed ? 5 : 6, partial);
    } else {
        const unsigned kind = hashed ? 0x10 : node->has_value && !brief ? 0xC0 : 0x80;
        put_start(out, kind, hashed ? 4 : 6, partial);
        put_byte(out, bitmap & 255);
        put_byte(out, bitmap >> 8);
    }
    if (hashed) {
        uint8_t hash[32];
        digest(walk, node->value.data, node->value.len, hash);
        put(out, hash, sizeof(hash));
    } else if (brief && bitmap == 0) {
        put_byte(out, 0);
    } else if (node->has_value && !brief) {
        put_vector(out, node->value.data, node->value.len);
    }
}

static void keep(struct walk *walk, struct pvf__buf *brief)
{
    if (walk->count == walk->max) {
        abort();
    }
    walk->nodes[walk->count++] = *brief;
    pvf__buf_init(brief, SIZE_MAX);
}

/*
 * Encodes what starts at `node`, `depth` half bytes below the root: in `full` as the trie has it,
 * in `brief` as the proof of walk->key has it when `on_way`.
 */
/* A test may recurse as deep as its own keys. NOLINTBEGIN(misc-no-recursion) */
static void encode(struct walk *walk,
                   const struct node *node,
                   size_t depth,
                   bool on_way,
                   struct pvf__buf *full,
                   struct pvf__buf *brief)
{
    struct pvf__buf partial = PVF__BUF_INIT(SIZE_MAX);
    unsigned bitmap = children_of(node);
    while (!node->has_value && bitmap != 0 && (bitmap & (bitmap - 1)) == 0) {
        const unsigned way = (unsigned)__builtin_ctz(bitmap);
        on_way = on_way && depth < 2 * walk->key.len && half_byte(walk->key, depth) == way;
        put_byte(&partial, way);
        depth++;
        node = node->child[way];
        bitmap = children_of(node);
    }
    const bool here = on_way && depth == 2 * walk->key.len;
    put_front(walk, node, &partial, false, full);
    put_front(walk, node, &partial, here, brief);
    pvf__buf_done(&partial);
    for (unsigned i = 0; i < 16; i++) {
        if (node->child[i] == NULL) {
            continue;
        }
        struct pvf__buf child = PVF__BUF_INIT(SIZE_MAX);
        struct pvf__buf child_brief = PVF__BUF_INIT(SIZE_MAX);
        const bool below = on_way && !here && half_byte(walk->key, depth) == i;
        encode(walk, node->child[i], depth + 1, below, &child, &child_brief);
        const bool hashed = child.len >= 32;
        if (hashed) {
            uint8_t hash[32];
            digest(walk, child.data, child.len, hash);
            child.len = 0;
            put(&child, hash, sizeof(hash));
        }
        put_vector(full, child.data, child.len);
        if (!below) {
            put_vector(brief, child.data, child.len);
        } else if (hashed) {
            keep(walk, &child_brief);
            put_vector(brief, NULL, 0);
        } else {
            put_vector(brief, child_brief.data, child_brief.len);
        }
        pvf__buf_done(&child);
        pvf__buf_done(&child_brief);
    }
}
/* NOLINTEND(misc-no-recursion) */

void trie_model_root(const struct trie_model *model,
                     enum pvf__trie_hash hash,
                     unsigned version,
                     uint8_t out[32])
{
    struct walk walk = {.hash = hash, .version = version};
    struct pvf__buf full = PVF__BUF_INIT(SIZE_MAX);
    struct pvf__buf brief = PVF__BUF_INIT(SIZE_MAX);
    if (children_of(&model->root) == 0 && !model->root.has_value) {
        put_byte(&full, 0);
    } else {
        encode(&walk, &model->root, 0, false, &full, &brief);
    }
    digest(&walk, full.data, full.len, out);
    pvf__buf_done(&full);
    pvf__buf_done(&brief);
}

size_t trie_model_prove(const struct trie_model *model,
                        enum pvf__trie_hash hash,
                        unsigned version,
                        struct pvf__slice key,
                        struct pvf__buf *nodes,
                        size_t max)
{
    const struct node *node = &model->root;
    for (size_t i = 0; i < 2 * key.len && node != NULL; i++) {
        node = node->child[half_byte(key, i)];
    }
    if (node == NULL || !node->has_value) {
        return 0;
    }
    struct walk walk = {.hash = hash, .version = version, .key = key, .nodes = nodes, .max = max};
    struct pvf__buf full = PVF__BUF_INIT(SIZE_MAX);
    struct pvf__buf brief = PVF__BUF_INIT(SIZE_MAX);
    encode(&walk, &model->root, 0, true, &full, &brief);
    keep(&walk, &brief);
    pvf__buf_done(&full);
    for (size_t i = 0; i < walk.count / 2; i++) {
        const struct pvf__buf swap = nodes[i];
        nodes[i] = nodes[walk.count - 1 - i];
        nodes[walk.count - 1 - i] = swap;
    }
    return walk.count;
}
