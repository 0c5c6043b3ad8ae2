/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_SANDBOX_SANDBOX_CHECK_H
#define PVF_SANDBOX_SANDBOX_CHECK_H

#include "base/cleanup.h"
#include "pvf/error.h"
#include "sandbox/sandbox_seccomp.h"

/*
 * The answers to "can this machine …?", each by really doing it in this process, which is good for
 * nothing else afterwards.
 */
PVF__NODISCARD int pvf__sandbox_check_landlock(pvf_error *err);
PVF__NODISCARD int pvf__sandbox_check_seccomp(enum pvf__seccomp_role role, pvf_error *err);
PVF__NODISCARD int pvf__sandbox_check_change_root(const char *folder, pvf_error *err);
PVF__NODISCARD int pvf__sandbox_check_secure_clone(pvf_error *err);

#endif
