/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_TESTS_SUPPORT_HOST_BENCH_H
#define PVF_TESTS_SUPPORT_HOST_BENCH_H

#include "pvf/pvf.h"

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * Hosts over scripted workers (fake_worker.c), for cmocka tests: what goes wrong fails the test.
 * One bench per process: the folder `bench_cache` is where its hosts work, `bench_artifact` is what
 * they execute.
 */
extern const char *bench_fake; /* the program; the test's first argument */
extern char bench_cache[PATH_MAX / 2];
extern char bench_artifact[PATH_MAX / 2];

/* Fixtures of a whole group. */
int bench_set_up(void **state);
int bench_tear_down(void **state);

/* A path in the bench's folder. */
void bench_path(const char *name, char out[PATH_MAX]);

/*
 * The path of a fake in a mode, which will answer `frame` (in hex, or NULL); the mode is the end of
 * its name, in front of which `role` keeps two fakes of one mode apart.
 */
void bench_make_fake_as(const char *role, const char *mode, const char *frame, char out[PATH_MAX]);
void bench_make_fake(const char *mode, const char *frame, char out[PATH_MAX]);

/* Replaces what a fake answers: `suffix` is "answer" or "other". */
void bench_set_answer(const char *program, const char *suffix, const char *frame);

/* A prepare fake in a mode whose answer is a success, with an artifact of four bytes. */
void bench_make_preparer(const char *mode, char out[PATH_MAX]);

/* Either program may be NULL. */
pvf_host *bench_host(const char *prepare_program, const char *execute_program);

/* A small job; the artifact's checksum is right. */
pvf_outcome bench_execute(pvf_host *host, uint64_t timeout_ms);
pvf_outcome bench_execute_pov(pvf_host *host, uint64_t timeout_ms, const char *pov);
/* A fake in a mode executes once, for a host of its own that leaves nothing. */
pvf_outcome bench_execute_with(const char *mode, const char *frame, uint64_t timeout_ms);
pvf_prepare_outcome bench_prepare(pvf_host *host, uint64_t timeout_ms);

/* Compares and releases; the text must hold `said`. */
void bench_assert_outcome(pvf_outcome outcome,
                          enum pvf_verdict verdict,
                          enum pvf_reason reason,
                          const char *said);

/* After a host is gone: its folder is empty, and it has no children. */
void bench_assert_nothing_left(void);

/* Answers of execute workers: a good result, and that of the known-good job. */
extern const char bench_ok_answer[];
extern const char bench_known_good_answer[];

#endif
