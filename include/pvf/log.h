/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_LOG_H
#define PVF_LOG_H

#include "pvf/export.h"

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * What the library has to say while it works, as records to a callback.  Without one it says
 * nothing: it never prints by itself.  Failures of calls come by pvf_error; the log is for what no
 * call waits for.
 *
 * JOBS.  A line about a request has the number that the caller knows it by.  At level debug there
 * is one line for each request that is given to a worker:
 *
 *     job 17 is request 3 of execute worker 4711
 *
 * and the worker, whose lines go to standard error, calls itself "pvf-execute-worker[4711]" and
 * what it is at "#3".
 *
 * RATE.  What is said over and over from one place in the code is cut down to 20 lines at once and
 * one per second after that; then a line says "N similar lines left out".  Debug and trace are not
 * cut: who asks for them wants all.
 */

/* The numbers never change. */
enum pvf_log_level {
    PVF_LOG_OFF = 0,
    PVF_LOG_ERROR = 1, /* something is lost, or somebody has to act */
    PVF_LOG_WARN = 2,  /* odd, and survived */
    PVF_LOG_INFO = 3,  /* seldom, worth knowing afterwards */
    PVF_LOG_DEBUG = 4, /* each step of each request */
    PVF_LOG_TRACE = 5,
};

typedef struct pvf_log_record {
    int32_t level;         /* enum pvf_log_level, never PVF_LOG_OFF */
    uint64_t job;          /* a request's number; 0: about none */
    const char *component; /* the part of the library: "host", "cache", …; static */
    /*
     * One line of UTF-8, at most 1023 bytes.  Control characters, what breaks lines or turns the
     * direction of writing, bytes that are no UTF-8, and the backslash itself stand there as
     * backslash and n, r, t, backslash, or xNN.
     */
    const char *text;
} pvf_log_record;

/* The record lives until it returns.  It must call no function of the library. */
typedef void (*pvf_log_callback)(void *context, const pvf_log_record *record);

/*
 * For the whole process, since there is one library in it: where records go, and up to which level.
 * NULL: nowhere.  Not thread-safe; call it before anything else of the library.
 */
PVF_API void pvf_log_setup(pvf_log_callback callback, void *context, int32_t max_level);

/* Tells what was left out and not told yet; for the end of a program. */
PVF_API void pvf_log_flush(void);

/* "error", "warn", …; "unknown" for any other number. */
PVF_API const char *pvf_log_level_name(int32_t level);

#ifdef __cplusplus
}
#endif

#endif
