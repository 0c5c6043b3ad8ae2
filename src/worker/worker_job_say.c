/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: the words of a job before its frame and after it, on both ends of the pipe. */
#include "worker/worker_job_say.h"

#include "base/cursor.h"
#include "base/error.h"
#include "base/fd.h"
#include "proto/frame.h"

#include <poll.h>
#include <string.h>

#define SAY_FENCED 0x01
#define SAY_FAULT 0x02
#define SAY_READY 0x03
#define SAY_WAITING 0x04
#define SAY_FAREWELL 0x05

/* A worker that takes longer is stopped, or cannot read clocks and waits for the end itself. */
#define DISMISSAL_MS 100

int pvf__job_say_fenced(int pipe_fd, pvf_error *err)
{
    static const uint8_t word = SAY_FENCED;
    return pvf__fd_write(pipe_fd, &word, 1, err);
}

int pvf__job_say_waiting(int pipe_fd, pvf_error *err)
{
    static const uint8_t word = SAY_WAITING;
    return pvf__fd_write(pipe_fd, &word, 1, err);
}

int pvf__job_say_take_waiting(int pipe_fd, uint64_t deadline_ns, pvf_error *err)
{
    uint8_t words[2];
    int status = pvf__fd_read_by(pipe_fd, words, sizeof(words), deadline_ns, err);
    if (status == 0 && (words[0] != SAY_FENCED || words[1] != SAY_WAITING)) {
        status = pvf__error_set(err, PVF_ERR_PEER, "the job is not fenced, or does not wait");
    }
    return status;
}

void pvf__job_say_fault(int pipe_fd, const char *text)
{
    uint8_t words[256] = {SAY_FAULT};
    pvf_error err = PVF_ERROR_INIT;
    size_t len = strnlen(text, sizeof(words) - 1);
    memcpy(words + 1, text, len);
    /* If the worker cannot be told, the exit without a word tells it enough. */
    (void)!pvf__fd_write(pipe_fd, words, len + 1, &err);
}

int pvf__job_say_ready(int pipe_fd, size_t input_len, uint64_t cpu_us, pvf_error *err)
{
    struct pvf__buf words PVF__CLEANUP_BUF = PVF__BUF_INIT(PVF__JOB_SAY_READY_LEN);
    (void)pvf__buf_u8(&words, SAY_READY);
    (void)pvf__buf_u64le(&words, input_len);
    (void)pvf__buf_u64le(&words, cpu_us);
    return words.failed != 0 ? words.failed : pvf__fd_write(pipe_fd, words.data, words.len, err);
}

static void hear_ready(struct pvf__slice bytes, struct pvf__job_heard *heard)
{
    struct pvf__cursor cursor;
    uint8_t word;
    uint64_t input_len;
    uint64_t cpu_us;
    pvf__cursor_init(&cursor, bytes.data, bytes.len);
    if (!pvf__cursor_u8(&cursor, &word)) {
        return;
    }
    if (word != SAY_READY) {
        heard->nonsense = true;
    } else if (pvf__cursor_u64le(&cursor, &input_len) && pvf__cursor_u64le(&cursor, &cpu_us)) {
        heard->ready = true;
        heard->input_len = input_len < UINT32_MAX ? (uint32_t)input_len : UINT32_MAX;
        heard->cpu_us = cpu_us;
        heard->used += pvf__cursor_offset(&cursor);
    }
}

void pvf__job_say_hear(struct pvf__slice bytes, struct pvf__job_heard *heard)
{
    if (!heard->fenced && bytes.len > 0 && !heard->nonsense) {
        heard->fenced = bytes.data[0] == SAY_FENCED;
        heard->nonsense = !heard->fenced;
        heard->used = heard->fenced ? 1 : 0;
    }
    if (heard->fenced && !heard->ready && !heard->nonsense && bytes.len > heard->used) {
        struct pvf__slice rest = {bytes.data + heard->used, bytes.len - heard->used};
        hear_ready(rest, heard);
    }
}

void pvf__job_say_add_farewell(struct pvf__buf *frame)
{
    (void)pvf__buf_u8(frame, SAY_FAREWELL);
}

/* The worker closes its end of the pipe, or ends. */
void pvf__job_wait_for_dismissal(int pipe_fd)
{
    struct pollfd item = {.fd = pipe_fd, .events = 0};
    (void)poll(&item, 1, DISMISSAL_MS);
}

bool pvf__job_say_is_over(struct pvf__slice rest)
{
    struct pvf__slice body;
    if (rest.len == 0 || rest.data[rest.len - 1] != SAY_FAREWELL) {
        return false;
    }
    size_t len = rest.len - PVF__JOB_SAY_FAREWELL_LEN;
    return pvf__frame_first(rest.data, len, &body, NULL) == 0 &&
           len == PVF__FRAME_HEADER + body.len;
}

struct pvf__slice pvf__job_say_reason(struct pvf__slice bytes)
{
    struct pvf__slice reason = {0};
    if (bytes.len > 1 && bytes.data[0] == SAY_FAULT) {
        reason = (struct pvf__slice){bytes.data + 1, bytes.len - 1};
    }
    return reason;
}
