/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_EXECUTE_EXECUTE_PARAMS_H
#define PVF_EXECUTE_EXECUTE_PARAMS_H

#include "base/cleanup.h"
#include "base/slice.h"
#include "proto/executor_params.h"
#include "pvf/error.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * The sets of executor parameters that the worker's jobs run with.  On the plain wire there is one
 * for its whole life; on the upgraded wire each job brings its own, and a few are remembered.
 */
struct pvf__execute_set {
    struct pvf__executor_params params;
    uint64_t data_max; /* private writable memory of a job in bytes; 0: no limit */
    uint32_t number;   /* its own, never 0, never used twice */
};

/* The set that the encoded list stands for; valid until the next call. */
PVF__NODISCARD int pvf__execute_params_get(struct pvf__slice list,
                                           const struct pvf__execute_set **ret,
                                           pvf_error *err);

/* Is the set with this number still remembered? */
bool pvf__execute_params_has(uint32_t number);

#endif
