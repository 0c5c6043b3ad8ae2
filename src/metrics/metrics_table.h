/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_METRICS_METRICS_TABLE_H
#define PVF_METRICS_METRICS_TABLE_H

#include "metrics/metrics.h"

/* What a whole number of a metric means; how it is written follows from it. */
enum pvf__metric_unit {
    PVF__UNIT_PLAIN, /* a count, bytes, KiB: written as it is */
    PVF__UNIT_TIME,  /* nanoseconds, written as seconds */
};

#define PVF__METRIC_OWN_LABELS 2

struct pvf__metric_row {
    const char *name;
    const char *help;
    enum pvf_metric_type type;
    enum pvf__metric_unit unit;
    struct {
        const char *name; /* NULL: no such label */
        const struct pvf__label_set *set;
    } labels[PVF__METRIC_OWN_LABELS];
    const uint64_t *buckets; /* upper bounds, ascending, in the unit of the values */
    size_t bucket_count;
};

extern const struct pvf__metric_row pvf__metric_rows[PVF__METRICS];

#endif
