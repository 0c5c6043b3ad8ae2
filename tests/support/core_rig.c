/* SPDX-License-Identifier: Apache-2.0 */
#include "support/core_rig.h"

#include "support/test.h"

#include <stdio.h>
#include <string.h>

void core_rig_config(struct core_rig *rig)
{
    *rig = (struct core_rig){.now = 1000 * PVF__CORE_SECOND};
    pvf__core_config_reference(&rig->config);
    rig->config.prepare_hard_max = 1;
    rig->config.execute_max = 1;
}

void core_rig_begin(struct core_rig *rig)
{
    pvf_error error = PVF_ERROR_INIT;
    if (pvf__core_new(&rig->config, &rig->core, &error) != 0) {
        fail_msg("%s", error.text);
    }
}

void core_rig_end(struct core_rig *rig)
{
    pvf__core_free(rig->core);
    rig->core = NULL;
}

int core_rig_set_up(void **state)
{
    core_rig_config(*state);
    core_rig_begin(*state);
    return 0;
}

int core_rig_tear_down(void **state)
{
    core_rig_end(*state);
    return 0;
}

void core_rig_fetch(struct core_rig *rig)
{
    struct pvf__core_command command;
    while (pvf__core_next_command(rig->core, &command)) {
        assert_true(rig->count < sizeof(rig->commands) / sizeof(rig->commands[0]));
        rig->commands[rig->count++] = command;
    }
    pvf_error error = PVF_ERROR_INIT;
    if (pvf__core_check(rig->core, &error) != 0) {
        fail_msg("%s", error.text);
    }
}

struct pvf__core_code core_rig_code(unsigned n)
{
    struct pvf__core_code code = {
        .kind = PVF__CORE_COMPILATION,
        .cpu_limit_ns = 360 * PVF__CORE_SECOND,
        .bomb_limit = 30u << 20,
    };
    memset(code.key.code_hash, (int)n, sizeof(code.key.code_hash));
    return code;
}

struct pvf__core_code core_rig_precheck_code(unsigned n)
{
    struct pvf__core_code code = core_rig_code(n);
    code.kind = PVF__CORE_PRECHECKING;
    code.cpu_limit_ns = 60 * PVF__CORE_SECOND;
    return code;
}

uint64_t core_rig_precheck(struct core_rig *rig, const struct pvf__core_code *code)
{
    const uint64_t id = ++rig->next_request;
    assert_int_equal(pvf__core_precheck(rig->core, rig->now, id, code), 0);
    core_rig_fetch(rig);
    return id;
}

uint64_t core_rig_heads_up(struct core_rig *rig, const struct pvf__core_code *code)
{
    const uint64_t id = ++rig->next_request;
    assert_int_equal(pvf__core_heads_up(rig->core, rig->now, id, code), 0);
    core_rig_fetch(rig);
    return id;
}

struct pvf__core_execution core_rig_like(const struct pvf__core_code *code,
                                         enum pvf__core_class cls)
{
    struct pvf__core_execution execution = {
        .code = *code,
        .cls = cls,
        .cpu_limit_ns =
            (cls == PVF__CORE_DISPUTE || cls == PVF__CORE_APPROVAL ? 12 : 2) * PVF__CORE_SECOND,
    };
    execution.code.critical = cls == PVF__CORE_DISPUTE || cls == PVF__CORE_APPROVAL;
    return execution;
}

uint64_t core_rig_execution(struct core_rig *rig, struct pvf__core_execution execution)
{
    execution.request = ++rig->next_request;
    assert_int_equal(pvf__core_execute(rig->core, rig->now, &execution), 0);
    core_rig_fetch(rig);
    return execution.request;
}

uint64_t
core_rig_execute(struct core_rig *rig, const struct pvf__core_code *code, enum pvf__core_class cls)
{
    return core_rig_execution(rig, core_rig_like(code, cls));
}

/* The shell's timer: every deadline on the way is told. */
void core_rig_wait(struct core_rig *rig, uint64_t ns)
{
    const uint64_t until = rig->now + ns;
    while (pvf__core_next_deadline(rig->core) <= until) {
        const uint64_t deadline = pvf__core_next_deadline(rig->core);
        rig->now = deadline > rig->now ? deadline : rig->now;
        pvf__core_tick(rig->core, rig->now);
        core_rig_fetch(rig);
        assert_true(pvf__core_next_deadline(rig->core) > rig->now);
    }
    rig->now = until;
}

void core_rig_spawned(struct core_rig *rig, uint64_t worker)
{
    pvf__core_worker_spawned(rig->core, rig->now, worker);
    core_rig_fetch(rig);
}

void core_rig_spawn_failed(struct core_rig *rig, uint64_t worker)
{
    pvf__core_spawn_failed(rig->core, rig->now, worker);
    core_rig_fetch(rig);
}

void core_rig_dead(struct core_rig *rig, uint64_t worker)
{
    pvf__core_worker_dead(rig->core, rig->now, worker);
    core_rig_fetch(rig);
}

void core_rig_cancel(struct core_rig *rig, uint64_t request)
{
    pvf__core_cancel(rig->core, rig->now, request);
    core_rig_fetch(rig);
}

uint64_t core_rig_prepared_as(struct core_rig *rig,
                              uint64_t worker,
                              const struct pvf__core_prepared *prepared)
{
    const uint64_t generation = pvf__core_prepare_finished(rig->core, rig->now, worker, prepared);
    core_rig_fetch(rig);
    return generation;
}

uint64_t core_rig_prepared(struct core_rig *rig, uint64_t worker)
{
    const struct pvf__core_prepared prepared = {.end = PVF__CORE_PREPARE_OK,
                                                .worker_lives = true,
                                                .size = 1024,
                                                .cpu_ns = 3 * PVF__CORE_SECOND,
                                                .memory = 100u << 20,
                                                .code_len = 1u << 20};
    const uint64_t generation = core_rig_prepared_as(rig, worker, &prepared);
    assert_true(generation != 0);
    return generation;
}

void core_rig_prepare_failed(struct core_rig *rig, uint64_t worker, enum pvf__core_failure failure)
{
    const struct pvf__core_prepared prepared = {.end = PVF__CORE_PREPARE_FAILED,
                                                .worker_lives = true,
                                                .failure = failure,
                                                .error = 40 + (int32_t)failure,
                                                .text = "it did not work"};
    assert_int_equal(core_rig_prepared_as(rig, worker, &prepared), 0);
}

void core_rig_executed_as(struct core_rig *rig,
                          uint64_t worker,
                          const struct pvf__core_executed *executed)
{
    pvf__core_execute_finished(rig->core, rig->now, worker, executed);
    core_rig_fetch(rig);
}

void core_rig_executed(struct core_rig *rig, uint64_t worker, enum pvf__core_execute_end end)
{
    const struct pvf__core_executed executed = {
        .end = end, .worker_lives = true, .cpu_ns = PVF__CORE_SECOND};
    core_rig_executed_as(rig, worker, &executed);
}

struct pvf__core_command core_rig_take(struct core_rig *rig, enum pvf__core_command_kind kind)
{
    assert_true(rig->count > 0);
    const struct pvf__core_command command = rig->commands[0];
    rig->count--;
    memmove(rig->commands, rig->commands + 1, rig->count * sizeof(rig->commands[0]));
    assert_int_equal(command.kind, kind);
    return command;
}

struct pvf__core_command
core_rig_take_reply(struct core_rig *rig, uint64_t request, enum pvf__core_reply reply)
{
    const struct pvf__core_command command = core_rig_take(rig, PVF__CORE_REPLY);
    assert_int_equal(command.request, request);
    assert_int_equal(command.reply, reply);
    return command;
}

uint64_t core_rig_take_spawn(struct core_rig *rig, enum pvf__core_worker_kind kind)
{
    const struct pvf__core_command command = core_rig_take(rig, PVF__CORE_SPAWN);
    assert_int_equal(command.worker_kind, kind);
    core_rig_spawned(rig, command.worker);
    return command.worker;
}

uint64_t core_rig_take_start(struct core_rig *rig, uint64_t request)
{
    assert_true(rig->count > 0);
    const bool prepare = rig->commands[0].kind == PVF__CORE_START_PREPARE;
    const struct pvf__core_command command =
        core_rig_take(rig, prepare ? PVF__CORE_START_PREPARE : PVF__CORE_START_EXECUTE);
    assert_int_equal(command.request, request);
    return command.worker;
}

void core_rig_take_nothing(struct core_rig *rig)
{
    if (rig->count > 0) {
        fail_msg("a command of kind %d came", (int)rig->commands[0].kind);
    }
}

void core_rig_skip(struct core_rig *rig)
{
    rig->count = 0;
}

uint64_t core_rig_prepare(struct core_rig *rig, const struct pvf__core_code *code)
{
    core_rig_take_nothing(rig);
    const uint64_t request = core_rig_heads_up(rig, code);
    if (rig->commands[0].kind == PVF__CORE_SPAWN) {
        (void)core_rig_take_spawn(rig, PVF__CORE_PREPARE_WORKER);
    }
    const uint64_t generation = core_rig_prepared(rig, core_rig_take_start(rig, request));
    (void)core_rig_take_reply(rig, request, PVF__CORE_REPLY_PREPARED);
    core_rig_take_nothing(rig);
    return generation;
}

struct pvf__core_stats core_rig_stats(const struct core_rig *rig)
{
    struct pvf__core_stats stats;
    pvf__core_stats_get(rig->core, &stats);
    return stats;
}
