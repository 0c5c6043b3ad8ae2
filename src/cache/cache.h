/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_CACHE_CACHE_H
#define PVF_CACHE_CACHE_H

#include "base/cleanup.h"
#include "cache/cache_identity.h"
#include "cache/cache_meta.h"
#include "cache/cache_name.h"
#include "pvf/error.h"

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The persistent artifact cache: what outlives a host.  It stores, proves, lists and removes
 * artifacts; which one is needed, and which one has to go, is decided elsewhere.
 *
 * On disk, in the folder `pvf-cache` inside the one that was configured:
 *
 *   marker       says that the folder is ours; a folder with other files and without it is refused
 *   lock         locked as long as an owner lives; holds its pid
 *   key          32 random bytes, made at first use
 *   program-…    the digests of the worker programs: cache_program.h
 *   NAME.pvf     an artifact, byte for byte as the worker wrote it
 *   NAME.meta    its sidecar: what it is, whose it is, its digest, sealed with a MAC under the key
 *   NAME.tmp     a file that is being written; a crash leaves it, the next owner removes it
 *
 * NAME is 32 random hex digits.  It is never used twice, so a name is an artifact's generation too:
 * a late call about an old artifact cannot reach a new one.  Files with other names are never
 * touched.  An artifact exists from the moment its sidecar has its name; a crash at any point
 * leaves all of it or nothing that counts.
 *
 * A miss is a value, not an error: whatever is wrong with a pair (enum pvf__cache_result), the
 * caller prepares again.  An owner removes such a pair when it meets it in pvf__cache_load, counts
 * it and logs it at info.
 *
 * How a host uses it: pvf__cache_open at start; pvf__cache_list, and give the entries that are a
 * hit to the artifact table and pvf__cache_remove the rest; pvf__cache_load once per artifact
 * before its first use; pvf__cache_store after each preparation (a failure means only that it will
 * not outlive the host: the artifact stays where it was); pvf__cache_touch now and then for those
 * in use; pvf__cache_remove when the table drops one.  All calls block on the disk: loading reads
 * the whole file, storing syncs it.  A cache belongs to one thread at a time, and to the process
 * that opened it: a child of fork without exec shares its lock.
 *
 * What it does not protect from: somebody who can write as this user, while it is in use.  Who can
 * do that can also change a verified file; an execution compares the checksum once more.
 */
struct pvf__cache;

enum pvf__cache_mode {
    PVF__CACHE_OWN,  /* makes what is missing, locks, cleans up */
    PVF__CACHE_LOOK, /* changes nothing, takes no lock: may look at a cache that is in use */
};

struct pvf__cache_config {
    const char *folder; /* as configured; made (0700) by an owner when it is missing */
    enum pvf__cache_mode mode;
    const struct pvf__cache_identity *identity; /* ours, copied; NULL: any build and CPU will do */
};

/*
 * PVF_ERR_BUSY: another process owns it; the text names it.  PVF_ERR_INVALID_ARG: the folder is not
 * fit (not ours, writable by others, full of something else, or, for PVF__CACHE_LOOK, not there).
 * PVF_ERR_UNSUPPORTED: of another format.  PVF_ERR_IO: the disk.  A lost or unsafe key is none of
 * these: a new one is made, and all entries under the old one are misses.
 */
PVF__NODISCARD int
pvf__cache_open(const struct pvf__cache_config *config, struct pvf__cache **ret, pvf_error *err);

/* Ours from now on, copied: for an owner that knows it only when the cache is open. */
PVF__NODISCARD int pvf__cache_set_identity(struct pvf__cache *cache,
                                           const struct pvf__cache_identity *identity,
                                           pvf_error *err);

/* Lets go of the lock; the files stay.  NULL is fine. */
void pvf__cache_close(struct pvf__cache *cache);

/* The folder of ours, as an absolute path. */
const char *pvf__cache_path(const struct pvf__cache *cache);

/* What comes of looking at a pair.  The numbers are for counters and never change. */
#define PVF__CACHE_RESULT_LIST(X)                                                                  \
    X(PVF__CACHE_HIT, 0, "good")                                                                   \
    X(PVF__CACHE_ABSENT, 1, "gone")               /* one or both files are not there */            \
    X(PVF__CACHE_UNSAFE, 2, "unsafe file")        /* no plain file, not ours, others may write */  \
    X(PVF__CACHE_MALFORMED, 3, "malformed")       /* the sidecar is cut, or of another format */   \
    X(PVF__CACHE_UNPROVEN, 4, "unproven")         /* the MAC is wrong, or the key is another */    \
    X(PVF__CACHE_DAMAGED, 5, "damaged")           /* the artifact is not what was stored */        \
    X(PVF__CACHE_OTHER_BUILD, 6, "another build") /* of the prepare worker, or other settings */   \
    X(PVF__CACHE_OTHER_CPU, 7, "another CPU")                                                      \
    X(PVF__CACHE_NOT_NOW, 8, "not readable now") /* out of descriptors or memory; it is kept */

enum pvf__cache_result {
#define PVF__CACHE_RESULT_ENUM(name, number, text) name = (number),
    PVF__CACHE_RESULT_LIST(PVF__CACHE_RESULT_ENUM)
#undef PVF__CACHE_RESULT_ENUM
};
#define PVF__CACHE_RESULTS 9

/* As in the list above; "unknown" for any other number. */
const char *pvf__cache_result_text(enum pvf__cache_result result);

/* An artifact that was proven: read from `fd`, or link it as /proc/self/fd/N. */
struct pvf__cache_artifact {
    int fd; /* read-only, close-on-exec, at its start; the caller's */
    struct pvf__cache_meta meta;
};

/*
 * Proves a pair: owner and modes, the sidecar's MAC, build and CPU, size, and the digest of the
 * whole artifact.  *ret is set only for PVF__CACHE_HIT.
 */
PVF__NODISCARD enum pvf__cache_result pvf__cache_load(struct pvf__cache *cache,
                                                      const struct pvf__cache_name *name,
                                                      struct pvf__cache_artifact *ret);

/*
 * The path of an artifact, for a link into a worker's folder.  `out` has PATH_MAX bytes;
 * PVF_ERR_LIMIT when it is too long.
 */
PVF__NODISCARD int pvf__cache_artifact_path(const struct pvf__cache *cache,
                                            const struct pvf__cache_name *name,
                                            char out[PATH_MAX],
                                            pvf_error *err);

/*
 * Stores the artifact at `path` and removes it from there; across file systems it is copied.  Of
 * `meta` the caller fills everything above the line in the struct.  The file is read once:
 * PVF_ERR_CORRUPT when it is not what meta->checksum says.  On failure nothing is stored and `path`
 * stays as it was.  Owners with an identity only.
 */
PVF__NODISCARD int pvf__cache_store(struct pvf__cache *cache,
                                    const char *path,
                                    const struct pvf__cache_meta *meta,
                                    struct pvf__cache_name *ret_name,
                                    pvf_error *err);

/* Removes a pair, or what there is of it; nothing there is fine.  Owners only. */
PVF__NODISCARD int
pvf__cache_remove(struct pvf__cache *cache, const struct pvf__cache_name *name, pvf_error *err);

/*
 * Notes a use at `unix_s` (seconds since 1970).  Lazy: it is not synced, and a failure is only
 * logged, since the worst that follows is an artifact that is prepared again.
 */
void pvf__cache_touch(struct pvf__cache *cache,
                      const struct pvf__cache_name *name,
                      uint64_t unix_s);

struct pvf__cache_entry {
    struct pvf__cache_name name;
    /*
     * Everything that pvf__cache_load looks at except the digest.  With PVF__CACHE_MALFORMED,
     * _ABSENT, _UNSAFE and _NOT_NOW `meta` is zero; with PVF__CACHE_UNPROVEN it is hearsay.
     */
    enum pvf__cache_result result;
    struct pvf__cache_meta meta;
    uint64_t disk_bytes; /* that both files take on disk */
    uint64_t last_use_s; /* since 1970; not covered by the MAC */
};

struct pvf__cache_list {
    struct pvf__cache_entry *items; /* owned; least recently used first */
    size_t count;
    uint64_t disk_bytes; /* of all */
};

#define PVF__CACHE_LIST_NONE                                                                       \
    {                                                                                              \
        .items = NULL                                                                              \
    }

/* All entries, good or not; reads no artifact and changes nothing. */
PVF__NODISCARD int
pvf__cache_list(struct pvf__cache *cache, struct pvf__cache_list *ret, pvf_error *err);
void pvf__cache_list_done(struct pvf__cache_list *list);

#define PVF__CLEANUP_CACHE_LIST __attribute__((cleanup(pvf__cache_list_done)))

/* Of the file system that it lies on, for this user. */
struct pvf__cache_space {
    uint64_t free_bytes;
    uint64_t total_bytes;
};
PVF__NODISCARD int
pvf__cache_space(const struct pvf__cache *cache, struct pvf__cache_space *ret, pvf_error *err);

/* Since the cache was opened. */
struct pvf__cache_counts {
    uint64_t loads[PVF__CACHE_RESULTS]; /* by result */
    uint64_t stored;
    uint64_t removed;       /* pairs, or what there was of them */
    uint64_t leftovers;     /* files of a crash, removed at the start */
    uint64_t programs_read; /* whole, since their digest was not known: cache_program.h */
};
const struct pvf__cache_counts *pvf__cache_counts(const struct pvf__cache *cache);

/*
 * For `pvf cache gc`, which has no artifact table: removes what is no hit, then the least recently
 * used until both limits hold.
 */
struct pvf__cache_limits {
    uint64_t max_bytes; /* UINT64_MAX: no limit */
    uint64_t min_free;  /* bytes of the file system that must stay free */
    bool dry_run;
};

struct pvf__cache_gc {
    size_t removed; /* or would be, in a dry run, as are the next two */
    size_t kept;
    uint64_t removed_bytes;
    uint64_t kept_bytes;
    bool floor_missed; /* everything is gone, and still there is less than min_free */
};

PVF__NODISCARD int pvf__cache_gc(struct pvf__cache *cache,
                                 const struct pvf__cache_limits *limits,
                                 struct pvf__cache_gc *ret,
                                 pvf_error *err);

#endif
