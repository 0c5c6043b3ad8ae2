/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: a cache to try things on. */
#include "support/cache_bench.h"

#include "base/fd.h"
#include "hash/hash.h"

#include <dirent.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int cache_bench_make(struct cache_bench *bench)
{
    (void)snprintf(bench->parent, sizeof(bench->parent), "/tmp/pvf-test-cache-XXXXXX");
    if (mkdtemp(bench->parent) == NULL) {
        return -1;
    }
    (void)snprintf(bench->folder, sizeof(bench->folder), "%s/pvf-cache", bench->parent);
    return 0;
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *at)
{
    (void)info;
    (void)kind;
    (void)at;
    (void)remove(path);
    return 0;
}

void cache_bench_done(struct cache_bench *bench)
{
    (void)nftw(bench->parent, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

void cache_bench_identity(struct pvf__cache_identity *ret)
{
    memset(ret, 0, sizeof(*ret));
    memset(ret->cpu, 0xC0, sizeof(ret->cpu));
    (void)snprintf(ret->build, sizeof(ret->build), "version=1.25.1 metering=callee program=00");
}

struct pvf__cache *cache_bench_open(const struct cache_bench *bench)
{
    struct pvf__cache_identity identity;
    struct pvf__cache *cache = NULL;
    cache_bench_identity(&identity);
    const struct pvf__cache_config config = {
        .folder = bench->parent, .mode = PVF__CACHE_OWN, .identity = &identity};
    return pvf__cache_open(&config, &cache, NULL) == 0 ? cache : NULL;
}

int cache_bench_set_up(void **state)
{
    const struct cache_bench_fixture *fixture = *state;
    if (cache_bench_make(fixture->bench) != 0) {
        return -1;
    }
    *fixture->cache = cache_bench_open(fixture->bench);
    return *fixture->cache != NULL ? 0 : -1;
}

int cache_bench_tear_down(void **state)
{
    const struct cache_bench_fixture *fixture = *state;
    pvf__cache_close(*fixture->cache);
    cache_bench_done(fixture->bench);
    return 0;
}

void cache_bench_bytes(uint8_t seed, uint8_t *out, size_t len)
{
    uint32_t state = 2463534242u + seed;
    for (size_t i = 0; i < len; i++) {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        out[i] = (uint8_t)state;
    }
}

int cache_bench_artifact(const char *path, uint8_t seed, size_t len, struct pvf__cache_meta *ret)
{
    PVF__CLEANUP_FREE uint8_t *bytes = malloc(len > 0 ? len : 1);
    if (bytes == NULL) {
        return -1;
    }
    cache_bench_bytes(seed, bytes, len);
    *ret = (struct pvf__cache_meta){
        .cpu_us = 1234567,
        .wall_us = 2345678,
        .max_rss_kib = 65536,
        .peak_allocated = 33554432,
        .code_len = 4096,
        .prechecked = true,
        .timeout_ms = 60000,
        .memory_limit = 2147483648u,
        .bomb_limit = 31457280,
    };
    memset(ret->code_hash, seed, sizeof(ret->code_hash));
    memset(ret->prep_hash, 0xAA, sizeof(ret->prep_hash));
    pvf__hash_twox_256(bytes, len, ret->checksum);
    (void)unlink(path);
    return pvf__fd_write_file(path, 0600, bytes, len, NULL);
}

int cache_bench_store(const struct cache_bench *bench,
                      struct pvf__cache *cache,
                      uint8_t seed,
                      size_t len,
                      struct pvf__cache_name *ret)
{
    char path[96];
    struct pvf__cache_meta meta;
    (void)snprintf(path, sizeof(path), "%s/artifact", bench->parent);
    int status = cache_bench_artifact(path, seed, len, &meta);
    return status != 0 ? status : pvf__cache_store(cache, path, &meta, ret, NULL);
}

bool cache_bench_is_good(struct pvf__cache *cache,
                         const struct pvf__cache_name *name,
                         uint8_t seed,
                         size_t len)
{
    struct pvf__cache_artifact artifact = {.fd = -1};
    PVF__CLEANUP_BUF struct pvf__buf found = PVF__BUF_INIT((size_t)1 << 24);
    PVF__CLEANUP_FREE uint8_t *bytes = malloc(len > 0 ? len : 1);
    if (bytes == NULL || pvf__cache_load(cache, name, &artifact) != PVF__CACHE_HIT) {
        return false;
    }
    cache_bench_bytes(seed, bytes, len);
    int status = pvf__fd_read_all(artifact.fd, "artifact", &found, NULL);
    (void)close(artifact.fd);
    return status == 0 && found.len == len && memcmp(found.data, bytes, len) == 0 &&
           artifact.meta.code_hash[0] == seed && artifact.meta.size == len;
}

const char *cache_bench_path(const struct cache_bench *bench,
                             const struct pvf__cache_name *name,
                             enum pvf__cache_kind kind)
{
    static char path[192];
    char file[PVF__CACHE_FILE_MAX];
    pvf__cache_name_file(name, kind, file);
    (void)snprintf(path, sizeof(path), "%s/%s", bench->folder, file);
    return path;
}

int cache_bench_count(const char *path)
{
    DIR *list = opendir(path);
    int count = 0;
    if (list == NULL) {
        return -1;
    }
    while (readdir(list) != NULL) {
        count++;
    }
    (void)closedir(list);
    return count - 2;
}
