/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_CACHE_CACHE_PROGRAM_H
#define PVF_CACHE_CACHE_PROGRAM_H

#include "base/cleanup.h"
#include "cache/cache.h"
#include "pvf/error.h"

#include <stdint.h>

/*
 * BLAKE2b-256 of a worker program's file, and its size.  Reading 20 MB is most of what a start on a
 * warm cache takes, so an owner remembers the digest in the file "program-KIND" of the cache, with
 * the file's device, inode, size and times, sealed under the cache's key.  It counts as long as all
 * of them are the same; a change of the file changes the time of its inode, which no program can
 * set.  A file that was changed just now is not remembered: its next change might get the same
 * time. `kind` is at most 15 characters long.  `cache` may be NULL, or only look: then the file is
 * read.
 */
PVF__NODISCARD int pvf__cache_program_digest(struct pvf__cache *cache,
                                             const char *kind,
                                             const char *path,
                                             uint8_t out[32],
                                             uint64_t *ret_size,
                                             pvf_error *err);

#endif
