/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_TESTS_FAULTS_BENCH_H
#define PVF_TESTS_FAULTS_BENCH_H

#include "base/buf.h"
#include "pvf/pvf.h"

#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Where a fault test works: folders of its own, so that whatever is left behind is seen. */
struct bench {
    char top[PATH_MAX / 8];
    char cache[PATH_MAX / 4];         /* where hosts make their folders */
    char tmp[PATH_MAX / 4];           /* TMPDIR */
    char artifact[PATH_MAX / 4];      /* a file that fakes are given as artifact */
    pvf_prepare_outcome for_the_fake; /* it, and its checksum */
};
extern struct bench bench;

/*
 * For cmocka's group.  The process becomes the parent of orphans, so that a job that outlives its
 * worker is one of its children.
 */
int bench_set_up(void **state);
int bench_tear_down(void **state);

/* The fake worker in a mode (support/fake_worker.c), and what it answers to every request. */
void bench_fake(
    const char *fake, const char *mode, const void *answer, size_t len, char out[PATH_MAX]);

/* The file SUFFIX beside a fake's program: written, or removed when `data` is NULL. */
void bench_beside(const char *program, const char *suffix, const void *data, size_t len);

/* A host; fails the test when there is none.  Either program may be NULL. */
pvf_host *bench_host(const char *prepare, const char *execute, int32_t security_mode);

/* What a process has, for a comparison before and after. */
struct bench_counts {
    size_t descriptors;
    size_t children; /* that live */
    size_t files;    /* in the cache folder and in TMPDIR, at any depth */
};
void bench_count(struct bench_counts *ret);

/* Fails the test unless all is as it was; children get a while to die, and dead ones are reaped. */
void bench_assert_as_before(const struct bench_counts *before);

/* Entries of a folder, such as /proc/PID/fd, or below it at any depth; 0 when it is not there. */
size_t bench_count_entries(const char *path, bool deep);

/* The child of `parent` that runs the worker of a kind ("prepare", "execute"); 0 when none. */
pid_t bench_worker(pid_t parent, const char *kind);

/* Its living child whose process has this name; 0 when none. */
pid_t bench_child_called(pid_t parent, const char *name);

/* All children, with those that are dead and not reaped. */
size_t bench_count_children(pid_t parent);

/* Sends it to our own worker of a kind; false when there is none. */
bool bench_signal_worker(const char *kind, int signal);

/* The job of a worker once it has used some CPU time, so that it is at work; 0 before. */
pid_t bench_job(pid_t worker);

/* Waits until a worker that keeps a zygote has the job that it ordered; at once without a zygote.
 */
void bench_await_ahead(pid_t worker);

/* Is it gone, or dead? */
bool bench_is_gone(pid_t pid);

/* Sends a signal to the worker or to its job as soon as the job is at work; a thread. */
struct bench_hit {
    const char *kind; /* of the worker */
    bool at_job;      /* else at its worker */
    int signal;
    const char *replace_by_fifo; /* a file that first becomes a FIFO; NULL: none */
    pid_t worker;                /* what was found; 0 when it was never at work */
    pid_t job;
    atomic_bool stop;
    pthread_t thread;
};
void bench_hit_begin(struct bench_hit *hit);
/* Did it hit? */
bool bench_hit_end(struct bench_hit *hit);

/*
 * Code whose block data, 8 bytes, says what it does: a number of rounds of a loop before it accepts
 * with a head of one byte, or one of these.
 */
#define BENCH_ENDLESS UINT64_C(0x7fffffffffffffff)
#define BENCH_TRAP UINT64_C(0xfffffffffffffffe)     /* the candidate is refused */
#define BENCH_BIG_HEAD UINT64_C(0xfffffffffffffffd) /* accepts with a head of 4 MiB */
void bench_code(struct pvf__buf *ret);

/* Valid code that keeps a compiler busy for seconds. */
void bench_slow_code(struct pvf__buf *ret);

/* Prepares with no parameters; the test fails when no worker took it. */
pvf_prepare_outcome bench_prepare(pvf_host *host, const struct pvf__buf *code, uint64_t timeout_ms);

/* Block data that says what the code of bench_code does. */
struct bench_block {
    uint8_t bytes[8];
};
struct bench_block bench_block_of(uint64_t rounds);

/* Executes what was prepared; the test fails when there is no outcome. */
pvf_outcome bench_execute(pvf_host *host,
                          const pvf_prepare_outcome *prepared,
                          uint64_t rounds,
                          uint64_t timeout_ms);

/* Compares and releases. */
void bench_expect(pvf_outcome outcome, int32_t verdict, int32_t reason);

#endif
