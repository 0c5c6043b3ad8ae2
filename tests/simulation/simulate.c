/* SPDX-License-Identifier: Apache-2.0 */
/*
 * simulate [SEED [STEPS]]: drives the core with everything that can happen, in any order, and looks
 * after each step whether all is as core.h promises.  One seed is one history; a failure prints how
 * to see it again.
 */
#include "simulation/world.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void configure(struct sim *sim)
{
    struct pvf__core_config *config = &sim->config;
    pvf__core_config_default(config);
    config->policy = sim->seed % 2 == 0 ? PVF__CORE_POLICY_FAIR : PVF__CORE_POLICY_REFERENCE;
    config->seed[0] = sim->seed;
    config->prepare_soft_max = 1 + (uint32_t)sim_random(sim, 2);
    config->prepare_hard_max = config->prepare_soft_max + (uint32_t)sim_random(sim, 2);
    config->execute_max = 1 + (uint32_t)sim_random(sim, 4);
    config->max_requests = SIM_REQUESTS - 8;
    config->requeue_max = (uint32_t)sim_random(sim, 4);
    config->cancel_kills = sim_chance(sim, 50);
    config->params_per_job = sim_chance(sim, 50);
    config->precheck_retries = sim_chance(sim, 80);
    config->job_error_attempts = 1 + (uint32_t)sim_random(sim, 3);
    config->death_retries = (uint32_t)sim_random(sim, 3);
    config->failure_expiry_ns = sim_random(sim, 2) * PVF__CORE_MINUTE;
    config->permanent_expiry_ns = (1 + sim_random(sim, 3)) * PVF__CORE_MINUTE;
    config->prepare_aging_ns = sim_random(sim, 3) * PVF__CORE_MINUTE;
    config->prepare_idle_ns = sim_random(sim, 3) * PVF__CORE_MINUTE;
    config->execute_idle_ns = sim_random(sim, 3) * PVF__CORE_MINUTE;
    config->cache_max_bytes = 500 + sim_random(sim, 3000);
    config->cache_min_idle_ns = sim_random(sim, 3) * PVF__CORE_SECOND;
    config->free_floor_bytes = 1000;
    config->free_min_idle_ns = sim_random(sim, 3) * PVF__CORE_SECOND;
    config->prune_period_ns = PVF__CORE_MINUTE;
    pvf_error error = PVF_ERROR_INIT;
    if (pvf__core_new(config, &sim->core, &error) != 0) {
        sim_fail(sim, error.text);
    }
}

/* A request may fail for lack of memory: then nothing may have changed. */
static bool ask_core(struct sim *sim, const struct sim_request *request, unsigned what)
{
    struct pvf__core_stats before;
    pvf__core_stats_get(sim->core, &before);
    sim_calloc_fails = sim->calm || sim_chance(sim, 80) ? 0 : 50;
    int status = 0;
    if (request->execution) {
        struct pvf__core_execution execution = {
            .request = request->id,
            .code = request->code,
            .cls = request->cls,
            .cpu_limit_ns = request->cpu_limit_ns,
            .deadline_ns = request->deadline_ns,
        };
        /* All zero would be none. */
        sim_hash(request->parent + 1, execution.parent);
        status = pvf__core_execute(sim->core, sim->now, &execution);
    } else if (what == 0) {
        status = pvf__core_precheck(sim->core, sim->now, request->id, &request->code);
    } else {
        status = pvf__core_heads_up(sim->core, sim->now, request->id, &request->code);
    }
    sim_calloc_fails = 0;
    if (status != 0) {
        SIM_MUST(sim, status == PVF_ERR_NO_MEMORY || before.requests >= sim->config.max_requests);
        struct pvf__core_stats after;
        pvf__core_stats_get(sim->core, &after);
        SIM_MUST(sim, memcmp(&before, &after, sizeof(before)) == 0);
    }
    return status == 0;
}

static void ask(struct sim *sim)
{
    struct sim_request *request = sim_request_place(sim);
    if (request == NULL) {
        return;
    }
    const unsigned what = (unsigned)sim_random(sim, 8);
    *request = (struct sim_request){
        .id = sim->next_request,
        .execution = what >= 2,
        .key = (unsigned)sim_random(sim, SIM_KEYS),
        .asked_at = sim->now,
    };
    sim_code(sim, request->key, &request->code);
    if (request->execution) {
        request->cls = (enum pvf__core_class)sim_random(sim, PVF__CORE_CLASSES);
        request->code.critical = request->cls <= PVF__CORE_APPROVAL;
        request->code.kind = PVF__CORE_COMPILATION;
        request->cpu_limit_ns =
            request->cls <= PVF__CORE_APPROVAL ? SIM_CPU_LIMIT : 2 * PVF__CORE_SECOND;
        request->parent = (unsigned)sim_random(sim, SIM_PARENTS);
        if (sim_chance(sim, 30)) {
            request->deadline_ns = sim->now + 1 + sim_random(sim, 2 * PVF__CORE_MINUTE);
        }
    }
    if (!ask_core(sim, request, what)) {
        request->id = 0;
    }
}

static void cancel(struct sim *sim)
{
    struct sim_request *request = &sim->requests[sim_random(sim, SIM_REQUESTS)];
    if (request->id != 0 && !request->has_outcome) {
        request->cancelled = true;
        pvf__core_cancel(sim->core, sim->now, request->id);
    }
}

static void change_leaves(struct sim *sim)
{
    uint8_t parents[SIM_PARENTS][32];
    size_t count = 0;
    bool viable[SIM_PARENTS];
    for (unsigned i = 0; i < SIM_PARENTS; i++) {
        viable[i] = sim_chance(sim, 75);
        if (viable[i]) {
            sim_hash(i + 1, parents[count++]);
        }
    }
    sim_calloc_fails = sim_chance(sim, 80) ? 0 : 50;
    const int status =
        pvf__core_leaves_set(sim->core, sim->now, (const uint8_t(*)[32])parents, count);
    sim_calloc_fails = 0;
    SIM_MUST(sim, status == 0 || status == PVF_ERR_NO_MEMORY);
    if (status == 0) {
        for (unsigned i = 0; i < SIM_REQUESTS; i++) {
            struct sim_request *request = &sim->requests[i];
            request->unviable = request->unviable || !viable[request->parent];
        }
    }
}

static void load_artifact(struct sim *sim)
{
    struct pvf__core_artifact artifact = {
        .size = 1 + sim_random(sim, 1000),
        .unused_ns = sim_random(sim, 1000 * PVF__CORE_HOUR),
        .cpu_ns = sim_random(sim, 60 * PVF__CORE_SECOND),
        .memory = sim_random(sim, 1 << 20),
        .code_len = 15,
    };
    const unsigned key = (unsigned)sim_random(sim, SIM_KEYS);
    sim_code(sim, key, &artifact.made_as);
    artifact.key = artifact.made_as.key;
    uint64_t generation = 0;
    const int status = pvf__core_artifact_loaded(sim->core, sim->now, &artifact, &generation);
    SIM_MUST(sim, status == 0);
    if (generation != 0) {
        const struct pvf__core_prepared measured = {.size = artifact.size,
                                                    .cpu_ns = artifact.cpu_ns,
                                                    .memory = artifact.memory,
                                                    .code_len = artifact.code_len};
        sim_artifact_put(sim, generation, key, 0, &measured, &artifact.made_as);
    }
}

static void lose_artifact(struct sim *sim)
{
    const struct sim_artifact *artifact = &sim->artifacts[sim_random(sim, SIM_ARTIFACTS)];
    pvf__core_artifact_vanished(sim->core,
                                sim->now,
                                artifact->generation != 0 ? artifact->generation
                                                          : sim_random(sim, 1000));
}

/* A spawn that fails lets a class wait for its worker: the bound holds only between such. */
static void forgive(struct sim *sim)
{
    memset(sim->starved, 0, sizeof(sim->starved));
}

static void end_worker(struct sim *sim, struct sim_worker *worker)
{
    worker->state = SIM_FREE;
    sim->gone[sim->gone_next++ % (sizeof(sim->gone) / sizeof(sim->gone[0]))] = worker->id;
}

static void after_job(struct sim *sim, struct sim_worker *worker, bool lives)
{
    if (lives) {
        worker->state = SIM_IDLE;
    } else {
        end_worker(sim, worker);
    }
}

/* An execution that ran has ended: it has its outcome, or must have another. */
static void note_outcome(struct sim *sim, const struct sim_worker *worker, bool valid)
{
    struct sim_request *request = sim_request_find(sim, worker->request);
    if (request == NULL) {
        return;
    }
    if (worker->on_first_tier && !valid) {
        request->optimised = true;
    } else {
        request->has_outcome = true;
        request->on_first_tier = worker->on_first_tier;
    }
}

static void kill_worker(struct sim *sim, struct sim_worker *worker)
{
    const uint64_t id = worker->id;
    if (worker->state == SIM_BUSY && worker->kind == PVF__CORE_EXECUTE_WORKER) {
        sim_charge(sim, worker, 0, true);
        note_outcome(sim, worker, false);
    }
    forgive(sim);
    end_worker(sim, worker);
    pvf__core_worker_dead(sim->core, sim->now, id);
}

static void end_prepare(struct sim *sim, struct sim_worker *worker)
{
    const struct sim_worker old = *worker;
    after_job(sim, worker, old.prepared.worker_lives);
    if (old.prepared.end == PVF__CORE_PREPARE_FAILED) {
        sim->failed_for_good[old.key][old.prepared.failure] = true;
    }
    const uint64_t generation =
        pvf__core_prepare_finished(sim->core, sim->now, old.id, &old.prepared);
    SIM_MUST(sim, (generation != 0) == (old.prepared.end == PVF__CORE_PREPARE_OK));
    if (generation != 0) {
        sim_artifact_put(sim, generation, old.key, 0, &old.prepared, &old.made_as);
    }
}

static void tell_first_tier(struct sim *sim, struct sim_worker *worker)
{
    worker->first_tier_due = 0;
    const bool wanted = worker->made_as.kind == PVF__CORE_COMPILATION;
    const struct pvf__core_prepared nothing = {.end = PVF__CORE_PREPARE_OK};
    const uint64_t generation = pvf__core_prepare_first_tier(sim->core, sim->now, worker->id);
    SIM_MUST(sim, (generation != 0) == wanted);
    if (generation != 0) {
        sim_artifact_put(sim, generation, worker->key, worker->id, &nothing, &worker->made_as);
        /* A second one in a job is not wanted. */
        SIM_MUST(sim, pvf__core_prepare_first_tier(sim->core, sim->now, worker->id) == 0);
    }
}

static void end_execute(struct sim *sim, struct sim_worker *worker)
{
    const struct sim_worker old = *worker;
    const bool ran = old.executed.end == PVF__CORE_EXECUTE_DONE ||
                     old.executed.end == PVF__CORE_EXECUTE_BAD_ARTIFACT;
    if (ran) {
        note_outcome(sim, &old, old.executed.valid && old.executed.end == PVF__CORE_EXECUTE_DONE);
    }
    sim_charge(sim, worker, old.executed.cpu_ns, ran);
    worker->request = 0;
    after_job(sim, worker, old.executed.worker_lives);
    if (!old.executed.worker_lives && !ran) {
        forgive(sim); /* it may have been fresh: the next spawn waits */
    }
    pvf__core_execute_finished(sim->core, sim->now, old.id, &old.executed);
}

static bool has_first_tier_to_tell(const struct sim_worker *worker)
{
    return worker->state == SIM_BUSY && worker->kind == PVF__CORE_PREPARE_WORKER &&
           worker->first_tier_due != 0;
}

static uint64_t due_of(const struct sim_worker *worker)
{
    return has_first_tier_to_tell(worker) ? worker->first_tier_due : worker->due;
}

/* What comes next of a worker. */
static void end_work(struct sim *sim, struct sim_worker *worker)
{
    if (has_first_tier_to_tell(worker)) {
        tell_first_tier(sim, worker);
    } else if (worker->state == SIM_SPAWNING) {
        if (worker->dies) {
            const uint64_t id = worker->id;
            forgive(sim);
            end_worker(sim, worker);
            pvf__core_spawn_failed(sim->core, sim->now, id);
        } else {
            worker->state = SIM_IDLE;
            pvf__core_worker_spawned(sim->core, sim->now, worker->id);
        }
    } else if (worker->dies) {
        kill_worker(sim, worker);
    } else if (worker->kind == PVF__CORE_PREPARE_WORKER) {
        end_prepare(sim, worker);
    } else {
        end_execute(sim, worker);
    }
}

static void check_cache(void *context, const struct pvf__core_artifact *artifact)
{
    struct sim *sim = context;
    SIM_MUST(sim, artifact->in_use || artifact->unused_ns < sim->config.cache_min_idle_ns);
}

static void tick(struct sim *sim)
{
    pvf__core_tick(sim->core, sim->now);
    sim_settle(sim);
    SIM_MUST(sim, pvf__core_next_deadline(sim->core) > sim->now);
}

/* The cache is within its limit, but for what is used or was a moment ago. */
static void check_cache_after_prune(struct sim *sim)
{
    struct pvf__core_stats stats;
    sim->now += sim->config.prune_period_ns;
    tick(sim);
    pvf__core_stats_get(sim->core, &stats);
    if (stats.cache_bytes > sim->config.cache_max_bytes) {
        pvf__core_artifacts_each(sim->core, check_cache, sim);
    }
}

/* The next thing in time: a job or spawn that ends, or the core's own deadline. */
static void pass_time(struct sim *sim)
{
    uint64_t earliest = pvf__core_next_deadline(sim->core);
    struct sim_worker *next = NULL;
    for (unsigned i = 0; i < SIM_WORKERS; i++) {
        struct sim_worker *worker = &sim->workers[i];
        if ((worker->state == SIM_SPAWNING || worker->state == SIM_BUSY) &&
            due_of(worker) < earliest) {
            earliest = due_of(worker);
            next = worker;
        }
    }
    if (earliest == UINT64_MAX) {
        return;
    }
    if (earliest > sim->now) {
        sim->now = earliest;
    }
    if (next != NULL) {
        end_work(sim, next);
    } else {
        tick(sim);
    }
}

void sim_interrupt(struct sim *sim)
{
    struct sim_worker *worker = &sim->workers[sim_random(sim, SIM_WORKERS)];
    switch (sim_random(sim, 6)) {
    case 0:
        cancel(sim);
        break;
    case 1:
        for (unsigned i = 0; i < SIM_WORKERS && worker->state == SIM_FREE; i++) {
            worker = &sim->workers[i];
        }
        if (worker->state != SIM_FREE) {
            kill_worker(sim, worker);
        }
        break;
    case 2:
        if (worker->state == SIM_SPAWNING || worker->state == SIM_BUSY) {
            end_work(sim, worker);
        }
        break;
    case 3:
        lose_artifact(sim);
        break;
    case 4:
        change_leaves(sim);
        break;
    default:
        ask(sim);
        break;
    }
}

static void change_weather(struct sim *sim)
{
    static const unsigned fails[] = {0, 5, 5, 20, 100};
    sim->spawns_fail = fails[sim_random(sim, sizeof(fails) / sizeof(fails[0]))];
    sim->time_passes = 20 + (unsigned)sim_random(sim, 50);
}

static void random_event(struct sim *sim)
{
    struct sim_worker *worker = NULL;
    switch (sim_random(sim, 40)) {
    case 0:
        cancel(sim);
        break;
    case 1:
        change_leaves(sim);
        break;
    case 2:
        worker = &sim->workers[sim_random(sim, SIM_WORKERS)];
        if (worker->state != SIM_FREE) {
            kill_worker(sim, worker);
        }
        break;
    case 3:
        lose_artifact(sim);
        break;
    case 4:
        load_artifact(sim);
        break;
    case 5:
        pvf__core_free_space(sim->core, sim->now, sim_random(sim, 2000));
        break;
    case 6:
        /* What crosses with a KILL, or is plainly wrong. */
        pvf__core_worker_dead(sim->core, sim->now, UINT64_MAX - sim_random(sim, 3));
        pvf__core_cancel(sim->core, sim->now, UINT64_MAX);
        pvf__core_worker_spawned(sim->core, sim->now, 0);
        break;
    case 7:
        tick(sim);
        break;
    case 8:
        sim->now += sim_random(sim, PVF__CORE_SECOND);
        break;
    default:
        ask(sim);
        break;
    }
}

static bool anything_lives(const struct sim *sim)
{
    for (unsigned i = 0; i < SIM_REQUESTS; i++) {
        if (sim->requests[i].id != 0) {
            return true;
        }
    }
    return false;
}

/* With no more faults and no more requests everything that was asked must be answered. */
static void calm_down(struct sim *sim)
{
    sim->calm = true;
    for (unsigned i = 0; anything_lives(sim); i++) {
        SIM_MUST(sim, i < 20000);
        pass_time(sim);
        sim_settle(sim);
    }
    check_cache_after_prune(sim);
    sim->calm = false;
}

static void finish(struct sim *sim)
{
    for (unsigned i = 0; i < SIM_REQUESTS; i++) {
        sim->requests[i].cancelled = true;
        sim->requests[i].has_outcome = false;
    }
    sim->calm = true;
    pvf__core_stop(sim->core, sim->now);
    sim_settle(sim);
    SIM_MUST(sim, !anything_lives(sim));
    for (unsigned i = 0; i < SIM_WORKERS; i++) {
        SIM_MUST(sim, sim->workers[i].state == SIM_FREE);
    }
    pvf__core_free(sim->core);
    SIM_MUST(sim, sim_allocated == 0);
}

static void run(uint64_t seed, uint64_t steps)
{
    static struct sim sim;
    sim = (struct sim){.seed = seed, .random = seed};
    sim_calloc_random = seed;
    configure(&sim);
    change_weather(&sim);
    for (sim.step = 0; sim.step < steps; sim.step++) {
        if (sim_random(&sim, 500) == 0) {
            change_weather(&sim);
        }
        if (sim_chance(&sim, sim.time_passes)) {
            pass_time(&sim);
        } else {
            random_event(&sim);
        }
        sim_settle(&sim);
        if (sim_random(&sim, 5000) == 0) {
            calm_down(&sim);
        }
    }
    struct pvf__core_stats stats;
    pvf__core_stats_get(sim.core, &stats);
    printf("seed %" PRIu64 " (%s): %" PRIu64 " steps, %.0f h; first tiers %" PRIu64
           ", served %" PRIu64 ", repeated %" PRIu64 "; executed %" PRIu64 ", prepared %" PRIu64
           ", failed %" PRIu64 ", expired %" PRIu64 ", cancelled %" PRIu64 ", no worker %" PRIu64
           ", not started %" PRIu64 "\n",
           seed,
           sim.config.policy == PVF__CORE_POLICY_FAIR ? "fair" : "reference",
           steps,
           (double)sim.now / (double)PVF__CORE_HOUR,
           stats.first_tiers,
           stats.first_tier_served,
           stats.first_tier_repeated,
           sim.replies[PVF__CORE_REPLY_EXECUTED],
           sim.replies[PVF__CORE_REPLY_PREPARED],
           sim.replies[PVF__CORE_REPLY_PREPARE_FAILED],
           sim.replies[PVF__CORE_REPLY_EXPIRED],
           sim.replies[PVF__CORE_REPLY_CANCELLED],
           sim.replies[PVF__CORE_REPLY_NO_WORKER],
           sim.replies[PVF__CORE_REPLY_NOT_STARTED]);
    for (unsigned i = 0; i < PVF__CORE_CLASSES && sim.config.policy == PVF__CORE_POLICY_FAIR; i++) {
        const uint64_t bound =
            pvf__core_starvation_bound_ns(&sim.config, (enum pvf__core_class)i, SIM_CPU_LIMIT);
        printf("  class %u waited for at most %.2f of its bound\n",
               i,
               (double)sim.worst[i] / (double)bound);
    }
    finish(&sim);
}

int main(int argc, char **argv)
{
    const uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
    const uint64_t steps = argc > 2 ? strtoull(argv[2], NULL, 10) : 50000;
    run(seed, steps);
    return 0;
}
