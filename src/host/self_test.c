/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: the question whether this machine still computes what every machine computes.  Asked by
 * the caller, and by the host itself before it blames a candidate for a death.
 */
#include "base/error.h"
#include "host/host_state.h"
#include "host/known_good.h"
#include "pvf/status.h"

#include <string.h>

/* CPU time; compiling it takes milliseconds. */
#define PREPARE_TIMEOUT_MS 10000u
#define ADVICE "look into the kernel's log and test the memory before validating again"

static int failed(pvf_error *err, const char *what, const char *why)
{
    return pvf__error_set(err,
                          PVF_ERR_INTERNAL,
                          "this machine fails a known-good job (%s: %.110s); " ADVICE,
                          what,
                          why);
}

/* Executes the candidate and compares the result. */
static int execute(struct pvf_host *host, const pvf_prepare_outcome *prepared, pvf_error *err)
{
    pvf_execute_request request;
    pvf_outcome outcome = {0};
    pvf_bytes want = pvf__known_good_result();
    pvf__known_good_candidate(&request);
    request.artifact_path = prepared->artifact_path;
    memcpy(request.checksum, prepared->checksum, sizeof(request.checksum));
    int status = pvf__host_execute_once(host, &request, &outcome, err);
    if (status != 0) {
        return status;
    }
    if (outcome.verdict != PVF_VERDICT_VALID) {
        status = failed(err, "execution", outcome.text);
    } else if (outcome.result_len != want.len || memcmp(outcome.result, want.data, want.len) != 0) {
        status = failed(err, "execution", "the result is wrong");
    }
    pvf_outcome_done(&outcome);
    return status;
}

int pvf_host_self_test(pvf_host *host, pvf_error *err)
{
    if (host == NULL || host->prepare_program.path == NULL || host->execute_program.path == NULL) {
        return pvf__error_set(
            err, PVF_ERR_INVALID_ARG, "a host with both worker programs is needed");
    }
    const pvf_prepare_request request = {
        .code = pvf__known_good_code(),
        .timeout_ms = PREPARE_TIMEOUT_MS,
        /* It also sets the artifact up to run, as a precheck does. */
        .kind = PVF_PREPARE_PRECHECKING,
    };
    pvf_prepare_outcome prepared = {0};
    int status = pvf_host_prepare(host, &request, &prepared, err);
    if (status != 0) {
        return status;
    }
    status =
        prepared.ok ? execute(host, &prepared, err) : failed(err, "preparation", prepared.text);
    pvf_prepare_outcome_done(&prepared);
    if (status == 0) {
        host->death_seen = false;
    }
    return status;
}
