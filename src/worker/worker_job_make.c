/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: the birth of a job's process, up to where its work begins. */
#include "worker/worker_job_make.h"

#include "base/error.h"
#include "sandbox/sandbox_clone.h"
#include "worker/worker_job_say.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* Exit code of a job that could not be fenced. */
#define EXIT_SETUP 70

/* The worker kills by the exact limit; the kernel does so, much later, when the worker cannot. */
#define BACKSTOP_S 30u

void pvf__job_begin(const struct pvf__sandbox_plan *sandbox,
                    const struct pvf__sandbox_job_limits *limits,
                    const struct pvf__sandbox_job_files *files)
{
    pvf_error err = PVF_ERROR_INIT;
    int status = pvf__sandbox_job(sandbox, limits, files, &err);
    if (status != 0) {
        pvf__job_say_fault(files->pipe_fd, err.text);
        _exit(EXIT_SETUP);
    }
    if (pvf__job_say_fenced(files->pipe_fd, &err) != 0) {
        _exit(EXIT_SETUP);
    }
}

__attribute__((noreturn)) static void be_job(const struct pvf__job_spec *spec, int write_end)
{
    const struct pvf__sandbox_job_limits limits = {
        .cpu_s = spec->cpu_limit_us / 1000000u + BACKSTOP_S,
        .data_bytes = spec->data_max,
    };
    const struct pvf__sandbox_job_files files = {
        .pipe_fd = write_end, .data_fd = spec->keep_fd, .input_fd = -1, .mapped_fd = -1};
    pvf__job_begin(spec->sandbox, &limits, &files);
    _exit(spec->run(spec->context, write_end));
}

int pvf__job_make(const struct pvf__job_spec *spec,
                  struct pvf__job_made *ret,
                  enum pvf__job_failure *ret_failure,
                  pvf_error *err)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
        *ret_failure = PVF__JOB_FAILED_PIPE;
        return pvf__error_errno(err, PVF_ERR_IO, errno, "pipe2");
    }
    PVF__CLEANUP_FD int read_end = ends[0];
    PVF__CLEANUP_FD int write_end = ends[1];
    int pid_fd = -1;
    pid_t pid = pvf__sandbox_clone(pvf__sandbox_job_namespaces(spec->sandbox), &pid_fd);
    if (pid < 0) {
        const char *what = spec->sandbox->secure_clone ? "clone" : "fork";
        *ret_failure = PVF__JOB_FAILED_FORK;
        return pvf__error_errno(err, PVF_ERR_IO, errno, "%s", what);
    }
    if (pid == 0) {
        be_job(spec, write_end);
    }
    *ret = (struct pvf__job_made){
        .pid = pid, .pid_fd = pid_fd, .read_end = PVF__TAKE_FD(read_end), .offer_fd = -1};
    return 0;
}
