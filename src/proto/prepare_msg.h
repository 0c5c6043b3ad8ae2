/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_PROTO_PREPARE_MSG_H
#define PVF_PROTO_PREPARE_MSG_H

#include "base/buf.h"
#include "base/cursor.h"
#include "base/slice.h"
#include "proto/duration.h"
#include "proto/executor_params.h"
#include "pvf/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Messages of the prepare worker.  Decoded slices point into the message's bytes, which must live
 * as long; nothing is allocated.  Bytes after the one value of a message are ignored.  Encoders
 * append to a buffer; look at its `failed`.
 */

enum pvf__prep_kind {
    PVF__PREP_COMPILATION = 0,
    PVF__PREP_PRECHECKING = 1, /* also constructs the runtime from the artifact once */
};

struct pvf__prepare_request {
    struct pvf__slice code; /* perhaps compressed */
    uint32_t bomb_limit;    /* bytes after decompression; counts only for compressed code */
    uint8_t code_hash[32];  /* BLAKE2b-256 of `code`; the worker need not look */
    struct pvf__executor_params params;
    struct pvf__duration prep_timeout; /* CPU time */
    enum pvf__prep_kind kind;
};

/* Variants of PrepareError, by SCALE index. */
enum pvf__prepare_error_kind {
    PVF__PREPARE_PREVALIDATION = 0,
    PVF__PREPARE_PREPARATION = 1,
    PVF__PREPARE_RUNTIME_CONSTRUCTION = 2,
    PVF__PREPARE_JOB_ERROR = 3,
    PVF__PREPARE_TIMED_OUT = 4,
    PVF__PREPARE_IO_ERR = 5,
    PVF__PREPARE_CREATE_TMP_FILE = 6,
    PVF__PREPARE_RENAME_TMP_FILE = 7,
    PVF__PREPARE_OUT_OF_MEMORY = 8,
    PVF__PREPARE_CLEAR_WORKER_DIR = 9,
    PVF__PREPARE_JOB_DIED = 10,
    PVF__PREPARE_KERNEL = 11,
    PVF__PREPARE_COULD_NOT_DECOMPRESS = 12,
};
#define PVF__PREPARE_ERROR_COUNT 13u

struct pvf__prepare_error {
    enum pvf__prepare_error_kind kind;
    struct pvf__slice text; /* every kind but TIMED_OUT and OUT_OF_MEMORY */
    bool has_src;           /* RENAME_TMP_FILE */
    bool has_dest;
    struct pvf__slice src;
    struct pvf__slice dest;
    int32_t job_pid; /* JOB_DIED */
};

struct pvf__memory_stats {
    bool has_tracker;
    uint64_t resident; /* bytes, as is allocated */
    uint64_t allocated;
    bool has_max_rss;
    int64_t max_rss; /* KiB */
    uint64_t peak_tracked_alloc;
};

struct pvf__prepare_stats {
    struct pvf__duration cpu_time;
    struct pvf__memory_stats memory;
    uint32_t code_len; /* bytes after decompression */
};

struct pvf__prepare_answer {
    bool ok;
    uint8_t checksum[32]; /* ok: of the artifact that was written */
    struct pvf__prepare_stats stats;
    struct pvf__prepare_error error; /* not ok */
};

PVF__NODISCARD int pvf__prepare_request_decode(const uint8_t *data,
                                               size_t len,
                                               struct pvf__prepare_request *ret,
                                               pvf_error *err);
void pvf__prepare_request_encode(const struct pvf__prepare_request *request, struct pvf__buf *buf);

/* The same in parts: what is before the bytes of the code, and what is after them. */
void pvf__prepare_request_put_front(struct pvf__buf *buf,
                                    const struct pvf__prepare_request *request);
void pvf__prepare_request_put_back(struct pvf__buf *buf,
                                   const struct pvf__prepare_request *request);

PVF__NODISCARD int pvf__prepare_answer_decode(const uint8_t *data,
                                              size_t len,
                                              struct pvf__prepare_answer *ret,
                                              pvf_error *err);
void pvf__prepare_answer_encode(const struct pvf__prepare_answer *answer, struct pvf__buf *buf);

/* Parts that other messages have too. */
PVF__NODISCARD bool pvf__prepare_error_get(struct pvf__cursor *cursor,
                                           struct pvf__prepare_error *ret);
void pvf__prepare_error_put(struct pvf__buf *buf, const struct pvf__prepare_error *error);
PVF__NODISCARD bool pvf__memory_stats_get(struct pvf__cursor *cursor,
                                          struct pvf__memory_stats *ret);
void pvf__memory_stats_put(struct pvf__buf *buf, const struct pvf__memory_stats *stats);

/* True for what only the code decides, so that trying again is useless. */
bool pvf__prepare_error_is_deterministic(enum pvf__prepare_error_kind kind);

/* The variant's name as the reference spells it, such as "JobDied"; never NULL. */
const char *pvf__prepare_error_name(enum pvf__prepare_error_kind kind);

/* What the error says, for a person: one line, cut at `size`, always terminated. */
void pvf__prepare_error_text(const struct pvf__prepare_error *error, char *out, size_t size);

#endif
