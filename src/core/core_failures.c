/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: what is remembered of failed preparations, whom it concerns, and when to try again.  A
 * failure under one kind and set of limits says nothing about a request that is more lenient.
 */
#include "core/core_state.h"

#include <stdio.h>
#include <string.h>

static uint64_t memory_limit(const struct pvf__core_code *code)
{
    return code->memory_limit > 0 ? code->memory_limit : UINT64_MAX;
}

bool pvf__core_failure_concerns(enum pvf__core_failure failure,
                                const struct pvf__core_code *made_as,
                                const struct pvf__core_code *code)
{
    /* A prechecking job does more than a compilation: it may fail where the latter does not. */
    const bool as_strict =
        made_as->kind == PVF__CORE_COMPILATION || code->kind == PVF__CORE_PRECHECKING;
    switch (failure) {
    case PVF__CORE_FAILURE_DECOMPRESSION:
        return code->bomb_limit <= made_as->bomb_limit;
    case PVF__CORE_FAILURE_OUT_OF_MEMORY:
        return as_strict && memory_limit(code) <= memory_limit(made_as);
    case PVF__CORE_FAILURE_TIMED_OUT:
        return as_strict && code->cpu_limit_ns <= made_as->cpu_limit_ns;
    case PVF__CORE_FAILURE_CONSTRUCTION:
        /* Whether an import exists hangs on parameters that are not in the key. */
        return as_strict &&
               memcmp(code->params_hash, made_as->params_hash, sizeof(code->params_hash)) == 0;
    case PVF__CORE_FAILURE_JOB_ERROR:
    case PVF__CORE_FAILURE_DEATH:
        return as_strict;
    case PVF__CORE_FAILURE_PREVALIDATION:
    case PVF__CORE_FAILURE_PREPARATION:
    case PVF__CORE_FAILURE_STALLED:
    case PVF__CORE_FAILURE_LOCAL:
    case PVF__CORE_FAILURE_NO_SPACE:
    default:
        return true;
    }
}

bool pvf__core_failure_is_permanent(const struct pvf__core *core,
                                    const struct pvf__core_job *job,
                                    enum pvf__core_failure failure)
{
    switch (failure) {
    case PVF__CORE_FAILURE_PREVALIDATION:
    case PVF__CORE_FAILURE_PREPARATION:
    case PVF__CORE_FAILURE_DECOMPRESSION:
        return true;
    case PVF__CORE_FAILURE_OUT_OF_MEMORY:
        /* Without a limit it was this machine that had none left. */
        return job->made_as.memory_limit > 0;
    case PVF__CORE_FAILURE_JOB_ERROR:
        return job->job_errors >= core->config.job_error_attempts;
    case PVF__CORE_FAILURE_CONSTRUCTION:
    case PVF__CORE_FAILURE_TIMED_OUT:
    case PVF__CORE_FAILURE_DEATH:
    case PVF__CORE_FAILURE_STALLED:
    case PVF__CORE_FAILURE_LOCAL:
    case PVF__CORE_FAILURE_NO_SPACE:
    default:
        return false;
    }
}

static bool same_limits(const struct pvf__core_code *a, const struct pvf__core_code *b)
{
    return a->kind == b->kind && a->cpu_limit_ns == b->cpu_limit_ns &&
           a->memory_limit == b->memory_limit && a->bomb_limit == b->bomb_limit &&
           memcmp(a->params_hash, b->params_hash, sizeof(a->params_hash)) == 0;
}

void pvf__core_failure_store(struct pvf__core *core,
                             struct pvf__core_entry *entry,
                             const struct pvf__core_prepared *prepared)
{
    struct pvf__core_record *place = &entry->records[0];
    bool again = false;
    for (unsigned i = 0; i < PVF__CORE_RECORDS && !again; i++) {
        struct pvf__core_record *record = &entry->records[i];
        again = record->used && record->failure == prepared->failure &&
                same_limits(&record->made_as, &entry->job.made_as);
        if (again || (place->used && (!record->used || record->failed_at < place->failed_at))) {
            place = record;
        }
    }
    const uint32_t count = again && place->count < UINT32_MAX ? place->count + 1 : 1;
    *place = (struct pvf__core_record){
        .used = true,
        .permanent = pvf__core_failure_is_permanent(core, &entry->job, prepared->failure),
        .failure = prepared->failure,
        .made_as = entry->job.made_as,
        .error = prepared->error,
        .count = count,
        .failed_at = core->now,
    };
    if (prepared->text != NULL) {
        (void)snprintf(place->text, sizeof(place->text), "%s", prepared->text); /* may be cut */
    }
}

static bool expired(const struct pvf__core *core, const struct pvf__core_record *record)
{
    const uint64_t expiry =
        record->permanent ? core->config.permanent_expiry_ns : core->config.failure_expiry_ns;
    return expiry > 0 && core->now - record->failed_at >= expiry;
}

/* May what failed so be tried again? */
static bool may_retry(const struct pvf__core *core, const struct pvf__core_record *record)
{
    const struct pvf__core_backoff *backoff = &core->config.backoff[record->failure];
    if (record->permanent || record->count > backoff->retries) {
        return false;
    }
    uint64_t wait = backoff->base_ns;
    for (uint32_t i = 1; i < record->count && wait < backoff->cap_ns; i++) {
        wait *= 2;
    }
    if (wait > backoff->cap_ns) {
        wait = backoff->cap_ns;
    }
    return core->now - record->failed_at >= wait;
}

const struct pvf__core_record *pvf__core_failure_blocks(struct pvf__core *core,
                                                        struct pvf__core_entry *entry,
                                                        const struct pvf__core_request *request)
{
    const bool never =
        request->type == PVF__CORE_REQUEST_PRECHECK && !core->config.precheck_retries;
    const struct pvf__core_record *found = NULL;
    for (unsigned i = 0; i < PVF__CORE_RECORDS; i++) {
        struct pvf__core_record *record = &entry->records[i];
        if (record->used && expired(core, record)) {
            record->used = false;
        }
        if (!record->used ||
            !pvf__core_failure_concerns(record->failure, &record->made_as, &request->code) ||
            (!never && may_retry(core, record))) {
            continue;
        }
        if (found == NULL || record->failed_at > found->failed_at) {
            found = record;
        }
    }
    return found;
}

void pvf__core_failures_disproved(struct pvf__core_entry *entry,
                                  const struct pvf__core_code *made_as)
{
    for (unsigned i = 0; i < PVF__CORE_RECORDS; i++) {
        struct pvf__core_record *record = &entry->records[i];
        if (record->used &&
            pvf__core_failure_concerns(record->failure, &record->made_as, made_as)) {
            record->used = false;
        }
    }
}

void pvf__core_failures_expire(struct pvf__core *core, struct pvf__core_entry *entry)
{
    for (unsigned i = 0; i < PVF__CORE_RECORDS; i++) {
        if (entry->records[i].used && expired(core, &entry->records[i])) {
            entry->records[i].used = false;
        }
    }
}

bool pvf__core_failures_any(const struct pvf__core_entry *entry)
{
    for (unsigned i = 0; i < PVF__CORE_RECORDS; i++) {
        if (entry->records[i].used) {
            return true;
        }
    }
    return false;
}

bool pvf__core_failures_forget(struct pvf__core *core, const struct pvf__core_key *key)
{
    struct pvf__core_entry *entry = pvf__core_entry_find(core, key);
    if (entry == NULL || !pvf__core_failures_any(entry)) {
        return false;
    }
    for (unsigned i = 0; i < PVF__CORE_RECORDS; i++) {
        entry->records[i].used = false;
    }
    pvf__core_entry_settle(core, entry);
    return true;
}
