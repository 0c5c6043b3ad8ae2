/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_PROTO_EXECUTE_MSG_H
#define PVF_PROTO_EXECUTE_MSG_H

#include "base/buf.h"
#include "base/cursor.h"
#include "base/slice.h"
#include "proto/duration.h"
#include "proto/prepare_msg.h"
#include "proto/validation.h"
#include "pvf/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Messages of the execute worker; ownership and trailing bytes as in proto/prepare_msg.h.  The
 * second handshake is a plain list of executor parameters (proto/executor_params.h).
 */

enum pvf__descriptor_version {
    PVF__DESCRIPTOR_V1 = 0,
    PVF__DESCRIPTOR_V2 = 1,
    PVF__DESCRIPTOR_V3 = 2,
    PVF__DESCRIPTOR_UNKNOWN = 3, /* one more byte: what the descriptor said */
};

struct pvf__execute_request {
    struct pvf__persisted_validation_data pvd;
    struct pvf__slice pov;         /* block data, perhaps compressed */
    struct pvf__duration timeout;  /* CPU time */
    uint8_t artifact_checksum[32]; /* as the prepare worker answered */
    uint8_t relay_parent[32];
    uint8_t scheduling_parent[32];
    enum pvf__descriptor_version descriptor_version;
    uint8_t descriptor_unknown; /* DESCRIPTOR_UNKNOWN */
};

/* Variants of JobResponse: after all of them the worker stays usable. */
enum pvf__job_response_kind {
    PVF__JOB_RESPONSE_OK = 0,
    PVF__JOB_RESPONSE_RUNTIME_CONSTRUCTION = 1,
    PVF__JOB_RESPONSE_INVALID_CANDIDATE = 2,
    PVF__JOB_RESPONSE_POV_DECOMPRESSION_FAILURE = 3, /* only a worker says so */
    PVF__JOB_RESPONSE_CORRUPTED_ARTIFACT = 4,        /* only a worker says so */
};

struct pvf__job_response {
    enum pvf__job_response_kind kind;
    struct pvf__slice result; /* OK: an encoded ValidationResult, checked when decoded */
    struct pvf__slice text;   /* RUNTIME_CONSTRUCTION, INVALID_CANDIDATE */
};

enum pvf__job_error_kind {
    PVF__JOB_ERROR_TIMED_OUT = 0,
    PVF__JOB_ERROR_PANIC = 1,
    PVF__JOB_ERROR_KERNEL = 2,
    PVF__JOB_ERROR_COULD_NOT_SPAWN_THREAD = 3,
    PVF__JOB_ERROR_CPU_TIME_MONITOR_THREAD = 4,
    PVF__JOB_ERROR_UNEXPECTED_EXIT_STATUS = 5, /* made by the worker */
};

struct pvf__job_error {
    enum pvf__job_error_kind kind;
    struct pvf__slice text; /* PANIC to CPU_TIME_MONITOR_THREAD */
    int32_t exit_status;    /* UNEXPECTED_EXIT_STATUS */
};

enum pvf__internal_error_kind {
    PVF__INTERNAL_HOST_COMMUNICATION = 0,
    PVF__INTERNAL_COULD_NOT_CREATE_LINK = 1,
    PVF__INTERNAL_COULD_NOT_OPEN_FILE = 2,
    PVF__INTERNAL_COULD_NOT_CREATE_PIPE = 3,
    PVF__INTERNAL_COULD_NOT_CLEAR_WORKER_DIR = 4,
    PVF__INTERNAL_KERNEL = 5,
    PVF__INTERNAL_NON_DETERMINISTIC_PREPARE = 6,
};

struct pvf__internal_error {
    enum pvf__internal_error_kind kind;
    struct pvf__slice text; /* every kind but the last */
    bool has_path;          /* COULD_NOT_CLEAR_WORKER_DIR */
    struct pvf__slice path;
    struct pvf__prepare_error prepare; /* NON_DETERMINISTIC_PREPARE */
};

enum pvf__worker_error_kind {
    PVF__WORKER_ERROR_JOB_TIMED_OUT = 0,
    PVF__WORKER_ERROR_JOB_DIED = 1,
    PVF__WORKER_ERROR_JOB_ERROR = 2,
    PVF__WORKER_ERROR_INTERNAL = 3,
};

/* After any of these the host ends the worker. */
struct pvf__worker_error {
    enum pvf__worker_error_kind kind;
    struct pvf__slice died_text; /* JOB_DIED, as is job_pid */
    int32_t job_pid;
    struct pvf__job_error job;           /* JOB_ERROR */
    struct pvf__internal_error internal; /* INTERNAL */
};

struct pvf__execute_answer {
    bool ok;
    struct pvf__job_response response; /* ok, as the next two */
    struct pvf__duration duration;     /* CPU time of the job */
    uint32_t pov_size;                 /* bytes after decompression */
    struct pvf__worker_error error;    /* not ok */
};

PVF__NODISCARD int pvf__execute_request_decode(const uint8_t *data,
                                               size_t len,
                                               struct pvf__execute_request *ret,
                                               pvf_error *err);
void pvf__execute_request_encode(const struct pvf__execute_request *request, struct pvf__buf *buf);

/* The same in parts: what is before the bytes of the PoV, and what is after them. */
void pvf__execute_request_put_front(struct pvf__buf *buf,
                                    const struct pvf__execute_request *request);
void pvf__execute_request_put_back(struct pvf__buf *buf,
                                   const struct pvf__execute_request *request);

PVF__NODISCARD int pvf__execute_answer_decode(const uint8_t *data,
                                              size_t len,
                                              struct pvf__execute_answer *ret,
                                              pvf_error *err);
void pvf__execute_answer_encode(const struct pvf__execute_answer *answer, struct pvf__buf *buf);

/* Parts that the job's pipe has too (proto/job_msg.h). */
PVF__NODISCARD bool pvf__job_response_get(struct pvf__cursor *cursor,
                                          struct pvf__job_response *ret);
void pvf__job_response_put(struct pvf__buf *buf, const struct pvf__job_response *response);
PVF__NODISCARD bool pvf__job_error_get(struct pvf__cursor *cursor, struct pvf__job_error *ret);
void pvf__job_error_put(struct pvf__buf *buf, const struct pvf__job_error *error);

/* Names as the reference spells the variants; never NULL. */
const char *pvf__job_response_name(enum pvf__job_response_kind kind);
const char *pvf__job_error_name(enum pvf__job_error_kind kind);
const char *pvf__internal_error_name(enum pvf__internal_error_kind kind);
const char *pvf__worker_error_name(enum pvf__worker_error_kind kind);

/* What the errors say, for a person: one line, cut at `size`, always terminated. */
void pvf__job_error_text(const struct pvf__job_error *error, char *out, size_t size);
void pvf__internal_error_text(const struct pvf__internal_error *error, char *out, size_t size);

#endif
