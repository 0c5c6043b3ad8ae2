/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: where a worker's log lines go, and which of them. */
#include "worker/worker_log.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

static const char *const level_names[] = {"off", "error", "warn", "info", "debug", "trace"};

/* The level that `text` names by word or digit, or -1. */
static int level_of(const char *text, size_t len)
{
    for (int level = 0; level <= (int)PVF__LOG_TRACE; level++) {
        const char *name = level_names[level];
        if (len == strlen(name) && strncasecmp(text, name, len) == 0) {
            return level;
        }
        if (len == 1 && text[0] == (char)('0' + level)) {
            return level;
        }
    }
    return -1;
}

/* The level of one directive: level, target=level, target. */
static int directive_level(const char *text, size_t len)
{
    const char *equals = memrchr(text, '=', len);
    if (equals != NULL) {
        size_t before = (size_t)(equals - text) + 1;
        return level_of(text + before, len - before);
    }
    int level = level_of(text, len);
    return level >= 0 ? level : (int)PVF__LOG_TRACE;
}

enum pvf__log_level pvf__worker_log_level(const char *directives)
{
    int max = -1;
    while (directives != NULL && *directives != '\0') {
        size_t len = strcspn(directives, ",");
        if (len > 0) {
            int level = directive_level(directives, len);
            max = level > max ? level : max;
        }
        directives += len + (directives[len] == ',' ? 1 : 0);
    }
    return max < 0 ? PVF__LOG_ERROR : (enum pvf__log_level)max;
}

/* The program's name and process; set once, before anything is logged. */
static const char *program = "pvf";
static pid_t process;

static void to_stderr(void *context, enum pvf__log_level level, const char *line)
{
    (void)context;
    char request[24] = "";
    if (pvf__log_job() != 0) {
        (void)snprintf(request, sizeof(request), " #%" PRIu64, pvf__log_job());
    }
    (void)dprintf(STDERR_FILENO,
                  "%s[%d]%s %s %s\n",
                  program,
                  (int)process,
                  request,
                  level_names[level],
                  line);
}

void pvf__worker_log_setup(const char *name, enum pvf__log_level max_level)
{
    program = name;
    process = getpid();
    pvf__log_setup(to_stderr, NULL, max_level);
}
