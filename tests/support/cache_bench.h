/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_TESTS_SUPPORT_CACHE_BENCH_H
#define PVF_TESTS_SUPPORT_CACHE_BENCH_H

#include "cache/cache.h"

#include <stddef.h>
#include <stdint.h>

/* A cache in a folder of its own under /tmp. */
struct cache_bench {
    char parent[64]; /* what a host would be configured with */
    char folder[96]; /* the cache's own folder in it */
};

/* Nothing here asserts: the functions are used in forked children too. */
int cache_bench_make(struct cache_bench *bench);
void cache_bench_done(struct cache_bench *bench);

/* An identity that is not this machine's. */
void cache_bench_identity(struct pvf__cache_identity *ret);

/* Opens as owner with that identity; NULL when that failed. */
struct pvf__cache *cache_bench_open(const struct cache_bench *bench);

/* Fixtures of a test whose state is this: a bench is made and its cache opened. */
struct cache_bench_fixture {
    struct cache_bench *bench;
    struct pvf__cache **cache;
};
int cache_bench_set_up(void **state);
int cache_bench_tear_down(void **state);

/* An artifact's bytes: `seed` decides. */
void cache_bench_bytes(uint8_t seed, uint8_t *out, size_t len);

/* Writes such an artifact to `path`, and what is known about it to *ret. */
int cache_bench_artifact(const char *path, uint8_t seed, size_t len, struct pvf__cache_meta *ret);

/* Makes one of `len` bytes and stores it. */
int cache_bench_store(const struct cache_bench *bench,
                      struct pvf__cache *cache,
                      uint8_t seed,
                      size_t len,
                      struct pvf__cache_name *ret);

/* Is it a hit with exactly these bytes? */
bool cache_bench_is_good(struct pvf__cache *cache,
                         const struct pvf__cache_name *name,
                         uint8_t seed,
                         size_t len);

/* The path of a file of a pair. */
const char *cache_bench_path(const struct cache_bench *bench,
                             const struct pvf__cache_name *name,
                             enum pvf__cache_kind kind);

/* Entries of a folder, without the two dots; -1 when it cannot be read. */
int cache_bench_count(const char *path);

#endif
