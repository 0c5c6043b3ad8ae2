/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: trying each mechanism that a host may turn on (protocol: first argument). */
#include "sandbox/sandbox_check.h"

#include "base/error.h"
#include "sandbox/sandbox.h"
#include "sandbox/sandbox_clone.h"
#include "sandbox/sandbox_landlock.h"
#include "sandbox/sandbox_process.h"
#include "sandbox/sandbox_root.h"

#include <errno.h>
#include <sys/wait.h>
#include <unistd.h>

int pvf__sandbox_check_landlock(pvf_error *err)
{
    int status = pvf__sandbox_no_new_privs(err);
    return status != 0 ? status : pvf__sandbox_landlock(NULL, PVF__SANDBOX_READS_FILES, err);
}

int pvf__sandbox_check_seccomp(enum pvf__seccomp_role role, pvf_error *err)
{
    const struct pvf__seccomp_facts facts = {.pipe_fd = -1};
    int status = pvf__sandbox_no_new_privs(err);
    return status != 0 ? status : pvf__sandbox_seccomp(role, &facts, err);
}

int pvf__sandbox_check_change_root(const char *folder, pvf_error *err)
{
    return pvf__sandbox_change_root(folder, true, err);
}

int pvf__sandbox_check_secure_clone(pvf_error *err)
{
    const struct pvf__sandbox_plan plan = {.secure_clone = true};
    PVF__CLEANUP_FD int pid_fd = -1;
    pid_t pid = pvf__sandbox_clone(pvf__sandbox_job_namespaces(&plan), &pid_fd);
    if (pid < 0) {
        return pvf__error_errno(err, PVF_ERR_UNSUPPORTED, errno, "could not clone");
    }
    if (pid == 0) {
        _exit(0);
    }
    int status = 0;
    pid_t done;
    do {
        done = waitpid(pid, &status, 0);
    } while (done < 0 && errno == EINTR);
    if (done < 0 || !WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        return pvf__error_set(err, PVF_ERR_UNSUPPORTED, "the cloned process did not end well");
    }
    return 0;
}
