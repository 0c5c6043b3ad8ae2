/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_HOST_HOST_JOB_H
#define PVF_HOST_HOST_JOB_H

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/slice.h"
#include "host/host_message.h"
#include "host/host_state.h"
#include "host/host_worker.h"
#include "host/outcome.h"
#include "host/prepare_outcome.h"
#include "host/spawn.h"
#include "proto/duration.h"
#include "proto/executor_params.h"
#include "proto/prepare_msg.h"
#include "pvf/error.h"
#include "pvf/host.h"
#include "pvf/outcome.h"

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The steps of a job that wait for nobody: what goes out, what is put into a worker's folder, and
 * what an answer means.  Whoever carries the bytes, and waits, uses these.
 */

/* How the host starts its workers; points into the host. */
void pvf__host_spawn_spec(const struct pvf_host *host,
                          enum pvf__worker_kind kind,
                          struct pvf__spawn_spec *ret);

/* ---- Preparation ---- */

/* Bytes of a request besides its code and parameters are fewer. */
#define PVF__HOST_PREPARE_EXTRA 128u

/* The request; the hashes that identify the artifact go to `outcome`. */
PVF__NODISCARD int pvf__host_prepare_request(const struct pvf_host *host,
                                             const pvf_prepare_request *request,
                                             const struct pvf__executor_params *params,
                                             struct pvf__duration timeout,
                                             pvf_prepare_outcome *outcome,
                                             struct pvf__host_message *ret,
                                             pvf_error *err);

/* Where a worker puts what it made, in its folder. */
#define PVF__HOST_TMP_ARTIFACT "tmp-artifact"
#define PVF__HOST_FIRST_TIER "first-tier"

/* The path of one of them; of a folder that was long enough for the worker's start. */
void pvf__host_prepare_path(const char *folder, const char *name, char out[PATH_MAX]);

/* The empty file that the worker fills; it may not be able to make one itself. */
PVF__NODISCARD int pvf__host_prepare_tmp_file(const char *folder,
                                              const char *name,
                                              char out[PATH_MAX],
                                              pvf_error *err);

/*
 * Reads an answer and moves a good artifact from `tmp_path` into the host's folder.  What the
 * worker says in words goes to *ret_detail, which points into the body; what we say goes to `err`.
 * All that it measured goes to *ret_stats when the artifact is good (NULL: nobody wants that).
 */
PVF__NODISCARD enum pvf__prepare_event
pvf__host_prepare_answer(const struct pvf_host *host,
                         const struct pvf__buf *body,
                         const char *tmp_path,
                         struct pvf__duration timeout,
                         pvf_prepare_outcome *ret,
                         struct pvf__prepare_stats *ret_stats,
                         struct pvf__slice *ret_detail,
                         pvf_error *err);

/* What a request without an answer amounts to; an answer decides for itself. */
enum pvf__prepare_event pvf__host_prepare_event(enum pvf__exchange_end end);

/* ---- Execution ---- */

/* Bytes of a request besides its head and PoV are fewer. */
#define PVF__HOST_EXECUTE_EXTRA 256u

/* The request. */
PVF__NODISCARD int pvf__host_execute_request(const struct pvf_host *host,
                                             const pvf_execute_request *request,
                                             const struct pvf__executor_params *params,
                                             struct pvf__duration timeout,
                                             struct pvf__host_message *ret,
                                             pvf_error *err);

/*
 * Gives the artifact to a worker with this folder: on the plain wire as a hard link in there, since
 * the worker's root may hide the rest, and where none can be made as a copy; on the upgraded one
 * as a descriptor in the message.
 */
PVF__NODISCARD int pvf__host_give_artifact(const struct pvf_host *host,
                                           const char *from,
                                           const char *folder,
                                           struct pvf__host_message *message,
                                           pvf_error *err);

/* What a request without an answer amounts to; an answer decides for itself. */
enum pvf__event pvf__host_execute_event(enum pvf__exchange_end end);

/* Reads an answer into the outcome; its event decides about the worker. */
PVF__NODISCARD int pvf__host_execute_answer(const struct pvf__buf *body,
                                            struct pvf__duration timeout,
                                            pvf_outcome *ret,
                                            enum pvf__event *ret_event,
                                            pvf_error *err);

/* ---- After a death ---- */

/*
 * Is the file still what was prepared?  Read anew, since what died may have changed it.  Changes
 * the outcome when it is not, or cannot be read.
 */
void pvf__host_verify_artifact(const char *path, const uint8_t checksum[32], pvf_outcome *outcome);

/* Another event instead of the one that was found; what was measured stays. */
void pvf__host_replace_outcome(enum pvf__event event, const char *why, pvf_outcome *outcome);

#endif
