/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_BASE_LOG_H
#define PVF_BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

/* Numbers as the guest's logging interface counts them, so that one scale serves both. */
enum pvf__log_level {
    PVF__LOG_OFF = 0,
    PVF__LOG_ERROR = 1,
    PVF__LOG_WARN = 2,
    PVF__LOG_INFO = 3,
    PVF__LOG_DEBUG = 4,
    PVF__LOG_TRACE = 5,
};

/* Receives one line without its newline.  Must not log itself. */
typedef void (*pvf__log_sink)(void *context, enum pvf__log_level level, const char *line);

/*
 * Where lines go and from which level on.  Until this is called nothing is logged: a library
 * prints nothing by itself.  Not thread-safe; call before threads start.
 */
void pvf__log_setup(pvf__log_sink sink, void *context, enum pvf__log_level max_level);

bool pvf__log_enabled(enum pvf__log_level level);

/* Formats at most one line; cut at 1024 bytes. */
void pvf__log(enum pvf__log_level level, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
