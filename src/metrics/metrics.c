/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: the figures of one host, in one block of memory, and every change of them. */
#include "metrics/metrics.h"

#include "base/error.h"
#include "metrics/metrics_state.h"
#include "metrics/metrics_table.h"
#include "pvf/status.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

static size_t values_of(const struct pvf__metric_row *row, unsigned label)
{
    return row->labels[label].set != NULL ? row->labels[label].set->count : 1;
}

size_t pvf__metrics_stride(const struct pvf__metric_row *row)
{
    /* A count for each bucket and one for what is larger than all, then the sum. */
    return row->type == PVF_METRIC_HISTOGRAM ? row->bucket_count + 2 : 1;
}

static size_t cells_of(const struct pvf__metric_row *row)
{
    return values_of(row, 0) * values_of(row, 1) * pvf__metrics_stride(row);
}

static void copy_text(char out[PVF__METRICS_TEXT], const char *text)
{
    (void)snprintf(out, PVF__METRICS_TEXT, "%s", text != NULL ? text : "");
}

int pvf__metrics_new(const struct pvf__metrics_config *config, pvf_metrics **ret, pvf_error *err)
{
    size_t cells = 0;
    for (size_t i = 0; i < PVF__METRICS; i++) {
        cells += cells_of(&pvf__metric_rows[i]);
    }
    pvf_metrics *metrics = calloc(1, sizeof(*metrics) + cells * sizeof(metrics->cells[0]));
    if (metrics == NULL) {
        return pvf__error_set(err, PVF_ERR_NO_MEMORY, "no memory for metrics");
    }
    size_t offset = 0;
    for (size_t i = 0; i < PVF__METRICS; i++) {
        metrics->offsets[i] = offset;
        offset += cells_of(&pvf__metric_rows[i]);
    }
    metrics->has_chain = config->chain != NULL;
    copy_text(metrics->chain, config->chain);
    copy_text(metrics->version, config->version);
    copy_text(metrics->prepare_version, config->prepare_version);
    copy_text(metrics->execute_version, config->execute_version);
    pvf__metrics_set(metrics, PVF__METRIC_BUILD_INFO, PVF__LABEL_NONE, PVF__LABEL_NONE, 1);
    pvf__metrics_set_only(metrics, PVF__METRIC_SELF_TEST_STATE, PVF__SELF_TEST_NOT_RUN);
    *ret = metrics;
    return 0;
}

void pvf__metrics_free(pvf_metrics *metrics)
{
    free(metrics);
}

/* Where the series of these labels starts. */
static size_t
place(const pvf_metrics *metrics, enum pvf__metric metric, unsigned first, unsigned second)
{
    const struct pvf__metric_row *row = &pvf__metric_rows[metric];
    assert(first < values_of(row, 0) && second < values_of(row, 1));
    return metrics->offsets[metric] +
           (first * values_of(row, 1) + second) * pvf__metrics_stride(row);
}

/* Totals stay where they are rather than begin anew, which would look like a restart. */
static void grow(uint64_t *cell, uint64_t count)
{
    *cell = count > UINT64_MAX - *cell ? UINT64_MAX : *cell + count;
}

void pvf__metrics_add(
    pvf_metrics *metrics, enum pvf__metric metric, unsigned first, unsigned second, uint64_t count)
{
    if (metrics != NULL) {
        assert(pvf__metric_rows[metric].type == PVF_METRIC_COUNTER);
        grow(&metrics->cells[place(metrics, metric, first, second)], count);
    }
}

void pvf__metrics_total(
    pvf_metrics *metrics, enum pvf__metric metric, unsigned first, unsigned second, uint64_t total)
{
    if (metrics != NULL) {
        assert(pvf__metric_rows[metric].type == PVF_METRIC_COUNTER);
        uint64_t *cell = &metrics->cells[place(metrics, metric, first, second)];
        *cell = total > *cell ? total : *cell;
    }
}

void pvf__metrics_set(
    pvf_metrics *metrics, enum pvf__metric metric, unsigned first, unsigned second, uint64_t value)
{
    if (metrics != NULL) {
        assert(pvf__metric_rows[metric].type == PVF_METRIC_GAUGE);
        metrics->cells[place(metrics, metric, first, second)] = value;
    }
}

void pvf__metrics_set_only(pvf_metrics *metrics, enum pvf__metric metric, unsigned which)
{
    const unsigned count = (unsigned)values_of(&pvf__metric_rows[metric], 0);
    for (unsigned i = 0; i < count; i++) {
        pvf__metrics_set(metrics, metric, i, PVF__LABEL_NONE, i == which ? 1 : 0);
    }
}

void pvf__metrics_observe(
    pvf_metrics *metrics, enum pvf__metric metric, unsigned first, unsigned second, uint64_t value)
{
    if (metrics != NULL) {
        const struct pvf__metric_row *row = &pvf__metric_rows[metric];
        assert(row->type == PVF_METRIC_HISTOGRAM);
        uint64_t *cells = &metrics->cells[place(metrics, metric, first, second)];
        size_t bucket = 0;
        while (bucket < row->bucket_count && value > row->buckets[bucket]) {
            bucket++;
        }
        grow(&cells[bucket], 1);
        grow(&cells[row->bucket_count + 1], value);
    }
}

uint64_t pvf__metrics_get(const pvf_metrics *metrics,
                          enum pvf__metric metric,
                          unsigned first,
                          unsigned second)
{
    if (metrics == NULL) {
        return 0;
    }
    const struct pvf__metric_row *row = &pvf__metric_rows[metric];
    const uint64_t *cells = &metrics->cells[place(metrics, metric, first, second)];
    if (row->type != PVF_METRIC_HISTOGRAM) {
        return cells[0];
    }
    uint64_t count = 0;
    for (size_t i = 0; i <= row->bucket_count; i++) {
        count += cells[i];
    }
    return count;
}
