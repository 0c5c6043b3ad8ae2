/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_METRICS_METRICS_STATE_H
#define PVF_METRICS_METRICS_STATE_H

#include "metrics/metrics.h"
#include "metrics/metrics_table.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PVF__METRICS_TEXT 64

struct pvf_metrics {
    bool has_chain;
    char chain[PVF__METRICS_TEXT];
    char version[PVF__METRICS_TEXT];
    char prepare_version[PVF__METRICS_TEXT];
    char execute_version[PVF__METRICS_TEXT];
    size_t offsets[PVF__METRICS]; /* of a metric's first cell */
    /*
     * Series by series, the second label running faster.  A counter or gauge is one cell; a
     * histogram's are the counts of its buckets (not added up), of what is larger, and the sum.
     */
    uint64_t cells[];
};

/* Cells of one series. */
size_t pvf__metrics_stride(const struct pvf__metric_row *row);

/* One number on its way out, still whole. */
struct pvf__metrics_number {
    pvf_metric_sample sample; /* its value as a double */
    uint64_t value;
    enum pvf__metric_unit unit;
};

/* Calls for every sample, in the order of the table; false from `visit`: no more. */
void pvf__metrics_walk(const pvf_metrics *metrics,
                       bool (*visit)(void *context, const struct pvf__metrics_number *number),
                       void *context);

/*
 * A whole number as decimal text: of nanoseconds as seconds, without zeros at the end.  Exact, and
 * whatever the locale.
 */
#define PVF__METRICS_NUMBER 32
void pvf__metrics_number_text(uint64_t value,
                              enum pvf__metric_unit unit,
                              char out[PVF__METRICS_NUMBER]);

#endif
