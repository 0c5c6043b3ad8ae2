/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: the first tier of an entry: an artifact that was compiled fast, which serves executions
 * while the job that made it goes on to the optimised one.  It lives as long as that job runs, is
 * no part of the cache, and proves nothing about the code: whoever asks about that waits for the
 * job, and of an execution only a valid result counts (core_execute.c).
 */
#include "core/core_state.h"

bool pvf__core_tier_serves(const struct pvf__core_entry *entry,
                           const struct pvf__core_request *request)
{
    const struct pvf__core_code *made_as = &entry->job.made_as;
    const struct pvf__core_code *code = &request->code;
    /* The optimised one is measured later: now only limits as strict say that it will do. */
    const bool memory = code->memory_limit == 0 ||
                        (made_as->memory_limit > 0 && made_as->memory_limit <= code->memory_limit);
    return entry->first_generation != 0 && request->type == PVF__CORE_REQUEST_EXECUTE &&
           !request->needs_optimised && made_as->cpu_limit_ns <= code->cpu_limit_ns && memory &&
           made_as->bomb_limit <= code->bomb_limit;
}

bool pvf__core_tier_is_used(const struct pvf__core_request *request)
{
    return !pvf__core_entry_satisfies(request->entry, &request->code) &&
           pvf__core_tier_serves(request->entry, request);
}

void pvf__core_tier_drop(struct pvf__core *core, struct pvf__core_entry *entry)
{
    if (entry->first_generation != 0) {
        pvf__core_entry_remove(core, entry, entry->first_generation);
        entry->first_generation = 0;
    }
}

/* Those that were to run on it go to the executions' queue. */
static void serve_waiters(struct pvf__core *core, struct pvf__core_entry *entry)
{
    struct pvf__core_link *link = entry->waiters.next;
    while (link != &entry->waiters) {
        struct pvf__core_request *request = PVF__CORE_OWNER(link, struct pvf__core_request, link);
        link = link->next;
        if (pvf__core_tier_serves(entry, request)) {
            pvf__core_request_serve(core, request);
        }
    }
}

uint64_t pvf__core_prepare_first_tier(struct pvf__core *core, uint64_t now, uint64_t worker)
{
    pvf__core_begin(core, now);
    struct pvf__core_worker *found = pvf__core_worker_find(core, worker);
    if (found == NULL || found->kind != PVF__CORE_PREPARE_WORKER ||
        found->state != PVF__CORE_WORKER_BUSY || pvf__core_order_waits(&found->order)) {
        return 0;
    }
    struct pvf__core_entry *entry = found->entry;
    if (entry->job.made_as.kind != PVF__CORE_COMPILATION || entry->job.had_first_tier) {
        return 0;
    }
    const uint64_t generation = ++core->next_number;
    entry->job.had_first_tier = true;
    entry->first_generation = generation;
    core->stats.first_tiers++;
    serve_waiters(core, entry);
    pvf__core_schedule(core);
    return generation;
}
