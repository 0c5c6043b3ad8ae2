/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: the process's one logger. */
#include "base/log.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

static struct {
    pvf__log_sink sink;
    void *context;
    enum pvf__log_level max_level;
} logger;

void pvf__log_setup(pvf__log_sink sink, void *context, enum pvf__log_level max_level)
{
    logger.sink = sink;
    logger.context = context;
    logger.max_level = max_level;
}

bool pvf__log_enabled(enum pvf__log_level level)
{
    return logger.sink != NULL && level <= logger.max_level;
}

void pvf__log(enum pvf__log_level level, const char *format, ...)
{
    if (!pvf__log_enabled(level)) {
        return;
    }
    char line[1024];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    logger.sink(logger.context, level, line);
}
