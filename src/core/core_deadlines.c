/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: the deadlines of requests that have not started: a binary heap, the earliest at place 1.
 */
#include "core/core_state.h"

#include "base/checked.h"

#include <stdlib.h>

int pvf__core_deadlines_reserve(struct pvf__core *core, size_t count)
{
    if (count <= core->deadlines_room) {
        return 0;
    }
    size_t room = count < 64 ? 64 : count;
    size_t bytes;
    if (!pvf__checked_mul(room, 2, &room) ||
        !pvf__checked_mul(room + 1, sizeof(struct pvf__core_request *), &bytes)) {
        return PVF_ERR_NO_MEMORY;
    }
    struct pvf__core_request **heap = calloc(1, bytes);
    if (heap == NULL) {
        return PVF_ERR_NO_MEMORY;
    }
    for (size_t i = 1; i <= core->deadlines_count; i++) {
        heap[i] = core->deadlines[i];
    }
    free(core->deadlines);
    core->deadlines = heap;
    core->deadlines_room = room;
    return 0;
}

static void set(struct pvf__core *core, size_t place, struct pvf__core_request *request)
{
    core->deadlines[place] = request;
    request->deadline_place = place;
}

static void rise(struct pvf__core *core, size_t place)
{
    struct pvf__core_request *request = core->deadlines[place];
    while (place > 1 && core->deadlines[place / 2]->deadline_ns > request->deadline_ns) {
        set(core, place, core->deadlines[place / 2]);
        place /= 2;
    }
    set(core, place, request);
}

static void sink(struct pvf__core *core, size_t place)
{
    struct pvf__core_request *request = core->deadlines[place];
    for (;;) {
        size_t child = place * 2;
        if (child > core->deadlines_count) {
            break;
        }
        if (child < core->deadlines_count &&
            core->deadlines[child + 1]->deadline_ns < core->deadlines[child]->deadline_ns) {
            child++;
        }
        if (core->deadlines[child]->deadline_ns >= request->deadline_ns) {
            break;
        }
        set(core, place, core->deadlines[child]);
        place = child;
    }
    set(core, place, request);
}

void pvf__core_deadlines_put(struct pvf__core *core, struct pvf__core_request *request)
{
    if (request->deadline_ns == 0 || request->deadline_place != 0) {
        return;
    }
    core->deadlines_count++;
    set(core, core->deadlines_count, request);
    rise(core, core->deadlines_count);
}

void pvf__core_deadlines_remove(struct pvf__core *core, struct pvf__core_request *request)
{
    const size_t place = request->deadline_place;
    if (place == 0) {
        return;
    }
    request->deadline_place = 0;
    struct pvf__core_request *last = core->deadlines[core->deadlines_count];
    core->deadlines_count--;
    if (last != request) {
        set(core, place, last);
        rise(core, place);
        sink(core, last->deadline_place);
    }
}

void pvf__core_deadlines_expire(struct pvf__core *core)
{
    while (core->deadlines_count > 0 && core->deadlines[1]->deadline_ns <= core->now) {
        core->stats.expired++;
        pvf__core_request_reply(core, core->deadlines[1], PVF__CORE_REPLY_EXPIRED);
    }
}

uint64_t pvf__core_deadlines_next(const struct pvf__core *core)
{
    return core->deadlines_count > 0 ? core->deadlines[1]->deadline_ns : UINT64_MAX;
}
