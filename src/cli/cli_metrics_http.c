/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: the web server for figures and health.  Trusts no client: requests are read by
 * libmicrohttpd within small limits, and nothing of them is used but method and path.
 */
#include "cli/cli_metrics_http.h"

#include "base/error.h"
#include "base/log.h"
#include "cli/cli_listen.h"
#include "pvf/metrics.h"
#include "pvf/status.h"

#include <microhttpd.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Whoever watches is one or two programs; the rest is somebody's mistake. */
#define CONNECTIONS_MAX 16u
#define CONNECTION_MEMORY ((size_t)16 << 10)
#define IDLE_SECONDS 15u
#define CALL_MS 1000u
#define TEXT_MAX ((size_t)4 << 20)

struct pvf__cli_metrics_http {
    struct MHD_Daemon *daemon;
    struct pvf__cli_metrics_source source;
    struct pvf__cli_listen listen;
    int epoll_fd; /* the daemon's */
};

struct answer {
    unsigned status;
    const char *type;
    struct pvf__buf text;
};

static void put_line(struct answer *answer, unsigned status, const char *line)
{
    answer->status = status;
    answer->type = "text/plain; charset=utf-8";
    answer->text.len = 0;
    (void)pvf__buf_append(&answer->text, line, strlen(line));
    (void)pvf__buf_append(&answer->text, "\n", 1);
}

static void get_metrics(const struct pvf__cli_metrics_http *http, struct answer *answer)
{
    pvf_error err = PVF_ERROR_INIT;
    int status = http->source.metrics(http->source.context, &answer->text, &err);
    if (status != 0 || answer->text.failed != 0) {
        pvf__log(PVF__LOG_WARN, "no metrics: %s", err.text);
        put_line(answer, MHD_HTTP_INTERNAL_SERVER_ERROR, "the figures could not be written");
        return;
    }
    answer->status = MHD_HTTP_OK;
    answer->type = PVF_METRICS_CONTENT_TYPE;
}

static void get_health(const struct pvf__cli_metrics_http *http, struct answer *answer)
{
    char line[256] = "";
    bool good = http->source.health(http->source.context, line, sizeof(line));
    put_line(answer, good ? MHD_HTTP_OK : MHD_HTTP_SERVICE_UNAVAILABLE, line);
}

/* Gives the text away to the connection; MHD_NO closes it. */
static enum MHD_Result send_answer(struct MHD_Connection *connection, struct answer *answer)
{
    struct MHD_Response *response = NULL;
    if (answer->text.data != NULL) {
        response = MHD_create_response_from_buffer(
            answer->text.len, answer->text.data, MHD_RESPMEM_MUST_FREE);
    }
    if (response == NULL) {
        pvf__buf_done(&answer->text);
        return MHD_NO;
    }
    enum MHD_Result result = MHD_YES;
    if (MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, answer->type) != MHD_YES ||
        MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store") != MHD_YES ||
        MHD_add_response_header(response, "X-Content-Type-Options", "nosniff") != MHD_YES ||
        (answer->status == MHD_HTTP_METHOD_NOT_ALLOWED &&
         MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD") != MHD_YES)) {
        result = MHD_NO;
    }
    if (result == MHD_YES) {
        result = MHD_queue_response(connection, answer->status, response);
    }
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result handle(void *context,
                              struct MHD_Connection *connection,
                              const char *url,
                              const char *method,
                              const char *version,
                              const char *upload,
                              size_t *upload_len,
                              void **request)
{
    static int seen;
    const struct pvf__cli_metrics_http *http = context;
    struct answer answer = {.text = PVF__BUF_INIT(TEXT_MAX)};
    (void)version;
    (void)upload;
    bool get =
        strcmp(method, MHD_HTTP_METHOD_GET) == 0 || strcmp(method, MHD_HTTP_METHOD_HEAD) == 0;
    if (!get) {
        put_line(&answer, MHD_HTTP_METHOD_NOT_ALLOWED, "only GET and HEAD");
        return send_answer(connection, &answer);
    }
    /* The first call comes after the headers; a body, which nobody needs, is dropped. */
    if (*request == NULL || *upload_len > 0) {
        *request = &seen;
        *upload_len = 0;
        return MHD_YES;
    }
    if (strcmp(url, "/metrics") == 0) {
        get_metrics(http, &answer);
    } else if (strcmp(url, "/health") == 0) {
        get_health(http, &answer);
    } else {
        put_line(&answer, MHD_HTTP_NOT_FOUND, "there are /metrics and /health");
    }
    return send_answer(connection, &answer);
}

__attribute__((format(printf, 2, 0))) static void
note(void *context, const char *format, va_list args)
{
    char line[256];
    (void)context;
    (void)vsnprintf(line, sizeof(line), format, args);
    pvf__log(PVF__LOG_DEBUG, "metrics: %s", line);
}

static int start_daemon(struct pvf__cli_metrics_http *http, pvf_error *err)
{
    /* From here on the socket is the daemon's, which closes it, also on most of its failures. */
    http->daemon = MHD_start_daemon(MHD_USE_EPOLL | MHD_USE_ERROR_LOG,
                                    0,
                                    NULL,
                                    NULL,
                                    handle,
                                    http,
                                    MHD_OPTION_EXTERNAL_LOGGER,
                                    note,
                                    NULL,
                                    MHD_OPTION_LISTEN_SOCKET,
                                    PVF__TAKE_FD(http->listen.fd),
                                    MHD_OPTION_CONNECTION_LIMIT,
                                    CONNECTIONS_MAX,
                                    MHD_OPTION_CONNECTION_MEMORY_LIMIT,
                                    CONNECTION_MEMORY,
                                    MHD_OPTION_CONNECTION_TIMEOUT,
                                    IDLE_SECONDS,
                                    MHD_OPTION_END);
    const union MHD_DaemonInfo *info =
        http->daemon != NULL ? MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_EPOLL_FD) : NULL;
    if (info == NULL || info->epoll_fd < 0) {
        return pvf__error_set(
            err, PVF_ERR_IO, "no server for metrics could be started on %s", http->listen.address);
    }
    http->epoll_fd = info->epoll_fd;
    return 0;
}

int pvf__cli_metrics_http_start(const char *address,
                                const struct pvf__cli_metrics_source *source,
                                struct pvf__cli_metrics_http **ret,
                                pvf_error *err)
{
    struct pvf__cli_metrics_http *http = calloc(1, sizeof(*http));
    if (http == NULL) {
        return pvf__error_set(err, PVF_ERR_NO_MEMORY, "no memory for a server for metrics");
    }
    http->source = *source;
    int status = pvf__cli_listen_open(address, &http->listen, err);
    if (status == 0) {
        status = start_daemon(http, err);
    }
    if (status != 0) {
        pvf__cli_metrics_http_stop(http);
        return status;
    }
    *ret = http;
    return 0;
}

const char *pvf__cli_metrics_http_address(const struct pvf__cli_metrics_http *http)
{
    return http->listen.address;
}

int pvf__cli_metrics_http_fd(const struct pvf__cli_metrics_http *http)
{
    return http->epoll_fd;
}

int pvf__cli_metrics_http_timeout_ms(const struct pvf__cli_metrics_http *http)
{
    MHD_UNSIGNED_LONG_LONG timeout;
    if (MHD_get_timeout(http->daemon, &timeout) != MHD_YES) {
        return -1;
    }
    /* While there are connections: after the last of too many it listens again only when called. */
    return timeout > CALL_MS ? (int)CALL_MS : (int)timeout;
}

int pvf__cli_metrics_http_process(struct pvf__cli_metrics_http *http, pvf_error *err)
{
    if (MHD_run(http->daemon) != MHD_YES) {
        return pvf__error_set(err, PVF_ERR_IO, "the server for metrics failed");
    }
    return 0;
}

void pvf__cli_metrics_http_stop(struct pvf__cli_metrics_http *http)
{
    if (http != NULL) {
        if (http->daemon != NULL) {
            MHD_stop_daemon(http->daemon);
        }
        pvf__cli_listen_done(&http->listen);
        free(http);
    }
}
