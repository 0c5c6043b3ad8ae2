/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_SANDBOX_SANDBOX_LANDLOCK_H
#define PVF_SANDBOX_SANDBOX_LANDLOCK_H

#include "base/cleanup.h"
#include "pvf/error.h"
#include "sandbox/sandbox.h"

#include <stddef.h>
#include <stdint.h>

/* The newest version of the kernel's interface that is known here. */
#define PVF__LANDLOCK_ABI_MAX 6

/* Everything that a version can restrict, and how long its argument is. */
struct pvf__landlock_masks {
    uint64_t files;
    uint64_t network;
    uint64_t scopes;
    size_t attr_size;
};

/* For versions from 1 on; a newer one than is known gets the newest known. */
struct pvf__landlock_masks pvf__landlock_masks(int abi);

/* What a worker may still do with files below its folder. */
uint64_t pvf__landlock_rights(enum pvf__sandbox_files files, int abi);

/* The kernel's version, or PVF_ERR_UNSUPPORTED with the reason why there is none. */
PVF__NODISCARD int pvf__landlock_abi(int *ret, pvf_error *err);

/*
 * Restricts this thread and what it makes to nothing at all, or, with a folder, to the rights of
 * `files` below it.  Needs no_new_privs.
 */
PVF__NODISCARD int
pvf__sandbox_landlock(const char *folder, enum pvf__sandbox_files files, pvf_error *err);

#endif
