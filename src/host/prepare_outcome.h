/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_HOST_PREPARE_OUTCOME_H
#define PVF_HOST_PREPARE_OUTCOME_H

#include "base/slice.h"
#include "proto/duration.h"
#include "proto/prepare_msg.h"
#include "pvf/outcome.h"

#include <stdbool.h>

/* Every way in which a preparation can end; one row each in the table of prepare_outcome.c. */
enum pvf__prepare_event {
    /* Seen by the host. */
    PVF__PREPARE_EVENT_TMP_FILE_FAILED,
    PVF__PREPARE_EVENT_NOT_SENT,
    PVF__PREPARE_EVENT_EXPIRED,
    PVF__PREPARE_EVENT_STALLED,
    PVF__PREPARE_EVENT_LOST,
    PVF__PREPARE_EVENT_NOT_READ,
    PVF__PREPARE_EVENT_UNDECODABLE,
    PVF__PREPARE_EVENT_CPU_OVER,
    PVF__PREPARE_EVENT_NO_PLAIN_FILE,
    PVF__PREPARE_EVENT_RENAME_FAILED,
    /* Said by the worker. */
    PVF__PREPARE_EVENT_OK,
    PVF__PREPARE_EVENT_PREVALIDATION,
    PVF__PREPARE_EVENT_PREPARATION,
    PVF__PREPARE_EVENT_RUNTIME_CONSTRUCTION,
    PVF__PREPARE_EVENT_JOB_ERROR,
    PVF__PREPARE_EVENT_TIMED_OUT,
    PVF__PREPARE_EVENT_IO_ERR,
    PVF__PREPARE_EVENT_CREATE_TMP_FILE,
    PVF__PREPARE_EVENT_RENAME_TMP_FILE,
    PVF__PREPARE_EVENT_OUT_OF_MEMORY,
    PVF__PREPARE_EVENT_CLEAR_WORKER_DIR,
    PVF__PREPARE_EVENT_JOB_DIED,
    PVF__PREPARE_EVENT_KERNEL,
    PVF__PREPARE_EVENT_COULD_NOT_DECOMPRESS,
};

/* What an answer amounts to; more than `cpu_limit` used turns success into CPU_OVER. */
enum pvf__prepare_event pvf__prepare_outcome_event(const struct pvf__prepare_answer *answer,
                                                   struct pvf__duration cpu_limit);

/* Does the worker live on after this? */
bool pvf__prepare_outcome_keeps_worker(enum pvf__prepare_event event);

/* Has a job or a worker died? */
bool pvf__prepare_outcome_is_death(enum pvf__prepare_event event);

/*
 * Fills success, or error, name and text, with `detail` after our own words; the rest stays.  False
 * for the one event that concludes nothing: the request did not reach a worker.
 */
bool pvf__prepare_outcome_set(enum pvf__prepare_event event,
                              struct pvf__slice detail,
                              pvf_prepare_outcome *ret);

#endif
