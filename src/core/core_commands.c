/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: the list of decided commands.  An order lives inside the request, worker, entry or alarm
 * that it is about; what it says is put together when it is fetched.
 */
#include "core/core_state.h"

#include <string.h>

void pvf__core_order_init(struct pvf__core_order *order, enum pvf__core_command_kind kind)
{
    pvf__core_list_init(&order->link);
    order->kind = kind;
}

void pvf__core_order(struct pvf__core *core, struct pvf__core_order *order)
{
    pvf__core_list_append(&core->orders, &order->link);
}

bool pvf__core_order_waits(const struct pvf__core_order *order)
{
    return pvf__core_list_linked(&order->link);
}

void pvf__core_order_withdraw(struct pvf__core_order *order)
{
    pvf__core_list_remove(&order->link);
}

void pvf__core_alarm(struct pvf__core *core, enum pvf__core_alarm alarm, bool on)
{
    struct pvf__core_alarm_state *state = &core->alarms[alarm];
    state->on = on;
    if (state->on == state->told) {
        pvf__core_order_withdraw(&state->order);
    } else if (!pvf__core_order_waits(&state->order)) {
        pvf__core_order(core, &state->order);
    }
}

static void say_worker(struct pvf__core_command *ret, const struct pvf__core_worker *worker)
{
    ret->worker = worker->id;
    ret->worker_kind = worker->kind;
    ret->request = worker->request_id;
    memcpy(ret->params_hash, worker->params_hash, sizeof(ret->params_hash));
    if (worker->entry != NULL) {
        ret->key = worker->entry->key;
        ret->generation = worker->kind == PVF__CORE_EXECUTE_WORKER ? worker->generation : 0;
    }
}

static void free_slot(struct pvf__core_worker *worker)
{
    worker->state = PVF__CORE_WORKER_FREE;
    worker->id = 0;
}

static void
fetch_remove(struct pvf__core *core, struct pvf__core_order *order, struct pvf__core_command *ret)
{
    struct pvf__core_removal *removal = PVF__CORE_OWNER(order, struct pvf__core_removal, order);
    ret->generation = removal->generation;
    ret->key = removal->entry->key;
    removal->generation = 0;
    pvf__core_entry_settle(core, removal->entry);
}

static void
fetch_alarm(struct pvf__core *core, struct pvf__core_order *order, struct pvf__core_command *ret)
{
    struct pvf__core_alarm_state *state =
        PVF__CORE_OWNER(order, struct pvf__core_alarm_state, order);
    state->told = state->on;
    ret->alarm = (enum pvf__core_alarm)(state - core->alarms);
    ret->alarm_on = state->on;
}

static void
fetch(struct pvf__core *core, struct pvf__core_order *order, struct pvf__core_command *ret)
{
    struct pvf__core_request *request = NULL;
    struct pvf__core_worker *worker = NULL;
    switch (order->kind) {
    case PVF__CORE_REPLY:
        request = PVF__CORE_OWNER(order, struct pvf__core_request, order_reply);
        *ret = request->reply;
        ret->request = request->id;
        pvf__core_request_free(core, request);
        break;
    case PVF__CORE_KILL:
        worker = PVF__CORE_OWNER(order, struct pvf__core_worker, order_kill);
        ret->worker = worker->id;
        ret->worker_kind = worker->kind;
        free_slot(worker);
        break;
    case PVF__CORE_REMOVE:
        fetch_remove(core, order, ret);
        break;
    case PVF__CORE_ALARM:
        fetch_alarm(core, order, ret);
        break;
    case PVF__CORE_SPAWN:
    case PVF__CORE_START_PREPARE:
    case PVF__CORE_START_EXECUTE:
    default:
        say_worker(ret, PVF__CORE_OWNER(order, struct pvf__core_worker, order));
        break;
    }
}

bool pvf__core_next_command(struct pvf__core *core, struct pvf__core_command *ret)
{
    if (pvf__core_list_empty(&core->orders)) {
        return false;
    }
    struct pvf__core_order *order =
        PVF__CORE_OWNER(core->orders.next, struct pvf__core_order, link);
    pvf__core_order_withdraw(order);
    const enum pvf__core_command_kind kind = order->kind;
    *ret = (struct pvf__core_command){0};
    fetch(core, order, ret);
    ret->kind = kind;
    return true;
}
