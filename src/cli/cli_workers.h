/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_CLI_CLI_WORKERS_H
#define PVF_CLI_CLI_WORKERS_H

#include "base/cleanup.h"
#include "pvf/error.h"

#include <limits.h>

struct pvf__cli_workers {
    char prepare[PATH_MAX];
    char execute[PATH_MAX];
};

/*
 * The two worker programs: in `dir` (of --workers), else in $PVF_WORKERS, else beside this program,
 * else in ../libexec/pvf from there.  In one folder the names pvf-…-worker come before
 * polkadot-…-worker.
 */
PVF__NODISCARD int
pvf__cli_workers_find(const char *dir, struct pvf__cli_workers *ret, pvf_error *err);

#endif
