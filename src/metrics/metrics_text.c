/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: Prometheus's text format, version 0.0.4. */
#include "base/error.h"
#include "metrics/metrics_state.h"
#include "pvf/status.h"

#include <string.h>

struct writer {
    struct pvf__buf *text;
    const char *metric; /* whose first lines are written; compared by address */
};

/* The buffer remembers the first append that failed; it is looked at once. */
static void put(struct pvf__buf *text, const char *words)
{
    (void)pvf__buf_append(text, words, strlen(words));
}

/* The format knows three escapes: \\, \" and \n. */
static void put_escaped(struct pvf__buf *text, const char *value)
{
    for (const char *at = value; *at != '\0'; at++) {
        if (*at == '\n') {
            put(text, "\\n");
            continue;
        }
        if (*at == '\\' || *at == '"') {
            put(text, "\\");
        }
        (void)pvf__buf_append(text, at, 1);
    }
}

static void put_head(struct pvf__buf *text, const pvf_metric_sample *sample)
{
    static const char *const types[] = {
        [PVF_METRIC_COUNTER] = "counter",
        [PVF_METRIC_GAUGE] = "gauge",
        [PVF_METRIC_HISTOGRAM] = "histogram",
    };
    put(text, "# HELP ");
    put(text, sample->metric);
    put(text, " ");
    put(text, sample->help);
    put(text, "\n# TYPE ");
    put(text, sample->metric);
    put(text, " ");
    put(text, types[sample->type]);
    put(text, "\n");
}

static bool put_number(void *context, const struct pvf__metrics_number *number)
{
    struct writer *writer = context;
    struct pvf__buf *text = writer->text;
    const pvf_metric_sample *sample = &number->sample;
    if (writer->metric != sample->metric) {
        writer->metric = sample->metric;
        put_head(text, sample);
    }
    put(text, sample->name);
    for (size_t i = 0; i < sample->label_count; i++) {
        put(text, i == 0 ? "{" : ",");
        put(text, sample->labels[i].name);
        put(text, "=\"");
        put_escaped(text, sample->labels[i].value);
        put(text, "\"");
    }
    char digits[PVF__METRICS_NUMBER];
    pvf__metrics_number_text(number->value, number->unit, digits);
    put(text, sample->label_count > 0 ? "} " : " ");
    put(text, digits);
    put(text, "\n");
    return text->failed == 0;
}

int pvf__metrics_write(const pvf_metrics *metrics, struct pvf__buf *text, pvf_error *err)
{
    struct writer writer = {.text = text, .metric = NULL};
    pvf__metrics_walk(metrics, put_number, &writer);
    if (text->failed != 0) {
        return pvf__error_set(
            err, text->failed, "the metrics do not fit into %zu bytes of text", text->max);
    }
    return 0;
}

int pvf_metrics_text(const pvf_metrics *metrics, char **ret, size_t *ret_len, pvf_error *err)
{
    if (metrics == NULL || ret == NULL || ret_len == NULL) {
        return pvf__error_set(err, PVF_ERR_INVALID_ARG, "no metrics, or no place for the text");
    }
    PVF__CLEANUP_BUF struct pvf__buf text = PVF__BUF_INIT(PVF__METRICS_TEXT_MAX);
    int status = pvf__metrics_write(metrics, &text, err);
    if (status == 0 && pvf__buf_u8(&text, 0) != 0) {
        status = pvf__error_set(err, text.failed, "no memory for the text of the metrics");
    }
    if (status == 0) {
        *ret_len = text.len - 1;
        *ret = (char *)PVF__TAKE_PTR(text.data);
    }
    return status;
}
