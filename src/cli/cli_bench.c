/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: the command bench. */
#include "cli/cli_bench.h"

#include "base/error.h"
#include "cli/cli_exit.h"
#include "cli/cli_params.h"
#include "cli/cli_report.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Where a checkout of the project has them. */
static char adder[] = "tests/data/adder";
static char shell[] = "tests/data/shell-2021";
static char *default_folders[] = {adder, shell};

static int find_workers(struct pvf__bench *bench)
{
    pvf_error err = PVF_ERROR_INIT;
    const struct pvf__bench_options *options = &bench->options;
    bench->sides[0].name = "ours";
    bench->sides[1].name = "theirs";
    bench->side_count =
        options->reference != NULL || options->against[0][0] != '\0' || options->plain_protocol ? 2
                                                                                                : 1;
    if (pvf__cli_workers_find(options->workers, &bench->sides[0].workers, &err) != 0) {
        return pvf__cli_fail(
            PVF__CLI_USAGE, "name their folder: --workers DIR, or PVF_WORKERS=DIR", "%s", err.text);
    }
    if (options->plain_protocol) {
        bench->sides[1].workers = bench->sides[0].workers;
    }
    if (options->reference != NULL &&
        pvf__cli_workers_find(options->reference, &bench->sides[1].workers, &err) != 0) {
        return pvf__cli_fail(PVF__CLI_USAGE,
                             "name the two programs: --against PREPARE,EXECUTE",
                             "--reference: %s",
                             err.text);
    }
    if (options->against[0][0] != '\0') {
        memcpy(bench->sides[1].workers.prepare, options->against[0], PATH_MAX);
        memcpy(bench->sides[1].workers.execute, options->against[1], PATH_MAX);
    }
    return -1;
}

/* Ours says what this machine can do; both use it. */
static int open_side(struct pvf__bench *bench, size_t at)
{
    pvf_error err = PVF_ERROR_INIT;
    struct pvf__bench_side *side = &bench->sides[at];
    const pvf_host_config config = {
        .prepare_worker_path = side->workers.prepare,
        .execute_worker_path = side->workers.execute,
        .quiet = true,
        .plain_protocol = at == 1 && bench->options.plain_protocol,
        .security_mode =
            at == 0 && bench->options.fenced ? PVF_SECURITY_DETECT : PVF_SECURITY_AS_GIVEN,
        .security = bench->security,
    };
    if (pvf_host_new(&config, &side->host, &err) != 0 ||
        pvf_worker_version(side->workers.prepare, side->version, sizeof side->version, &err) != 0) {
        return pvf__cli_fail(PVF__CLI_INTERNAL,
                             "are they worker programs of the same node version?",
                             "the workers of %s could not be made ready: %s",
                             side->name,
                             err.text);
    }
    pvf_host_security(side->host, &bench->security);
    return -1;
}

static int read_params(struct pvf__bench *bench)
{
    pvf_error err = PVF_ERROR_INIT;
    if (pvf__cli_params_read(
            bench->options.executor_params, &bench->params_scale, &bench->params, &err) != 0) {
        return pvf__cli_fail(PVF__CLI_USAGE,
                             "SCALE hex, JSON, or a file with either; see pvf(1)",
                             "--executor-params: %s",
                             err.text);
    }
    return -1;
}

/* All folders are looked at before anything is measured. */
static int check_cases(const struct pvf__bench *bench)
{
    pvf_error err = PVF_ERROR_INIT;
    for (int i = 0; i < bench->options.folder_count; i++) {
        struct pvf__bench_case item;
        int status = pvf__bench_case_read(bench->options.folders[i], &item, &err);
        pvf__bench_case_done(&item);
        if (status != 0) {
            return pvf__cli_fail(
                PVF__CLI_USAGE, "name folders of candidates, as tests/data/adder", "%s", err.text);
        }
    }
    return -1;
}

static int measure_all(struct pvf__bench *bench, struct pvf__bench_row *rows)
{
    size_t count = (size_t)bench->options.folder_count;
    for (size_t i = 0; i < count; i++) {
        struct pvf__bench_case item;
        pvf_error err = PVF_ERROR_INIT;
        int status = pvf__bench_case_read(bench->options.folders[i], &item, &err);
        if (status == 0) {
            status = pvf__bench_measure(bench, &item, &rows[i], &err);
        }
        pvf__bench_case_done(&item);
        if (status != 0) {
            return pvf__cli_fail(PVF__CLI_INTERNAL,
                                 "no figures: they would say nothing",
                                 "%s: %s",
                                 rows[i].name[0] != '\0' ? rows[i].name : bench->options.folders[i],
                                 err.text);
        }
        if (isatty(STDERR_FILENO)) {
            (void)fprintf(stderr, "%s measured\n", rows[i].name);
        }
    }
    return pvf__bench_report(bench, rows, count);
}

static int run(struct pvf__bench *bench)
{
    int stop = read_params(bench);
    if (stop < 0) {
        stop = find_workers(bench);
    }
    if (stop < 0) {
        stop = check_cases(bench);
    }
    for (size_t i = 0; stop < 0 && i < bench->side_count; i++) {
        stop = open_side(bench, i);
    }
    if (stop >= 0) {
        return stop;
    }
    PVF__CLEANUP_FREE struct pvf__bench_row *rows =
        calloc((size_t)bench->options.folder_count, sizeof *rows);
    return rows != NULL ? measure_all(bench, rows)
                        : pvf__cli_fail(PVF__CLI_INTERNAL, NULL, "out of memory");
}

int pvf__cli_bench_main(int argc, char **argv)
{
    static struct pvf__bench bench;
    int stop = pvf__bench_options_parse(argc, argv, &bench.options);
    if (stop >= 0) {
        return stop;
    }
    if (bench.options.folder_count == 0) {
        bench.options.folders = default_folders;
        bench.options.folder_count = 2;
    }
    /* A reader of our output that goes away is an error of a write, not a death. */
    (void)signal(SIGPIPE, SIG_IGN);
    pvf__buf_init(&bench.params_scale, (size_t)1 << 20);
    pvf__buf_init(&bench.prepared, PVF__CLI_MAX_CODE);
    int code = run(&bench);
    pvf__bench_measure_done(&bench);
    pvf_host_free(bench.sides[0].host);
    pvf_host_free(bench.sides[1].host);
    pvf__buf_done(&bench.params_scale);
    return code;
}
