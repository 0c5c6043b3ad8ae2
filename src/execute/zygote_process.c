/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: the process from which the jobs of one artifact are made, up to where each waits for its
 * candidate.  It maps what hostile code shaped, so its worker believes none of its bytes; it runs
 * no guest code.
 */
#include "execute/zygote_process.h"

#include "base/error.h"
#include "base/fd.h"
#include "engine/engine_pages.h"
#include "engine/engine_stack.h"
#include "execute/execute_job.h"
#include "execute/zygote_wire.h"
#include "proto/execute_msg.h"
#include "proto/exit_codes.h"
#include "sandbox/sandbox_clone.h"
#include "worker/worker_job_make.h"
#include "worker/worker_job_say.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

/*
 * The engine keeps a descriptor of the artifact, from which an instance maps its first memory.  It
 * says nobody which, so it is the one that is open now and not known; -1: there is none.
 */
static bool find_mapped(const struct pvf__zygote_spec *spec, int *ret)
{
    struct rlimit limit;
    *ret = -1;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
        return false;
    }
    for (int fd = STDERR_FILENO + 1; fd < (int)limit.rlim_cur; fd++) {
        if (fd == spec->wire || fd == spec->sandbox->null_fd || fcntl(fd, F_GETFD) < 0) {
            continue;
        }
        if (*ret >= 0) {
            return false;
        }
        *ret = fd;
    }
    return true;
}

/* The request's body; the job ends when it will never come. */
static struct pvf__slice wait_for_input(const int fds[PVF__ZYGOTE_ORDER])
{
    struct pvf__zygote_offer offer;
    uint64_t len;
    if (pvf__fd_read(fds[PVF__ZYGOTE_ANNOUNCE], offer.len, sizeof(offer.len), NULL) != 0 ||
        pvf__fd_read(fds[PVF__ZYGOTE_ANNOUNCE], &offer.taken, sizeof(offer.taken), NULL) != 0) {
        _exit(PVF__EXIT_OK);
    }
    memcpy(&len, offer.len, sizeof(len));
    void *data = mmap(NULL, len, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fds[PVF__ZYGOTE_INPUT], 0);
    if (data == MAP_FAILED) {
        abort();
    }
    (void)close(fds[PVF__ZYGOTE_ANNOUNCE]);
    (void)close(fds[PVF__ZYGOTE_INPUT]);
    return (struct pvf__slice){data, len};
}

__attribute__((noreturn)) static void be_job(const struct pvf__zygote_spec *spec,
                                             const int fds[PVF__ZYGOTE_ORDER],
                                             int mapped_fd,
                                             bool in_huge_pages)
{
    const struct pvf__sandbox_job_limits limits = {
        .cpu_s = PVF__ZYGOTE_BACKSTOP_S, .data_bytes = spec->data_max, .keeps_group = true};
    const struct pvf__sandbox_job_files files = {
        .pipe_fd = fds[PVF__ZYGOTE_PIPE],
        .data_fd = fds[PVF__ZYGOTE_INPUT],
        .input_fd = fds[PVF__ZYGOTE_ANNOUNCE],
        .mapped_fd = mapped_fd,
    };
    struct pvf__execute_request request;
    if (pvf__zygote_wire_hello(spec->wire, NULL) != 0) {
        _exit(PVF__EXIT_ORDERLY);
    }
    (void)prctl(PR_SET_NAME, "pvf-execute-job");
    pvf__job_begin(spec->sandbox, &limits, &files);
    pvf__execute_job_instantiate(in_huge_pages);
    if (pvf__job_say_waiting(fds[PVF__ZYGOTE_PIPE], NULL) != 0) {
        _exit(PVF__EXIT_ORDERLY);
    }
    struct pvf__slice body = wait_for_input(fds);
    if (pvf__execute_request_decode(body.data, body.len, &request, NULL) != 0) {
        /* The worker has decoded the same bytes. */
        abort();
    }
    const struct pvf__execute_job job = {
        .params = spec->params, .request = &request, .artifact_fd = -1, .has_big_stack = true};
    _exit(pvf__execute_job_run(&job, fds[PVF__ZYGOTE_PIPE]));
}

/* As long as no job is asked for, something is done for those to come. */
static bool take_order(int wire, struct pvf__engine_pages *pages, int ret_fds[PVF__ZYGOTE_ORDER])
{
    struct pollfd item = {.fd = wire, .events = POLLIN};
    while (poll(&item, 1, 0) == 0 && pvf__engine_pages_step(pages)) {
        /* Each step takes about a millisecond. */
    }
    return pvf__zygote_wire_take(wire, ret_fds);
}

/* In a thread whose stack is large enough for a guest: so each job has such a one from birth. */
static void make_jobs(void *context)
{
    const struct pvf__zygote_spec *spec = context;
    const uint64_t namespaces = pvf__sandbox_zygote_job_namespaces();
    int fds[PVF__ZYGOTE_ORDER];
    int mapped_fd;
    struct pvf__engine_pages pages;
    pvf__engine_pages_open(spec->artifact_fd, &pages);
    if (pvf__execute_job_load(spec->params, spec->artifact_fd, NULL) != 0 ||
        close(spec->artifact_fd) != 0 || !find_mapped(spec, &mapped_fd)) {
        _exit(PVF__EXIT_ORDERLY);
    }
    pvf__execute_job_prepare(spec->params);
    while (take_order(spec->wire, &pages, fds)) {
        /* As fork(2) does: of the threads only this one lives on in the job. */
        pid_t pid = pvf__sandbox_clone_sibling(namespaces);
        if (pid == 0) {
            be_job(spec, fds, mapped_fd, pages.done > 0);
        }
        for (size_t i = 0; i < PVF__ZYGOTE_ORDER; i++) {
            (void)close(fds[i]);
        }
        if (pid < 0) {
            break;
        }
    }
    _exit(PVF__EXIT_OK);
}

void pvf__zygote_be(const void *context)
{
    struct pvf__zygote_spec spec = *(const struct pvf__zygote_spec *)context;
    const struct pvf__sandbox_job_limits limits = {
        .cpu_s = PVF__ZYGOTE_BACKSTOP_S, .data_bytes = spec.data_max, .keeps_group = true};
    const int files[] = {spec.wire, spec.artifact_fd};
    size_t stack = pvf__engine_stack_size(spec.params->native_max);
    (void)prctl(PR_SET_NAME, "pvf-zygote");
    /* Without a word: the worker makes its jobs itself then, and learns the reason from them. */
    if (pvf__sandbox_zygote(spec.sandbox, &limits, files, NULL) == 0) {
        (void)!pvf__engine_on_big_stack(make_jobs, &spec, stack, NULL);
    }
    _exit(PVF__EXIT_ORDERLY);
}
