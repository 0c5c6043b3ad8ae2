/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_HOST_OUTCOME_H
#define PVF_HOST_OUTCOME_H

#include "base/cleanup.h"
#include "base/slice.h"
#include "proto/execute_msg.h"
#include "pvf/error.h"
#include "pvf/outcome.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Every way in which an execution can end; one row each in the table of outcome.c. */
enum pvf__event {
    /* Seen by the host. */
    PVF__EVENT_SPAWN_FAILED,
    PVF__EVENT_LINK_FAILED,
    PVF__EVENT_NOT_SENT,
    PVF__EVENT_EXPIRED,
    PVF__EVENT_STALLED,
    PVF__EVENT_LOST,
    PVF__EVENT_NOT_READ,
    PVF__EVENT_UNDECODABLE,
    PVF__EVENT_CPU_OVER,
    PVF__EVENT_SELF_TEST_FAILED,
    PVF__EVENT_PREPARE_FAILED,
    PVF__EVENT_CODE_REFUSED, /* the same, and by the code's own fault */
    PVF__EVENT_OVERDUE,
    PVF__EVENT_CANCELLED,
    /* Said by the worker. */
    PVF__EVENT_OK,
    PVF__EVENT_INVALID_CANDIDATE,
    PVF__EVENT_POV_DECOMPRESSION,
    PVF__EVENT_RUNTIME_CONSTRUCTION,
    PVF__EVENT_CORRUPTED_ARTIFACT,
    PVF__EVENT_JOB_TIMED_OUT,
    PVF__EVENT_JOB_DIED,
    PVF__EVENT_JOB_ERROR,
    PVF__EVENT_INTERNAL_HOST,
    PVF__EVENT_INTERNAL_LINK,
    PVF__EVENT_INTERNAL_OPEN,
    PVF__EVENT_INTERNAL_PIPE,
    PVF__EVENT_INTERNAL_CLEAR,
    PVF__EVENT_INTERNAL_KERNEL,
    PVF__EVENT_INTERNAL_PREPARE,
};

/* What an answer amounts to; more than `cpu_limit` used turns any JobResponse into CPU_OVER. */
enum pvf__event pvf__outcome_event(const struct pvf__execute_answer *answer,
                                   struct pvf__duration cpu_limit);

/* Does the worker live on after this? */
bool pvf__outcome_keeps_worker(enum pvf__event event);

/* Fills verdict, reason, flags and text; `detail` comes after our own words.  The rest is zero. */
void pvf__outcome_set(enum pvf__event event, struct pvf__slice detail, pvf_outcome *ret);

/*
 * Fills the outcome from an answer, with a copy of the result.  PVF_ERR_NO_MEMORY, or 0; either
 * way ret is the caller's to release.
 */
PVF__NODISCARD int pvf__outcome_from_answer(const struct pvf__execute_answer *answer,
                                            enum pvf__event event,
                                            pvf_outcome *ret,
                                            pvf_error *err);

/*
 * "words: detail" as one line in `out`, always terminated: control characters of the detail become
 * blanks and a character that does not fit is left out whole.
 */
void pvf__outcome_line(const char *words, struct pvf__slice detail, char *out, size_t size);

#endif
