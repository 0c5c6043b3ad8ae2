/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: which scheduling parents are viable, and the end of backing requests whose parent is not.
 * Until it is told once, every parent is; who names none is not concerned.
 */
#include "core/core_state.h"

#include <stdlib.h>
#include <string.h>

#define HASH 32u

/* More is a mistake: a leaf has a handful of allowed ancestors. */
#define PARENTS_MAX 4096u
#define LEAVES_MAX 4096u

void pvf__core_leaves_free(struct pvf__core_leaf *leaves, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(leaves[i].parents);
    }
    free(leaves);
}

bool pvf__core_leaves_viable(const struct pvf__core *core, const uint8_t parent[32])
{
    static const uint8_t none[HASH];
    if (memcmp(parent, none, HASH) == 0) {
        return true;
    }
    for (size_t i = 0; i < core->leaves_count; i++) {
        const struct pvf__core_leaf *leaf = &core->leaves[i];
        if (memcmp(leaf->hash, parent, HASH) == 0) {
            return true;
        }
        for (size_t k = 0; k < leaf->count; k++) {
            if (memcmp(leaf->parents[k], parent, HASH) == 0) {
                return true;
            }
        }
    }
    return !core->leaves_known;
}

static void expire(struct pvf__core *core)
{
    struct pvf__core_link *link = core->all_requests.next;
    while (link != &core->all_requests) {
        struct pvf__core_request *request = PVF__CORE_OWNER(link, struct pvf__core_request, all);
        link = link->next;
        const bool started = request->state != PVF__CORE_REQUEST_WAITING &&
                             request->state != PVF__CORE_REQUEST_QUEUED;
        if (request->type == PVF__CORE_REQUEST_EXECUTE && !started &&
            (request->cls == PVF__CORE_BACKING || request->cls == PVF__CORE_BACKING_SYSTEM_PARAS) &&
            !pvf__core_leaves_viable(core, request->parent)) {
            core->stats.expired++;
            pvf__core_request_reply(core, request, PVF__CORE_REPLY_EXPIRED);
        }
    }
    pvf__core_schedule(core);
}

/* A leaf with a copy of its parents; PVF_ERR_NO_MEMORY or 0. */
static int make_leaf(struct pvf__core_leaf *ret,
                     const uint8_t *hash,
                     const uint8_t (*parents)[32],
                     size_t count)
{
    uint8_t(*copy)[32] = NULL;
    if (count > 0) {
        copy = calloc(count, sizeof(*copy));
        if (copy == NULL) {
            return PVF_ERR_NO_MEMORY;
        }
        memcpy(copy, parents, count * sizeof(*copy));
    }
    memcpy(ret->hash, hash, HASH);
    ret->parents = copy;
    ret->count = count;
    return 0;
}

int pvf__core_leaves_set(struct pvf__core *core,
                         uint64_t now,
                         const uint8_t (*parents)[32],
                         size_t count)
{
    pvf__core_begin(core, now);
    if (count > PARENTS_MAX) {
        return PVF_ERR_LIMIT;
    }
    struct pvf__core_leaf *leaves = NULL;
    if (count > 0) {
        leaves = calloc(1, sizeof(*leaves));
        /* The first parent is "the leaf": which one it is makes no difference. */
        if (leaves == NULL || make_leaf(leaves, parents[0], parents + 1, count - 1) != 0) {
            free(leaves);
            return PVF_ERR_NO_MEMORY;
        }
    }
    pvf__core_leaves_free(core->leaves, core->leaves_count);
    core->leaves = leaves;
    core->leaves_count = count > 0 ? 1 : 0;
    core->leaves_known = true;
    expire(core);
    return 0;
}

static bool is_among(const uint8_t hash[32], const uint8_t (*hashes)[32], size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (memcmp(hash, hashes[i], HASH) == 0) {
            return true;
        }
    }
    return false;
}

int pvf__core_leaves_update(struct pvf__core *core,
                            uint64_t now,
                            const uint8_t *activated,
                            const uint8_t (*ancestors)[32],
                            size_t ancestors_count,
                            const uint8_t (*deactivated)[32],
                            size_t deactivated_count)
{
    pvf__core_begin(core, now);
    if (ancestors_count > PARENTS_MAX || core->leaves_count >= LEAVES_MAX) {
        return PVF_ERR_LIMIT;
    }
    struct pvf__core_leaf *leaves = calloc(core->leaves_count + 1, sizeof(*leaves));
    struct pvf__core_leaf added = {.count = 0};
    if (leaves == NULL ||
        (activated != NULL && make_leaf(&added, activated, ancestors, ancestors_count) != 0)) {
        free(leaves);
        return PVF_ERR_NO_MEMORY;
    }
    size_t count = 0;
    for (size_t i = 0; i < core->leaves_count; i++) {
        struct pvf__core_leaf *leaf = &core->leaves[i];
        if (is_among(leaf->hash, deactivated, deactivated_count) ||
            (activated != NULL && memcmp(leaf->hash, activated, HASH) == 0)) {
            free(leaf->parents);
        } else {
            leaves[count++] = *leaf;
        }
    }
    if (activated != NULL) {
        leaves[count++] = added;
    }
    free(core->leaves);
    core->leaves = leaves;
    core->leaves_count = count;
    core->leaves_known = true;
    expire(core);
    return 0;
}
