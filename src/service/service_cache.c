/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: the files behind the core's generations.  They live in the persistent cache; what cannot be
 * stored there lies in the host's private folder and goes with it.  Trusts no file of an earlier
 * run before its digest was compared, which happens once, before its first use.
 */
#include "service/service_state.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "pvf/status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

/* How exactly the time of last use is known on disk. */
#define TOUCH_PERIOD_NS PVF__CORE_HOUR
#define SPACE_PERIOD_NS PVF__CORE_MINUTE
/* With less, a local failure of a preparation is put down to the disk. */
#define FULL_BYTES ((uint64_t)16 << 20)

static int make_identity(const struct pvf_host *host,
                         struct pvf__cache *cache,
                         struct pvf__cache_identity *ret,
                         pvf_error *err)
{
    char program[32];
    (void)snprintf(program, sizeof(program), "/proc/self/fd/%d", host->prepare_program.fd);
    const struct pvf__cache_worker worker = {
        .program = program,
        /* What the worker calls itself is in its file. */
        .version = host->node_version != NULL ? host->node_version : "any",
        .metering = (int32_t)host->metering,
        .cache = cache,
    };
    return pvf__cache_identity_make(&worker, ret, err);
}

int pvf__service_cache_open(struct pvf_service *service, const char *folder, pvf_error *err)
{
    struct pvf__cache_identity identity;
    pvf_error why = PVF_ERROR_INIT;
    const struct pvf__cache_config config = {.folder = folder, .mode = PVF__CACHE_OWN};
    int status = pvf__cache_open(&config, &service->cache, err);
    if (status != 0) {
        return status;
    }
    status = make_identity(service->host, service->cache, &identity, &why);
    if (status == PVF_ERR_UNSUPPORTED) {
        pvf__log(PVF__LOG_WARN, "artifacts are not kept for the next start: %s", why.text);
        return 0;
    }
    if (status != 0) {
        return pvf__error_set(err, status, "%s", why.text);
    }
    service->keeps_artifacts = true;
    return pvf__cache_set_identity(service->cache, &identity, err);
}

/* ---- The table ---- */

static uint64_t hash_of(const struct pvf_service *service, uint64_t generation)
{
    return pvf__core_table_hash(service->seed, &generation, sizeof(generation));
}

struct pvf__service_artifact *pvf__service_artifact_find(const struct pvf_service *service,
                                                         uint64_t generation)
{
    struct pvf__core_node *node =
        pvf__core_table_first(&service->artifacts, hash_of(service, generation));
    for (; node != NULL; node = pvf__core_table_next(node)) {
        struct pvf__service_artifact *artifact =
            PVF__CORE_OWNER(node, struct pvf__service_artifact, node);
        if (artifact->generation == generation) {
            return artifact;
        }
    }
    return NULL;
}

static void free_artifact(struct pvf_service *service, struct pvf__service_artifact *artifact)
{
    pvf__core_table_remove(&service->artifacts, &artifact->node);
    free(artifact->path);
    free(artifact);
}

/* A record whose path is that of its name in the cache; NULL: no memory. */
static struct pvf__service_artifact *new_cached(const struct pvf_service *service,
                                                const struct pvf__cache_name *name)
{
    char path[PATH_MAX];
    struct pvf__service_artifact *artifact = calloc(1, sizeof(*artifact));
    if (artifact == NULL || pvf__cache_artifact_path(service->cache, name, path, NULL) != 0 ||
        (artifact->path = strdup(path)) == NULL) {
        free(artifact);
        return NULL;
    }
    artifact->cached = true;
    artifact->name = *name;
    return artifact;
}

static void put(struct pvf_service *service,
                struct pvf__service_artifact *artifact,
                uint64_t generation,
                const pvf_prepare_outcome *figures)
{
    artifact->generation = generation;
    artifact->figures = *figures;
    artifact->figures.artifact_path = NULL;
    artifact->figures.kept = true;
    pvf__core_table_put(&service->artifacts, &artifact->node, hash_of(service, generation));
}

/* ---- At the start ---- */

static pvf_prepare_outcome figures_of(const struct pvf__cache_meta *meta)
{
    pvf_prepare_outcome figures = {
        .ok = true,
        .error = -1,
        .name = "",
        .artifact_size = meta->size,
        .cpu_us = meta->cpu_us,
        .wall_us = meta->wall_us,
        .code_len = meta->code_len,
        .max_rss_kib = meta->max_rss_kib,
        .peak_allocated = meta->peak_allocated,
    };
    memcpy(figures.code_hash, meta->code_hash, sizeof(figures.code_hash));
    memcpy(figures.prep_hash, meta->prep_hash, sizeof(figures.prep_hash));
    memcpy(figures.checksum, meta->checksum, sizeof(figures.checksum));
    return figures;
}

static struct pvf__core_artifact known_of(const struct pvf__cache_entry *entry, uint64_t unix_s)
{
    const struct pvf__cache_meta *meta = &entry->meta;
    struct pvf__core_artifact known = {
        .size = meta->size,
        .unused_ns =
            unix_s > entry->last_use_s ? (unix_s - entry->last_use_s) * PVF__CORE_SECOND : 0,
        .cpu_ns = meta->cpu_us * 1000,
        .memory = meta->peak_allocated,
        .code_len = meta->code_len,
        .made_as = {.kind = meta->prechecked ? PVF__CORE_PRECHECKING : PVF__CORE_COMPILATION,
                    .cpu_limit_ns = meta->timeout_ms * PVF__CORE_MS,
                    .memory_limit = meta->memory_limit,
                    .bomb_limit = meta->bomb_limit},
    };
    memcpy(known.key.code_hash, meta->code_hash, sizeof(known.key.code_hash));
    memcpy(known.key.prep_hash, meta->prep_hash, sizeof(known.key.prep_hash));
    memcpy(known.made_as.params_hash, meta->params_hash, sizeof(meta->params_hash));
    return known;
}

/* Takes one in; false when its file is of no use. */
static int load(struct pvf_service *service,
                const struct pvf__cache_entry *entry,
                bool *ret_useful,
                pvf_error *err)
{
    const struct pvf__core_artifact known = known_of(entry, (uint64_t)time(NULL));
    uint64_t generation = 0;
    *ret_useful = false;
    struct pvf__service_artifact *artifact = new_cached(service, &entry->name);
    if (artifact == NULL) {
        return pvf__error_set(err, PVF_ERR_NO_MEMORY, "no memory for the list of artifacts");
    }
    int status =
        pvf__core_artifact_loaded(service->core, pvf__clock_monotonic_ns(), &known, &generation);
    if (status != 0 || generation == 0) {
        free(artifact->path);
        free(artifact);
        return status == 0 ? 0
                           : pvf__error_set(
                                 err, status, "the artifact %s cannot be used", entry->name.text);
    }
    const pvf_prepare_outcome figures = figures_of(&entry->meta);
    put(service, artifact, generation, &figures);
    *ret_useful = true;
    return 0;
}

int pvf__service_cache_load(struct pvf_service *service, pvf_error *err)
{
    PVF__CLEANUP_CACHE_LIST struct pvf__cache_list list = PVF__CACHE_LIST_NONE;
    if (!service->keeps_artifacts) {
        return 0;
    }
    int status = pvf__cache_list(service->cache, &list, err);
    for (size_t i = 0; i < list.count && status == 0; i++) {
        const struct pvf__cache_entry *entry = &list.items[i];
        bool useful = entry->result == PVF__CACHE_NOT_NOW;
        if (entry->result == PVF__CACHE_HIT) {
            status = load(service, entry, &useful, err);
        }
        pvf_error why = PVF_ERROR_INIT;
        if (status == 0 && !useful && pvf__cache_remove(service->cache, &entry->name, &why) != 0) {
            pvf__log(PVF__LOG_WARN, "%s", why.text);
        }
    }
    return status;
}

/* ---- Coming, use and going ---- */

static struct pvf__cache_meta meta_of(const pvf_prepare_outcome *prepared,
                                      const struct pvf__core_code *made_as,
                                      uint64_t timeout_ms)
{
    struct pvf__cache_meta meta = {
        .cpu_us = prepared->cpu_us,
        .wall_us = prepared->wall_us,
        .max_rss_kib = prepared->max_rss_kib,
        .peak_allocated = prepared->peak_allocated,
        .code_len = prepared->code_len,
        .prechecked = made_as->kind == PVF__CORE_PRECHECKING,
        .timeout_ms = timeout_ms,
        .memory_limit = made_as->memory_limit,
        .bomb_limit = made_as->bomb_limit,
    };
    memcpy(meta.code_hash, prepared->code_hash, sizeof(meta.code_hash));
    memcpy(meta.prep_hash, prepared->prep_hash, sizeof(meta.prep_hash));
    memcpy(meta.params_hash, made_as->params_hash, sizeof(meta.params_hash));
    memcpy(meta.checksum, prepared->checksum, sizeof(meta.checksum));
    return meta;
}

/* Moves the file into the cache; NULL: it stays where it is. */
static struct pvf__service_artifact *store(struct pvf_service *service,
                                           const pvf_prepare_outcome *prepared,
                                           const struct pvf__core_code *made_as,
                                           uint64_t timeout_ms)
{
    struct pvf__cache_name name;
    pvf_error why = PVF_ERROR_INIT;
    const struct pvf__cache_meta meta = meta_of(prepared, made_as, timeout_ms);
    if (pvf__cache_store(service->cache, prepared->artifact_path, &meta, &name, &why) != 0) {
        pvf__log(PVF__LOG_WARN, "an artifact is not kept for the next start: %s", why.text);
        return NULL;
    }
    return new_cached(service, &name);
}

void pvf__service_artifact_take(struct pvf_service *service,
                                uint64_t generation,
                                pvf_prepare_outcome *prepared,
                                const struct pvf__core_code *made_as,
                                uint64_t timeout_ms,
                                bool keep)
{
    struct pvf__service_artifact *artifact = NULL;
    if (keep && service->keeps_artifacts) {
        artifact = store(service, prepared, made_as, timeout_ms);
    }
    if (artifact == NULL) {
        artifact = calloc(1, sizeof(*artifact));
        if (artifact == NULL) {
            /* Its first use finds none, and it is prepared again. */
            return;
        }
        artifact->path = PVF__TAKE_PTR(prepared->artifact_path);
    }
    artifact->proven = true;
    artifact->taken_at = pvf__clock_monotonic_ns();
    artifact->touched_at = artifact->taken_at;
    put(service, artifact, generation, prepared);
    service->space_at = 0;
}

static bool prove(struct pvf_service *service, struct pvf__service_artifact *artifact)
{
    struct pvf__cache_artifact loaded;
    if (!artifact->proven &&
        pvf__cache_load(service->cache, &artifact->name, &loaded) == PVF__CACHE_HIT) {
        (void)close(loaded.fd);
        artifact->proven = true;
    }
    return artifact->proven;
}

void pvf__service_artifact_expect(struct pvf_service *service,
                                  const struct pvf__service_request *request)
{
    struct pvf__service_artifact *artifact =
        pvf__service_artifact_find(service, request->first_generation);
    if (artifact != NULL && artifact->cached) {
        /* When it is no good, its use finds it gone. */
        (void)prove(service, artifact);
    }
}

bool pvf__service_artifact_use(struct pvf_service *service, struct pvf__service_artifact *artifact)
{
    uint64_t now = pvf__clock_monotonic_ns();
    if (!artifact->cached) {
        return true;
    }
    if (!prove(service, artifact)) {
        return false;
    }
    if (artifact->touched_at == 0 || now - artifact->touched_at > TOUCH_PERIOD_NS) {
        artifact->touched_at = now;
        pvf__cache_touch(service->cache, &artifact->name, (uint64_t)time(NULL));
    }
    return true;
}

void pvf__service_artifact_remove(struct pvf_service *service, uint64_t generation)
{
    pvf_error why = PVF_ERROR_INIT;
    struct pvf__service_artifact *artifact = pvf__service_artifact_find(service, generation);
    if (artifact == NULL) {
        return;
    }
    if (artifact->cached) {
        if (pvf__cache_remove(service->cache, &artifact->name, &why) != 0) {
            pvf__log(PVF__LOG_WARN, "%s", why.text);
        }
    } else {
        (void)unlink(artifact->path);
    }
    free_artifact(service, artifact);
    service->space_at = 0;
}

void pvf__service_artifacts_free(struct pvf_service *service)
{
    for (size_t i = 0; service->artifacts.buckets != NULL && i <= service->artifacts.mask; i++) {
        while (service->artifacts.buckets[i] != NULL) {
            free_artifact(
                service,
                PVF__CORE_OWNER(service->artifacts.buckets[i], struct pvf__service_artifact, node));
        }
    }
}

/* ---- The disk ---- */

static bool free_bytes(const struct pvf_service *service, uint64_t *ret)
{
    struct statvfs info;
    if (statvfs(service->host->folder, &info) != 0) {
        return false;
    }
    *ret = (uint64_t)info.f_bavail * info.f_frsize;
    return true;
}

void pvf__service_space(struct pvf_service *service, uint64_t now)
{
    uint64_t bytes;
    service->space_at = now + SPACE_PERIOD_NS;
    if (free_bytes(service, &bytes)) {
        service->free_bytes = bytes;
        pvf__core_free_space(service->core, now, bytes);
    }
}

bool pvf__service_disk_is_full(const struct pvf_service *service)
{
    uint64_t bytes;
    return free_bytes(service, &bytes) && bytes < FULL_BYTES;
}
