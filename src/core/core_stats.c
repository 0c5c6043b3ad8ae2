/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: the figures that the shell exports; what is not counted as it happens is counted here.
 */
#include "core/core_state.h"

static uint32_t length(const struct pvf__core_link *head)
{
    uint32_t count = 0;
    for (const struct pvf__core_link *link = head->next; link != head; link = link->next) {
        count++;
    }
    return count;
}

static void count_workers(const struct pvf__core *core, struct pvf__core_stats *ret)
{
    for (uint32_t i = 0; i < core->slots; i++) {
        const struct pvf__core_worker *worker = &core->workers[i];
        struct pvf__core_workers_stats *stats = &ret->workers[worker->kind];
        stats->spawning += worker->state == PVF__CORE_WORKER_SPAWNING;
        stats->idle += worker->state == PVF__CORE_WORKER_IDLE;
        stats->busy += worker->state == PVF__CORE_WORKER_BUSY;
        if (worker->state == PVF__CORE_WORKER_BUSY && worker->kind == PVF__CORE_EXECUTE_WORKER) {
            ret->execute_running[worker->cls]++;
        }
    }
}

void pvf__core_stats_get(const struct pvf__core *core, struct pvf__core_stats *ret)
{
    *ret = core->stats;
    ret->requests = (uint32_t)core->requests.count;
    ret->prepare_normal = length(&core->prepare_queues[0]);
    ret->prepare_critical = length(&core->prepare_queues[1]);
    ret->cache_bytes = core->bytes;
    ret->cache_entries = core->artifacts;
    for (unsigned i = 0; i < PVF__CORE_CLASSES; i++) {
        ret->execute_queued[i] = core->execute_queued[i];
    }
    for (unsigned i = 0; i < PVF__CORE_ALARMS; i++) {
        ret->alarms[i] = core->alarms[i].on;
    }
    count_workers(core, ret);
    for (size_t i = 0; i <= core->entries.mask; i++) {
        for (struct pvf__core_node *node = core->entries.buckets[i]; node != NULL;
             node = node->next) {
            const struct pvf__core_entry *entry =
                PVF__CORE_OWNER(node, struct pvf__core_entry, node);
            ret->prepare_waiters += entry->waiting;
            for (unsigned k = 0; k < PVF__CORE_RECORDS; k++) {
                ret->failures += entry->records[k].used;
            }
        }
    }
}
