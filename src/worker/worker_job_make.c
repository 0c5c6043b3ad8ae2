/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: the birth of a job's process, up to where its work begins. */
#include "worker/worker_job_make.h"

#include "base/error.h"
#include "sandbox/sandbox_clone.h"
#include "worker/worker_job_say.h"

#include <errno.h>
#include <unistd.h>

/* Exit code of a job that could not be fenced. */
#define EXIT_SETUP 70

/* The worker kills by the exact limit; the kernel does so, much later, when the worker cannot. */
#define BACKSTOP_S 30u

__attribute__((noreturn)) static void be_job(const struct pvf__job_spec *spec, int write_end)
{
    const struct pvf__sandbox_job_limits limits = {
        .cpu_s = spec->cpu_limit_us / 1000000u + BACKSTOP_S,
        .data_bytes = spec->data_max,
    };
    pvf_error err = PVF_ERROR_INIT;
    int status = pvf__sandbox_job(spec->sandbox, &limits, write_end, spec->keep_fd, &err);
    if (status != 0) {
        pvf__job_say_fault(write_end, err.text);
        _exit(EXIT_SETUP);
    }
    if (pvf__job_say_fenced(write_end, &err) != 0) {
        _exit(EXIT_SETUP);
    }
    _exit(spec->run(spec->context, write_end));
}

int pvf__job_make(const struct pvf__job_spec *spec,
                  int write_end,
                  pid_t *ret_pid,
                  int *ret_pid_fd,
                  pvf_error *err)
{
    int pid_fd = -1;
    pid_t pid = pvf__sandbox_clone(pvf__sandbox_job_namespaces(spec->sandbox), &pid_fd);
    if (pid < 0) {
        const char *what = spec->sandbox->secure_clone ? "clone" : "fork";
        return pvf__error_errno(err, PVF_ERR_IO, errno, "%s", what);
    }
    if (pid == 0) {
        be_job(spec, write_end);
    }
    *ret_pid = pid;
    *ret_pid_fd = pid_fd;
    return 0;
}
