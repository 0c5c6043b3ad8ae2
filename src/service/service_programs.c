/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: what the two worker programs are, for figures and evidence: what they call themselves, and
 * which bytes they are.  Who says nothing, or cannot be read, is unknown; that is no reason not to
 * start.
 */
#include "service/service_state.h"

#include "base/fd.h"
#include "base/log.h"
#include "cache/cache_digest.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static void
describe(const struct pvf__program *program, bool with_digest, struct pvf__service_program *ret)
{
    char path[32];
    struct stat info;
    pvf_error why = PVF_ERROR_INIT;
    if (pvf_worker_version(program->path, ret->version, sizeof(ret->version), NULL) != 0) {
        ret->version[0] = '\0';
    }
    if (!with_digest) {
        return;
    }
    /* The file that was opened, whatever stands at its path by now. */
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", program->fd);
    PVF__CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &info) != 0 ||
        pvf__cache_digest_file(fd, (uint64_t)info.st_size, ret->digest, &ret->size, &why) != 0) {
        pvf__log(PVF__LOG_WARN, "evidence will not say which file %s is", program->path);
        return;
    }
    ret->has_digest = true;
}

void pvf__service_programs_describe(struct pvf_service *service)
{
    const bool with_digest = service->evidence_dir != NULL;
    describe(
        &service->host->prepare_program, with_digest, &service->programs[PVF__WORKER_KIND_PREPARE]);
    describe(
        &service->host->execute_program, with_digest, &service->programs[PVF__WORKER_KIND_EXECUTE]);
}
