/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: the retries of one execution.  Rules: every attempt has the full CPU limit, since a
 * shrunken one turns a local fault into "timeout, invalid"; what bounds the total is a wall-clock
 * budget, and who has used it up says nothing.  What stays possibly invalid is invalid for approval
 * and dispute, since hostile code could cause it, and nothing for backing, where nobody needs a
 * verdict.
 */
#include "core/core_retry.h"

void pvf__core_retry_default(struct pvf__core_retry_config *ret)
{
    *ret = (struct pvf__core_retry_config){
        /* Backing has one: a block that is valid only sometimes must not be backed. */
        .attempts = {[PVF__CORE_DISPUTE] = 5,
                     [PVF__CORE_APPROVAL] = 5,
                     [PVF__CORE_BACKING_SYSTEM_PARAS] = 1,
                     [PVF__CORE_BACKING] = 1},
        .budget = {[PVF__CORE_ATTEMPT_DEATH] = 1,
                   [PVF__CORE_ATTEMPT_JOB_ERROR] = 1,
                   [PVF__CORE_ATTEMPT_BAD_ARTIFACT] = 1,
                   [PVF__CORE_ATTEMPT_INTERNAL] = 1},
        .delay_ns = 3 * PVF__CORE_SECOND,
        .wall_factor = 4,
    };
}

static bool is_possibly_invalid(enum pvf__core_attempt attempt)
{
    return attempt == PVF__CORE_ATTEMPT_DEATH || attempt == PVF__CORE_ATTEMPT_JOB_ERROR ||
           attempt == PVF__CORE_ATTEMPT_BAD_ARTIFACT;
}

void pvf__core_retry_begin(struct pvf__core_retry *retry,
                           const struct pvf__core_retry_config *config,
                           enum pvf__core_class cls,
                           uint64_t cpu_limit_ns,
                           uint64_t now)
{
    *retry = (struct pvf__core_retry){.config = *config, .cls = cls, .began_at = now};
    retry->wall_budget_ns = config->wall_budget_ns;
    if (retry->wall_budget_ns == 0) {
        uint64_t hostile = 0;
        for (unsigned i = 0; i < PVF__CORE_ATTEMPTS; i++) {
            hostile += is_possibly_invalid((enum pvf__core_attempt)i) ? config->budget[i] : 0;
        }
        retry->wall_budget_ns =
            (1 + hostile) * config->wall_factor * cpu_limit_ns + hostile * config->delay_ns;
    }
}

static struct pvf__core_retry_step stop(const struct pvf__core_retry *retry,
                                        enum pvf__core_attempt attempt)
{
    struct pvf__core_retry_step step = {.verdict = PVF__CORE_VERDICT_NONE};
    const bool backing =
        retry->cls == PVF__CORE_BACKING || retry->cls == PVF__CORE_BACKING_SYSTEM_PARAS;
    if (attempt == PVF__CORE_ATTEMPT_VALID) {
        step.verdict = PVF__CORE_VERDICT_VALID;
    } else if (attempt == PVF__CORE_ATTEMPT_INVALID || (is_possibly_invalid(attempt) && !backing)) {
        step.verdict = PVF__CORE_VERDICT_INVALID;
    }
    return step;
}

static const struct pvf__core_retry_step out_of_time = {.verdict = PVF__CORE_VERDICT_NONE,
                                                        .out_of_time = true};

static bool too_late(const struct pvf__core_retry *retry, uint64_t at)
{
    return at - retry->began_at > retry->wall_budget_ns;
}

struct pvf__core_retry_step
pvf__core_retry_ended(struct pvf__core_retry *retry, uint64_t now, enum pvf__core_attempt attempt)
{
    retry->attempts++;
    if (retry->attempts >= retry->config.attempts[retry->cls] ||
        retry->used[attempt] >= retry->config.budget[attempt]) {
        return stop(retry, attempt);
    }
    retry->used[attempt]++;
    if (attempt == PVF__CORE_ATTEMPT_BAD_ARTIFACT) {
        if (too_late(retry, now)) {
            return out_of_time;
        }
        return (struct pvf__core_retry_step){.action = PVF__CORE_RETRY_PREPARE};
    }
    const uint64_t at = now + retry->config.delay_ns;
    if (too_late(retry, at)) {
        return out_of_time;
    }
    return (struct pvf__core_retry_step){.action = PVF__CORE_RETRY_WAIT, .at = at};
}

struct pvf__core_retry_step
pvf__core_retry_prepared(const struct pvf__core_retry *retry, uint64_t now, bool ok)
{
    if (!ok) {
        return stop(retry, PVF__CORE_ATTEMPT_INTERNAL);
    }
    if (too_late(retry, now)) {
        return out_of_time;
    }
    return (struct pvf__core_retry_step){.action = PVF__CORE_RETRY_WAIT, .at = now};
}
