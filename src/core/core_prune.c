/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: which artifacts are removed to keep the cache's size and the disk's free space: the least
 * recently needed first, never one that a request or a job uses, never one needed a moment ago.
 */
#include "core/core_state.h"

static bool in_use(const struct pvf__core_entry *entry)
{
    return entry->users > 0 || entry->waiting > 0 || entry->job.state != PVF__CORE_JOB_NONE ||
           pvf__core_entry_removes(entry);
}

static bool
is_recent(const struct pvf__core *core, const struct pvf__core_entry *entry, uint64_t min_idle_ns)
{
    return (uint64_t)((int64_t)core->now - entry->needed_at) < min_idle_ns;
}

/* The least recently needed one that may go, from `link` on; NULL: none. */
static struct pvf__core_entry *
next_victim(struct pvf__core *core, struct pvf__core_link **link, uint64_t min_idle_ns)
{
    while (*link != &core->recent) {
        struct pvf__core_entry *entry = PVF__CORE_OWNER(*link, struct pvf__core_entry, recent);
        *link = (*link)->next;
        if (is_recent(core, entry, min_idle_ns)) {
            return NULL;
        }
        if (!in_use(entry)) {
            return entry;
        }
    }
    return NULL;
}

void pvf__core_prune_size(struct pvf__core *core)
{
    struct pvf__core_link *link = core->recent.next;
    while (core->bytes > core->config.cache_max_bytes) {
        struct pvf__core_entry *victim = next_victim(core, &link, core->config.cache_min_idle_ns);
        if (victim == NULL) {
            return;
        }
        pvf__core_artifact_drop(core, victim);
        pvf__core_entry_settle(core, victim);
    }
}

static void expire_failures(struct pvf__core *core, struct pvf__core_entry *entry)
{
    pvf__core_failures_expire(core, entry);
    pvf__core_entry_settle(core, entry);
}

void pvf__core_prune_tick(struct pvf__core *core)
{
    pvf__core_prune_size(core);
    pvf__core_entries_each(core, expire_failures);
}

static void forget_no_space(struct pvf__core *core, struct pvf__core_entry *entry)
{
    for (unsigned i = 0; i < PVF__CORE_RECORDS; i++) {
        if (entry->records[i].failure == PVF__CORE_FAILURE_NO_SPACE) {
            entry->records[i].used = false;
        }
    }
    pvf__core_entry_settle(core, entry);
}

void pvf__core_free_space(struct pvf__core *core, uint64_t now, uint64_t bytes)
{
    pvf__core_begin(core, now);
    struct pvf__core_link *link = core->recent.next;
    while (bytes < core->config.free_floor_bytes) {
        struct pvf__core_entry *victim = next_victim(core, &link, core->config.free_min_idle_ns);
        if (victim == NULL) {
            break;
        }
        bytes = victim->size < UINT64_MAX - bytes ? bytes + victim->size : UINT64_MAX;
        pvf__core_artifact_drop(core, victim);
        pvf__core_entry_settle(core, victim);
    }
    const bool low = bytes < core->config.free_floor_bytes;
    pvf__core_alarm(core, PVF__CORE_ALARM_FREE_SPACE, low);
    if (!low) {
        pvf__core_entries_each(core, forget_no_space);
    }
}
