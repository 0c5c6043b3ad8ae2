/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_HOST_PROCESS_H
#define PVF_HOST_PROCESS_H

#include "base/cleanup.h"
#include "pvf/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* A child process of ours.  All zero is not a process; PVF__PROCESS_NONE is. */
struct pvf__process {
    pid_t pid;  /* -1: none */
    int pid_fd; /* becomes readable when it ends */
};

#define PVF__PROCESS_NONE                                                                          \
    {                                                                                              \
        .pid = -1, .pid_fd = -1                                                                    \
    }

/* Most descriptors that a child is given: the three standard ones, and one. */
#define PVF__PROCESS_FILES 4u

/*
 * Starts the program that `program_fd` is open on (-1: the file `argv[0]`) with exactly the
 * environment `envp`, default signal handling, the `count` descriptors given (which stay the
 * caller's) as 0, 1, 2 and so on, and no other descriptor.
 */
PVF__NODISCARD int pvf__process_start(int program_fd,
                                      const char *const argv[],
                                      const char *const envp[],
                                      const int files[],
                                      size_t count,
                                      struct pvf__process *ret,
                                      pvf_error *err);

/* Waits for the end until `deadline_ns`; PVF_ERR_TIMEOUT.  *ret_status as from waitpid(2). */
PVF__NODISCARD int pvf__process_wait(struct pvf__process *process,
                                     uint64_t deadline_ns,
                                     int *ret_status,
                                     pvf_error *err);

/* SIGKILL to it and to all that it started, as far as can be seen; reaps it.  None: nothing. */
void pvf__process_kill(struct pvf__process *process);

/* The same without reaping it: its pid_fd tells when that can be done. */
void pvf__process_kill_only(const struct pvf__process *process);

/* Reaps it if it has ended, and is none then; false: it lives.  *ret_status as from waitpid(2). */
bool pvf__process_reap(struct pvf__process *process, int *ret_status);

/* "exit status N" or "signal NAME". */
void pvf__process_status_text(int status, char *out, size_t size);

#endif
