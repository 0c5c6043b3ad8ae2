/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_SANDBOX_SANDBOX_CLONE_H
#define PVF_SANDBOX_SANDBOX_CLONE_H

#include "base/cleanup.h"
#include "pvf/error.h"

#include <stdint.h>
#include <sys/types.h>

/*
 * A copy of this process, as fork(2) makes it, in new namespaces (CLONE_NEW…) and with a descriptor
 * for it.  The child's pid, 0 in the child, or -1 with errno.  No library's fork handlers run: the
 * caller has a single thread.
 */
PVF__NODISCARD pid_t pvf__sandbox_clone(uint64_t namespaces, int *ret_pid_fd);

/* The same without a descriptor, and the child's parent is ours. */
PVF__NODISCARD pid_t pvf__sandbox_clone_sibling(uint64_t namespaces);

/* From here on our children are in a new process namespace, the first of them its init; we are not.
 */
PVF__NODISCARD int pvf__sandbox_new_pids(pvf_error *err);

#endif
