/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_EXECUTE_ZYGOTE_PROCESS_H
#define PVF_EXECUTE_ZYGOTE_PROCESS_H

#include "proto/executor_params.h"
#include "sandbox/sandbox.h"

#include <stdint.h>

/* What a zygote is made for. */
struct pvf__zygote_spec {
    const struct pvf__sandbox_plan *sandbox;
    const struct pvf__executor_params *params;
    uint64_t data_max; /* private writable memory of a job in bytes; 0: no limit */
    int artifact_fd;   /* a verified, sealed artifact */
    int wire;          /* the zygote's end (zygote_wire.h) */
};

/*
 * The backstop for a zygote and each of its jobs, made before the limit of a candidate is known: no
 * candidate with a limit above the first comes here.  Seconds of CPU time.
 */
#define PVF__ZYGOTE_LIMIT_MAX_S 60u
#define PVF__ZYGOTE_BACKSTOP_S 90u

/* The whole life of a zygote, in a copy of its worker; `context` is a struct pvf__zygote_spec. */
__attribute__((noreturn)) void pvf__zygote_be(const void *context);

#endif
