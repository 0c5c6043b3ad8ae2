/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_WORKER_WORKER_JOB_SAY_H
#define PVF_WORKER_WORKER_JOB_SAY_H

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/slice.h"
#include "pvf/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What a job writes into its pipe before its frame, and after it.  The first word is written before
 * the job touches a hostile byte, so nothing hostile can take it back or write it: this is how a
 * fault of this machine is told from a death that hostile code chose.  The second is the start of
 * the CPU limit: what the job did before (its own making, the decompression of the PoV) does not
 * count.
 */

/* Bytes of the second word. */
#define PVF__JOB_SAY_READY_LEN 17u

/* Bytes of the last one. */
#define PVF__JOB_SAY_FAREWELL_LEN 1u

/* "The fence stands."  0 or the error of the pipe. */
PVF__NODISCARD int pvf__job_say_fenced(int pipe_fd, pvf_error *err);

/*
 * "All is made that can be without a candidate."  After that word, from a job that was made ahead
 * of need; what hostile code has run by then knows no candidate, and may have said it.
 */
PVF__NODISCARD int pvf__job_say_waiting(int pipe_fd, pvf_error *err);

/* Takes these two words from the job's pipe; without them, in time, it is given no candidate. */
PVF__NODISCARD int pvf__job_say_take_waiting(int pipe_fd, uint64_t deadline_ns, pvf_error *err);

/* "This machine could not fence me", with the reason; nothing follows. */
void pvf__job_say_fault(int pipe_fd, const char *text);

/* "My input is ready, and has so many bytes; so much CPU time went into it." */
PVF__NODISCARD int
pvf__job_say_ready(int pipe_fd, size_t input_len, uint64_t cpu_us, pvf_error *err);

/* What was heard so far; all zero before the first byte. */
struct pvf__job_heard {
    bool fenced;
    bool ready;
    bool nonsense;      /* neither the one nor the other */
    uint32_t input_len; /* the job's own claim, as is the next */
    uint64_t cpu_us;
    size_t used; /* bytes of the pipe that these words took */
};

/*
 * Appends the last word to a frame: "I have said all, and will end in order".  Who has sent both,
 * in one write, waits to be dismissed and ends with PVF__EXIT_OK: that takes the kernel as long as
 * a small job's work, and would hold up the worker on the same processor.
 */
void pvf__job_say_add_farewell(struct pvf__buf *frame);
void pvf__job_wait_for_dismissal(int pipe_fd);

/* `rest`, what came after the first words: is it one whole frame, the last word, and no more? */
bool pvf__job_say_is_over(struct pvf__slice rest);

/* Looks at all bytes that came through the pipe, again after each addition. */
void pvf__job_say_hear(struct pvf__slice bytes, struct pvf__job_heard *heard);

/* The reason that pvf__job_say_fault gave, or an empty slice. */
struct pvf__slice pvf__job_say_reason(struct pvf__slice bytes);

#endif
