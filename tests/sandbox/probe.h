/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_TESTS_SANDBOX_PROBE_H
#define PVF_TESTS_SANDBOX_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* What a probe is given, and what it tells. */
struct probe_env {
    const char *arg; /* from the driver: a path, a pid, a number */
    int artifact_fd; /* an execute job's artifact; outside a file of the same kind; else -1 */
    int pipe_fd;     /* the job's pipe; outside -1 */
    char note[256];  /* what it saw, for the driver */
};

/*
 * One deed of hostile code.  0 when it was done, else the errno of the refusal; many end in a death
 * instead.  The same function runs in a plain process first, where it must be done: a probe that
 * cannot succeed proves nothing.
 */
struct probe {
    const char *name;
    int (*run)(struct probe_env *env);
    bool as_root; /* outside it runs as the root of user, mount and UTS namespaces of its own */
};

struct probe_list {
    const struct probe *probes;
    size_t count;
};

extern const struct probe_list probe_files;
extern const struct probe_list probe_processes;
extern const struct probe_list probe_rights;
extern const struct probe_list probe_network;
extern const struct probe_list probe_kernel;
extern const struct probe_list probe_limits;
extern const struct probe_list probe_zygote; /* for one that was taken over */

/* The file that `look` writes about: what a job is from inside. */
int probe_look(struct probe_env *env);

/* Writes what an honest job writes once it is fenced, with this text for an answer. */
void probe_say_verdict(const char *text, int pipe_fd);

/* For deeds that are one call: 0, or why not. */
int probe_result(long result);

/* The process that the driver named. */
pid_t probe_pid(const struct probe_env *env);

#define PROBE_LIST(list, name)                                                                     \
    const struct probe_list name = {list, sizeof(list) / sizeof((list)[0])}

#endif
