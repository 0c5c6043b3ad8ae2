/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_CACHE_CACHE_FOLDER_H
#define PVF_CACHE_CACHE_FOLDER_H

#include "base/cleanup.h"
#include "pvf/error.h"

#include <limits.h>
#include <stdbool.h>

/* Our folder in the one that was configured, and the file that says so. */
#define PVF__CACHE_FOLDER "pvf-cache"
#define PVF__CACHE_MARKER "marker"

/*
 * Opens our folder inside `parent`, and makes both when `make` says so.  It is refused unless it is
 * a folder of this user that nobody else may write to, and either has our marker or, with `make`,
 * nothing in it.  The absolute path goes to `out`.
 */
PVF__NODISCARD int pvf__cache_folder_open(
    const char *parent, bool make, int *ret_fd, char out[PATH_MAX], pvf_error *err);

/* Puts the marker into a new folder; for the owner of the lock. */
PVF__NODISCARD int pvf__cache_folder_mark(int folder, pvf_error *err);

#endif
