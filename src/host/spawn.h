/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_HOST_SPAWN_H
#define PVF_HOST_SPAWN_H

#include "base/cleanup.h"
#include "host/process.h"
#include "host/program.h"
#include "pvf/error.h"

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

enum pvf__worker_kind {
    PVF__WORKER_KIND_PREPARE,
    PVF__WORKER_KIND_EXECUTE,
};

/* "prepare" or "execute". */
const char *pvf__spawn_kind_name(enum pvf__worker_kind kind);

/* How to start a worker (protocol: spawning a worker).  Nothing is kept. */
struct pvf__spawn_spec {
    const struct pvf__program *program;
    enum pvf__worker_kind kind;
    const char *node_version;   /* NULL: the worker does not compare */
    const char *log_directives; /* RUST_LOG */
    const char *cache_dir;      /* where its folder is made */
    uint32_t timeout_ms;        /* from start to connection */
    bool quiet;                 /* its stderr goes nowhere */
    bool upgraded;              /* the program knows the upgraded wire, and is to speak it */
    const char *metering;       /* a word that only our prepare worker knows; NULL: not said */
    uint32_t compile_threads;   /* known to it alone, too; 0: not said */
    bool first_tier;            /* as above */
};

/* A worker that has connected, or was born connected; nothing was sent yet. */
struct pvf__spawned {
    struct pvf__process process;
    int socket;
    int out;            /* what it writes to stdout, non-blocking; nobody wants it */
    char dir[PATH_MAX]; /* its folder */
};

/* A worker that was started and has not connected yet. */
struct pvf__spawning {
    struct pvf__spawned spawned; /* its socket is -1, unless it inherited the other end */
    int listener;                /* non-blocking; readable when somebody has connected; or -1 */
    struct sockaddr_un address;
};

/*
 * Starts a worker and does not wait for it.  The caller then watches the listener, the process and
 * the worker's stdout, and the time.  On failure nothing is left behind.
 */
PVF__NODISCARD int
pvf__spawn_begin(const struct pvf__spawn_spec *spec, struct pvf__spawning *ret, pvf_error *err);

/*
 * When the listener is readable: 0 and the connected worker in spawning->spawned, with nothing left
 * to listen on; 1 when nobody came, or a stranger, who was sent away.
 */
PVF__NODISCARD int pvf__spawn_accept(struct pvf__spawning *spawning, pvf_error *err);

/* What to say when the process ended before it connected; it is reaped.  Returns the failure. */
int pvf__spawn_died(const struct pvf__spawn_spec *spec,
                    struct pvf__spawning *spawning,
                    pvf_error *err);

/* What to say when the time is over.  Returns the failure. */
int pvf__spawn_timed_out(const struct pvf__spawn_spec *spec, pvf_error *err);

/* Lets go of listener and socket path; the rest is the caller's. */
void pvf__spawn_stop_listening(struct pvf__spawning *spawning);

/*
 * Starts a worker and waits for it to connect, unless it was born so.  A program that ends before
 * it connects is noticed at once.  On failure nothing is left behind.
 */
PVF__NODISCARD int
pvf__spawn_worker(const struct pvf__spawn_spec *spec, struct pvf__spawned *ret, pvf_error *err);

/*
 * Reads and forgets what the worker wrote to stdout, so that it never has to wait; not more at a
 * time than it takes to say something and go on.
 */
void pvf__spawn_drain(struct pvf__spawned *spawned);

/* Kills the worker, closes everything and removes its folder. */
void pvf__spawn_end(struct pvf__spawned *spawned);

#endif
