/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_BASE_LOG_H
#define PVF_BASE_LOG_H

#include "base/cleanup.h"
#include "pvf/log.h"

#include <stdbool.h>
#include <stdint.h>

/* Numbers as the guest's logging interface counts them, so that one scale serves both. */
enum pvf__log_level {
    PVF__LOG_OFF = PVF_LOG_OFF,
    PVF__LOG_ERROR = PVF_LOG_ERROR,
    PVF__LOG_WARN = PVF_LOG_WARN,
    PVF__LOG_INFO = PVF_LOG_INFO,
    PVF__LOG_DEBUG = PVF_LOG_DEBUG,
    PVF__LOG_TRACE = PVF_LOG_TRACE,
};

/* Receives one line without its newline, escaped as in pvf/log.h.  Must not log itself. */
typedef void (*pvf__log_sink)(void *context, enum pvf__log_level level, const char *line);

/*
 * Where lines go and from which level on: for programs of ours that want every line, such as the
 * workers.  Users of the library come in by pvf_log_setup, which also limits the rate; the later
 * call counts.  Until one of the two is called nothing is logged: a library prints nothing by
 * itself.  Not thread-safe; call before threads start.
 */
void pvf__log_setup(pvf__log_sink sink, void *context, enum pvf__log_level max_level);

bool pvf__log_enabled(enum pvf__log_level level);

/* A line of the source that logs; its address is what tells it from others. */
struct pvf__log_site {
    const char *component;
};

/* The folder of src/ that is being compiled. */
#ifndef PVF__COMPONENT
#define PVF__COMPONENT "pvf"
#endif

/*
 * pvf__log(level, format, ...): one line, cut at 1023 bytes, of what the job at hand is about.  A
 * macro, so that each line knows where it stands.
 */
#define pvf__log(level, ...)                                                                       \
    do {                                                                                           \
        static const struct pvf__log_site pvf__log_here = {PVF__COMPONENT};                        \
        pvf__log_write(&pvf__log_here, (level), __VA_ARGS__);                                      \
    } while (0)

void pvf__log_write(const struct pvf__log_site *site,
                    enum pvf__log_level level,
                    const char *format,
                    ...) __attribute__((format(printf, 3, 4)));

/*
 * The job that this thread is at, 0: none; every record carries it.  A worker counts its requests,
 * and these are its jobs.  pvf__log_job_set returns the one before, to be put back.
 */
uint64_t pvf__log_job_set(uint64_t job);
uint64_t pvf__log_job(void);

/* PVF__LOG_JOB(id); sets it until the end of the block. */
#define PVF__LOG_JOB(id)                                                                           \
    __attribute__((cleanup(pvf__log_job_back), unused)) const uint64_t pvf__log_job_before =       \
        pvf__log_job_set(id)
void pvf__log_job_back(const uint64_t *before);

/*
 * The link between the host's lines and a worker's: says at debug that `job` is now the `request`th
 * (from 1) of a worker.  `kind` is "prepare" or "execute", `pid` its process.
 */
void pvf__log_job_given(uint64_t job, const char *kind, int pid, uint64_t request);

/* Lines that the rate limit has left out since the start. */
uint64_t pvf__log_left_out(void);

#endif
