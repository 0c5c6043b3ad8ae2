/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_TESTS_SUPPORT_SERVICE_BENCH_H
#define PVF_TESTS_SUPPORT_SERVICE_BENCH_H

#include "base/buf.h"
#include "pvf/pvf.h"

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * Services for cmocka tests: what goes wrong fails the test.  One folder per process,
 * `service_bench_cache`, is their cache folder.
 */
extern char service_bench_cache[PATH_MAX / 2];

/* Fixtures of a whole group. */
int service_bench_set_up(void **state);
int service_bench_tear_down(void **state);

/* Small and quick: two execute workers, short pauses after failures, no security asked for. */
pvf_service_config service_bench_config(const char *prepare_program, const char *execute_program);
pvf_service *service_bench_new(const pvf_service_config *config);

/* Frees it; no child and no worker folder may be left. */
void service_bench_free(pvf_service *service);

/* What became of a request.  Copies, released by service_bench_reply_done. */
struct service_bench_reply {
    pvf_request_id id;
    unsigned count; /* of callbacks; 1 when all is well */
    /* Prechecks. */
    int32_t status;
    bool ok;
    int32_t error;
    bool deterministic;
    bool stored;
    bool has_outcome;
    /* Executions. */
    int32_t verdict;
    int32_t reason;
    bool bad_artifact;
    int32_t spawn_failure;
    uint8_t *result;
    size_t result_len;
    bool prepared; /* for this very request */
    uint32_t attempts;
    bool first_tier;
    char text[PVF_OUTCOME_TEXT];
    char evidence[256];
};

void service_bench_on_precheck(pvf_service *service, const pvf_precheck_reply *reply);
void service_bench_on_execute(pvf_service *service, const pvf_execute_reply *reply);

/* Both callbacks fill the reply that is the request's `user`. */
void service_bench_precheck(pvf_service *service,
                            const pvf_code *code,
                            struct service_bench_reply *reply);
void service_bench_execute(pvf_service *service,
                           const pvf_candidate *candidate,
                           struct service_bench_reply *reply);

/* Runs until that many replies of an array are there; a minute is too long. */
void service_bench_run(pvf_service *service,
                       const struct service_bench_reply *replies,
                       size_t count);

/* Runs until the condition holds. */
void service_bench_run_until(pvf_service *service,
                             bool (*holds)(pvf_service *service, void *context),
                             void *context);

void service_bench_reply_done(struct service_bench_reply *reply);

/* Compares; the text must hold `said`. */
void service_bench_assert_verdict(const struct service_bench_reply *reply,
                                  enum pvf_verdict verdict,
                                  enum pvf_reason reason,
                                  const char *said);

pvf_service_stats service_bench_stats(const pvf_service *service);

/* Entries of a folder that begin with `prefix`, other than the two dots. */
size_t service_bench_entries(const char *folder, const char *prefix);

/* The n-th child of ours, from 0, that was started as a worker of a kind; 0: none. */
pid_t service_bench_worker(const char *kind, size_t n);

/* Runs until a worker's job is at work: a child that has used CPU time. */
pid_t service_bench_job(pvf_service *service, pid_t worker);

/* The one artifact in the cache. */
void service_bench_artifact_path(char out[PATH_MAX]);

/* Waits until that process has the file open. */
void service_bench_wait_for_file(pid_t pid, const char *path);

/* A file of tests/data, or the path of one. */
struct pvf__buf service_bench_read(const char *path);

#endif
