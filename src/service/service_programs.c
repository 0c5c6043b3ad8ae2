/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: what the two worker programs are, for figures and evidence: what they call themselves, and
 * which bytes they are.  Who says nothing, or cannot be read, is unknown; that is no reason not to
 * start.
 */
#include "service/service_state.h"

#include "base/log.h"
#include "cache/cache_program.h"
#include "host/checks.h"

#include <stdio.h>

static void identify(struct pvf_service *service,
                     const struct pvf__program *program,
                     enum pvf__worker_kind kind)
{
    char path[32];
    pvf_error why = PVF_ERROR_INIT;
    struct pvf__service_program *ret = &service->programs[kind];
    /* The file that was opened, whatever stands at its path by now. */
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", program->fd);
    ret->has_digest =
        pvf__cache_program_digest(
            service->cache, pvf__spawn_kind_name(kind), path, ret->digest, &ret->size, &why) == 0;
    if (!ret->has_digest) {
        pvf__log(PVF__LOG_WARN, "evidence will not say which program it is about: %s", why.text);
    }
}

void pvf__service_programs_describe(struct pvf_service *service)
{
    const struct pvf__program *prepare = &service->host->prepare_program;
    const struct pvf__program *execute = &service->host->execute_program;
    const char *const paths[2] = {prepare->path, execute->path};
    char *const versions[2] = {service->programs[PVF__WORKER_KIND_PREPARE].version,
                               service->programs[PVF__WORKER_KIND_EXECUTE].version};
    pvf__checks_versions(paths, versions, sizeof(service->programs[0].version));
    if (service->evidence_dir != NULL) {
        identify(service, prepare, PVF__WORKER_KIND_PREPARE);
        identify(service, execute, PVF__WORKER_KIND_EXECUTE);
    }
}
