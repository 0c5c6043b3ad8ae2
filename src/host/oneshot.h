/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_HOST_ONESHOT_H
#define PVF_HOST_ONESHOT_H

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/slice.h"
#include "host/process.h"
#include "pvf/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Most that is kept of a one-shot process's complaints. */
#define PVF__ONESHOT_STDERR_MAX 4096u

/* What a process that ran to its end left behind. */
struct pvf__oneshot {
    int status;             /* as from waitpid(2) */
    struct pvf__buf out;    /* its stdout; more than out.max bytes is PVF_ERR_LIMIT */
    struct pvf__buf errors; /* the beginning of its stderr */
};

/* One that runs; nothing in it is for others. */
struct pvf__oneshot_running {
    struct pvf__oneshot so_far;
    struct pvf__process process;
    struct pvf__slice input;
    uint64_t deadline_ns;
    int in;
    int out;
    int errors;
};

/*
 * The two halves of pvf__oneshot_run, for several at a time: all are started, then each is
 * finished.  The input must stay until then.  Every one that was started is finished, which
 * releases it in any case; `name` and `word` are for the error's text.
 */
PVF__NODISCARD int pvf__oneshot_start(int program_fd,
                                      const char *const argv[],
                                      struct pvf__slice input,
                                      size_t out_max,
                                      uint64_t deadline_ns,
                                      struct pvf__oneshot_running *ret,
                                      pvf_error *err);
PVF__NODISCARD int pvf__oneshot_finish(struct pvf__oneshot_running *running,
                                       const char *name,
                                       const char *word,
                                       struct pvf__oneshot *ret,
                                       pvf_error *err);

/*
 * Runs a program (see pvf__process_start) with `input` on its stdin until it ends, at the latest at
 * `deadline_ns`.  The environment holds RUST_LOG and nothing else.  On success the caller gives
 * *ret to pvf__oneshot_done.
 */
PVF__NODISCARD int pvf__oneshot_run(int program_fd,
                                    const char *const argv[],
                                    struct pvf__slice input,
                                    size_t out_max,
                                    uint64_t deadline_ns,
                                    struct pvf__oneshot *ret,
                                    pvf_error *err);

/* Releases the two buffers. */
void pvf__oneshot_done(struct pvf__oneshot *run);

/* True when it ended by itself with exit code 0. */
bool pvf__oneshot_succeeded(const struct pvf__oneshot *run);

/* The first line of a buffer as text: control characters become '?', cut at `size`. */
void pvf__oneshot_line(const struct pvf__buf *buf, char *out, size_t size);

#endif
