/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: chained hash tables and their keyed hash.  Trusts: that a node is in at most one table.
 */
#include "core/core_table.h"

#include "pvf/status.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_BUCKETS 64u

/* A bucket is a pointer to the first node. */
#define BUCKET sizeof(void *)

int pvf__core_table_init(struct pvf__core_table *table)
{
    struct pvf__core_node **buckets = calloc(FIRST_BUCKETS, BUCKET);
    if (buckets == NULL) {
        return PVF_ERR_NO_MEMORY;
    }
    *table = (struct pvf__core_table){.buckets = buckets, .mask = FIRST_BUCKETS - 1u};
    return 0;
}

void pvf__core_table_done(struct pvf__core_table *table)
{
    free(table->buckets);
    *table = (struct pvf__core_table){0};
}

static uint64_t rotate(uint64_t value, unsigned bits)
{
    return value << bits | value >> (64 - bits);
}

static void rounds(uint64_t v[4], unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        v[0] += v[1];
        v[1] = rotate(v[1], 13) ^ v[0];
        v[0] = rotate(v[0], 32);
        v[2] += v[3];
        v[3] = rotate(v[3], 16) ^ v[2];
        v[0] += v[3];
        v[3] = rotate(v[3], 21) ^ v[0];
        v[2] += v[1];
        v[1] = rotate(v[1], 17) ^ v[2];
        v[2] = rotate(v[2], 32);
    }
}

uint64_t pvf__core_table_hash(const uint64_t seed[2], const void *data, size_t len)
{
    uint64_t v[4] = {seed[0] ^ UINT64_C(0x736f6d6570736575),
                     seed[1] ^ UINT64_C(0x646f72616e646f6d),
                     seed[0] ^ UINT64_C(0x6c7967656e657261),
                     seed[1] ^ UINT64_C(0x7465646279746573)};
    const unsigned char *bytes = data;
    uint64_t word = 0;
    for (size_t i = 0; i < len; i++) {
        word |= (uint64_t)bytes[i] << (i % 8 * 8);
        if (i % 8 == 7) {
            v[3] ^= word;
            rounds(v, 2);
            v[0] ^= word;
            word = 0;
        }
    }
    word |= (uint64_t)len << 56;
    v[3] ^= word;
    rounds(v, 2);
    v[0] ^= word;
    v[2] ^= 0xff;
    rounds(v, 4);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

static void grow(struct pvf__core_table *table)
{
    const size_t mask = table->mask * 2 + 1;
    struct pvf__core_node **buckets = calloc(mask + 1, BUCKET);
    if (buckets == NULL) {
        return;
    }
    for (size_t i = 0; i <= table->mask; i++) {
        struct pvf__core_node *node = table->buckets[i];
        while (node != NULL) {
            struct pvf__core_node *next = node->next;
            node->next = buckets[node->hash & mask];
            buckets[node->hash & mask] = node;
            node = next;
        }
    }
    free(table->buckets);
    table->buckets = buckets;
    table->mask = mask;
}

void pvf__core_table_put(struct pvf__core_table *table, struct pvf__core_node *node, uint64_t hash)
{
    if (table->count > table->mask) {
        grow(table);
    }
    node->hash = hash;
    node->next = table->buckets[hash & table->mask];
    table->buckets[hash & table->mask] = node;
    table->count++;
}

void pvf__core_table_remove(struct pvf__core_table *table, struct pvf__core_node *node)
{
    struct pvf__core_node **place = &table->buckets[node->hash & table->mask];
    while (*place != NULL && *place != node) {
        place = &(*place)->next;
    }
    if (*place == node) {
        *place = node->next;
        node->next = NULL;
        table->count--;
    }
}

struct pvf__core_node *pvf__core_table_first(const struct pvf__core_table *table, uint64_t hash)
{
    struct pvf__core_node *node = table->buckets[hash & table->mask];
    while (node != NULL && node->hash != hash) {
        node = node->next;
    }
    return node;
}

struct pvf__core_node *pvf__core_table_next(const struct pvf__core_node *node)
{
    struct pvf__core_node *next = node->next;
    while (next != NULL && next->hash != node->hash) {
        next = next->next;
    }
    return next;
}
