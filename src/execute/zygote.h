/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_EXECUTE_ZYGOTE_H
#define PVF_EXECUTE_ZYGOTE_H

#include "base/cleanup.h"
#include "base/slice.h"
#include "execute/zygote_process.h"
#include "pvf/error.h"
#include "worker/worker_job_make.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Jobs made ahead of need: a zygote for each artifact that is used again has mapped and linked it,
 * and a job waits in namespaces of its own behind its own fence.  What is left to do when a
 * candidate comes is to hand it over.  Everything here may fail; a job is then made the plain way.
 */

/* Before the worker is fenced: what may not be made afterwards.  Without it there are no zygotes.
 */
void pvf__zygotes_open(void);

/* One job from a zygote: the `maker` of a pvf__job_spec whose `make` is pvf__zygote_make. */
struct pvf__zygote_maker {
    uint64_t artifact;       /* its number */
    struct pvf__slice input; /* body of the request */
};

/* Is a job on its way for this artifact, and may a candidate with this limit have it? */
bool pvf__zygote_has(uint64_t artifact, uint64_t cpu_limit_us);

/* Takes the job that waits; if it is no good, makes one the plain way. */
int pvf__zygote_make(const struct pvf__job_spec *spec,
                     struct pvf__job_made *ret,
                     enum pvf__job_failure *ret_failure,
                     pvf_error *err);

/*
 * After an answer: sees to it that the next job for this artifact is being made, from its second
 * use on; `spec->wire` is ignored.  Never waits for a zygote.
 */
void pvf__zygote_prepare(uint64_t artifact, const struct pvf__zygote_spec *spec);

/* Ends this artifact's zygote.  A further one may be made, unless too many were no good. */
void pvf__zygote_end(uint64_t artifact, bool was_no_good);

/*
 * Ends the zygotes of all artifacts that `lives` does not know any more; NULL: of all.  Looks again
 * after those that were killed and did not end.
 */
void pvf__zygotes_prune(bool (*lives)(uint64_t artifact));

#endif
