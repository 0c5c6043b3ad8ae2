/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_SANDBOX_SANDBOX_SECCOMP_H
#define PVF_SANDBOX_SANDBOX_SECCOMP_H

#include "base/cleanup.h"
#include "pvf/error.h"
#include "sandbox/seccomp_policy.h"

/*
 * Installs the filter of `role` for the whole process, for good; `facts` may be NULL for a worker.
 * The caller has set no_new_privs and is the only thread.
 */
PVF__NODISCARD int pvf__sandbox_seccomp(enum pvf__seccomp_role role,
                                        const struct pvf__seccomp_facts *facts,
                                        pvf_error *err);

#endif
