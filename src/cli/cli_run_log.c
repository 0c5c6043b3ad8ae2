/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: the log of `pvf run` on standard error, as lines for people or as JSON for collectors.
 * Records are one line already: the library escapes what is not printable.
 */
#include "base/json_out.h"
#include "cli/cli_run.h"
#include "pvf/log.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

/* A record has a line of at most 1 KiB, of which JSON makes at most six times as much. */
#define LINE_MAX_LEN ((size_t)16 << 10)

static void as_text(const pvf_log_record *record)
{
    char job[32] = "";
    if (record->job != 0) {
        (void)snprintf(job, sizeof job, "job %llu: ", (unsigned long long)record->job);
    }
    (void)fprintf(stderr,
                  "pvf: %s: %s: %s%s\n",
                  pvf_log_level_name(record->level),
                  record->component,
                  job,
                  record->text);
}

static void put_time(struct pvf__json_out *json)
{
    struct timespec now;
    struct tm parts;
    char day[32];
    char text[48];
    if (clock_gettime(CLOCK_REALTIME, &now) == 0 && gmtime_r(&now.tv_sec, &parts) != NULL &&
        strftime(day, sizeof day, "%Y-%m-%dT%H:%M:%S", &parts) > 0) {
        (void)snprintf(text, sizeof text, "%s.%03ldZ", day, now.tv_nsec / 1000000);
        pvf__json_out_string(json, "time", text);
    }
}

static void as_json(const pvf_log_record *record)
{
    PVF__CLEANUP_BUF struct pvf__buf line = PVF__BUF_INIT(LINE_MAX_LEN);
    struct pvf__json_out json = {.buf = &line};
    pvf__json_out_open(&json, NULL, '{');
    put_time(&json);
    pvf__json_out_string(&json, "level", pvf_log_level_name(record->level));
    pvf__json_out_string(&json, "component", record->component);
    if (record->job != 0) {
        pvf__json_out_number(&json, "job", record->job);
    }
    pvf__json_out_string(&json, "text", record->text);
    pvf__json_out_close(&json, '}');
    (void)pvf__buf_u8(&line, '\n');
    if (line.failed != 0) {
        /* No memory; better this than nothing. */
        as_text(record);
        return;
    }
    /* In one piece, since workers write there, too.  Nobody can be told that it failed. */
    (void)!write(STDERR_FILENO, line.data, line.len);
}

static void print(void *context, const pvf_log_record *record)
{
    const struct pvf__run_options *options = context;
    if (options->log_json) {
        as_json(record);
    } else {
        as_text(record);
    }
}

void pvf__run_log_setup(struct pvf__run_options *options)
{
    pvf_log_setup(print, options, options->log_level);
}
