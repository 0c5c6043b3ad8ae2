/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_HOST_SPAWN_H
#define PVF_HOST_SPAWN_H

#include "base/cleanup.h"
#include "host/process.h"
#include "pvf/error.h"

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

enum pvf__worker_kind {
    PVF__WORKER_KIND_PREPARE,
    PVF__WORKER_KIND_EXECUTE,
};

/* "prepare" or "execute". */
const char *pvf__spawn_kind_name(enum pvf__worker_kind kind);

/* How to start a worker (protocol: spawning a worker).  Nothing is kept. */
struct pvf__spawn_spec {
    const char *program;
    enum pvf__worker_kind kind;
    const char *node_version;   /* NULL: the worker does not compare */
    const char *log_directives; /* RUST_LOG */
    const char *cache_dir;      /* where its folder is made */
    uint32_t timeout_ms;        /* from start to connection */
    bool quiet;                 /* its stderr goes nowhere */
};

/* A worker that has connected; nothing was sent yet. */
struct pvf__spawned {
    struct pvf__process process;
    int socket;
    int out;            /* what it writes to stdout, non-blocking; nobody wants it */
    char dir[PATH_MAX]; /* its folder */
};

/*
 * Starts a worker and waits for it to connect.  A program that ends before it connects is noticed
 * at once.  On failure nothing is left behind.
 */
PVF__NODISCARD int
pvf__spawn_worker(const struct pvf__spawn_spec *spec, struct pvf__spawned *ret, pvf_error *err);

/* Reads and forgets what the worker wrote to stdout, so that it never has to wait. */
void pvf__spawn_drain(struct pvf__spawned *spawned);

/* Kills the worker, closes everything and removes its folder. */
void pvf__spawn_end(struct pvf__spawned *spawned);

#endif
