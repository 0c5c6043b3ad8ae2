/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: what a death proves.  After one, no candidate is blamed before a known-good job has passed:
 * verdicts that are not valid wait for it, and become internal when it fails.
 */
#include "service/service_metrics.h"

#include "base/clock.h"
#include "base/log.h"
#include "host/known_good.h"
#include "host/outcome.h"
#include "pvf/status.h"

#include <stdio.h>
#include <string.h>

/* CPU time of each of the two halves; they use milliseconds. */
#define TIMEOUT_MS 10000u
#define ADVICE "look into the kernel's log and test the memory before validating again"

/* The artifact of the known-good code: it is made anew each time, since compiling is tested too. */
static void drop_artifact(struct pvf_service *service, const struct pvf__service_request *request)
{
    struct pvf__core_artifact known;
    if (pvf__core_artifact_find(service->core, &request->wanted.key, &known)) {
        pvf__core_artifact_vanished(service->core, pvf__clock_monotonic_ns(), known.generation);
    }
    (void)pvf__core_failures_forget(service->core, &request->wanted.key);
}

static int begin(struct pvf_service *service)
{
    struct pvf__service_request *request = NULL;
    const pvf_code code = {
        .code = pvf__known_good_code(), .timeout_ms = TIMEOUT_MS, .borrow = true};
    /* Before everything else: others wait for it. */
    pvf_candidate candidate = {.code = code, .kind = PVF_EXEC_DISPUTE};
    pvf__known_good_candidate(&candidate.execution);
    int status =
        pvf__service_request_new(service, PVF__SERVICE_SELF_TEST, &code, NULL, &request, NULL);
    if (status != 0) {
        return status;
    }
    status = pvf__service_request_set_candidate(service, request, &candidate, NULL);
    if (status != 0) {
        pvf__service_request_free(service, request);
        return status;
    }
    drop_artifact(service, request);
    pvf__service_request_enter(service, request);
    status = pvf__service_submit(service, request, PVF__SERVICE_IN_CORE);
    if (status != 0) {
        pvf__service_request_leave(service, request);
        pvf__service_request_free(service, request);
        return status;
    }
    service->proof = PVF__SERVICE_PROOF_RUNNING;
    service->death_meanwhile = false;
    return 0;
}

void pvf__service_death(struct pvf_service *service)
{
    if (service->proof == PVF__SERVICE_PROOF_RUNNING) {
        service->death_meanwhile = true;
    } else {
        service->proof = PVF__SERVICE_PROOF_WANTED;
    }
}

bool pvf__service_proof_hold(struct pvf_service *service, struct pvf__service_request *request)
{
    bool blames = request->outcome.verdict == PVF_VERDICT_INVALID ||
                  request->outcome.verdict == PVF_VERDICT_POSSIBLY_INVALID;
    if (!blames || service->proof == PVF__SERVICE_PROOF_NONE) {
        return false;
    }
    if (service->proof == PVF__SERVICE_PROOF_WANTED && begin(service) != 0) {
        pvf__host_replace_outcome(
            PVF__EVENT_SELF_TEST_FAILED, "no known-good job could be started", &request->outcome);
        return false;
    }
    request->stage = PVF__SERVICE_HELD;
    /* A job that was under way when something died does not say enough. */
    request->needs_next_proof = service->death_meanwhile;
    pvf__core_list_append(&service->held, &request->link);
    return true;
}

/* Empty when it passed. */
static void judge(const struct pvf__service_request *request,
                  const struct pvf__core_command *command,
                  char *out,
                  size_t size)
{
    const pvf_outcome *outcome = &request->outcome;
    const pvf_bytes want = pvf__known_good_result();
    out[0] = '\0';
    if (command->reply == PVF__CORE_REPLY_PREPARE_FAILED) {
        (void)snprintf(out, size, "preparation: %s", command->text);
    } else if (command->reply != PVF__CORE_REPLY_EXECUTED) {
        (void)snprintf(out, size, "it could not be started");
    } else if (outcome->verdict != PVF_VERDICT_VALID) {
        (void)snprintf(out, size, "execution: %s", outcome->text);
    } else if (outcome->result_len != want.len ||
               memcmp(outcome->result, want.data, want.len) != 0) {
        (void)snprintf(out, size, "execution: the result is wrong");
    }
}

/* Moves those whose question is answered to `ret`. */
static void take_answered(struct pvf_service *service, bool passed, struct pvf__core_link *ret)
{
    struct pvf__core_link *link = service->held.next;
    while (link != &service->held) {
        struct pvf__service_request *request =
            PVF__CORE_OWNER(link, struct pvf__service_request, link);
        link = link->next;
        if (!passed || !request->needs_next_proof) {
            pvf__core_list_remove(&request->link);
            pvf__core_list_append(ret, &request->link);
        }
        request->needs_next_proof = false;
    }
}

/* Lets those go on that waited.  Their callbacks may bring new ones, which wait for the next. */
static void release(struct pvf_service *service, bool passed, const char *why)
{
    struct pvf__core_link now;
    pvf__core_list_init(&now);
    take_answered(service, passed, &now);
    if (!pvf__core_list_empty(&service->held) && begin(service) != 0) {
        passed = false;
        why = "no known-good job could be started";
        take_answered(service, passed, &now);
    }
    while (!pvf__core_list_empty(&now)) {
        struct pvf__service_request *request =
            PVF__CORE_OWNER(now.next, struct pvf__service_request, link);
        pvf__core_list_remove(&request->link);
        if (!passed) {
            pvf__host_replace_outcome(PVF__EVENT_SELF_TEST_FAILED, why, &request->outcome);
        }
        pvf__service_reply_proven(service, request);
    }
}

void pvf__service_proof_ended(struct pvf_service *service,
                              struct pvf__service_request *request,
                              const struct pvf__core_command *command)
{
    char what[160];
    char why[PVF_OUTCOME_TEXT];
    judge(request, command, what, sizeof(what));
    bool passed = what[0] == '\0';
    drop_artifact(service, request);
    pvf__service_request_leave(service, request);
    pvf__service_request_free(service, request);
    (void)snprintf(why, sizeof(why), "this machine fails a known-good job (%s); " ADVICE, what);
    if (!passed && command->reply != PVF__CORE_REPLY_CANCELLED) {
        pvf__log(PVF__LOG_ERROR, "%s", why);
    }
    if (command->reply != PVF__CORE_REPLY_CANCELLED) {
        pvf__service_metrics_tested(service, passed);
    }
    service->proof_failed = !passed;
    (void)snprintf(service->proof_text, sizeof(service->proof_text), "%s", passed ? "" : why);
    service->proof =
        passed && !service->death_meanwhile ? PVF__SERVICE_PROOF_NONE : PVF__SERVICE_PROOF_WANTED;
    release(service, passed, why);
}
