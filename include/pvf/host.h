/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_HOST_H
#define PVF_HOST_H

#include "pvf/error.h"
#include "pvf/export.h"
#include "pvf/outcome.h"
#include "pvf/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * A host runs the two worker programs and gives them one job at a time: pvf_host_new, then
 * pvf_host_prepare, pvf_host_execute and the rest in any order, then pvf_host_free.  Calls block.
 * Workers are kept between jobs.  The library parses neither code nor proof; only workers do.
 *
 * A host belongs to one thread at a time.  It makes no threads and installs no signal handlers; it
 * waits only for its own children.
 */
typedef struct pvf_host pvf_host;

/* What may be used to fence in hostile code. */
enum pvf_security_mode {
    PVF_SECURITY_DETECT = 0,   /* ask the prepare worker what this machine can do, and use it */
    PVF_SECURITY_REQUIRE = 1,  /* the same, and refuse to start when it is not enough */
    PVF_SECURITY_AS_GIVEN = 2, /* exactly config.security, unchecked */
};

/* Zero-initialise, then set what differs.  Texts are copied. */
typedef struct pvf_host_config {
    const char *prepare_worker_path; /* NULL: no preparation */
    const char *execute_worker_path; /* NULL: no execution */
    const char *cache_dir;      /* folder for a private folder of ours; NULL: $TMPDIR or /tmp */
    const char *node_version;   /* the version that workers must have; NULL: any */
    const char *log_directives; /* RUST_LOG of the workers; NULL: errors only */
    uint32_t spawn_timeout_ms;  /* from start to connection; 0: 10000 */
    bool quiet;                 /* workers' stderr goes nowhere instead of to ours */
    bool
        plain_protocol; /* speak to our own workers, too, as to any node's; slower, else the same */
    int32_t security_mode;        /* enum pvf_security_mode */
    pvf_security_status security; /* for PVF_SECURITY_AS_GIVEN */
    int32_t metering;             /* enum pvf_metering; for experts, 0 is right for all others */
    uint32_t compile_threads;     /* that compile one code, 1 to 16; 0: the worker decides */
    uint64_t reserved[8];         /* zero: see pvf/types.h */
} pvf_host_config;

/* Checks the configuration, the programs and their versions; starts no worker yet. */
PVF_API PVF_NODISCARD int
pvf_host_new(const pvf_host_config *config, pvf_host **ret, pvf_error *err);

/* Ends the workers and removes the host's folder, with artifacts that were not kept. */
PVF_API void pvf_host_free(pvf_host *host);

/* What the workers are told to use. */
PVF_API void pvf_host_security(const pvf_host *host, pvf_security_status *ret);

/* Code to prepare. */
typedef struct pvf_prepare_request {
    pvf_bytes code;            /* as on chain, perhaps compressed */
    uint32_t bomb_limit;       /* bytes after decompression; 0: 31457280 (30 MiB) */
    pvf_bytes executor_params; /* SCALE list; none: the empty list */
    uint64_t timeout_ms;       /* CPU time; 0: what the parameters say for the kind */
    int32_t kind;              /* enum pvf_prepare_kind */
    uint64_t reserved[4];      /* zero: see pvf/types.h */
} pvf_prepare_request;

/*
 * Prepares code.  0 when an outcome was reached, good or bad; a negative PVF_ERR_* when there is
 * none: bad arguments, or no worker could be made to take the request.
 */
PVF_API PVF_NODISCARD int pvf_host_prepare(pvf_host *host,
                                           const pvf_prepare_request *request,
                                           pvf_prepare_outcome *ret,
                                           pvf_error *err);

/* A candidate to execute. */
typedef struct pvf_execute_request {
    const char *artifact_path; /* of a pvf_prepare_outcome, or a kept one */
    uint8_t checksum[32];      /* as the preparation gave it */
    pvf_bytes executor_params; /* as for the preparation */
    uint64_t timeout_ms;       /* CPU time; 0: what the parameters say for approval */

    pvf_bytes parent_head;
    uint32_t relay_parent_number;
    uint8_t relay_parent_storage_root[32];
    uint32_t max_pov_size; /* travels along; it is not checked here */
    pvf_bytes pov;         /* the PoV's block data, perhaps compressed */

    uint8_t relay_parent[32];
    uint8_t scheduling_parent[32]; /* equal to relay_parent unless the descriptor is V3 */
    int32_t descriptor_version;    /* enum pvf_descriptor_version */
    uint8_t descriptor_byte;       /* for PVF_DESCRIPTOR_UNKNOWN */
    uint64_t reserved[4];          /* zero: see pvf/types.h */
} pvf_execute_request;

/*
 * Executes a candidate once; retries are the caller's (ret->retry).  0 when an outcome was reached,
 * PVF_VERDICT_INTERNAL included; a negative PVF_ERR_* for bad arguments or no memory.
 */
PVF_API PVF_NODISCARD int pvf_host_execute(pvf_host *host,
                                           const pvf_execute_request *request,
                                           pvf_outcome *ret,
                                           pvf_error *err);

/*
 * Prepares and executes a small PVF whose result is known, with both of the host's programs.  0
 * when this machine does it right; PVF_ERR_INVALID_ARG when the host lacks a program; any other
 * failure says what this machine gets wrong, and that nothing it says about a candidate counts.
 */
PVF_API PVF_NODISCARD int pvf_host_self_test(pvf_host *host, pvf_error *err);

/* One security mechanism of this machine. */
typedef struct pvf_check {
    const char *name; /* "landlock", "seccomp", "change-root", "secure-clone"; static */
    bool available;
    bool tolerated; /* not available, but secure mode may do without */
    bool ran;       /* the program was started and ended; otherwise `text` says what went wrong */
    int32_t signal; /* that ended the check, such as SIGSYS; 0: none */
    char text[256]; /* why not, as the worker said; empty when available */
    uint64_t reserved[2]; /* zero */
} pvf_check;

#define PVF_CHECKS 4

/* Runs the worker's own checks of this machine again: the prepare worker's, if there is one. */
PVF_API PVF_NODISCARD int pvf_host_check(pvf_host *host, pvf_check ret[PVF_CHECKS], pvf_error *err);

/*
 * Runs the checks of any worker program.  The change of the root folder is tried on a folder that
 * is made in `folder` and removed again; NULL: $TMPDIR or /tmp.  A check that says no, or that
 * cannot be run, is no failure of the call.  Works without a host.
 */
PVF_API PVF_NODISCARD int pvf_worker_check(const char *program,
                                           const char *folder,
                                           pvf_check ret[PVF_CHECKS],
                                           pvf_error *err);

/*
 * The version that a worker program reports; at most `size` - 1 bytes are stored.  Works without a
 * host.
 */
PVF_API PVF_NODISCARD int
pvf_worker_version(const char *program, char *ret, size_t size, pvf_error *err);

/*
 * What the prepare worker has to say about code (or an artifact), as one JSON object: *ret is
 * terminated, and freed by the caller with free().  Only our own workers can do it.  `bomb_limit`
 * is as in a pvf_prepare_request.
 */
PVF_API PVF_NODISCARD int pvf_host_inspect(pvf_host *host,
                                           pvf_bytes code,
                                           pvf_bytes executor_params,
                                           uint32_t bomb_limit,
                                           char **ret,
                                           pvf_error *err);

#ifdef __cplusplus
}
#endif

#endif
