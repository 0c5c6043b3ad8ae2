/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: figures over repeated runs. */
#include "cli/cli_command.h"

#include <stdio.h>
#include <stdlib.h>

bool pvf__cli_times_init(struct pvf__cli_times *times, size_t max)
{
    times->us = calloc(max, sizeof times->us[0]);
    times->count = 0;
    times->max = max;
    return times->us != NULL;
}

void pvf__cli_times_done(struct pvf__cli_times *times)
{
    free(times->us);
    times->us = NULL;
}

void pvf__cli_times_add(struct pvf__cli_times *times, uint64_t us)
{
    if (times->count < times->max) {
        times->us[times->count++] = us;
    }
}

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

uint64_t pvf__cli_times_median(const struct pvf__cli_times *times)
{
    size_t half = times->count / 2;
    if (times->count == 0) {
        return 0;
    }
    return times->count % 2 ? times->us[half] : (times->us[half - 1] + times->us[half]) / 2;
}

void pvf__cli_times_rows(struct pvf__cli_times *times,
                         struct pvf__cli_report *report,
                         const char *label,
                         const char *key)
{
    static const char *const names[3] = {"min", "median", "max"};
    if (times->count < 2) {
        return;
    }
    qsort(times->us, times->count, sizeof times->us[0], compare);
    uint64_t values[3] = {times->us[0], pvf__cli_times_median(times), times->us[times->count - 1]};
    char texts[3][32];
    for (size_t i = 0; i < 3; i++) {
        char member[64];
        (void)snprintf(member, sizeof member, "%s_%s", key, names[i]);
        pvf__cli_report_number(report, member, values[i]);
        pvf__cli_report_time(values[i], texts[i], sizeof texts[i]);
    }
    pvf__cli_report_row(report,
                        label,
                        "min %s, median %s, max %s over %zu runs",
                        texts[0],
                        texts[1],
                        texts[2],
                        times->count);
}
