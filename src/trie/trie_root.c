/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: the root of a set of pairs.  No tree is built: over keys in order, the length that two
 * neighbours have in common says where branches open and close, so that only the branches above
 * the current key are held, each with the references of the children it has so far.
 */
#include "trie/trie.h"

#include "base/buf.h"
#include "base/checked.h"
#include "pvf/status.h"
#include "scale/scale.h"
#include "trie/trie_codec.h"
#include "trie/trie_nibbles.h"
#include "trie/trie_sort.h"

/* Bytes of the longest compact u32. */
#define MAX_COMPACT 5

/* A branch whose last child is not known yet.  Its place is the first `depth` half bytes of key. */
struct branch {
    struct pvf__slice key;
    size_t depth;
    size_t children; /* offset of its encoded children in builder.children; they reach to its end */
    bool has_value;
    unsigned bitmap;
    struct pvf__slice value;
};

struct builder {
    enum pvf__trie_hash hash;
    unsigned version;
    struct pvf__buf open;     /* struct branch, the top of the trie first, depths ascending */
    struct pvf__buf children; /* of all open branches, one branch after another */
    struct pvf__buf node;     /* the encoding being made */
    uint8_t *root;            /* receives the hash of the node without parent */
};

/* The deepest open branch, or NULL. */
static struct branch *top_of(const struct builder *builder)
{
    if (builder->open.len == 0) {
        return NULL;
    }
    /* Bytes from realloc(3), written as whole structs only. */
    return (struct branch *)(void *)(builder->open.data + builder->open.len) - 1;
}

static bool is_top_at(const struct builder *builder, size_t depth)
{
    const struct branch *top = top_of(builder);
    return top != NULL && top->depth >= depth;
}

static int open_branch(struct builder *builder, const struct branch *branch)
{
    return pvf__buf_append(&builder->open, branch, sizeof(*branch)) == 0 ? 0 : PVF_ERR_NO_MEMORY;
}

/* Where the partial key of a node below the top starts: behind the half byte that selects it. */
static size_t below_top(const struct builder *builder)
{
    const struct branch *top = top_of(builder);
    return top != NULL ? top->depth + 1 : 0;
}

/* Hands builder->node, whose place begins like `key`, to the top, or makes it the root. */
static int attach(struct builder *builder, struct pvf__slice key)
{
    if (builder->node.failed != 0) {
        return PVF_ERR_NO_MEMORY;
    }
    const struct pvf__slice encoding = {builder->node.data, builder->node.len};
    struct branch *top = top_of(builder);
    if (top == NULL) {
        pvf__trie_codec_hash(builder->hash, encoding, builder->root);
        return 0;
    }
    uint8_t reference[PVF__TRIE_HASH_LEN];
    const size_t len = pvf__trie_codec_reference(builder->hash, encoding, reference);
    top->bitmap |= 1U << pvf__trie_nibbles_at(key.data, top->depth);
    pvf__scale_put_bytes(&builder->children, (struct pvf__slice){reference, len});
    return builder->children.failed != 0 ? PVF_ERR_NO_MEMORY : 0;
}

static int add_leaf(struct builder *builder, const struct pvf__trie_pair *pair)
{
    uint8_t digest[PVF__TRIE_HASH_LEN];
    struct pvf__trie_node node = {.kind = PVF__TRIE_LEAF};
    node.partial = pvf__trie_nibbles_from(pair->key, below_top(builder));
    pvf__trie_codec_set_value(builder->hash, builder->version, pair->value, &node, digest);
    builder->node.len = 0;
    pvf__trie_codec_put_node(&node, &builder->node);
    return attach(builder, pair->key);
}

/*
 * Closes the top.  `parent`, unless NULL, is the branch that must be above it: it is opened here
 * if it is not open yet, with the closed one as its first child.
 */
static int close_top(struct builder *builder, const size_t *parent)
{
    const struct branch closed = *top_of(builder);
    builder->open.len -= sizeof(closed);
    if (parent != NULL && !is_top_at(builder, *parent)) {
        const struct branch above = {
            .key = closed.key, .depth = *parent, .children = closed.children};
        int status = open_branch(builder, &above);
        if (status != 0) {
            return status;
        }
    }
    uint8_t digest[PVF__TRIE_HASH_LEN];
    struct pvf__trie_node node = {.kind = PVF__TRIE_BRANCH, .bitmap = closed.bitmap};
    const size_t start = below_top(builder);
    node.partial = (struct pvf__nibbles){closed.key.data, start, closed.depth - start};
    if (closed.has_value) {
        pvf__trie_codec_set_value(builder->hash, builder->version, closed.value, &node, digest);
    }
    builder->node.len = 0;
    pvf__trie_codec_put_node(&node, &builder->node);
    (void)pvf__buf_append(&builder->node,
                          builder->children.data + closed.children,
                          builder->children.len - closed.children);
    builder->children.len = closed.children;
    return attach(builder, closed.key);
}

/* `next` is the length in common with the key that follows, NULL for the last key. */
static int add_pair(struct builder *builder, const struct pvf__trie_pair *pair, const size_t *next)
{
    const bool is_prefix = next != NULL && *next == 2 * pair->key.len;
    int status = 0;
    if (next != NULL && !is_top_at(builder, *next)) {
        const struct branch branch = {.key = pair->key,
                                      .depth = *next,
                                      .children = builder->children.len,
                                      .has_value = is_prefix,
                                      .value = pair->value};
        status = open_branch(builder, &branch);
    }
    /* A key that begins the next one is that branch itself. */
    if (status == 0 && !is_prefix) {
        status = add_leaf(builder, pair);
    }
    while (status == 0 && top_of(builder) != NULL &&
           (next == NULL || top_of(builder)->depth > *next)) {
        status = close_top(builder, next);
    }
    return status;
}

static int build(struct builder *builder, const struct pvf__trie_pair *pairs, size_t count)
{
    int status = 0;
    for (size_t i = 0; i < count && status == 0; i++) {
        size_t next = 0;
        if (i + 1 < count) {
            next = pvf__trie_nibbles_common(pairs[i].key, pairs[i + 1].key);
        }
        status = add_pair(builder, &pairs[i], i + 1 < count ? &next : NULL);
    }
    return status;
}

int pvf__trie_root(enum pvf__trie_hash hash,
                   unsigned version,
                   struct pvf__trie_pair *pairs,
                   size_t count,
                   uint8_t out[32])
{
    if (count == 0) {
        static const uint8_t empty[1] = {0};
        pvf__trie_codec_hash(hash, (struct pvf__slice){empty, sizeof(empty)}, out);
        return 0;
    }
    int status = pvf__trie_sort_unique(pairs, count, &count);
    if (status != 0) {
        return status;
    }
    /* A buffer's limit is the address space: what is made here is bounded by the input. */
    struct builder builder = {.hash = hash,
                              .version = version,
                              .open = PVF__BUF_INIT(SIZE_MAX),
                              .children = PVF__BUF_INIT(SIZE_MAX),
                              .node = PVF__BUF_INIT(SIZE_MAX),
                              .root = out};
    status = build(&builder, pairs, count);
    pvf__buf_done(&builder.open);
    pvf__buf_done(&builder.children);
    pvf__buf_done(&builder.node);
    return status;
}

int pvf__trie_ordered_root(enum pvf__trie_hash hash,
                           unsigned version,
                           const struct pvf__slice *values,
                           size_t count,
                           uint8_t out[32])
{
    size_t size;
    if (count > UINT32_MAX || !pvf__checked_mul(count, sizeof(struct pvf__trie_pair), &size)) {
        return PVF_ERR_NO_MEMORY;
    }
    PVF__CLEANUP_FREE struct pvf__trie_pair *pairs = malloc(size > 0 ? size : 1);
    PVF__CLEANUP_BUF struct pvf__buf keys = PVF__BUF_INIT(SIZE_MAX);
    /* Reserved at once, so that keys stay where they are. */
    if (pairs == NULL || pvf__buf_reserve(&keys, count * MAX_COMPACT) != 0) {
        return PVF_ERR_NO_MEMORY;
    }
    for (size_t i = 0; i < count; i++) {
        const size_t start = keys.len;
        pvf__scale_put_compact(&keys, (uint32_t)i);
        pairs[i].key = (struct pvf__slice){keys.data + start, keys.len - start};
        pairs[i].value = values[i];
    }
    return pvf__trie_root(hash, version, pairs, count, out);
}
