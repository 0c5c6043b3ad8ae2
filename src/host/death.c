/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: what a death proves.  A job or a worker that died may have been killed by hostile code, by
 * a damaged artifact, or by a machine that is broken; only the first is the candidate's fault.
 */
#include "host/host_job.h"

#include "base/cleanup.h"
#include "base/error.h"
#include "base/fd.h"
#include "hash/hash.h"
#include "proto/frame.h"
#include "pvf/status.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

void pvf__host_replace_outcome(enum pvf__event event, const char *why, pvf_outcome *outcome)
{
    pvf_outcome fresh;
    pvf__outcome_set(event, pvf__slice_text(why), &fresh);
    fresh.cpu_us = outcome->cpu_us;
    fresh.wall_us = outcome->wall_us;
    fresh.pov_size = outcome->pov_size;
    pvf_outcome_done(outcome);
    *outcome = fresh;
}

void pvf__host_verify_artifact(const char *path, const uint8_t checksum[32], pvf_outcome *outcome)
{
    PVF__CLEANUP_BUF struct pvf__buf artifact = PVF__BUF_INIT(PVF__FRAME_MAX_PREPARE_JOB);
    pvf_error why = PVF_ERROR_INIT;
    uint8_t now[32];
    /* Whatever stands there now, it must not keep us waiting. */
    PVF__CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0) {
        (void)pvf__error_errno(&why, PVF_ERR_IO, errno, "cannot open %s", path);
        pvf__host_replace_outcome(PVF__EVENT_INTERNAL_OPEN, why.text, outcome);
        return;
    }
    if (pvf__fd_read_all(fd, path, &artifact, &why) != 0) {
        pvf__host_replace_outcome(PVF__EVENT_INTERNAL_OPEN, why.text, outcome);
        return;
    }
    pvf__hash_twox_256(artifact.data, artifact.len, now);
    if (memcmp(now, checksum, sizeof(now)) != 0) {
        char text[PVF_OUTCOME_TEXT];
        (void)snprintf(text, sizeof(text), "its checksum is wrong after this: %s", outcome->text);
        pvf__host_replace_outcome(PVF__EVENT_CORRUPTED_ARTIFACT, text, outcome);
    }
}

static void append(pvf_outcome *outcome, const char *text)
{
    size_t used = strlen(outcome->text);
    (void)snprintf(outcome->text + used, sizeof(outcome->text) - used, "%s", text);
}

void pvf__host_judge_death(struct pvf_host *host,
                           const pvf_execute_request *request,
                           pvf_outcome *outcome)
{
    pvf_error why = PVF_ERROR_INIT;
    if (outcome->reason == PVF_REASON_JOB_DEATH || outcome->reason == PVF_REASON_WORKER_DEATH) {
        host->death_seen = true;
        pvf__host_verify_artifact(request->artifact_path, request->checksum, outcome);
    }
    if (!host->death_seen || (outcome->verdict != PVF_VERDICT_INVALID &&
                              outcome->verdict != PVF_VERDICT_POSSIBLY_INVALID)) {
        return;
    }
    if (host->prepare_program.path == NULL) {
        append(outcome, " (after a death, and without a prepare worker for a known-good job)");
    } else if (pvf_host_self_test(host, &why) != 0) {
        pvf__host_replace_outcome(PVF__EVENT_SELF_TEST_FAILED, why.text, outcome);
    }
}
