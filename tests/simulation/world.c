/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: the books of the made-up shell: what each command of the core must and must not be.
 */
#include "simulation/world.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void sim_fail(const struct sim *sim, const char *what)
{
    printf("seed %" PRIu64 ", step %" PRIu64 ", time %" PRIu64 ": not so: %s\n",
           sim->seed,
           sim->step,
           sim->now,
           what);
    printf("to see it again: simulate %" PRIu64 " %" PRIu64 "\n", sim->seed, sim->step + 1);
    exit(1);
}

/* SplitMix64. */
uint64_t sim_random(struct sim *sim, uint64_t below)
{
    sim->random += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t value = sim->random;
    value = (value ^ value >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    value = (value ^ value >> 27) * UINT64_C(0x94d049bb133111eb);
    value ^= value >> 31;
    return below > 0 ? value % below : 0;
}

bool sim_chance(struct sim *sim, unsigned percent)
{
    return sim_random(sim, 100) < percent;
}

void sim_hash(unsigned index, uint8_t ret[32])
{
    memset(ret, 0, 32);
    ret[31] = (uint8_t)index;
}

unsigned sim_index(const uint8_t hash[32])
{
    return hash[31];
}

void sim_code(struct sim *sim, unsigned key, struct pvf__core_code *ret)
{
    *ret = (struct pvf__core_code){
        .kind = sim_chance(sim, 40) ? PVF__CORE_PRECHECKING : PVF__CORE_COMPILATION,
        .critical = sim_chance(sim, 40),
        .cpu_limit_ns = (sim_chance(sim, 50) ? 60 : 360) * PVF__CORE_SECOND,
        .memory_limit = sim_random(sim, 3) << 20,
        .bomb_limit = 20u + (uint32_t)sim_random(sim, 2) * 10,
    };
    sim_hash(key, ret->key.code_hash);
    sim_hash(7, ret->key.prep_hash);
    sim_hash((unsigned)sim_random(sim, SIM_PARAMS), ret->params_hash);
}

struct sim_request *sim_request_find(struct sim *sim, uint64_t id)
{
    struct sim_request *request = &sim->requests[id % SIM_REQUESTS];
    return id != 0 && request->id == id ? request : NULL;
}

struct sim_request *sim_request_place(struct sim *sim)
{
    for (unsigned i = 0; i < SIM_REQUESTS; i++) {
        sim->next_request++;
        if (sim->requests[sim->next_request % SIM_REQUESTS].id == 0) {
            return &sim->requests[sim->next_request % SIM_REQUESTS];
        }
    }
    return NULL;
}

struct sim_worker *sim_worker_find(struct sim *sim, uint64_t id)
{
    for (unsigned i = 0; i < SIM_WORKERS; i++) {
        if (sim->workers[i].state != SIM_FREE && sim->workers[i].id == id) {
            return &sim->workers[i];
        }
    }
    return NULL;
}

struct sim_artifact *sim_artifact_find(struct sim *sim, uint64_t generation)
{
    for (unsigned i = 0; i < SIM_ARTIFACTS && generation != 0; i++) {
        if (sim->artifacts[i].generation == generation) {
            return &sim->artifacts[i];
        }
    }
    return NULL;
}

void sim_artifact_put(struct sim *sim,
                      uint64_t generation,
                      unsigned key,
                      uint64_t maker,
                      const struct pvf__core_prepared *measured,
                      const struct pvf__core_code *made_as)
{
    SIM_MUST(sim, sim_artifact_find(sim, generation) == NULL);
    for (unsigned i = 0; i < SIM_ARTIFACTS; i++) {
        if (sim->artifacts[i].generation == 0) {
            sim->artifacts[i] = (struct sim_artifact){.generation = generation,
                                                      .key = key,
                                                      .maker = maker,
                                                      .measured = *measured,
                                                      .made_as = *made_as};
            return;
        }
    }
    sim_fail(sim, "there are fewer artifacts than places");
}

static const enum pvf__core_failure failures[] = {
    PVF__CORE_FAILURE_PREVALIDATION,
    PVF__CORE_FAILURE_PREPARATION,
    PVF__CORE_FAILURE_DECOMPRESSION,
    PVF__CORE_FAILURE_OUT_OF_MEMORY,
    PVF__CORE_FAILURE_JOB_ERROR,
    PVF__CORE_FAILURE_CONSTRUCTION,
    PVF__CORE_FAILURE_TIMED_OUT,
    PVF__CORE_FAILURE_DEATH,
    PVF__CORE_FAILURE_STALLED,
    PVF__CORE_FAILURE_LOCAL,
    PVF__CORE_FAILURE_NO_SPACE,
};

static void plan_prepare(struct sim *sim, struct sim_worker *worker)
{
    struct pvf__core_prepared *end = &worker->prepared;
    *end = (struct pvf__core_prepared){
        .end = PVF__CORE_PREPARE_OK,
        .worker_lives = true,
        .size = 1 + sim_random(sim, 1000),
        .cpu_ns = sim_random(sim, worker->made_as.cpu_limit_ns + 1),
        .memory = sim_random(sim, 3 << 20),
        .code_len = 15u + (uint32_t)sim_random(sim, 20),
        .text = "why",
    };
    const uint64_t wall = end->cpu_ns / (1 + sim_random(sim, 4));
    worker->due = sim->now + 1 + wall;
    worker->first_tier_due = sim_chance(sim, 60) ? sim->now + 1 + wall / 4 : 0;
    worker->dies = false;
    if (sim->calm || sim_chance(sim, 65)) {
        return;
    }
    worker->dies = sim_chance(sim, 15);
    end->worker_lives = sim_chance(sim, 60);
    end->end = sim_chance(sim, 15) ? PVF__CORE_PREPARE_NOT_STARTED : PVF__CORE_PREPARE_FAILED;
    end->failure = failures[sim_random(sim, sizeof(failures) / sizeof(failures[0]))];
    end->error = (int32_t)end->failure + 100;
}

static void plan_execute(struct sim *sim, struct sim_worker *worker)
{
    worker->executed = (struct pvf__core_executed){
        .end = PVF__CORE_EXECUTE_DONE,
        .worker_lives = true,
        .valid = sim_chance(sim, 70),
        .cpu_ns = sim_random(sim, worker->cpu_limit_ns + 1),
    };
    uint64_t wall = worker->executed.cpu_ns;
    worker->dies = false;
    if (!sim->calm && sim_chance(sim, 25)) {
        worker->dies = sim_chance(sim, 15);
        worker->executed.worker_lives = sim_chance(sim, 60);
        worker->executed.end = (enum pvf__core_execute_end)sim_random(sim, 4);
        if (sim_chance(sim, 20)) {
            worker->executed.cpu_ns = 0;
            wall = worker->cpu_limit_ns * sim->config.wall_factor;
        }
    }
    worker->due = sim->now + 1 + wall;
}

static void on_spawn(struct sim *sim, const struct pvf__core_command *command)
{
    SIM_MUST(sim, sim_worker_find(sim, command->worker) == NULL);
    struct sim_worker *worker = NULL;
    for (unsigned i = 0; i < SIM_WORKERS && worker == NULL; i++) {
        worker = sim->workers[i].state == SIM_FREE ? &sim->workers[i] : NULL;
    }
    SIM_MUST(sim, worker != NULL);
    *worker = (struct sim_worker){
        .id = command->worker,
        .state = SIM_SPAWNING,
        .kind = command->worker_kind,
        .params = sim_index(command->params_hash),
        .due = sim->now + 1 + sim_random(sim, 3 * PVF__CORE_SECOND),
        .dies = !sim->calm && sim_chance(sim, sim->spawns_fail),
    };
    if (worker->kind == PVF__CORE_EXECUTE_WORKER) {
        const struct sim_request *request = sim_request_find(sim, command->request);
        SIM_MUST(sim, request != NULL && request->execution);
        SIM_MUST(sim, sim_index(request->code.params_hash) == worker->params);
    }
}

static void on_start_prepare(struct sim *sim, const struct pvf__core_command *command)
{
    struct sim_worker *worker = sim_worker_find(sim, command->worker);
    const struct sim_request *request = sim_request_find(sim, command->request);
    SIM_MUST(sim, worker != NULL && worker->state == SIM_IDLE);
    SIM_MUST(sim, worker->kind == PVF__CORE_PREPARE_WORKER);
    SIM_MUST(sim, request != NULL);
    SIM_MUST(sim, memcmp(&request->code.key, &command->key, sizeof(command->key)) == 0);
    worker->state = SIM_BUSY;
    worker->key = request->key;
    worker->made_as = request->code;
    worker->started_at = sim->now;
    plan_prepare(sim, worker);
}

/* Whatever is made under the first limits is within the second. */
static bool limits_hold(const struct pvf__core_code *made, const struct pvf__core_code *code)
{
    return made->cpu_limit_ns <= code->cpu_limit_ns && made->bomb_limit <= code->bomb_limit &&
           (code->memory_limit == 0 ||
            (made->memory_limit != 0 && made->memory_limit <= code->memory_limit));
}

static void on_start_execute(struct sim *sim, const struct pvf__core_command *command)
{
    struct sim_worker *worker = sim_worker_find(sim, command->worker);
    const struct sim_request *request = sim_request_find(sim, command->request);
    const struct sim_artifact *artifact = sim_artifact_find(sim, command->generation);
    SIM_MUST(sim, worker != NULL && worker->state == SIM_IDLE);
    SIM_MUST(sim, worker->kind == PVF__CORE_EXECUTE_WORKER);
    SIM_MUST(sim, request != NULL && request->execution && !request->cancelled);
    SIM_MUST(sim, !request->has_outcome);
    SIM_MUST(sim, request->deadline_ns == 0 || request->deadline_ns > sim->now);
    SIM_MUST(sim, artifact != NULL && artifact->key == request->key);
    SIM_MUST(sim,
             sim->config.params_per_job || worker->params == sim_index(request->code.params_hash));
    /* Nobody runs on one again, and nobody whom the optimised one may not serve. */
    worker->on_first_tier = artifact->maker != 0;
    SIM_MUST(sim, !worker->on_first_tier || !request->optimised);
    SIM_MUST(sim,
             !worker->on_first_tier || (artifact->made_as.kind == PVF__CORE_COMPILATION &&
                                        limits_hold(&artifact->made_as, &request->code)));
    worker->state = SIM_BUSY;
    worker->request = request->id;
    worker->key = request->key;
    worker->cls = request->cls;
    worker->cpu_limit_ns = request->cpu_limit_ns;
    worker->started_at = sim->now;
    sim->starved[request->cls] = 0;
    plan_execute(sim, worker);
}

/* A precheck that passes, or an execution, must have been worth it by its own limits. */
static bool is_satisfied(const struct sim_artifact *artifact, const struct pvf__core_code *code)
{
    const struct pvf__core_code *made = &artifact->made_as;
    const bool cpu =
        artifact->measured.cpu_ns <= code->cpu_limit_ns || made->cpu_limit_ns <= code->cpu_limit_ns;
    const bool checked = code->kind == PVF__CORE_COMPILATION ||
                         (made->kind == PVF__CORE_PRECHECKING &&
                          memcmp(made->params_hash, code->params_hash, 32) == 0);
    const bool memory = code->memory_limit == 0 ||
                        artifact->measured.memory <= code->memory_limit ||
                        (made->memory_limit != 0 && made->memory_limit <= code->memory_limit);
    const bool bomb =
        artifact->measured.code_len <= code->bomb_limit || made->bomb_limit <= code->bomb_limit;
    return cpu && checked && memory && bomb;
}

/* It was valid on a first tier, but its code has turned out to be one that cannot be prepared. */
static bool is_refuted(const struct sim_request *request, const struct pvf__core_command *command)
{
    return request->on_first_tier && command->reply == PVF__CORE_REPLY_PREPARE_FAILED &&
           command->deterministic && command->stored;
}

static void on_reply(struct sim *sim, const struct pvf__core_command *command)
{
    struct sim_request *request = sim_request_find(sim, command->request);
    SIM_MUST(sim, request != NULL);
    const bool backing =
        request->cls == PVF__CORE_BACKING || request->cls == PVF__CORE_BACKING_SYSTEM_PARAS;
    sim->replies[command->reply]++;
    switch (command->reply) {
    case PVF__CORE_REPLY_PREPARED: {
        const struct sim_artifact *artifact = sim_artifact_find(sim, command->generation);
        SIM_MUST(sim, !request->execution && artifact != NULL && artifact->maker == 0);
        SIM_MUST(sim, artifact->key == request->key);
        SIM_MUST(sim, is_satisfied(artifact, &request->code));
        break;
    }
    case PVF__CORE_REPLY_PREPARE_FAILED:
        SIM_MUST(sim,
                 !command->deterministic || sim->failed_for_good[request->key][command->failure]);
        SIM_MUST(sim, !sim->calm || command->stored || request->asked_at < sim->now);
        break;
    case PVF__CORE_REPLY_EXECUTED:
        SIM_MUST(sim, request->has_outcome);
        break;
    case PVF__CORE_REPLY_EXPIRED:
        SIM_MUST(sim, request->execution);
        SIM_MUST(sim,
                 (request->deadline_ns != 0 && request->deadline_ns <= sim->now) ||
                     (backing && request->unviable));
        break;
    case PVF__CORE_REPLY_CANCELLED:
        SIM_MUST(sim, request->cancelled);
        break;
    case PVF__CORE_REPLY_NO_WORKER:
    case PVF__CORE_REPLY_NOT_STARTED:
        SIM_MUST(sim, !request->has_outcome);
        break;
    default:
        sim_fail(sim, "a reply is one of seven");
    }
    SIM_MUST(sim,
             !request->has_outcome || command->reply == PVF__CORE_REPLY_EXECUTED ||
                 request->cancelled || is_refuted(request, command));
    request->id = 0;
}

void sim_charge(struct sim *sim, const struct sim_worker *worker, uint64_t cpu_ns, bool ran)
{
    uint64_t cost = (sim->now - worker->started_at) / sim->config.wall_factor;
    cost = cost < cpu_ns ? cpu_ns : cost;
    cost = cost < sim->config.min_cost_ns ? sim->config.min_cost_ns : cost;
    cost = cost > worker->cpu_limit_ns ? worker->cpu_limit_ns : cost;
    for (unsigned i = 0; i < PVF__CORE_CLASSES && ran; i++) {
        sim->starved[i] += i != (unsigned)worker->cls ? cost : 0;
    }
}

static void on_kill(struct sim *sim, const struct pvf__core_command *command)
{
    struct sim_worker *worker = sim_worker_find(sim, command->worker);
    if (worker == NULL) {
        bool crossed = false;
        for (unsigned i = 0; i < sizeof(sim->gone) / sizeof(sim->gone[0]); i++) {
            crossed = crossed || sim->gone[i] == command->worker;
        }
        SIM_MUST(sim, crossed);
        return;
    }
    if (worker->kind == PVF__CORE_EXECUTE_WORKER && worker->state == SIM_BUSY) {
        sim_charge(sim, worker, 0, true);
    }
    worker->state = SIM_FREE;
}

static void on_remove(struct sim *sim, const struct pvf__core_command *command)
{
    struct sim_artifact *artifact = sim_artifact_find(sim, command->generation);
    SIM_MUST(sim, artifact != NULL);
    SIM_MUST(sim, artifact->key == sim_index(command->key.code_hash));
    artifact->generation = 0;
}

static void carry_out(struct sim *sim, const struct pvf__core_command *command)
{
    sim->commands[command->kind]++;
    switch (command->kind) {
    case PVF__CORE_SPAWN:
        on_spawn(sim, command);
        break;
    case PVF__CORE_KILL:
        on_kill(sim, command);
        break;
    case PVF__CORE_START_PREPARE:
        on_start_prepare(sim, command);
        break;
    case PVF__CORE_START_EXECUTE:
        on_start_execute(sim, command);
        break;
    case PVF__CORE_REPLY:
        on_reply(sim, command);
        break;
    case PVF__CORE_REMOVE:
        on_remove(sim, command);
        break;
    case PVF__CORE_ALARM:
        SIM_MUST(sim, sim->alarms[command->alarm] != command->alarm_on);
        sim->alarms[command->alarm] = command->alarm_on;
        break;
    default:
        sim_fail(sim, "a command is one of seven");
    }
}

static void check_starvation(struct sim *sim)
{
    struct pvf__core_stats stats;
    pvf__core_stats_get(sim->core, &stats);
    for (unsigned i = 0; i < PVF__CORE_CLASSES; i++) {
        if (stats.execute_queued[i] == 0) {
            sim->starved[i] = 0;
        }
        if (sim->starved[i] > sim->worst[i]) {
            sim->worst[i] = sim->starved[i];
        }
        /* Several executor parameters: twice the bound. */
        const uint64_t factor = sim->config.params_per_job ? 1 : 2;
        SIM_MUST(sim,
                 sim->config.policy != PVF__CORE_POLICY_FAIR ||
                     sim->starved[i] <=
                         factor * pvf__core_starvation_bound_ns(
                                      &sim->config, (enum pvf__core_class)i, SIM_CPU_LIMIT));
    }
}

/* None outlives the job that made it. */
static void check_first_tiers(struct sim *sim)
{
    for (unsigned i = 0; i < SIM_ARTIFACTS; i++) {
        const struct sim_artifact *artifact = &sim->artifacts[i];
        if (artifact->generation != 0 && artifact->maker != 0) {
            const struct sim_worker *maker = sim_worker_find(sim, artifact->maker);
            SIM_MUST(sim, maker != NULL && maker->state == SIM_BUSY);
            SIM_MUST(sim, maker != NULL && maker->key == artifact->key);
        }
    }
}

void sim_settle(struct sim *sim)
{
    pvf_error error = PVF_ERROR_INIT;
    struct pvf__core_command command;
    while (pvf__core_next_command(sim->core, &command)) {
        carry_out(sim, &command);
        if (!sim->calm && !sim->interrupting && sim_chance(sim, 4)) {
            sim->interrupting = true;
            sim_interrupt(sim);
            sim->interrupting = false;
            if (pvf__core_check(sim->core, &error) != 0) {
                sim_fail(sim, error.text);
            }
        }
    }
    if (pvf__core_check(sim->core, &error) != 0) {
        sim_fail(sim, error.text);
    }
    check_starvation(sim);
    check_first_tiers(sim);
}
