/* SPDX-License-Identifier: Apache-2.0 */
/*
 * metrics_exporter [print]: every metric with figures in it, once on standard output, or served by
 * the web server of pvf until standard input ends, moving on with each request.  The first line of
 * output is then the address.
 */
#include "cli/cli_metrics_http.h"
#include "metrics/metrics.h"
#include "metrics/metrics_table.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void move_series(pvf_metrics *metrics, size_t id, unsigned first, unsigned second)
{
    const struct pvf__metric_row *row = &pvf__metric_rows[id];
    const enum pvf__metric metric = (enum pvf__metric)id;
    switch (row->type) {
    case PVF_METRIC_COUNTER:
        pvf__metrics_add(metrics, metric, first, second, 1 + first + second);
        break;
    case PVF_METRIC_GAUGE:
        pvf__metrics_set(metrics, metric, first, second, 1);
        break;
    case PVF_METRIC_HISTOGRAM:
    default:
        for (size_t i = 0; i < row->bucket_count; i++) {
            pvf__metrics_observe(metrics, metric, first, second, row->buckets[i]);
        }
        break;
    }
}

static void move(pvf_metrics *metrics)
{
    for (size_t id = 0; id < PVF__METRICS; id++) {
        const struct pvf__metric_row *row = &pvf__metric_rows[id];
        const unsigned firsts =
            row->labels[0].set != NULL ? (unsigned)row->labels[0].set->count : 1;
        const unsigned seconds =
            row->labels[1].set != NULL ? (unsigned)row->labels[1].set->count : 1;
        for (unsigned first = 0; first < firsts; first++) {
            for (unsigned second = 0; second < seconds; second++) {
                move_series(metrics, id, first, second);
            }
        }
    }
}

static int fill(void *context, struct pvf__buf *text, pvf_error *err)
{
    move(context);
    return pvf__metrics_write(context, text, err);
}

static bool health(void *context, char *text, size_t size)
{
    (void)context;
    (void)snprintf(text, size, "a test");
    return true;
}

static int print(pvf_metrics *metrics, pvf_error *err)
{
    PVF__CLEANUP_BUF struct pvf__buf text = PVF__BUF_INIT(PVF__METRICS_TEXT_MAX);
    int status = fill(metrics, &text, err);
    if (status == 0 && fwrite(text.data, 1, text.len, stdout) != text.len) {
        status = -1;
    }
    return fflush(stdout) == 0 ? status : -1;
}

static int serve(pvf_metrics *metrics, pvf_error *err)
{
    const struct pvf__cli_metrics_source source = {
        .metrics = fill, .health = health, .context = metrics};
    struct pvf__cli_metrics_http *http;
    int status = pvf__cli_metrics_http_start("0", &source, &http, err);
    if (status != 0) {
        return status;
    }
    (void)printf("%s\n", pvf__cli_metrics_http_address(http));
    (void)fflush(stdout);
    struct pollfd items[2] = {{.fd = pvf__cli_metrics_http_fd(http), .events = POLLIN},
                              {.fd = STDIN_FILENO, .events = POLLIN}};
    while (status == 0 && items[1].revents == 0) {
        if (poll(items, 2, pvf__cli_metrics_http_timeout_ms(http)) < 0) {
            break;
        }
        status = pvf__cli_metrics_http_process(http, err);
    }
    pvf__cli_metrics_http_stop(http);
    return status;
}

int main(int argc, char **argv)
{
    const struct pvf__metrics_config config = {
        .version = "0.1.0", .prepare_version = "1.25.1", .execute_version = "1.25.1"};
    pvf_error err = PVF_ERROR_INIT;
    pvf_metrics *metrics;
    (void)signal(SIGPIPE, SIG_IGN);
    int status = pvf__metrics_new(&config, &metrics, &err);
    if (status == 0) {
        status =
            argc > 1 && strcmp(argv[1], "print") == 0 ? print(metrics, &err) : serve(metrics, &err);
        pvf__metrics_free(metrics);
    }
    if (status != 0) {
        (void)fprintf(stderr, "metrics_exporter: %s\n", err.text);
    }
    return status == 0 ? 0 : 1;
}
