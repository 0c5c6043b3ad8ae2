/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_CACHE_CACHE_FILE_H
#define PVF_CACHE_CACHE_FILE_H

#include "base/buf.h"
#include "cache/cache.h"
#include "pvf/error.h"

#include <sys/stat.h>

/*
 * Files of the cache's folder, by its descriptor.  No link is followed, and nothing but plain files
 * of our own that nobody else may write is ever read.
 */

/* Looks at it without opening; results as of the next. */
PVF__NODISCARD enum pvf__cache_result
pvf__cache_file_look(int folder, const char *file, struct stat *ret_info);

/* Opens for reading.  PVF__CACHE_HIT, _ABSENT, _UNSAFE, _DAMAGED or _NOT_NOW. */
PVF__NODISCARD enum pvf__cache_result
pvf__cache_file_open(int folder, const char *file, int *ret_fd, struct stat *ret_info);

/* Opens and reads the whole file into `buf`; _MALFORMED when it is larger than buf->max. */
PVF__NODISCARD enum pvf__cache_result
pvf__cache_file_read(int folder, const char *file, struct pvf__buf *buf, struct stat *ret_info);

/* Makes a file that was not there, mode 0600, and syncs it; a failure leaves what was written. */
PVF__NODISCARD int
pvf__cache_file_create(int folder, const char *file, const void *data, size_t len, pvf_error *err);

/*
 * Replaces a file as a whole: written beside it, synced, renamed.  The folder is not synced.
 */
PVF__NODISCARD int
pvf__cache_file_write(int folder, const char *file, const void *data, size_t len, pvf_error *err);

/* Removes a file, or an empty folder in its place; nothing there is fine. */
PVF__NODISCARD int pvf__cache_file_remove(int folder, const char *file, pvf_error *err);

/* Makes renames and removals last. */
PVF__NODISCARD int pvf__cache_file_sync(int folder, pvf_error *err);

/* What an errno of reading says about a file. */
enum pvf__cache_result pvf__cache_file_result(int sys_errno);

#endif
