/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_SANDBOX_SANDBOX_ENVIRONMENT_H
#define PVF_SANDBOX_SANDBOX_ENVIRONMENT_H

#include "base/cleanup.h"
#include "pvf/error.h"

/* Only the log setting may be in a worker's environment: the node's own may hold secrets. */
PVF__NODISCARD int pvf__sandbox_environment(pvf_error *err);

#endif
