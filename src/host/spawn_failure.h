/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_HOST_SPAWN_FAILURE_H
#define PVF_HOST_SPAWN_FAILURE_H

#include "base/cleanup.h"
#include "pvf/error.h"
#include "pvf/outcome.h"

/*
 * Marks an error that is already set as one of the ways in which a worker fails to start, and adds
 * what to do about it.  Returns `status`.
 */
PVF__NODISCARD int
pvf__spawn_failure_mark(pvf_error *err, enum pvf_spawn_failure failure, int status);

#endif
