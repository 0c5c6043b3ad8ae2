/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_WORKER_WORKER_MAIN_H
#define PVF_WORKER_WORKER_MAIN_H

#include "worker/worker.h"
#include "worker/worker_args.h"

/* What makes a worker a prepare or an execute worker. */
struct pvf__worker_role {
    const char *name;    /* for log lines, such as "pvf-prepare-worker" */
    const char *command; /* first argument of a normal start, such as "prepare-worker" */
    const char *purpose; /* half a sentence for the help text */
    size_t request_max;  /* longest body of a request, in bytes */
    bool has_artifact;   /* upgraded: one comes with each request */

    /* How the worker and its jobs are fenced. */
    enum pvf__sandbox_files files;
    enum pvf__seccomp_role worker_filter;
    enum pvf__seccomp_role job_filter;
    enum pvf__seccomp_role zygote_filter; /* of a role that has zygotes */

    /* Makes what may not be made once the worker is fenced, or does without.  NULL: nothing. */
    void (*before_fence)(void);

    /*
     * Options of a normal start that only this role has, and who takes the value of each; what it
     * refuses ends the start as any wrong argument does.  NULL, both: none.
     */
    const char *own_options[PVF__WORKER_OWN_OPTIONS];
    int (*set_own_option[PVF__WORKER_OWN_OPTIONS])(const char *value, pvf_error *err);

    /* After the security handshake, before the first request; 0, or the exit code. NULL: nothing.
     */
    int (*begin)(struct pvf__worker *worker);

    /* Answers one request; 0 to go on, or the exit code that ends the worker. */
    int (*request)(struct pvf__worker *worker, const struct pvf__worker_request *request);

    /* Answered, or just begun: what is left to do before a request comes.  NULL: nothing. */
    void (*rest)(struct pvf__worker *worker);

    /* Once no request came for so long, and before the next.  NULL: nothing. */
    void (*idle)(void);
    uint64_t idle_after_ns;

    /* The host ended, or sent what is no frame; a last word may be sent.  NULL: nothing. */
    void (*no_request)(struct pvf__worker *worker, const pvf_error *err);

    /* One-shot mode: "PROGRAM inspect …"; the exit code.  NULL: the role has none. */
    int (*inspect)(int argc, char **argv);
};

/* The whole life of a worker; its result is the process's exit code. */
int pvf__worker_main(int argc, char **argv, const struct pvf__worker_role *role);

#endif
