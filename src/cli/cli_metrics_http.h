/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_CLI_CLI_METRICS_HTTP_H
#define PVF_CLI_CLI_METRICS_HTTP_H

#include "base/buf.h"
#include "base/cleanup.h"
#include "pvf/error.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * A small web server for whoever watches a long-lived pvf:
 *
 *     GET /metrics   what `metrics` fills in, as Prometheus's text format
 *     GET /health    200 when `health` says so, else 503; one line of text
 *
 * It has no thread of its own: wait for pvf__cli_metrics_http_fd to be readable, at most
 * pvf__cli_metrics_http_timeout_ms, and call pvf__cli_metrics_http_process.  The functions of the
 * source are called from there.
 */
struct pvf__cli_metrics_http;

struct pvf__cli_metrics_source {
    /* Appends the text; its failure is answered by 500. */
    int (*metrics)(void *context, struct pvf__buf *text, pvf_error *err);
    /* Writes one line without its newline. */
    bool (*health)(void *context, char *text, size_t size);
    void *context;
};

/*
 * `address` is PORT (of 127.0.0.1), ADDRESS:PORT, [ADDRESS]:PORT for IPv6, or unix:PATH; no names.
 * Port 0 is one that is free.  A socket file that nobody listens on is replaced; ours is for this
 * user only.  There is no password and no encryption: other addresses than the machine's own are
 * for networks where everybody may see the figures.
 */
PVF__NODISCARD int pvf__cli_metrics_http_start(const char *address,
                                               const struct pvf__cli_metrics_source *source,
                                               struct pvf__cli_metrics_http **ret,
                                               pvf_error *err);

/* Where it listens, as `address` could be, with the real port. */
const char *pvf__cli_metrics_http_address(const struct pvf__cli_metrics_http *http);

/* Stays the same; do not read from it. */
int pvf__cli_metrics_http_fd(const struct pvf__cli_metrics_http *http);

/* Milliseconds until it wants to be called even so, -1: not before. */
int pvf__cli_metrics_http_timeout_ms(const struct pvf__cli_metrics_http *http);

/* Takes, reads and answers what it can without waiting. */
PVF__NODISCARD int pvf__cli_metrics_http_process(struct pvf__cli_metrics_http *http,
                                                 pvf_error *err);

/* Closes all connections and removes its socket file.  NULL is fine. */
void pvf__cli_metrics_http_stop(struct pvf__cli_metrics_http *http);

#endif
