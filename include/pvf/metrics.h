/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_METRICS_H
#define PVF_METRICS_H

#include "pvf/error.h"
#include "pvf/export.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * What can be measured of a validation host, as counters, gauges and histograms.  docs/metrics.md
 * lists them all: first those of the reference node under its own names, labels and buckets, then
 * those that it lacks.
 *
 * Two ways out: pvf_metrics_each calls back for every sample, for a program with a metrics library
 * of its own; pvf_metrics_text gives the text that Prometheus scrapes.  Both see the figures at the
 * moment of the call, and both always see every series, also those that are still zero.
 *
 * The object belongs to what it measures, and to that one's thread; it is only read here.
 */
typedef struct pvf_metrics pvf_metrics;

/* The numbers never change. */
enum pvf_metric_type {
    PVF_METRIC_COUNTER = 0,   /* grows, from zero at each start */
    PVF_METRIC_GAUGE = 1,     /* the state now */
    PVF_METRIC_HISTOGRAM = 2, /* counters by size */
};

typedef struct pvf_metric_label {
    const char *name;
    const char *value; /* as it is, nothing escaped */
} pvf_metric_label;

#define PVF_METRIC_LABELS_MAX 4

/*
 * One number.  A histogram consists of several: NAME_bucket with the label "le" (how many were at
 * most so large), the last of them "+Inf", then NAME_sum and NAME_count.  Texts live as long as the
 * callback.
 */
typedef struct pvf_metric_sample {
    const char *metric; /* such as "polkadot_pvf_execution_time" */
    const char *help;   /* one line about the metric */
    int32_t type;       /* enum pvf_metric_type */
    const char *name;   /* of this number: the metric's, or with _bucket, _sum, _count after it */
    pvf_metric_label labels[PVF_METRIC_LABELS_MAX];
    size_t label_count;
    double value; /* in the unit that the name or docs/metrics.md says; seconds for times */
} pvf_metric_sample;

/* False: no more. */
typedef bool (*pvf_metric_callback)(void *context, const pvf_metric_sample *sample);

/* Samples of one metric follow each other, as do those of one series of a histogram. */
PVF_API void
pvf_metrics_each(const pvf_metrics *metrics, pvf_metric_callback callback, void *context);

/*
 * Everything in Prometheus's text format, version 0.0.4; content type PVF_METRICS_CONTENT_TYPE.
 * *ret is terminated, *ret_len long, and freed by the caller with free().
 */
PVF_API PVF_NODISCARD int
pvf_metrics_text(const pvf_metrics *metrics, char **ret, size_t *ret_len, pvf_error *err);

#define PVF_METRICS_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

#ifdef __cplusplus
}
#endif

#endif
