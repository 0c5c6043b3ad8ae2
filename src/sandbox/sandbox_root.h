/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_SANDBOX_SANDBOX_ROOT_H
#define PVF_SANDBOX_SANDBOX_ROOT_H

#include "base/cleanup.h"
#include "pvf/error.h"

#include <stdbool.h>

/*
 * Makes `folder` the root of this process, in user and mount namespaces of its own: nothing else
 * of the file system has a name any more.  The new root is without programs, devices and set-uid
 * bits, and with `read_only` without writing; this is checked, since a kernel may ignore a flag.
 * Single-threaded; the error names the step.
 */
PVF__NODISCARD int pvf__sandbox_change_root(const char *folder, bool read_only, pvf_error *err);

#endif
