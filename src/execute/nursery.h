/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_EXECUTE_NURSERY_H
#define PVF_EXECUTE_NURSERY_H

#include "base/cleanup.h"
#include "pvf/error.h"
#include "sandbox/sandbox.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * A process namespace for all that may come from one artifact.  Its first process does nothing but
 * wait, and is never near a hostile byte; with its end the kernel ends every other process in it,
 * whatever a hijacked zygote made.  All are children of the worker and of one process group, so
 * that the worker reaps them all, and none but them.
 */
struct pvf__nursery {
    pid_t group;    /* 0: there is nothing */
    int midwife_fd; /* while it lives */
    pid_t guard;    /* the first process */
    int guard_fd;
    pid_t zygote;
    int zygote_fd;
    int lifeline; /* read end of a pipe that the guard writes nothing into: it ends with us */
};

/* Who its zygote will be. */
struct pvf__nursery_plan {
    const struct pvf__sandbox_plan *sandbox;
    int files[2]; /* all that it inherits, besides the null device */
    void (*be)(const void *context);
    const void *context;
};

/*
 * Makes one whose zygote is `be(context)` in a copy of this process, in new namespaces but not
 * fenced yet.  Needs pvf__sandbox_has_zygotes.  What is left behind on failure is in *ret, which is
 * the caller's to close in any case.
 */
PVF__NODISCARD int
pvf__nursery_open(struct pvf__nursery *ret, const struct pvf__nursery_plan *plan, pvf_error *err);

/*
 * Kills all of it, and reaps what is dead by the deadline; false when something is not, which the
 * kernel may be busy with: then it is to be called again, some time.
 */
PVF__NODISCARD bool pvf__nursery_close(struct pvf__nursery *nursery, uint64_t deadline_ns);

/* Is the process a child of ours that lives and has not been stopped? */
bool pvf__nursery_is_fit(int pid_fd);

#endif
