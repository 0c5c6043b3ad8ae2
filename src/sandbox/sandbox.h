/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_SANDBOX_SANDBOX_H
#define PVF_SANDBOX_SANDBOX_H

#include "base/cleanup.h"
#include "pvf/error.h"
#include "sandbox/sandbox_seccomp.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * The fence around hostile code, in two rings: the worker, which hostile code reaches only through
 * what a job writes into its pipe, and the job, in which it runs.  Each mechanism stands in a file
 * of its own; sandbox_worker.c and sandbox_job.c are the two ordered lists (SANDBOX.md draws them).
 */

/* Everything that can be on or off; the order is that of SANDBOX.md, not of application. */
enum pvf__sandbox_mechanism {
    PVF__SANDBOX_DESCRIPTORS,
    PVF__SANDBOX_SIGNALS,
    PVF__SANDBOX_ENVIRONMENT,
    PVF__SANDBOX_LIMITS,
    PVF__SANDBOX_PARENT_DEATH,
    PVF__SANDBOX_NON_DUMPABLE,
    PVF__SANDBOX_CHANGE_ROOT,
    PVF__SANDBOX_CAPABILITIES,
    PVF__SANDBOX_NO_NEW_PRIVS,
    PVF__SANDBOX_LANDLOCK,
    PVF__SANDBOX_SECCOMP,
    PVF__SANDBOX_MECHANISMS,
};

/* A short name such as "change-root". */
const char *pvf__sandbox_name(enum pvf__sandbox_mechanism mechanism);

enum pvf__sandbox_state {
    PVF__SANDBOX_NOT_WANTED, /* the host said that it is not to be used */
    PVF__SANDBOX_ON,
    PVF__SANDBOX_FAILED, /* wanted, refused by the kernel, and the mode allows to go on */
};

/* What stands after a start. */
struct pvf__sandbox_report {
    enum pvf__sandbox_state state[PVF__SANDBOX_MECHANISMS];
    char why[PVF__SANDBOX_MECHANISMS][96]; /* of those that failed */
};

/* "on: a, b; off: c; failed: d (why)" for the log. */
void pvf__sandbox_report_text(const struct pvf__sandbox_report *report, char *out, size_t size);

/* What a worker does with the files of its folder. */
enum pvf__sandbox_files {
    PVF__SANDBOX_READS_FILES,  /* execute: the artifact; its root is mounted read-only */
    PVF__SANDBOX_WRITES_FILES, /* prepare: the temporary artifact */
};

/* How a worker is to be fenced. */
struct pvf__sandbox_plan {
    bool strict;      /* secure validator mode: what fails ends the start */
    bool change_root; /* the four that the host decides on */
    bool landlock;
    bool seccomp;
    bool secure_clone;
    bool keeps_capabilities; /* a job's, where even its worker could not give them up */
    const char *folder;      /* the worker's own */
    int null_fd;             /* what a job gets for its standard descriptors */
    enum pvf__sandbox_files files;
    enum pvf__seccomp_role worker_role;
    enum pvf__seccomp_role job_role;
    enum pvf__seccomp_role zygote_role; /* of workers that have zygotes */
};

/*
 * First of all in a worker, whatever the host will say later: descriptors, signals, limits, parent
 * death, core dumps.  `keep` is what it inherited for its use, or -1.  0, or what could not be
 * done, which ends the start.
 */
PVF__NODISCARD int pvf__sandbox_begin(struct pvf__sandbox_report *report, int keep, pvf_error *err);

/*
 * After the handshake, before the first request; single-threaded.  After it the folder may be "/".
 * An error ends the start: in strict mode any, otherwise only that of the change of the root, after
 * which files would be elsewhere than the host believes.
 */
PVF__NODISCARD int pvf__sandbox_worker(const struct pvf__sandbox_plan *plan,
                                       struct pvf__sandbox_report *report,
                                       pvf_error *err);

/* Namespaces for a new job: flags of clone3(2), 0 without secure clone. */
uint64_t pvf__sandbox_job_namespaces(const struct pvf__sandbox_plan *plan);

/* Limits of one job, beside the CPU limit that its worker watches. */
struct pvf__sandbox_job_limits {
    uint64_t cpu_s;      /* a backstop well above the limit: for a worker that is stopped */
    uint64_t data_bytes; /* private writable memory, stacks included; 0: none */
    bool keeps_group;    /* the process group by which whoever made it will reap it */
};

/* What a job has besides its standard descriptors; -1: it has no such one. */
struct pvf__sandbox_job_files {
    int pipe_fd;   /* where it writes */
    int data_fd;   /* its artifact, or its input */
    int input_fd;  /* where it is told that its input is there */
    int mapped_fd; /* what the engine maps pages of the artifact from */
};

/*
 * In the job, before it touches a hostile byte: everything but these files is closed, and all that
 * the plan names is on.  An error means that the job may not go on.
 */
PVF__NODISCARD int pvf__sandbox_job(const struct pvf__sandbox_plan *plan,
                                    const struct pvf__sandbox_job_limits *limits,
                                    const struct pvf__sandbox_job_files *files,
                                    pvf_error *err);

/*
 * Zygotes, which make jobs of one artifact, exist only behind the whole fence: a process namespace
 * is what ends all that a zygote ever made, and the filter is what keeps it from making anything
 * else.  Whoever makes that namespace needs the rights that a changed root gives.
 */
bool pvf__sandbox_has_zygotes(const struct pvf__sandbox_plan *plan);

/* For a new zygote, besides the process namespace that it is born in; and for each of its jobs. */
uint64_t pvf__sandbox_zygote_namespaces(void);
uint64_t pvf__sandbox_zygote_job_namespaces(void);

/*
 * In a zygote, a copy of its worker, before it touches the artifact: it keeps its two files, no
 * others, the limits of a job, and of its rights only that to make namespaces for jobs.
 */
PVF__NODISCARD int pvf__sandbox_zygote(const struct pvf__sandbox_plan *plan,
                                       const struct pvf__sandbox_job_limits *limits,
                                       const int files[2],
                                       pvf_error *err);

/*
 * For a one-shot process that has read all its input and will only write to descriptor 1: fences it
 * as far as this machine allows; returns what was missing, or 0.
 */
PVF__NODISCARD int pvf__sandbox_oneshot(enum pvf__seccomp_role role, pvf_error *err);

#endif
