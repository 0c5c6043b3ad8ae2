/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_PROTO_JOB_MSG_H
#define PVF_PROTO_JOB_MSG_H

#include "base/buf.h"
#include "base/slice.h"
#include "proto/execute_msg.h"
#include "proto/prepare_msg.h"
#include "pvf/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What a job says to its worker: one frame (proto/frame.h, pvf__frame_first), then it ends.  The
 * functions here are about the frame's body.  Ownership as in proto/prepare_msg.h.
 */

struct pvf__prepare_job_result {
    bool ok;
    struct pvf__slice artifact; /* ok, as the next two */
    struct pvf__memory_stats memory;
    uint32_t code_len;               /* bytes after decompression */
    struct pvf__prepare_error error; /* not ok */
};

struct pvf__execute_job_result {
    bool ok;
    struct pvf__job_response response; /* ok */
    struct pvf__job_error error;       /* not ok */
};

PVF__NODISCARD int pvf__prepare_job_result_decode(const uint8_t *data,
                                                  size_t len,
                                                  struct pvf__prepare_job_result *ret,
                                                  pvf_error *err);
void pvf__prepare_job_result_encode(const struct pvf__prepare_job_result *result,
                                    struct pvf__buf *buf);

PVF__NODISCARD int pvf__execute_job_result_decode(const uint8_t *data,
                                                  size_t len,
                                                  struct pvf__execute_job_result *ret,
                                                  pvf_error *err);
void pvf__execute_job_result_encode(const struct pvf__execute_job_result *result,
                                    struct pvf__buf *buf);

/*
 * The whole frame of Err(OutOfMemory), ready for a raw write from inside an allocator: header and
 * body, no code runs to make it.
 */
#define PVF__JOB_MSG_OUT_OF_MEMORY_LEN 10u
extern const uint8_t pvf__job_msg_out_of_memory[PVF__JOB_MSG_OUT_OF_MEMORY_LEN];

#endif
