/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: what happens inside an execute job.  This process runs hostile code; its worker believes
 * nothing but the frame's form, the exit status and the CPU clock.
 */
#include "execute/execute_job.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/fd.h"
#include "engine/engine_run.h"
#include "engine/engine_stack.h"
#include "execute/execute_input.h"
#include "proto/exit_codes.h"
#include "proto/frame.h"
#include "proto/job_msg.h"
#include "worker/worker_job_say.h"
#include "worker/worker_log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NS_PER_US 1000u

struct run {
    const struct pvf__execute_job *job;
    struct pvf__execute_input input;
    struct pvf__buf output;
};

/* What there is one of in a process, where jobs may find it made; all of it ends with the process.
 */
static struct {
    struct pvf__engine_module *module;
    struct pvf__engine_instance *instance; /* prepared at least */
    struct pvf__engine_outcome outcome;
    bool is_instantiated; /* tried: if there is no instance then, the outcome says why */
    uint64_t cpu_us;      /* that this took, if it was done beforehand */
} self;

/* A job without memory has no verdict: its worker must see a death, not an answer. */
static void no_memory(void)
{
    abort();
}

static void take_output(void *context, const uint8_t *data, size_t len)
{
    struct run *run = context;
    if (pvf__buf_append(&run->output, data, len) != 0) {
        no_memory();
    }
}

static void construction_failed(const pvf_error *err)
{
    self.outcome.class = PVF__ENGINE_RUNTIME_CONSTRUCTION;
    (void)snprintf(
        self.outcome.text, sizeof(self.outcome.text), "%s%s", PVF__ENGINE_CONSTRUCTION, err->text);
}

int pvf__execute_job_load(const struct pvf__executor_params *params,
                          int artifact_fd,
                          pvf_error *err)
{
    const struct pvf__engine_settings settings = {
        .native_stack_max = params->native_max,
        .bulk_memory = params->bulk_memory,
    };
    struct pvf__engine *engine;
    int status = pvf__engine_new(&settings, &engine, err);
    return status != 0
               ? status
               : pvf__engine_load_fd(engine, artifact_fd, params->ecc_rfc163, &self.module, err);
}

static void prepare(const struct pvf__executor_params *params)
{
    const struct pvf__engine_limits limits = {
        .max_pages = params->max_memory_pages,
        .max_log_level = (uint32_t)pvf__worker_log_level(getenv("RUST_LOG")),
        .no_memory = no_memory,
    };
    self.instance = pvf__engine_instance_prepare(self.module, &limits, &self.outcome);
}

static void instantiate(void)
{
    if (!pvf__engine_instance_start(self.instance, self.module, &self.outcome)) {
        pvf__engine_instance_delete(self.instance);
        self.instance = NULL;
    }
    self.is_instantiated = true;
}

void pvf__execute_job_prepare(const struct pvf__executor_params *params)
{
    prepare(params);
    if (self.instance != NULL) {
        pvf__engine_instance_warm_thread(self.instance);
    }
}

void pvf__execute_job_instantiate(bool in_huge_pages)
{
    if (self.instance == NULL) {
        /* What its maker lacked the job may have when it needs it. */
        return;
    }
    uint64_t before = pvf__clock_process_cpu_ns();
    instantiate();
    self.cpu_us = (pvf__clock_process_cpu_ns() - before) / NS_PER_US;
    if (self.instance != NULL) {
        pvf__engine_instance_warm_up(self.instance, self.module);
        if (in_huge_pages) {
            pvf__engine_module_touch(self.module);
        }
    }
}

static void run_guest(void *context)
{
    struct run *run = context;
    const struct pvf__executor_params *params = run->job->params;
    const struct pvf__engine_input input = {.parts = run->input.parts,
                                            .count = PVF__EXECUTE_INPUT_PARTS};
    pvf_error err = PVF_ERROR_INIT;
    if (self.module == NULL && pvf__execute_job_load(params, run->job->artifact_fd, &err) != 0) {
        construction_failed(&err);
        return;
    }
    if (!self.is_instantiated && self.instance == NULL) {
        prepare(params);
    }
    if (!self.is_instantiated && self.instance != NULL) {
        instantiate();
    }
    if (self.instance != NULL) {
        pvf__engine_instance_call(self.instance, &input, take_output, run, &self.outcome);
    }
    /* Nothing is torn down: the process ends, which is the fastest way to free all of it. */
}

/* Turns the outcome into the answer; `text` holds its words. */
static void
judge(const struct run *run, char *text, size_t size, struct pvf__execute_job_result *ret)
{
    struct pvf__validation_result result;
    pvf_error err = PVF_ERROR_INIT;
    *ret = (struct pvf__execute_job_result){.ok = true};
    if (self.outcome.class != PVF__ENGINE_OK) {
        ret->response.kind = self.outcome.class == PVF__ENGINE_RUNTIME_CONSTRUCTION
                                 ? PVF__JOB_RESPONSE_RUNTIME_CONSTRUCTION
                                 : PVF__JOB_RESPONSE_INVALID_CANDIDATE;
        (void)snprintf(text, size, "execute: %s", self.outcome.text);
    } else if (pvf__validation_result_decode(run->output.data, run->output.len, &result, &err) !=
               0) {
        ret->response.kind = PVF__JOB_RESPONSE_INVALID_CANDIDATE;
        (void)snprintf(text, size, "validation result decoding failed: %s", err.text);
    } else {
        ret->response.kind = PVF__JOB_RESPONSE_OK;
        ret->response.result = result.raw;
    }
    ret->response.text = pvf__slice_text(text);
}

/* CPU time of this process in microseconds that does not count as the candidate's. */
static uint64_t uncounted_us(void)
{
    return pvf__clock_process_cpu_ns() / NS_PER_US - self.cpu_us;
}

/* A PoV that gives no input.  Only damage that is in the bytes themselves is a verdict. */
static void refuse_pov(int status, const pvf_error *err, struct pvf__execute_job_result *ret)
{
    if (status == PVF_ERR_NO_MEMORY) {
        no_memory();
    }
    if (status == PVF_ERR_MALFORMED || status == PVF_ERR_LIMIT) {
        *ret = (struct pvf__execute_job_result){
            .ok = true, .response = {.kind = PVF__JOB_RESPONSE_POV_DECOMPRESSION_FAILURE}};
    } else {
        *ret = (struct pvf__execute_job_result){
            .error = {.kind = PVF__JOB_ERROR_PANIC, .text = pvf__slice_text(err->text)}};
    }
}

static void call(struct run *run, char *text, size_t size, struct pvf__execute_job_result *ret)
{
    static pvf_error err;
    size_t stack = pvf__engine_stack_size(run->job->params->native_max);
    if (run->job->has_big_stack) {
        run_guest(run);
        judge(run, text, size, ret);
    } else if (pvf__engine_on_big_stack(run_guest, run, stack, &err) != 0) {
        *ret = (struct pvf__execute_job_result){
            .error = {.kind = PVF__JOB_ERROR_COULD_NOT_SPAWN_THREAD,
                      .text = pvf__slice_text(err.text)}};
    } else {
        judge(run, text, size, ret);
    }
}

static int send(const struct pvf__execute_job_result *result, int pipe_fd)
{
    struct pvf__buf frame = PVF__BUF_INIT(PVF__FRAME_MAX_EXECUTE_JOB + PVF__JOB_SAY_FAREWELL_LEN);
    pvf_error err = PVF_ERROR_INIT;
    size_t start;
    pvf__frame_begin(&frame, &start);
    pvf__execute_job_result_encode(result, &frame);
    pvf__frame_end(&frame, start);
    if (result->ok) {
        pvf__job_say_add_farewell(&frame);
        /* The worker reads it next. */
        pvf__clock_settle_process_cpu();
    }
    if (frame.failed != 0 || pvf__fd_write(pipe_fd, frame.data, frame.len, &err) != 0) {
        return PVF__EXIT_ORDERLY;
    }
    if (!result->ok) {
        return PVF__EXIT_ORDERLY;
    }
    pvf__job_wait_for_dismissal(pipe_fd);
    return PVF__EXIT_OK;
}

int pvf__execute_job_run(const struct pvf__execute_job *job, int pipe_fd)
{
    /* Large: kept off the stack. */
    static struct run run;
    static char text[sizeof(self.outcome.text) + 64];
    struct pvf__execute_job_result result;
    pvf_error err = PVF_ERROR_INIT;
    run.job = job;
    pvf__buf_init(&run.output, SIZE_MAX);
    int status = pvf__execute_input_make(job->request, &run.input, &err);
    /* From here on the candidate's time counts. */
    if (pvf__job_say_ready(pipe_fd, run.input.pov_len, uncounted_us(), &err) != 0) {
        return PVF__EXIT_ORDERLY;
    }
    if (status != 0) {
        refuse_pov(status, &err, &result);
    } else {
        call(&run, text, sizeof(text), &result);
    }
    return send(&result, pipe_fd);
}
