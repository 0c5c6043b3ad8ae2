/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_CORE_CORE_TABLE_H
#define PVF_CORE_CORE_TABLE_H

#include "base/cleanup.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A hash table of nodes that live inside what is found, chained: putting one in cannot fail.  Keys
 * come from strangers, so they are hashed under a secret seed.
 */
struct pvf__core_node {
    struct pvf__core_node *next;
    uint64_t hash;
};

struct pvf__core_table {
    struct pvf__core_node **buckets;
    size_t mask;
    size_t count;
};

/* PVF_ERR_NO_MEMORY or 0. */
PVF__NODISCARD int pvf__core_table_init(struct pvf__core_table *table);

/* Frees the buckets, not what is in them. */
void pvf__core_table_done(struct pvf__core_table *table);

/* SipHash-2-4 of the bytes. */
uint64_t pvf__core_table_hash(const uint64_t seed[2], const void *data, size_t len);

/* The table grows when it can; without memory its chains become longer instead. */
void pvf__core_table_put(struct pvf__core_table *table, struct pvf__core_node *node, uint64_t hash);
void pvf__core_table_remove(struct pvf__core_table *table, struct pvf__core_node *node);

/* The first node with this hash, and the one after it; NULL: no more.  The caller compares keys. */
struct pvf__core_node *pvf__core_table_first(const struct pvf__core_table *table, uint64_t hash);
struct pvf__core_node *pvf__core_table_next(const struct pvf__core_node *node);

#endif
