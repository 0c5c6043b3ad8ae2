/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_HOST_FOLDER_H
#define PVF_HOST_FOLDER_H

#include "base/cleanup.h"
#include "pvf/error.h"

#include <stddef.h>

/* `len` random characters of a-z, A-Z, 0-9 and a terminator. */
PVF__NODISCARD int pvf__folder_random_name(char *out, size_t len, pvf_error *err);

/* Where temporary files go: $TMPDIR when it is an absolute path, else /tmp. */
const char *pvf__folder_temporary(void);

/*
 * Makes a folder that did not exist: `parent`/`prefix` and six random characters.  The path goes to
 * `out`, of `size` bytes.
 */
PVF__NODISCARD int
pvf__folder_make(const char *parent, const char *prefix, char *out, size_t size, pvf_error *err);

/*
 * Removes all that is in a folder, at any depth, and keeps the folder itself, which may be
 * somebody's root.  A folder that does not exist is empty.  What hostile code may have put there
 * (deep trees, links, strange modes) does no harm; too much of it is PVF_ERR_LIMIT.
 */
PVF__NODISCARD int pvf__folder_empty(const char *path, pvf_error *err);

/*
 * The same in steps: removes about `entries` and returns 1 while there are more.  What the steps
 * have in all is not limited.
 */
PVF__NODISCARD int pvf__folder_empty_some(const char *path, size_t entries, pvf_error *err);

/* Empties and removes a folder; errors are only logged. */
void pvf__folder_remove(const char *path);

/* Copies a file to a new file; for where no link can be made. */
PVF__NODISCARD int pvf__folder_copy_file(const char *from, const char *to, pvf_error *err);

#endif
