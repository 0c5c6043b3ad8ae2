/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: the process's one logger, and which job each thread is at. */
#include "base/log.h"

#include "base/clock.h"
#include "base/log_limit.h"
#include "base/log_text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#define LINE_MAX_LEN 1024

static struct {
    pvf__log_sink sink; /* at most one of the two is set */
    pvf_log_callback callback;
    void *context;
    enum pvf__log_level max_level;
    struct pvf__log_limit limit; /* for `callback` */
    uint64_t left_out;
} logger;

static _Thread_local uint64_t current_job;

static void
set_up(pvf__log_sink sink, pvf_log_callback callback, void *context, enum pvf__log_level max_level)
{
    logger.sink = sink;
    logger.callback = callback;
    logger.context = context;
    logger.max_level = max_level;
    logger.limit = (struct pvf__log_limit){0};
}

void pvf__log_setup(pvf__log_sink sink, void *context, enum pvf__log_level max_level)
{
    set_up(sink, NULL, context, max_level);
}

void pvf_log_setup(pvf_log_callback callback, void *context, int32_t max_level)
{
    int32_t level = max_level < PVF_LOG_OFF ? PVF_LOG_OFF : max_level;
    level = level > PVF_LOG_TRACE ? PVF_LOG_TRACE : level;
    set_up(NULL, callback, context, (enum pvf__log_level)level);
}

const char *pvf_log_level_name(int32_t level)
{
    static const char *const names[] = {"off", "error", "warn", "info", "debug", "trace"};
    return level >= PVF_LOG_OFF && level <= PVF_LOG_TRACE ? names[level] : "unknown";
}

bool pvf__log_enabled(enum pvf__log_level level)
{
    return (logger.sink != NULL || logger.callback != NULL) && level <= logger.max_level;
}

static void
give(const struct pvf__log_site *site, enum pvf__log_level level, uint64_t job, const char *text)
{
    const pvf_log_record record = {
        .level = (int32_t)level, .job = job, .component = site->component, .text = text};
    logger.callback(logger.context, &record);
}

static void tell_left_out(const struct pvf__log_site *site, uint64_t count)
{
    char line[64];
    (void)snprintf(line, sizeof(line), "%" PRIu64 " similar lines left out", count);
    give(site, PVF__LOG_WARN, 0, line);
}

/* Which lines of one place in the code go out; says so when there were others. */
static bool within_limit(const struct pvf__log_site *site, enum pvf__log_level level)
{
    uint64_t left_out = 0;
    if (logger.callback == NULL || level > PVF__LOG_INFO) {
        return true;
    }
    if (!pvf__log_limit_take(&logger.limit, site, pvf__clock_monotonic_ns(), &left_out)) {
        logger.left_out++;
        return false;
    }
    if (left_out > 0) {
        tell_left_out(site, left_out);
    }
    return true;
}

void pvf_log_flush(void)
{
    uint64_t count;
    const void *site;
    while (logger.callback != NULL && (site = pvf__log_limit_tell(&logger.limit, &count)) != NULL) {
        tell_left_out(site, count);
    }
}

void pvf__log_write(const struct pvf__log_site *site,
                    enum pvf__log_level level,
                    const char *format,
                    ...)
{
    if (!pvf__log_enabled(level) || !within_limit(site, level)) {
        return;
    }
    char raw[LINE_MAX_LEN];
    char line[LINE_MAX_LEN];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(raw, sizeof(raw), format, args);
    va_end(args);
    pvf__log_text_escape(raw, line, sizeof(line));
    if (logger.callback != NULL) {
        give(site, level, current_job, line);
    } else {
        logger.sink(logger.context, level, line);
    }
}

uint64_t pvf__log_job(void)
{
    return current_job;
}

uint64_t pvf__log_job_set(uint64_t job)
{
    uint64_t before = current_job;
    current_job = job;
    return before;
}

void pvf__log_job_back(const uint64_t *before)
{
    current_job = *before;
}

void pvf__log_job_given(uint64_t job, const char *kind, int pid, uint64_t request)
{
    static const struct pvf__log_site site = {"host"};
    PVF__LOG_JOB(job);
    pvf__log_write(&site,
                   PVF__LOG_DEBUG,
                   "job %" PRIu64 " is request %" PRIu64 " of %s worker %d",
                   job,
                   request,
                   kind,
                   pid);
}

uint64_t pvf__log_left_out(void)
{
    return logger.left_out;
}
