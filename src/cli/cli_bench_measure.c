/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: what is measured, and in which order: the sides by turns, and first now the one, now the
 * other, so that whatever else the machine does hits both.
 */
#include "cli/cli_bench.h"

#include "base/error.h"
#include "cli/cli_command.h"
#include "cli/cli_report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What one side has of a case while it is measured. */
struct state {
    struct pvf__cli_times prepare_wall;
    struct pvf__cli_times prepare_cpu;
    struct pvf__cli_times wall;
    struct pvf__cli_times cpu;
};

void pvf__bench_request(const struct pvf__bench *bench,
                        const struct pvf__bench_side *side,
                        const struct pvf__bench_case *item,
                        pvf_execute_request *ret)
{
    const struct pvf__cli_candidate *candidate = &item->candidate;
    const pvf_prepare_outcome *artifact = &side->artifact;
    *ret = (pvf_execute_request){
        .artifact_path = artifact->artifact_path,
        .executor_params = {.data = bench->params.raw.data, .len = bench->params.raw.len},
        .parent_head = {.data = candidate->pvd.parent_head.data,
                        .len = candidate->pvd.parent_head.len},
        .relay_parent_number = candidate->pvd.relay_parent_number,
        .max_pov_size = candidate->pvd.max_pov_size,
        .pov = {.data = candidate->pov.data, .len = candidate->pov.len},
        .descriptor_version = candidate->has_v3 ? PVF_DESCRIPTOR_V3 : PVF_DESCRIPTOR_V1,
    };
    memcpy(ret->checksum, artifact->checksum, sizeof ret->checksum);
    memcpy(ret->relay_parent_storage_root, candidate->pvd.relay_parent_storage_root, 32);
    memcpy(ret->relay_parent, candidate->relay_parent, 32);
    memcpy(ret->scheduling_parent, candidate->scheduling_parent, 32);
}

static int prepare(const struct pvf__bench *bench,
                   struct pvf__bench_side *side,
                   const struct pvf__bench_case *item,
                   struct state *state,
                   pvf_error *err)
{
    const pvf_prepare_request request = {
        .code = {.data = item->code.data, .len = item->code.len},
        .executor_params = {.data = bench->params.raw.data, .len = bench->params.raw.len},
        .kind = PVF_PREPARE_COMPILATION,
    };
    pvf_prepare_outcome outcome;
    memset(&outcome, 0, sizeof outcome);
    int status = pvf_host_prepare(side->host, &request, &outcome, err);
    if (status == 0 && !outcome.ok) {
        pvf__cli_report_clean(outcome.text);
        status = pvf__error_set(err,
                                PVF_ERR_PEER,
                                "%s cannot prepare the code: %s: %.120s",
                                side->name,
                                outcome.name,
                                outcome.text);
    }
    if (status == 0) {
        pvf__cli_times_add(&state->prepare_wall, outcome.wall_us);
        pvf__cli_times_add(&state->prepare_cpu, outcome.cpu_us);
        if (!side->artifact.ok) {
            side->artifact = outcome;
            return 0;
        }
    }
    pvf_prepare_outcome_done(&outcome);
    return status;
}

/* A result that differs makes all figures worthless. */
static int check(const struct pvf__bench_side *side,
                 const pvf_outcome *outcome,
                 struct pvf__buf *expected,
                 pvf_error *err)
{
    if (outcome->verdict != PVF_VERDICT_VALID) {
        char text[PVF_OUTCOME_TEXT];
        memcpy(text, outcome->text, sizeof text);
        pvf__cli_report_clean(text);
        return pvf__error_set(err,
                              PVF_ERR_PEER,
                              "%s says %s: %s: %.120s",
                              side->name,
                              pvf_verdict_name(outcome->verdict),
                              pvf_reason_name(outcome->reason),
                              text);
    }
    if (expected->len == 0) {
        return pvf__buf_append(expected, outcome->result, outcome->result_len);
    }
    if (outcome->result_len != expected->len ||
        memcmp(outcome->result, expected->data, expected->len) != 0) {
        return pvf__error_set(err, PVF_ERR_PEER, "%s gives another result", side->name);
    }
    return 0;
}

static int execute(const struct pvf__bench *bench,
                   const struct pvf__bench_side *side,
                   const struct pvf__bench_case *item,
                   struct pvf__buf *expected,
                   bool measured,
                   struct state *state,
                   pvf_error *err)
{
    pvf_execute_request request;
    pvf_outcome outcome;
    memset(&outcome, 0, sizeof outcome);
    pvf__bench_request(bench, side, item, &request);
    int status = pvf_host_execute(side->host, &request, &outcome, err);
    if (status == 0) {
        status = check(side, &outcome, expected, err);
    }
    if (status == 0 && measured) {
        pvf__cli_times_add(&state->wall, outcome.wall_us);
        pvf__cli_times_add(&state->cpu, outcome.cpu_us);
    }
    pvf_outcome_done(&outcome);
    return status;
}

static int prepare_all(struct pvf__bench *bench,
                       const struct pvf__bench_case *item,
                       struct state states[2],
                       pvf_error *err)
{
    int status = 0;
    size_t sides = bench->side_count;
    for (uint32_t run = 0; status == 0 && run < bench->options.prepares; run++) {
        for (size_t turn = 0; status == 0 && turn < sides; turn++) {
            size_t at = (run + turn) % sides;
            status = prepare(bench, &bench->sides[at], item, &states[at], err);
        }
    }
    return status;
}

static int execute_all(const struct pvf__bench *bench,
                       const struct pvf__bench_case *item,
                       struct pvf__buf *expected,
                       struct state states[2],
                       pvf_error *err)
{
    int status = 0;
    size_t sides = bench->side_count;
    /* The first jobs start the worker and read the artifact; a validator's worker is warm. */
    uint64_t all = (uint64_t)bench->options.warm_up + bench->options.runs;
    for (uint64_t run = 0; status == 0 && run < all; run++) {
        for (size_t turn = 0; status == 0 && turn < sides; turn++) {
            size_t at = (run + turn) % sides;
            bool measured = run >= bench->options.warm_up;
            status = execute(bench, &bench->sides[at], item, expected, measured, &states[at], err);
        }
    }
    return status;
}

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* The median of sorted times; of the others the `share` hundredth from below. */
static uint64_t figure(struct pvf__cli_times *times, unsigned share)
{
    if (times->count == 0) {
        return 0;
    }
    qsort(times->us, times->count, sizeof times->us[0], by_value);
    if (share == 50) {
        return pvf__cli_times_median(times);
    }
    size_t at = times->count * share / 100;
    return times->us[at < times->count ? at : times->count - 1];
}

static void fill_prepares(struct pvf__bench_side *side, struct state *state)
{
    const pvf_prepare_outcome *artifact = &side->artifact;
    uint64_t *figures = side->figures;
    figures[PVF__BENCH_PREPARE_WALL] = figure(&state->prepare_wall, 50);
    figures[PVF__BENCH_PREPARE_CPU] = figure(&state->prepare_cpu, 50);
    figures[PVF__BENCH_PREPARE_RSS] =
        artifact->max_rss_kib > 0 ? (uint64_t)artifact->max_rss_kib * 1024 : 0;
    figures[PVF__BENCH_PREPARE_HEAP] = artifact->peak_allocated;
    figures[PVF__BENCH_ARTIFACT] = artifact->artifact_size;
}

static void fill_jobs(const struct pvf__bench *bench,
                      const struct pvf__bench_side *side,
                      const struct pvf__bench_case *item,
                      struct state *state,
                      uint64_t *figures)
{
    memcpy(figures, side->figures, sizeof side->figures);
    figures[PVF__BENCH_JOB_WALL_P50] = figure(&state->wall, 50);
    figures[PVF__BENCH_JOB_WALL_P99] = figure(&state->wall, 99);
    figures[PVF__BENCH_JOB_WALL_MIN] = figure(&state->wall, 0);
    figures[PVF__BENCH_JOB_CPU_P50] = figure(&state->cpu, 50);
    figures[PVF__BENCH_JOB_CPU_MIN] = figure(&state->cpu, 0);
    figures[PVF__BENCH_JOB_RSS] = pvf__bench_job_rss(bench, side, item);
}

static bool is_prepared(const struct pvf__bench *bench, const struct pvf__bench_case *item)
{
    return bench->prepared.len > 0 && bench->prepared.len == item->code.len &&
           memcmp(bench->prepared.data, item->code.data, item->code.len) == 0;
}

void pvf__bench_measure_done(struct pvf__bench *bench)
{
    for (size_t i = 0; i < bench->side_count; i++) {
        pvf_prepare_outcome_done(&bench->sides[i].artifact);
        memset(&bench->sides[i].artifact, 0, sizeof bench->sides[i].artifact);
    }
    pvf__buf_done(&bench->prepared);
}

static int prepare_anew(struct pvf__bench *bench,
                        const struct pvf__bench_case *item,
                        struct state states[2],
                        pvf_error *err)
{
    pvf__bench_measure_done(bench);
    int status = prepare_all(bench, item, states, err);
    if (status != 0) {
        return status;
    }
    for (size_t i = 0; i < bench->side_count; i++) {
        fill_prepares(&bench->sides[i], &states[i]);
    }
    status = pvf__buf_append(&bench->prepared, item->code.data, item->code.len);
    return status == 0 ? 0 : pvf__error_set(err, status, "out of memory");
}

static int measure(struct pvf__bench *bench,
                   const struct pvf__bench_case *item,
                   struct pvf__buf *expected,
                   struct state states[2],
                   pvf_error *err)
{
    int status = is_prepared(bench, item) ? 0 : prepare_anew(bench, item, states, err);
    return status == 0 ? execute_all(bench, item, expected, states, err) : status;
}

int pvf__bench_measure(struct pvf__bench *bench,
                       const struct pvf__bench_case *item,
                       struct pvf__bench_row *ret,
                       pvf_error *err)
{
    struct state states[2];
    PVF__CLEANUP_BUF struct pvf__buf expected = PVF__BUF_INIT(PVF__CLI_MAX_INPUT);
    bool room = pvf__buf_append(&expected, item->expected.data, item->expected.len) == 0;
    memset(states, 0, sizeof states);
    memset(ret, 0, sizeof *ret);
    for (size_t i = 0; i < bench->side_count; i++) {
        room = pvf__cli_times_init(&states[i].prepare_wall, bench->options.prepares) && room;
        room = pvf__cli_times_init(&states[i].prepare_cpu, bench->options.prepares) && room;
        room = pvf__cli_times_init(&states[i].wall, bench->options.runs) && room;
        room = pvf__cli_times_init(&states[i].cpu, bench->options.runs) && room;
    }
    int status = room ? measure(bench, item, &expected, states, err)
                      : pvf__error_set(err, PVF_ERR_NO_MEMORY, "out of memory");
    (void)snprintf(ret->name, sizeof ret->name, "%s", item->name);
    ret->code_len = item->code.len;
    for (size_t i = 0; i < bench->side_count; i++) {
        if (status == 0) {
            fill_jobs(bench, &bench->sides[i], item, &states[i], ret->figures[i]);
        }
        pvf__cli_times_done(&states[i].prepare_wall);
        pvf__cli_times_done(&states[i].prepare_cpu);
        pvf__cli_times_done(&states[i].wall);
        pvf__cli_times_done(&states[i].cpu);
    }
    return status;
}
