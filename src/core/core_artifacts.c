/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: the table of keys: which have an artifact, of which generation, proved under which limits,
 * and what a request finds there.
 */
#include "core/core_state.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static bool same_key(const struct pvf__core_key *a, const struct pvf__core_key *b)
{
    return memcmp(a->code_hash, b->code_hash, sizeof(a->code_hash)) == 0 &&
           memcmp(a->prep_hash, b->prep_hash, sizeof(a->prep_hash)) == 0;
}

static uint64_t hash_of(const struct pvf__core *core, const struct pvf__core_key *key)
{
    _Static_assert(sizeof(*key) == 64, "two hashes and nothing between them");
    return pvf__core_table_hash(core->config.seed, key, sizeof(*key));
}

struct pvf__core_entry *pvf__core_entry_find(const struct pvf__core *core,
                                             const struct pvf__core_key *key)
{
    struct pvf__core_node *node = pvf__core_table_first(&core->entries, hash_of(core, key));
    for (; node != NULL; node = pvf__core_table_next(node)) {
        struct pvf__core_entry *entry = PVF__CORE_OWNER(node, struct pvf__core_entry, node);
        if (same_key(&entry->key, key)) {
            return entry;
        }
    }
    return NULL;
}

static struct pvf__core_entry *find_generation(const struct pvf__core *core, uint64_t generation)
{
    const uint64_t hash = pvf__core_table_hash(core->config.seed, &generation, sizeof(generation));
    struct pvf__core_node *node = pvf__core_table_first(&core->generations, hash);
    for (; node != NULL; node = pvf__core_table_next(node)) {
        struct pvf__core_entry *entry =
            PVF__CORE_OWNER(node, struct pvf__core_entry, generation_node);
        if (entry->generation == generation) {
            return entry;
        }
    }
    return NULL;
}

struct pvf__core_entry *pvf__core_entry_new(const struct pvf__core_key *key)
{
    struct pvf__core_entry *entry = calloc(1, sizeof(*entry));
    if (entry != NULL) {
        entry->key = *key;
        pvf__core_list_init(&entry->recent);
        pvf__core_list_init(&entry->waiters);
        pvf__core_list_init(&entry->job.link);
        for (unsigned i = 0; i < PVF__CORE_REMOVALS; i++) {
            pvf__core_order_init(&entry->removals[i].order, PVF__CORE_REMOVE);
            entry->removals[i].entry = entry;
        }
    }
    return entry;
}

void pvf__core_entry_put(struct pvf__core *core, struct pvf__core_entry *entry)
{
    pvf__core_table_put(&core->entries, &entry->node, hash_of(core, &entry->key));
}

void pvf__core_entry_settle(struct pvf__core *core, struct pvf__core_entry *entry)
{
    if (entry->has_artifact || entry->users > 0 || entry->waiting > 0 ||
        entry->job.state != PVF__CORE_JOB_NONE || pvf__core_entry_removes(entry) ||
        pvf__core_failures_any(entry)) {
        return;
    }
    pvf__core_table_remove(&core->entries, &entry->node);
    free(entry);
}

void pvf__core_entries_each(struct pvf__core *core,
                            void (*each)(struct pvf__core *core, struct pvf__core_entry *entry))
{
    for (size_t i = 0; i <= core->entries.mask; i++) {
        struct pvf__core_node *node = core->entries.buckets[i];
        while (node != NULL) {
            struct pvf__core_node *next = node->next;
            each(core, PVF__CORE_OWNER(node, struct pvf__core_entry, node));
            node = next;
        }
    }
}

/* Each number is judged by itself: small enough as measured, or held by a limit as strict. */
bool pvf__core_entry_satisfies(const struct pvf__core_entry *entry,
                               const struct pvf__core_code *code)
{
    const struct pvf__core_code *made_as = &entry->made_as;
    const bool cpu =
        entry->cpu_ns <= code->cpu_limit_ns || made_as->cpu_limit_ns <= code->cpu_limit_ns;
    const bool memory = code->memory_limit == 0 || entry->memory <= code->memory_limit ||
                        (made_as->memory_limit > 0 && made_as->memory_limit <= code->memory_limit);
    const bool bomb =
        entry->code_len <= code->bomb_limit || made_as->bomb_limit <= code->bomb_limit;
    const bool kind =
        code->kind == PVF__CORE_COMPILATION ||
        (made_as->kind == PVF__CORE_PRECHECKING &&
         memcmp(made_as->params_hash, code->params_hash, sizeof(code->params_hash)) == 0);
    return entry->has_artifact && cpu && memory && bomb && kind;
}

void pvf__core_artifact_touch(struct pvf__core *core, struct pvf__core_entry *entry)
{
    entry->needed_at = (int64_t)core->now;
    pvf__core_list_remove(&entry->recent);
    pvf__core_list_append(&core->recent, &entry->recent);
}

void pvf__core_artifact_set(struct pvf__core *core,
                            struct pvf__core_entry *entry,
                            const struct pvf__core_artifact *artifact)
{
    pvf__core_artifact_drop(core, entry);
    entry->has_artifact = true;
    entry->generation = ++core->next_number;
    entry->size = artifact->size;
    entry->cpu_ns = artifact->cpu_ns;
    entry->memory = artifact->memory;
    entry->code_len = artifact->code_len;
    entry->made_as = artifact->made_as;
    entry->needed_at = (int64_t)core->now - (int64_t)artifact->unused_ns;
    struct pvf__core_link *place = &core->recent;
    while (place->prev != &core->recent &&
           PVF__CORE_OWNER(place->prev, struct pvf__core_entry, recent)->needed_at >
               entry->needed_at) {
        place = place->prev;
    }
    pvf__core_list_before(place, &entry->recent);
    pvf__core_table_put(
        &core->generations,
        &entry->generation_node,
        pvf__core_table_hash(core->config.seed, &entry->generation, sizeof(entry->generation)));
    core->artifacts++;
    core->bytes += entry->size;
}

void pvf__core_artifact_drop(struct pvf__core *core, struct pvf__core_entry *entry)
{
    if (!entry->has_artifact) {
        return;
    }
    entry->has_artifact = false;
    pvf__core_list_remove(&entry->recent);
    pvf__core_table_remove(&core->generations, &entry->generation_node);
    core->artifacts--;
    core->bytes -= entry->size;
    core->stats.removed++;
    pvf__core_entry_remove(core, entry, entry->generation);
}

void pvf__core_entry_remove(struct pvf__core *core,
                            struct pvf__core_entry *entry,
                            uint64_t generation)
{
    unsigned place = 0;
    while (entry->removals[place].generation != 0) {
        place++;
        assert(place < PVF__CORE_REMOVALS);
    }
    entry->removals[place].generation = generation;
    pvf__core_order(core, &entry->removals[place].order);
}

bool pvf__core_entry_removes(const struct pvf__core_entry *entry)
{
    for (unsigned i = 0; i < PVF__CORE_REMOVALS; i++) {
        if (entry->removals[i].generation != 0) {
            return true;
        }
    }
    return false;
}

static void reply_stored_failure(struct pvf__core *core,
                                 struct pvf__core_request *request,
                                 const struct pvf__core_record *record)
{
    struct pvf__core_command *reply = &request->reply;
    reply->failure = record->failure;
    reply->deterministic = record->permanent;
    reply->stored = true;
    reply->error = record->error;
    memcpy(reply->text, record->text, sizeof(reply->text));
    core->stats.stored++;
    pvf__core_request_reply(core, request, PVF__CORE_REPLY_PREPARE_FAILED);
}

void pvf__core_entry_place(struct pvf__core *core, struct pvf__core_request *request)
{
    struct pvf__core_entry *entry = request->entry;
    if (pvf__core_entry_satisfies(entry, &request->code)) {
        pvf__core_artifact_touch(core, entry);
        core->stats.stored++;
        if (request->type == PVF__CORE_REQUEST_EXECUTE) {
            pvf__core_execute_enqueue(core, request);
            return;
        }
        request->reply.stored = true;
        request->reply.generation = entry->generation;
        pvf__core_request_reply(core, request, PVF__CORE_REPLY_PREPARED);
        return;
    }
    const struct pvf__core_record *record = pvf__core_failure_blocks(core, entry, request);
    if (record != NULL) {
        reply_stored_failure(core, request, record);
        return;
    }
    if (pvf__core_tier_serves(entry, request)) {
        core->stats.coalesced++;
        pvf__core_execute_enqueue(core, request);
        return;
    }
    pvf__core_request_wait(core, request);
    if (entry->job.state == PVF__CORE_JOB_NONE) {
        pvf__core_prepare_enqueue(core, entry);
    } else {
        core->stats.coalesced++;
        if (request->code.critical) {
            pvf__core_prepare_raise(core, entry);
        }
    }
}

int pvf__core_artifact_loaded(struct pvf__core *core,
                              uint64_t now,
                              const struct pvf__core_artifact *artifact,
                              uint64_t *ret_generation)
{
    pvf__core_begin(core, now);
    struct pvf__core_entry *entry = pvf__core_entry_find(core, &artifact->key);
    if (core->stopped || artifact->unused_ns > INT64_MAX ||
        (entry != NULL && (entry->has_artifact || pvf__core_entry_removes(entry)))) {
        *ret_generation = 0;
        return 0;
    }
    if (entry == NULL) {
        entry = pvf__core_entry_new(&artifact->key);
        if (entry == NULL) {
            return PVF_ERR_NO_MEMORY;
        }
        pvf__core_entry_put(core, entry);
    }
    pvf__core_artifact_set(core, entry, artifact);
    *ret_generation = entry->generation;
    return 0;
}

void pvf__core_artifact_vanished(struct pvf__core *core, uint64_t now, uint64_t generation)
{
    pvf__core_begin(core, now);
    struct pvf__core_entry *entry = find_generation(core, generation);
    if (entry == NULL) {
        return;
    }
    pvf__core_artifact_drop(core, entry);
    pvf__core_execute_unprepared(core, entry);
    pvf__core_schedule(core);
}

static void describe(const struct pvf__core *core,
                     const struct pvf__core_entry *entry,
                     struct pvf__core_artifact *ret)
{
    *ret = (struct pvf__core_artifact){
        .key = entry->key,
        .generation = entry->generation,
        .size = entry->size,
        .unused_ns = (uint64_t)((int64_t)core->now - entry->needed_at),
        .cpu_ns = entry->cpu_ns,
        .memory = entry->memory,
        .code_len = entry->code_len,
        .made_as = entry->made_as,
        .in_use = entry->users > 0 || entry->waiting > 0 || entry->job.state != PVF__CORE_JOB_NONE,
    };
    ret->made_as.key = entry->key;
}

bool pvf__core_artifact_find(const struct pvf__core *core,
                             const struct pvf__core_key *key,
                             struct pvf__core_artifact *ret)
{
    const struct pvf__core_entry *entry = pvf__core_entry_find(core, key);
    if (entry == NULL || !entry->has_artifact) {
        return false;
    }
    describe(core, entry, ret);
    return true;
}

void pvf__core_artifacts_each(const struct pvf__core *core,
                              void (*each)(void *context, const struct pvf__core_artifact *),
                              void *context)
{
    struct pvf__core_link *link = core->recent.next;
    while (link != &core->recent) {
        struct pvf__core_artifact artifact;
        describe(core, PVF__CORE_OWNER(link, struct pvf__core_entry, recent), &artifact);
        link = link->next;
        each(context, &artifact);
    }
}
