/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: the way through all series, and what a number is called there. */
#include "metrics/metrics_state.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define NS_PER_S UINT64_C(1000000000)
#define NAME_MAX_LEN 128

struct walk {
    const pvf_metrics *metrics;
    const struct pvf__metric_row *row;
    bool (*visit)(void *context, const struct pvf__metrics_number *number);
    void *context;
    struct pvf__metrics_number number;
    char name[NAME_MAX_LEN]; /* with what comes after the metric's */
};

void pvf__metrics_number_text(uint64_t value,
                              enum pvf__metric_unit unit,
                              char out[PVF__METRICS_NUMBER])
{
    if (unit == PVF__UNIT_PLAIN) {
        (void)snprintf(out, PVF__METRICS_NUMBER, "%" PRIu64, value);
        return;
    }
    int used = snprintf(
        out, PVF__METRICS_NUMBER, "%" PRIu64 ".%09" PRIu64, value / NS_PER_S, value % NS_PER_S);
    while (used > 1 && out[used - 1] == '0') {
        used--;
    }
    if (used > 1 && out[used - 1] == '.') {
        used--;
    }
    out[used] = '\0';
}

static void add_label(struct pvf__metrics_number *number, const char *name, const char *value)
{
    pvf_metric_label *label = &number->sample.labels[number->sample.label_count++];
    label->name = name;
    label->value = value;
}

static bool give(struct walk *walk, const char *ending, uint64_t value, enum pvf__metric_unit unit)
{
    (void)snprintf(walk->name, sizeof(walk->name), "%s%s", walk->row->name, ending);
    walk->number.sample.name = walk->name;
    walk->number.value = value;
    walk->number.unit = unit;
    walk->number.sample.value =
        unit == PVF__UNIT_TIME ? (double)value / (double)NS_PER_S : (double)value;
    return walk->visit(walk->context, &walk->number);
}

static bool give_histogram(struct walk *walk, const uint64_t *cells)
{
    const struct pvf__metric_row *row = walk->row;
    const size_t labels = walk->number.sample.label_count;
    uint64_t count = 0;
    for (size_t i = 0; i <= row->bucket_count; i++) {
        char bound[PVF__METRICS_NUMBER] = "+Inf";
        if (i < row->bucket_count) {
            pvf__metrics_number_text(row->buckets[i], row->unit, bound);
        }
        count += cells[i];
        add_label(&walk->number, "le", bound);
        bool more = give(walk, "_bucket", count, PVF__UNIT_PLAIN);
        walk->number.sample.label_count = labels;
        if (!more) {
            return false;
        }
    }
    return give(walk, "_sum", cells[row->bucket_count + 1], row->unit) &&
           give(walk, "_count", count, PVF__UNIT_PLAIN);
}

/* One series; `first` and `second` are its labels' places. */
static bool give_series(struct walk *walk, size_t first, size_t second, const uint64_t *cells)
{
    const struct pvf__metric_row *row = walk->row;
    const pvf_metrics *metrics = walk->metrics;
    walk->number.sample.label_count = 0;
    if (metrics->has_chain) {
        add_label(&walk->number, "chain", metrics->chain);
    }
    if (row->labels[0].set != NULL) {
        add_label(&walk->number, row->labels[0].name, row->labels[0].set->values[first]);
    }
    if (row->labels[1].set != NULL) {
        add_label(&walk->number, row->labels[1].name, row->labels[1].set->values[second]);
    }
    if (row == &pvf__metric_rows[PVF__METRIC_BUILD_INFO]) {
        add_label(&walk->number, "version", metrics->version);
        add_label(&walk->number, "prepare_worker", metrics->prepare_version);
        add_label(&walk->number, "execute_worker", metrics->execute_version);
    }
    return row->type == PVF_METRIC_HISTOGRAM ? give_histogram(walk, cells)
                                             : give(walk, "", cells[0], row->unit);
}

static bool give_metric(struct walk *walk, const uint64_t *cells)
{
    const struct pvf__metric_row *row = walk->row;
    const size_t firsts = row->labels[0].set != NULL ? row->labels[0].set->count : 1;
    const size_t seconds = row->labels[1].set != NULL ? row->labels[1].set->count : 1;
    walk->number.sample.metric = row->name;
    walk->number.sample.help = row->help;
    walk->number.sample.type = (int32_t)row->type;
    for (size_t first = 0; first < firsts; first++) {
        for (size_t second = 0; second < seconds; second++) {
            if (!give_series(walk, first, second, cells)) {
                return false;
            }
            cells += pvf__metrics_stride(row);
        }
    }
    return true;
}

void pvf__metrics_walk(const pvf_metrics *metrics,
                       bool (*visit)(void *context, const struct pvf__metrics_number *number),
                       void *context)
{
    struct walk walk = {.metrics = metrics, .visit = visit, .context = context};
    for (size_t i = 0; i < PVF__METRICS; i++) {
        walk.row = &pvf__metric_rows[i];
        if (!give_metric(&walk, &metrics->cells[metrics->offsets[i]])) {
            return;
        }
    }
}

struct public_walk {
    pvf_metric_callback callback;
    void *context;
};

static bool give_public(void *context, const struct pvf__metrics_number *number)
{
    const struct public_walk *out = context;
    return out->callback(out->context, &number->sample);
}

void pvf_metrics_each(const pvf_metrics *metrics, pvf_metric_callback callback, void *context)
{
    struct public_walk out = {.callback = callback, .context = context};
    pvf__metrics_walk(metrics, give_public, &out);
}
