/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_HOST_PROCESS_TREE_H
#define PVF_HOST_PROCESS_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * What a worker has started.  A worker that is killed does not take its job along by itself, and
 * only the kernel knows how much CPU time a job that never answered has used.  All of this is best
 * effort: it reads /proc, which may lack the list of children.
 */
#define PVF__PROCESS_TREE_MAX 64u

struct pvf__process_tree {
    size_t count;
    int fds[PVF__PROCESS_TREE_MAX]; /* pidfds of the descendants */
};

/* Takes hold of the descendants of `root`, not of itself. */
void pvf__process_tree_open(pid_t root, struct pvf__process_tree *ret);

/* SIGKILL to all of them; lets go of them. */
void pvf__process_tree_kill(struct pvf__process_tree *tree);

/*
 * CPU microseconds of `root`, its dead children, and its descendants that live.  False when it
 * cannot be told.
 */
bool pvf__process_tree_cpu(pid_t root, uint64_t *ret_us);

#endif
