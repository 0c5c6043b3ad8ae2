/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_SANDBOX_SANDBOX_PROCESS_H
#define PVF_SANDBOX_SANDBOX_PROCESS_H

#include "base/cleanup.h"
#include "pvf/error.h"

#include <stdbool.h>

/* Default actions and an empty mask, but a closed pipe is an error instead of a signal. */
PVF__NODISCARD int pvf__sandbox_signals(pvf_error *err);

/*
 * A worker ends with its host.  The kernel signals the death of the *thread* that started us, and
 * hosts have many: the signal is only a reason to look whether the process is still our parent.
 */
PVF__NODISCARD int pvf__sandbox_end_with_host(pvf_error *err);

/* A job ends with its worker, which has one thread. */
PVF__NODISCARD int pvf__sandbox_end_with_worker(pvf_error *err);

/* No core dumps, no ptrace and no /proc/PID/mem by others of the same user. */
PVF__NODISCARD int pvf__sandbox_non_dumpable(pvf_error *err);

/* No program that is executed gains rights; Landlock and seccomp demand it. */
PVF__NODISCARD int pvf__sandbox_no_new_privs(pvf_error *err);

/*
 * Gives up all capabilities, for good.  With `keep_sys_admin` that one stays: it makes the
 * namespaces of jobs, and in a user namespace of our own it is good for nothing else that the
 * system-call filter lets through.
 */
PVF__NODISCARD int pvf__sandbox_capabilities(bool keep_sys_admin, pvf_error *err);

#endif
