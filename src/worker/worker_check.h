/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_WORKER_WORKER_CHECK_H
#define PVF_WORKER_WORKER_CHECK_H

#include "pvf/error.h"
#include "sandbox/sandbox_seccomp.h"

#include <stdbool.h>

/* One --check-can-… of the command line. */
struct pvf__worker_check {
    enum pvf__seccomp_role filter; /* the role's own, tried by the check of seccomp */
    const char *word;
    const char *folder; /* of the check of the change of the root; NULL: none given */
};

/* Is argv[1] the word of a check?  Then the rest of it is taken too. */
bool pvf__worker_check_parse(char **argv, struct pvf__worker_check *check);

/* Does it, in this process; says on stderr what failed.  The exit code. */
int pvf__worker_check_run(const struct pvf__worker_check *check);

#endif
