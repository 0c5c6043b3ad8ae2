/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: a worker that a test talks to itself, frame by frame. */
#include "support/test.h"

#include "faults/kept.h"

#include "base/clock.h"
#include "base/fd.h"
#include "faults/bench.h"
#include "hash/hash.h"
#include "proto/execute_msg.h"
#include "proto/frame.h"
#include "proto/prepare_msg.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Only a worker that hangs meets it. */
static uint64_t far_away(void)
{
    return pvf__clock_monotonic_ns() + UINT64_C(300000000000);
}

static void start(struct kept *kept,
                  enum pvf__worker_kind kind,
                  const char *program,
                  const pvf_host *host,
                  const struct pvf__executor_params *params)
{
    pvf_security_status security;
    pvf_error err = PVF_ERROR_INIT;
    kept->worker = (struct pvf__host_worker){.alive = false};
    pvf__buf_init(&kept->answer, PVF__FRAME_MAX_EXECUTE_ANSWER);
    pvf_host_security(host, &security);
    if (pvf__program_open(program, &kept->program, &err) != 0) {
        fail_msg("%s", err.text);
    }
    const struct pvf__spawn_spec spec = {
        .program = &kept->program,
        .kind = kind,
        .cache_dir = bench.cache,
        .timeout_ms = 20000,
        .quiet = true,
    };
    if (pvf__host_worker_start(&kept->worker, &spec, &security, params, &err) != 0) {
        fail_msg("%s", err.text);
    }
}

static void path_in_folder(const struct kept *kept, const char *name, char out[PATH_MAX + 32])
{
    (void)snprintf(out, PATH_MAX + 32, "%s/%s", kept->worker.spawned.dir, name);
}

void kept_start_execute(struct kept *kept,
                        const char *program,
                        const pvf_host *host,
                        const pvf_prepare_outcome *prepared)
{
    char path[PATH_MAX + 32];
    struct pvf__executor_params params;
    pvf__executor_params_init(&params);
    start(kept, PVF__WORKER_KIND_EXECUTE, program, host, &params);
    path_in_folder(kept, "artifact", path);
    assert_int_equal(link(prepared->artifact_path, path), 0);
}

void kept_start_prepare(struct kept *kept, const char *program, const pvf_host *host)
{
    char path[PATH_MAX + 32];
    start(kept, PVF__WORKER_KIND_PREPARE, program, host, NULL);
    path_in_folder(kept, "tmp-artifact", path);
    assert_int_equal(pvf__fd_write_file(path, 0600, "", 0, NULL), 0);
}

void kept_end(struct kept *kept)
{
    pvf__host_worker_end(&kept->worker);
    pvf__program_close(&kept->program);
    pvf__buf_done(&kept->answer);
}

static void send_request(struct kept *kept, struct pvf__buf *request)
{
    pvf_error err = PVF_ERROR_INIT;
    int socket = kept->worker.spawned.socket;
    assert_int_equal(request->failed, 0);
    if (pvf__frame_send(socket, request->data, request->len, far_away(), &err) != 0) {
        fail_msg("%s", err.text);
    }
    pvf__buf_done(request);
}

void kept_send_execute(struct kept *kept,
                       const pvf_prepare_outcome *prepared,
                       uint64_t rounds,
                       uint64_t timeout_ms)
{
    struct pvf__buf request = PVF__BUF_INIT(4096);
    struct bench_block block = bench_block_of(rounds);
    struct pvf__execute_request wire = {
        .pov = {block.bytes, sizeof(block.bytes)},
        .timeout = pvf__duration_from_ms(timeout_ms),
    };
    memcpy(wire.artifact_checksum, prepared->checksum, 32);
    pvf__execute_request_encode(&wire, &request);
    send_request(kept, &request);
}

void kept_send_prepare(struct kept *kept, const struct pvf__buf *code, uint64_t timeout_ms)
{
    struct pvf__buf request = PVF__BUF_INIT((size_t)32 << 20);
    struct pvf__prepare_request wire = {
        .code = {code->data, code->len},
        .bomb_limit = 1u << 20,
        .prep_timeout = pvf__duration_from_ms(timeout_ms),
    };
    pvf__executor_params_init(&wire.params);
    pvf__hash_blake2b_256(code->data, code->len, wire.code_hash);
    pvf__prepare_request_encode(&wire, &request);
    send_request(kept, &request);
}

void kept_receive(struct kept *kept)
{
    pvf_error err = PVF_ERROR_INIT;
    if (pvf__frame_recv(kept->worker.spawned.socket,
                        PVF__FRAME_MAX_EXECUTE_ANSWER,
                        far_away(),
                        &kept->answer,
                        &err) != 0) {
        fail_msg("%s", err.text);
    }
}

pid_t kept_job(const struct kept *kept)
{
    uint64_t deadline = far_away();
    for (;;) {
        pid_t job = bench_job(kept->worker.spawned.process.pid);
        if (job != 0) {
            return job;
        }
        assert_true(pvf__clock_monotonic_ns() < deadline);
        (void)usleep(2000);
    }
}
