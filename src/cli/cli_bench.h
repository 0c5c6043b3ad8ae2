/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_CLI_CLI_BENCH_H
#define PVF_CLI_CLI_BENCH_H

#include "base/buf.h"
#include "cli/cli_input.h"
#include "cli/cli_workers.h"
#include "proto/executor_params.h"
#include "pvf/host.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* `pvf bench …`, with a command line of its own; argv[0] is "bench".  The exit code. */
int pvf__cli_bench_main(int argc, char **argv);

enum pvf__bench_form {
    PVF__BENCH_ROWS,
    PVF__BENCH_MARKDOWN,
    PVF__BENCH_JSON,
};

struct pvf__bench_options {
    const char *workers;
    const char *reference; /* a folder; or the next two */
    char against[2][PATH_MAX];
    const char *executor_params;
    bool plain_protocol; /* the other pair is ours again, on the plain wire */
    bool fenced;         /* what this machine can do against hostile code is used, by both */
    uint32_t runs;
    uint32_t prepares;
    uint32_t warm_up;
    enum pvf__bench_form form;
    char **folders;
    int folder_count;
};

/* As pvf__cli_options_parse. */
PVF__NODISCARD int pvf__bench_options_parse(int argc, char **argv, struct pvf__bench_options *ret);

/* A code and a candidate of it. */
struct pvf__bench_case {
    char name[64];
    struct pvf__buf code;
    struct pvf__cli_candidate candidate;
    struct pvf__buf expected; /* the result's bytes; empty: the first run tells */
};

/*
 * Reads the folder of a candidate: pvd.scale and block_data.bin, or validation_params.scale; the
 * code as code.wasm or code.blob, or where meta.json says; expected_result.scale.  Call done in
 * every case.
 */
PVF__NODISCARD int
pvf__bench_case_read(const char *folder, struct pvf__bench_case *ret, pvf_error *err);
void pvf__bench_case_done(struct pvf__bench_case *item);

/* What was measured of one pair of workers on one case.  0: not known. */
enum pvf__bench_figure {
    PVF__BENCH_JOB_WALL_P50,
    PVF__BENCH_JOB_WALL_P99,
    PVF__BENCH_JOB_WALL_MIN,
    PVF__BENCH_JOB_CPU_P50,
    PVF__BENCH_JOB_CPU_MIN,
    PVF__BENCH_JOB_RSS,
    PVF__BENCH_PREPARE_WALL,
    PVF__BENCH_PREPARE_CPU,
    PVF__BENCH_PREPARE_RSS,
    PVF__BENCH_PREPARE_HEAP,
    PVF__BENCH_ARTIFACT,
};
#define PVF__BENCH_FIGURES 11

struct pvf__bench_row {
    char name[64];
    uint64_t code_len;
    uint64_t figures[2][PVF__BENCH_FIGURES]; /* ours, theirs; microseconds or bytes */
};

/* One pair of workers. */
struct pvf__bench_side {
    const char *name;
    struct pvf__cli_workers workers;
    char version[64];
    pvf_host *host;
    pvf_prepare_outcome artifact; /* of the first preparation of `prepared`: one for all jobs */
    uint64_t figures[PVF__BENCH_FIGURES]; /* of its preparations */
};

struct pvf__bench {
    struct pvf__bench_options options;
    struct pvf__buf params_scale;
    struct pvf__executor_params params;
    struct pvf__bench_side sides[2];
    size_t side_count;
    pvf_security_status security;
    struct pvf__buf prepared; /* the code that both sides have an artifact of */
};

/*
 * Measures all of one case, the sides by turns.  A wrong result is a failure.  Code that the case
 * before had is not prepared again: its figures are those of that case.
 */
PVF__NODISCARD int pvf__bench_measure(struct pvf__bench *bench,
                                      const struct pvf__bench_case *item,
                                      struct pvf__bench_row *ret,
                                      pvf_error *err);

/* Frees what the last case left. */
void pvf__bench_measure_done(struct pvf__bench *bench);

/* One execution request of a case. */
void pvf__bench_request(const struct pvf__bench *bench,
                        const struct pvf__bench_side *side,
                        const struct pvf__bench_case *item,
                        pvf_execute_request *ret);

/*
 * The largest resident set of any process that a job of this side consists of, in bytes; 0 when it
 * cannot be told.  Runs in a process of its own, whose children are these alone.
 */
uint64_t pvf__bench_job_rss(const struct pvf__bench *bench,
                            const struct pvf__bench_side *side,
                            const struct pvf__bench_case *item);

/* Prints to stdout; PVF__CLI_OK, or the exit code after a complaint. */
PVF__NODISCARD int
pvf__bench_report(const struct pvf__bench *bench, const struct pvf__bench_row *rows, size_t count);

#endif
