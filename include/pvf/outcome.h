/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_OUTCOME_H
#define PVF_OUTCOME_H

#include "pvf/error.h"
#include "pvf/export.h"
#include "pvf/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * What became of a job.  These are values, not failures: a call that returns 0 has one of them.
 * The numbers never change.
 */

/* What may be said about a candidate. */
enum pvf_verdict {
    PVF_VERDICT_VALID = 0,
    PVF_VERDICT_INVALID = 1,          /* the candidate's fault, beyond doubt */
    PVF_VERDICT_POSSIBLY_INVALID = 2, /* hostile code or this machine: try again, then invalid */
    PVF_VERDICT_INTERNAL = 3,         /* this machine's fault: nothing can be said */
    PVF_VERDICT_EXPIRED = 4,          /* never started: by then nobody could use a verdict */
};

enum pvf_reason {
    PVF_REASON_NONE = 0, /* valid */
    /* Invalid. */
    PVF_REASON_REPORTED_INVALID = 1, /* the code refused the candidate, or trapped */
    PVF_REASON_HARD_TIMEOUT = 2,
    PVF_REASON_POV_DECOMPRESSION = 3,
    /* Possibly invalid. */
    PVF_REASON_WORKER_DEATH = 10, /* the worker ended, or its answer was no answer */
    PVF_REASON_JOB_DEATH = 11,    /* the job was killed */
    PVF_REASON_JOB_ERROR = 12,
    PVF_REASON_RUNTIME_CONSTRUCTION = 13, /* prepare again, then retry */
    PVF_REASON_CORRUPTED_ARTIFACT = 14,   /* prepare again, then retry */
    PVF_REASON_STALLED = 15,              /* no answer in time, yet the CPU limit was not used */
    /* Internal. */
    PVF_REASON_HOST_COMMUNICATION = 20,
    PVF_REASON_CREATE_LINK = 21,
    PVF_REASON_OPEN_FILE = 22,
    PVF_REASON_CREATE_PIPE = 23,
    PVF_REASON_CLEAR_WORKER_DIR = 24,
    PVF_REASON_KERNEL = 25,
    PVF_REASON_PREPARE = 26,
    PVF_REASON_SPAWN = 27,     /* no worker could be started */
    PVF_REASON_SELF_TEST = 28, /* after a death, a known-good job failed too */
    /* Not started. */
    PVF_REASON_EXPIRED = 30,   /* its deadline passed, or what it builds on is gone; expired */
    PVF_REASON_CANCELLED = 31, /* its caller, or the end of the service, wanted it so; internal */
};

/* Why no worker could be started; in pvf_error.detail and pvf_outcome.spawn_failure. */
enum pvf_spawn_failure {
    PVF_SPAWN_NONE = 0,
    PVF_SPAWN_TMP_PATH = 1,        /* no place for its folder or its socket */
    PVF_SPAWN_BIND = 2,            /* the socket could not be made */
    PVF_SPAWN_ACCEPT = 3,          /* its connection could not be taken */
    PVF_SPAWN_PROCESS = 4,         /* the program could not be started */
    PVF_SPAWN_ACCEPT_TIMEOUT = 5,  /* it did not connect in time */
    PVF_SPAWN_DIED = 6,            /* it ended before it connected */
    PVF_SPAWN_HANDSHAKE = 7,       /* it did not take what it is told first */
    PVF_SPAWN_PROGRAM_CHANGED = 8, /* the program's file is no longer the one that was opened */
};

/* Longest text of an outcome, with its terminator. */
#define PVF_OUTCOME_TEXT 512

/* The end of an execution.  Release with pvf_outcome_done. */
typedef struct pvf_outcome {
    int32_t verdict;             /* enum pvf_verdict */
    int32_t reason;              /* enum pvf_reason */
    bool retry;                  /* another attempt may end otherwise */
    bool bad_artifact;           /* prepare again before it */
    int32_t spawn_failure;       /* enum pvf_spawn_failure, for PVF_REASON_SPAWN */
    int32_t sys_errno;           /* of the system call that failed, for PVF_REASON_SPAWN; or 0 */
    char text[PVF_OUTCOME_TEXT]; /* one line; empty when valid */

    uint64_t cpu_us;   /* of the job as the worker measured it; 0 when there is no answer */
    uint64_t wall_us;  /* from the request's first byte to the answer's last */
    uint32_t pov_size; /* bytes after decompression */

    /* Valid: the SCALE ValidationResult, owned by the outcome, and the parts one looks at. */
    uint8_t *result;
    size_t result_len;
    pvf_bytes head_data;   /* points into `result` */
    uint8_t head_hash[32]; /* BLAKE2b-256 of head_data */
    pvf_bytes new_code;    /* points into `result`; data is NULL when the code stays */
    uint32_t upward_messages;
    uint32_t horizontal_messages;
    uint32_t processed_downward_messages;
    uint32_t hrmp_watermark;
    uint64_t reserved[4]; /* zero */
} pvf_outcome;

/* Releases what the outcome owns and makes it all zero; it may be used again. */
PVF_API void pvf_outcome_done(pvf_outcome *outcome);

/* The end of a preparation.  Release with pvf_prepare_outcome_done. */
typedef struct pvf_prepare_outcome {
    bool ok;
    int32_t error;      /* SCALE index of the PrepareError when not ok */
    bool deterministic; /* the code is to blame: never try again; a precheck votes against it */
    const char *name;   /* of the error, such as "OutOfMemory"; static; "" when ok */
    char text[PVF_OUTCOME_TEXT];

    uint8_t code_hash[32]; /* BLAKE2b-256 of the code as given */
    uint8_t prep_hash[32]; /* of the executor parameters that shape the artifact */

    char *artifact_path; /* ok: the file, removed by pvf_prepare_outcome_done unless kept */
    bool kept;           /* it stays where it is */
    uint64_t artifact_size;
    uint8_t checksum[32]; /* of the artifact, as an execution needs it */

    uint64_t cpu_us;
    uint64_t wall_us;
    uint32_t code_len;       /* bytes after decompression */
    int64_t max_rss_kib;     /* peak of the job's memory; -1 when unknown */
    uint64_t peak_allocated; /* bytes asked for by the compiler */
    uint64_t reserved[4];    /* zero */
} pvf_prepare_outcome;

/* Removes the artifact's file, releases what the outcome owns and makes it all zero. */
PVF_API void pvf_prepare_outcome_done(pvf_prepare_outcome *outcome);

/*
 * Moves the artifact to `path` (which is replaced) and leaves it there for good; across file
 * systems it is copied.  The outcome's artifact_path is the new one and no longer removed.
 */
PVF_API PVF_NODISCARD int
pvf_prepare_outcome_keep(pvf_prepare_outcome *outcome, const char *path, pvf_error *err);

/* "valid", "invalid", "possibly invalid", "internal", "expired"; "unknown" for any other number. */
PVF_API const char *pvf_verdict_name(int32_t verdict);

/* A short name in words, such as "hard timeout"; "unknown" for any other number. */
PVF_API const char *pvf_reason_name(int32_t reason);

/* A short name in words, such as "accept timeout"; "unknown" for any other number. */
PVF_API const char *pvf_spawn_failure_name(int32_t failure);

#ifdef __cplusplus
}
#endif

#endif
