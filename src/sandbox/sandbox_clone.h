/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_SANDBOX_SANDBOX_CLONE_H
#define PVF_SANDBOX_SANDBOX_CLONE_H

#include "base/cleanup.h"

#include <stdint.h>
#include <sys/types.h>

/*
 * A copy of this process, as fork(2) makes it, in new namespaces (CLONE_NEW…) and with a descriptor
 * for it.  The child's pid, 0 in the child, or -1 with errno.  No library's fork handlers run: the
 * caller has a single thread.
 */
PVF__NODISCARD pid_t pvf__sandbox_clone(uint64_t namespaces, int *ret_pid_fd);

#endif
