/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: the life of a request, from its event to its reply.
 */
#include "core/core_state.h"

#include <stdlib.h>
#include <string.h>

static struct pvf__core_request *find(const struct pvf__core *core, uint64_t id)
{
    const uint64_t hash = pvf__core_table_hash(core->config.seed, &id, sizeof(id));
    struct pvf__core_node *node = pvf__core_table_first(&core->requests, hash);
    for (; node != NULL; node = pvf__core_table_next(node)) {
        struct pvf__core_request *request = PVF__CORE_OWNER(node, struct pvf__core_request, node);
        if (request->id == id) {
            return request;
        }
    }
    return NULL;
}

/* Nothing below changes the core before all memory is there. */
static int
add(struct pvf__core *core, const struct pvf__core_request *like, struct pvf__core_request **ret)
{
    if (core->stopped || like->id == 0 || find(core, like->id) != NULL) {
        return PVF_ERR_INVALID_ARG;
    }
    const bool execution = like->type == PVF__CORE_REQUEST_EXECUTE;
    if (core->requests.count >= core->config.max_requests ||
        (execution &&
         core->executions[like->cls] >= core->config.classes[like->cls].max_requests)) {
        return PVF_ERR_LIMIT;
    }
    PVF__CLEANUP_FREE struct pvf__core_request *request = calloc(1, sizeof(*request));
    if (request == NULL || pvf__core_deadlines_reserve(core, core->requests.count + 1) != 0) {
        return PVF_ERR_NO_MEMORY;
    }
    struct pvf__core_entry *entry = pvf__core_entry_find(core, &like->code.key);
    if (entry == NULL) {
        entry = pvf__core_entry_new(&like->code.key);
        if (entry == NULL) {
            return PVF_ERR_NO_MEMORY;
        }
        pvf__core_entry_put(core, entry);
    }
    *request = *like;
    request->entry = entry;
    request->arrived = ++core->next_number;
    request->arrived_at = core->now;
    pvf__core_list_init(&request->link);
    pvf__core_order_init(&request->order_reply, PVF__CORE_REPLY);
    pvf__core_table_put(&core->requests,
                        &request->node,
                        pvf__core_table_hash(core->config.seed, &request->id, sizeof(request->id)));
    pvf__core_list_append(&core->all_requests, &request->all);
    core->executions[request->cls] += execution;
    *ret = PVF__TAKE_PTR(request);
    return 0;
}

void pvf__core_request_wait(struct pvf__core *core, struct pvf__core_request *request)
{
    request->state = PVF__CORE_REQUEST_WAITING;
    pvf__core_list_append(&request->entry->waiters, &request->link);
    request->entry->waiting++;
    pvf__core_deadlines_put(core, request);
}

void pvf__core_request_serve(struct pvf__core *core, struct pvf__core_request *request)
{
    pvf__core_list_remove(&request->link);
    request->entry->waiting--;
    pvf__core_execute_enqueue(core, request);
}

void pvf__core_request_detach(struct pvf__core *core, struct pvf__core_request *request)
{
    struct pvf__core_entry *entry = request->entry;
    request->entry = NULL;
    pvf__core_deadlines_remove(core, request);
    switch (request->state) {
    case PVF__CORE_REQUEST_WAITING:
        pvf__core_list_remove(&request->link);
        entry->waiting--;
        if (entry->waiting == 0) {
            pvf__core_prepare_drop(core, entry);
        }
        break;
    case PVF__CORE_REQUEST_QUEUED:
        request->entry = entry;
        pvf__core_execute_dequeue(core, request);
        request->entry = NULL;
        break;
    case PVF__CORE_REQUEST_RUNNING:
        request->worker->request = NULL;
        request->worker = NULL;
        break;
    case PVF__CORE_REQUEST_LOOSE:
    case PVF__CORE_REQUEST_REPLIED:
    default:
        break;
    }
    if (entry != NULL) {
        pvf__core_entry_settle(core, entry);
    }
}

void pvf__core_request_reply(struct pvf__core *core,
                             struct pvf__core_request *request,
                             enum pvf__core_reply reply)
{
    pvf__core_request_detach(core, request);
    request->state = PVF__CORE_REQUEST_REPLIED;
    request->reply.reply = reply;
    pvf__core_order(core, &request->order_reply);
}

void pvf__core_request_free(struct pvf__core *core, struct pvf__core_request *request)
{
    pvf__core_table_remove(&core->requests, &request->node);
    pvf__core_list_remove(&request->all);
    core->executions[request->cls] -= request->type == PVF__CORE_REQUEST_EXECUTE;
    free(request);
}

static bool code_is_sound(const struct pvf__core_code *code)
{
    return code->cpu_limit_ns > 0 &&
           (code->kind == PVF__CORE_COMPILATION || code->kind == PVF__CORE_PRECHECKING);
}

static int admit(struct pvf__core *core, uint64_t now, const struct pvf__core_request *like)
{
    pvf__core_begin(core, now);
    struct pvf__core_request *request = NULL;
    const int status = add(core, like, &request);
    if (status != 0) {
        return status;
    }
    pvf__core_entry_place(core, request);
    pvf__core_schedule(core);
    return 0;
}

int pvf__core_precheck(struct pvf__core *core,
                       uint64_t now,
                       uint64_t request,
                       const struct pvf__core_code *code)
{
    if (!code_is_sound(code)) {
        return PVF_ERR_INVALID_ARG;
    }
    const struct pvf__core_request like = {
        .id = request, .type = PVF__CORE_REQUEST_PRECHECK, .code = *code};
    return admit(core, now, &like);
}

int pvf__core_heads_up(struct pvf__core *core,
                       uint64_t now,
                       uint64_t request,
                       const struct pvf__core_code *code)
{
    if (!code_is_sound(code)) {
        return PVF_ERR_INVALID_ARG;
    }
    const struct pvf__core_request like = {
        .id = request, .type = PVF__CORE_REQUEST_HEADS_UP, .code = *code};
    return admit(core, now, &like);
}

int pvf__core_execute(struct pvf__core *core,
                      uint64_t now,
                      const struct pvf__core_execution *execution)
{
    if (!code_is_sound(&execution->code) || execution->cpu_limit_ns == 0 ||
        (unsigned)execution->cls >= PVF__CORE_CLASSES) {
        return PVF_ERR_INVALID_ARG;
    }
    struct pvf__core_request like = {
        .id = execution->request,
        .type = PVF__CORE_REQUEST_EXECUTE,
        .code = execution->code,
        .cls = execution->cls,
        .cpu_limit_ns = execution->cpu_limit_ns,
        .deadline_ns = execution->deadline_ns,
    };
    memcpy(like.parent, execution->parent, sizeof(like.parent));
    return admit(core, now, &like);
}

bool pvf__core_cancel(struct pvf__core *core, uint64_t now, uint64_t request)
{
    pvf__core_begin(core, now);
    struct pvf__core_request *found = find(core, request);
    if (found == NULL || found->state == PVF__CORE_REQUEST_REPLIED) {
        return false;
    }
    core->stats.cancelled++;
    if (found->state == PVF__CORE_REQUEST_RUNNING) {
        pvf__core_execute_cancel(core, found);
    }
    pvf__core_request_reply(core, found, PVF__CORE_REPLY_CANCELLED);
    pvf__core_schedule(core);
    return true;
}
