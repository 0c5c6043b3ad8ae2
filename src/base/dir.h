/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_BASE_DIR_H
#define PVF_BASE_DIR_H

#include "base/cleanup.h"
#include "pvf/error.h"

#include <dirent.h>

/*
 * Goes through an open folder from its start; NULL, with errno, when it cannot be.  The descriptor
 * stays the caller's.
 */
DIR *pvf__dir_list(int folder);

/*
 * Does the open folder belong to this user alone, as far as writing goes?  The error calls it
 * `path`; `advice` says what to do when others may write to it.
 */
PVF__NODISCARD int
pvf__dir_check_owner(int folder, const char *path, const char *advice, pvf_error *err);

#endif
