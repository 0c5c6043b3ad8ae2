/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policies: both policies of the execute queue under the same load, by the core itself in made-up
 * time, as a table for docs/embedding.md.  Everything is an integer of one seed, so every run gives
 * the same table.  Fails when the fair policy does not keep its bound, or a class is served worse
 * than the table is there to show.
 */
#include "core/core.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORKERS 4u
#define CPU_LIMIT (12 * PVF__CORE_SECOND)
#define END (10 * PVF__CORE_MINUTE)
#define BURST_BEGIN (2 * PVF__CORE_MINUTE)
#define BURST_END (4 * PVF__CORE_MINUTE)
/* Two relay-chain blocks: after that nobody can build on what a backing was asked for. */
#define VIABLE (12 * PVF__CORE_SECOND)
#define JOBS_MAX 20000u

struct load {
    const char *name;
    /* Thousandths of one processor that a class asks for: at all times, and more in the burst. */
    unsigned asks[PVF__CORE_CLASSES];
    unsigned burst[PVF__CORE_CLASSES];
};

static const struct load loads[] = {
    {"usual", {0, 1600, 300, 900}, {0, 0, 0, 0}},
    {"disputes", {0, 1600, 300, 900}, {6000, 0, 0, 0}},
    {"no-shows", {0, 1600, 300, 900}, {0, 4000, 0, 0}},
};
#define LOADS (sizeof(loads) / sizeof(loads[0]))

static const char *const class_names[PVF__CORE_CLASSES] = {
    "dispute", "approval", "backing, system", "backing"};
/* Of one execution, on average. */
static const uint64_t costs[PVF__CORE_CLASSES] = {
    1000 * PVF__CORE_MS, 600 * PVF__CORE_MS, 300 * PVF__CORE_MS, 500 * PVF__CORE_MS};

struct job {
    enum pvf__core_class cls;
    uint64_t asked_at;
    uint64_t cost;
    uint64_t started_at; /* 0: never */
};

struct worker {
    uint64_t id; /* 0: none */
    uint64_t request;
    uint64_t ends_at; /* UINT64_MAX: idle */
};

static struct run {
    struct pvf__core *core;
    struct pvf__core_config config;
    struct pvf__core_code code;
    struct job jobs[JOBS_MAX];
    size_t count;
    size_t asked;
    size_t answered;
    struct worker workers[2 * WORKERS];
    uint64_t now;
    uint64_t random;
    /* Since a class has something queued, or its last start; UINT64_MAX: nothing is. */
    uint64_t waits_since[PVF__CORE_CLASSES];
    uint64_t queued[PVF__CORE_CLASSES];
    uint64_t starved[PVF__CORE_CLASSES];
} run;

static void fail(const char *what)
{
    (void)fprintf(stderr, "policies: %s\n", what);
    exit(1);
}

/* 0 to below - 1; xorshift. */
static uint64_t random_below(uint64_t below)
{
    run.random ^= run.random << 13;
    run.random ^= run.random >> 7;
    run.random ^= run.random << 17;
    return run.random % below;
}

/* Between nothing and twice the mean. */
static uint64_t around(uint64_t mean)
{
    return 1 + random_below(2 * mean);
}

static unsigned asks(const struct load *load, unsigned cls, uint64_t at)
{
    bool burst = at >= BURST_BEGIN && at < BURST_END;
    return load->asks[cls] + (burst ? load->burst[cls] : 0);
}

static int by_time(const void *a, const void *b)
{
    const struct job *one = a;
    const struct job *two = b;
    return (one->asked_at > two->asked_at) - (one->asked_at < two->asked_at);
}

/* The same jobs for every policy. */
static void make_jobs(const struct load *load)
{
    run.count = 0;
    run.random = UINT64_C(88172645463325252);
    for (unsigned cls = 0; cls < PVF__CORE_CLASSES; cls++) {
        for (uint64_t at = 0; at < END;) {
            unsigned part = asks(load, cls, at);
            if (part == 0) {
                at += PVF__CORE_SECOND;
                continue;
            }
            at += around(costs[cls] * 1000 / part);
            if (run.count == JOBS_MAX) {
                fail("too many jobs");
            }
            run.jobs[run.count++] = (struct job){
                .cls = (enum pvf__core_class)cls, .asked_at = at, .cost = around(costs[cls])};
        }
    }
    qsort(run.jobs, run.count, sizeof(run.jobs[0]), by_time);
}

static void begin(enum pvf__core_policy_kind policy)
{
    pvf_error err = PVF_ERROR_INIT;
    pvf__core_config_default(&run.config);
    run.config.policy = policy;
    run.config.execute_max = WORKERS;
    run.config.max_requests = JOBS_MAX;
    run.config.free_floor_bytes = 0;
    for (unsigned i = 0; i < PVF__CORE_CLASSES; i++) {
        run.config.classes[i].max_requests = JOBS_MAX;
        run.waits_since[i] = UINT64_MAX;
        run.queued[i] = 0;
        run.starved[i] = 0;
    }
    run.now = 1;
    run.asked = 0;
    run.answered = 0;
    memset(run.workers, 0, sizeof(run.workers));
    run.code = (struct pvf__core_code){.cpu_limit_ns = PVF__CORE_SECOND, .bomb_limit = 1};
    const struct pvf__core_artifact artifact = {
        .key = run.code.key, .size = 1, .made_as = run.code};
    uint64_t generation = 0;
    if (pvf__core_new(&run.config, &run.core, &err) != 0) {
        fail(err.text);
    }
    if (pvf__core_artifact_loaded(run.core, run.now, &artifact, &generation) != 0 ||
        generation == 0) {
        fail("the artifact is not taken");
    }
}

static struct worker *find(uint64_t id)
{
    for (size_t i = 0; i < 2 * WORKERS; i++) {
        if (run.workers[i].id == id) {
            return &run.workers[i];
        }
    }
    fail("a worker is unknown, or there are too many");
    return NULL;
}

static void leaves_queue(enum pvf__core_class cls, uint64_t waits_since)
{
    run.queued[cls]--;
    run.waits_since[cls] = run.queued[cls] > 0 ? waits_since : UINT64_MAX;
}

static void start(const struct pvf__core_command *command)
{
    struct job *job = &run.jobs[command->request - 1];
    struct worker *worker = find(command->worker);
    worker->request = command->request;
    worker->ends_at = run.now + job->cost;
    job->started_at = run.now;
    uint64_t starved = run.now - run.waits_since[job->cls];
    run.starved[job->cls] = starved > run.starved[job->cls] ? starved : run.starved[job->cls];
    leaves_queue(job->cls, run.now);
}

static void answered(const struct pvf__core_command *command)
{
    enum pvf__core_class cls = run.jobs[command->request - 1].cls;
    run.answered++;
    if (command->reply == PVF__CORE_REPLY_EXPIRED && cls >= PVF__CORE_BACKING_SYSTEM_PARAS) {
        leaves_queue(cls, run.waits_since[cls]);
    } else if (command->reply != PVF__CORE_REPLY_EXECUTED) {
        fail("a request was not executed");
    }
}

/* Workers start at once: only the order of executions is compared. */
static void settle(void)
{
    struct pvf__core_command command;
    while (pvf__core_next_command(run.core, &command)) {
        switch (command.kind) {
        case PVF__CORE_SPAWN:
            *find(0) = (struct worker){.id = command.worker, .ends_at = UINT64_MAX};
            pvf__core_worker_spawned(run.core, run.now, command.worker);
            break;
        case PVF__CORE_KILL:
            *find(command.worker) = (struct worker){0};
            break;
        case PVF__CORE_START_EXECUTE:
            start(&command);
            break;
        case PVF__CORE_REPLY:
            answered(&command);
            break;
        case PVF__CORE_START_PREPARE:
        case PVF__CORE_REMOVE:
        case PVF__CORE_ALARM:
        default:
            fail("a command that this load has no reason for");
        }
    }
}

static void ask(void)
{
    const struct job *job = &run.jobs[run.asked++];
    const struct pvf__core_execution execution = {
        .request = run.asked,
        .code = run.code,
        .cls = job->cls,
        .cpu_limit_ns = CPU_LIMIT,
        .deadline_ns = job->cls >= PVF__CORE_BACKING_SYSTEM_PARAS ? job->asked_at + VIABLE : 0,
    };
    if (run.queued[job->cls]++ == 0) {
        run.waits_since[job->cls] = run.now;
    }
    if (pvf__core_execute(run.core, run.now, &execution) != 0) {
        fail("a request is refused");
    }
}

static void finish(struct worker *worker)
{
    const struct pvf__core_executed executed = {
        .end = PVF__CORE_EXECUTE_DONE,
        .worker_lives = true,
        .cpu_ns = run.jobs[worker->request - 1].cost,
    };
    worker->ends_at = UINT64_MAX;
    pvf__core_execute_finished(run.core, run.now, worker->id, &executed);
}

/* The next thing that happens. */
static void step(void)
{
    uint64_t next = run.asked < run.count ? run.jobs[run.asked].asked_at : UINT64_MAX;
    uint64_t tick = pvf__core_next_deadline(run.core);
    struct worker *first = NULL;
    for (size_t i = 0; i < 2 * WORKERS; i++) {
        struct worker *worker = &run.workers[i];
        if (worker->id != 0 && worker->ends_at != UINT64_MAX &&
            (first == NULL || worker->ends_at < first->ends_at)) {
            first = worker;
        }
    }
    if (first != NULL && first->ends_at <= next && first->ends_at <= tick) {
        run.now = first->ends_at;
        finish(first);
    } else if (next <= tick) {
        run.now = next;
        ask();
    } else {
        run.now = tick > run.now ? tick : run.now;
        pvf__core_tick(run.core, run.now);
    }
    settle();
}

/* ---- The table ---- */

struct row {
    size_t count;
    size_t dropped;
    uint64_t wait[3]; /* half, 99 of 100, and all of those that ran have waited no longer */
    uint64_t starved;
};

static int by_size(const void *a, const void *b)
{
    const uint64_t *one = a;
    const uint64_t *two = b;
    return (*one > *two) - (*one < *two);
}

static struct row row_of(unsigned cls)
{
    static uint64_t waits[JOBS_MAX];
    struct row row = {.starved = run.starved[cls]};
    size_t ran = 0;
    for (size_t i = 0; i < run.count; i++) {
        const struct job *job = &run.jobs[i];
        if (job->cls == cls) {
            row.count++;
            if (job->started_at != 0) {
                waits[ran++] = job->started_at - job->asked_at;
            }
        }
    }
    row.dropped = row.count - ran;
    if (ran > 0) {
        qsort(waits, ran, sizeof(waits[0]), by_size);
        row.wait[0] = waits[ran / 2];
        row.wait[1] = waits[ran * 99 / 100];
        row.wait[2] = waits[ran - 1];
    }
    return row;
}

static void put_pair(uint64_t fair_ns, uint64_t reference_ns)
{
    (void)printf(" %" PRIu64 ".%02" PRIu64 " / %" PRIu64 ".%02" PRIu64 " |",
                 fair_ns / PVF__CORE_SECOND,
                 fair_ns % PVF__CORE_SECOND / (10 * PVF__CORE_MS),
                 reference_ns / PVF__CORE_SECOND,
                 reference_ns % PVF__CORE_SECOND / (10 * PVF__CORE_MS));
}

static void put(const char *load, unsigned cls, const struct row *fair, const struct row *reference)
{
    (void)printf("| %s | %s | %zu |", load, class_names[cls], fair->count);
    for (unsigned i = 0; i < 3; i++) {
        put_pair(fair->wait[i], reference->wait[i]);
    }
    (void)printf(" %zu / %zu |", fair->dropped, reference->dropped);
    put_pair(fair->starved, reference->starved);
    (void)putchar('\n');
}

static void simulate(const struct load *load,
                     enum pvf__core_policy_kind policy,
                     struct row ret[PVF__CORE_CLASSES])
{
    make_jobs(load);
    begin(policy);
    while (run.answered < run.count) {
        step();
    }
    for (unsigned i = 0; i < PVF__CORE_CLASSES; i++) {
        ret[i] = row_of(i);
    }
}

/* What the fair policy promises: see pvf__core_starvation_bound_ns. */
static void check_bound(const struct row rows[PVF__CORE_CLASSES])
{
    for (unsigned i = 0; i < PVF__CORE_CLASSES; i++) {
        uint64_t bound =
            pvf__core_starvation_bound_ns(&run.config, (enum pvf__core_class)i, CPU_LIMIT);
        if (rows[i].starved > bound) {
            fail("a class waits longer than the bound");
        }
    }
}

int main(void)
{
    (void)puts("| load | kind | requests | wait p50 s | p99 s | longest s | dropped | longest "
               "without a start s |\n|---|---|---|---|---|---|---|---|");
    for (size_t i = 0; i < LOADS; i++) {
        struct row reference[PVF__CORE_CLASSES];
        struct row fair[PVF__CORE_CLASSES];
        simulate(&loads[i], PVF__CORE_POLICY_REFERENCE, reference);
        pvf__core_free(run.core);
        simulate(&loads[i], PVF__CORE_POLICY_FAIR, fair);
        check_bound(fair);
        pvf__core_free(run.core);
        for (unsigned cls = 0; cls < PVF__CORE_CLASSES; cls++) {
            if (fair[cls].count > 0) {
                put(loads[i].name, cls, &fair[cls], &reference[cls]);
            }
        }
        /* The reason for a policy of our own. */
        if (loads[i].burst[PVF__CORE_DISPUTE] > 0 &&
            (10 * fair[PVF__CORE_BACKING].starved > reference[PVF__CORE_BACKING].starved ||
             fair[PVF__CORE_BACKING].dropped >= reference[PVF__CORE_BACKING].dropped)) {
            fail("backing is not served better than by the reference's policy");
        }
    }
    return 0;
}
