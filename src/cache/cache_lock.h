/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_CACHE_CACHE_LOCK_H
#define PVF_CACHE_CACHE_LOCK_H

#include "base/cleanup.h"
#include "pvf/error.h"

#define PVF__CACHE_LOCK "lock"

/*
 * Locks the folder for as long as *ret_fd is open, whatever becomes of this process; PVF_ERR_BUSY
 * with a text that names the owner when somebody else has it.
 */
PVF__NODISCARD int pvf__cache_lock_take(int folder, const char *path, int *ret_fd, pvf_error *err);

#endif
