/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_SANDBOX_SANDBOX_LIMITS_H
#define PVF_SANDBOX_SANDBOX_LIMITS_H

#include "base/cleanup.h"
#include "pvf/error.h"
#include "sandbox/sandbox.h"

/* Of a worker: no core files, no locked memory, few descriptors; the kernel's first choice when
 * memory runs out, before the node. */
PVF__NODISCARD int pvf__sandbox_worker_limits(pvf_error *err);

/* Of a job: nothing to write to, no descriptors to open, CPU time and memory as given. */
PVF__NODISCARD int pvf__sandbox_job_limits(const struct pvf__sandbox_job_limits *limits,
                                           pvf_error *err);

#endif
