/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: the command run: how it starts, its one loop, and how it ends.  Signals come as input of
 * the loop: the first ends it in order, the second at once.
 */
#include "cli/cli_run.h"

#include "base/clock.h"
#include "base/error.h"
#include "cli/cli_exit.h"
#include "cli/cli_report.h"
#include "pvf/log.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

/* After an end at once: how long clients may take to read their last answers. */
#define LAST_WORDS_NS 2000000000u

/* What is polled: the four of the program, then two for each client. */
enum {
    AT_SERVICE,
    AT_SIGNALS,
    AT_LISTEN,
    AT_METRICS,
    AT_CLIENTS
};
#define POLLED_MAX (AT_CLIENTS + 2 * PVF__RUN_CLIENTS_MAX)

void pvf__run_end(struct pvf__run *run, bool orderly)
{
    if (run->stage == PVF__RUN_OPEN || (run->stage == PVF__RUN_ENDING && !orderly)) {
        run->stage = orderly ? PVF__RUN_ENDING : PVF__RUN_ENDING_NOW;
        run->give_up_ns = pvf__clock_monotonic_ns() + LAST_WORDS_NS;
        pvf_service_shutdown(run->service, orderly);
    }
}

/* ---- Start ---- */

static int open_service(struct pvf__run *run)
{
    const struct pvf__run_options *options = &run->options;
    pvf_error err = PVF_ERROR_INIT;
    pvf_service_config config;
    pvf_service_config_init(&config, sizeof config);
    config.host = (pvf_host_config){
        .prepare_worker_path = run->workers.prepare,
        .execute_worker_path = run->workers.execute,
        .cache_dir = options->cache,
        .node_version = options->node_version,
        .log_directives = getenv("RUST_LOG"),
        .quiet = getenv("RUST_LOG") == NULL,
        .compile_threads = options->compile_threads,
        .plain_protocol = options->plain_protocol,
        .security_mode = options->secure ? PVF_SECURITY_REQUIRE : PVF_SECURITY_DETECT,
    };
    config.policy = options->policy;
    config.cancel_kills = config.cancel_kills && !options->cancel_spares;
    config.first_tier = options->first_tier ? 1 : 0;
    config.requests_max = PVF__RUN_CLIENTS_MAX * options->max_live;
    config.evidence_dir = options->evidence;
    if (options->prepare_workers != 0) {
        config.prepare_workers_hard_max = options->prepare_workers;
        config.prepare_workers_soft_max =
            options->prepare_workers > 1 ? options->prepare_workers - 1 : 1;
    }
    if (options->execute_workers != 0) {
        config.execute_workers_max = options->execute_workers;
    }
    if (options->cache_max != 0) {
        config.cache_max_bytes = options->cache_max;
    }
    if (options->copied_max != 0) {
        config.copied_max_bytes = options->copied_max;
    }
    if (options->evidence_max != 0) {
        config.evidence_max_bytes = options->evidence_max;
    }
    if (pvf_service_new(&config, &run->service, &err) != 0) {
        return pvf__cli_fail(PVF__CLI_INTERNAL,
                             "'pvf doctor' examines this machine; each cache belongs to one host",
                             "the service could not start: %s",
                             err.text);
    }
    return -1;
}

static int metrics_text(void *context, struct pvf__buf *text, pvf_error *err);
static bool health_text(void *context, char *text, size_t size);

static int open_metrics(struct pvf__run *run)
{
    pvf_error err = PVF_ERROR_INIT;
    const struct pvf__cli_metrics_source source = {
        .metrics = metrics_text, .health = health_text, .context = run};
    if (run->options.metrics == NULL ||
        pvf__cli_metrics_http_start(run->options.metrics, &source, &run->metrics, &err) == 0) {
        return -1;
    }
    return pvf__cli_fail(err.code == PVF_ERR_INVALID_ARG ? PVF__CLI_USAGE : PVF__CLI_INTERNAL,
                         "PORT, IP:PORT or unix:PATH",
                         "--metrics: %s",
                         err.text);
}

static int open_listen(struct pvf__run *run)
{
    pvf_error err = PVF_ERROR_INIT;
    char address[PATH_MAX + 8];
    if (run->options.listen == NULL) {
        /* There is room for the first. */
        return pvf__run_client_add(run, STDIN_FILENO, STDOUT_FILENO, false) ? -1
                                                                            : PVF__CLI_INTERNAL;
    }
    int len = snprintf(address, sizeof address, "unix:%s", run->options.listen);
    int status = len >= 0 && (size_t)len < sizeof address
                     ? pvf__cli_listen_open(address, &run->listen, &err)
                     : pvf__error_set(&err, PVF_ERR_INVALID_ARG, "the path is too long");
    if (status != 0) {
        return pvf__cli_fail(status == PVF_ERR_INVALID_ARG ? PVF__CLI_USAGE : PVF__CLI_INTERNAL,
                             "name a path for a new socket",
                             "--listen: %s",
                             err.text);
    }
    return -1;
}

static int open_signals(struct pvf__run *run)
{
    sigset_t set;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGINT);
    (void)sigaddset(&set, SIGHUP);
    if (sigprocmask(SIG_BLOCK, &set, NULL) == 0) {
        run->signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    }
    return run->signals >= 0 ? -1
                             : pvf__cli_fail(PVF__CLI_INTERNAL, NULL, "signals cannot be watched");
}

/* ---- What watches it ---- */

static int metrics_text(void *context, struct pvf__buf *text, pvf_error *err)
{
    const struct pvf__run *run = context;
    char *all = NULL;
    size_t len = 0;
    int status = pvf_metrics_text(pvf_service_metrics(run->service), &all, &len, err);
    if (status == 0) {
        status = pvf__buf_append(text, all, len);
        free(all);
    }
    return status;
}

static bool health_text(void *context, char *text, size_t size)
{
    const struct pvf__run *run = context;
    pvf_service_stats stats = {.struct_size = sizeof stats};
    pvf_service_stats_get(run->service, &stats);
    (void)snprintf(text, size, "%s", stats.healthy ? "healthy" : stats.alarm);
    return stats.healthy;
}

/* ---- The loop ---- */

static void take_signal(struct pvf__run *run)
{
    struct signalfd_siginfo info;
    while (read(run->signals, &info, sizeof info) == (ssize_t)sizeof info) {
        pvf__run_end(run, run->stage == PVF__RUN_OPEN);
    }
}

static void accept_clients(struct pvf__run *run)
{
    for (;;) {
        int fd = accept4(run->listen.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0 && (errno == EINTR || errno == ECONNABORTED)) {
            continue;
        }
        if (fd < 0) {
            return;
        }
        if (!pvf__run_client_add(run, fd, fd, true)) {
            /* The closed connection says it. */
            (void)close(fd);
        }
    }
}

static bool has_room(const struct pvf__run *run)
{
    for (size_t i = 0; i < PVF__RUN_CLIENTS_MAX; i++) {
        if (!run->clients[i].used) {
            return true;
        }
    }
    return false;
}

static void fill(const struct pvf__run *run, struct pollfd polled[POLLED_MAX])
{
    bool open = run->stage == PVF__RUN_OPEN;
    polled[AT_SERVICE] = (struct pollfd){.fd = pvf_service_fd(run->service), .events = POLLIN};
    polled[AT_SIGNALS] = (struct pollfd){.fd = run->signals, .events = POLLIN};
    /* A negative descriptor is passed over.  Who comes when all places are taken waits. */
    polled[AT_LISTEN] =
        (struct pollfd){.fd = open && has_room(run) ? run->listen.fd : -1, .events = POLLIN};
    polled[AT_METRICS] = (struct pollfd){
        .fd = run->metrics != NULL ? pvf__cli_metrics_http_fd(run->metrics) : -1, .events = POLLIN};
    for (size_t i = 0; i < PVF__RUN_CLIENTS_MAX; i++) {
        const struct pvf__run_client *client = &run->clients[i];
        struct pollfd *at = &polled[AT_CLIENTS + 2 * i];
        bool input =
            client->used && !client->input_ended && pvf__run_client_wants_input(run, client);
        bool output = client->used && pvf__run_client_has_output(client);
        at[0] = (struct pollfd){.fd = input ? client->in : -1, .events = POLLIN};
        /* A connection is also watched for its end: nobody wants the answers then. */
        at[1] =
            (struct pollfd){.fd = output || (client->used && client->is_socket) ? client->out : -1,
                            .events = output ? POLLOUT : 0};
    }
}

static int least(int a, int b)
{
    return a < 0 ? b : b < 0 || a < b ? a : b;
}

static int timeout_ms(const struct pvf__run *run)
{
    int timeout = pvf_service_timeout_ms(run->service);
    if (run->metrics != NULL) {
        timeout = least(timeout, pvf__cli_metrics_http_timeout_ms(run->metrics));
    }
    if (run->stage == PVF__RUN_ENDING_NOW) {
        timeout = least(timeout, pvf__clock_ms_until(run->give_up_ns));
    }
    for (size_t i = 0; i < PVF__RUN_CLIENTS_MAX; i++) {
        const struct pvf__run_client *client = &run->clients[i];
        /* Lines that were left because the client did not read: no descriptor tells of them. */
        if (client->used && pvf__run_client_wants_input(run, client) &&
            pvf__run_client_has_input(client)) {
            return 0;
        }
    }
    return timeout;
}

static void serve_clients(struct pvf__run *run, const struct pollfd polled[POLLED_MAX])
{
    for (size_t i = 0; i < PVF__RUN_CLIENTS_MAX; i++) {
        struct pvf__run_client *client = &run->clients[i];
        const struct pollfd *at = &polled[AT_CLIENTS + 2 * i];
        if (!client->used) {
            continue;
        }
        if (at[0].fd >= 0 && at[0].revents != 0) {
            pvf__run_client_read(client);
        }
        pvf__run_client_work(run, client);
        /* What came before its end counts, but nobody reads answers. */
        if (client->is_socket && (at[1].revents & (POLLERR | POLLHUP)) != 0) {
            client->gone = true;
        }
        pvf__run_client_flush(client);
        pvf__run_client_tidy(run, client);
    }
}

static bool is_used(const struct pvf__run *run)
{
    for (size_t i = 0; i < PVF__RUN_CLIENTS_MAX; i++) {
        if (run->clients[i].used) {
            return true;
        }
    }
    return false;
}

/* Is everything answered, and have the answers been read, or are they given up? */
static bool is_over(const struct pvf__run *run)
{
    if (!pvf_service_is_down(run->service)) {
        return false;
    }
    if (run->stage == PVF__RUN_ENDING_NOW && pvf__clock_ms_until(run->give_up_ns) == 0) {
        return true;
    }
    for (size_t i = 0; i < PVF__RUN_CLIENTS_MAX; i++) {
        if (run->clients[i].used && pvf__run_client_has_output(&run->clients[i])) {
            return false;
        }
    }
    return true;
}

static int step(struct pvf__run *run, pvf_error *err)
{
    struct pollfd polled[POLLED_MAX];
    fill(run, polled);
    if (poll(polled, POLLED_MAX, timeout_ms(run)) < 0 && errno != EINTR) {
        return pvf__error_errno(err, PVF_ERR_IO, errno, "poll failed");
    }
    if (polled[AT_SIGNALS].revents != 0) {
        take_signal(run);
    }
    int status = pvf_service_process(run->service, err);
    if (status == 0 && run->metrics != NULL) {
        status = pvf__cli_metrics_http_process(run->metrics, err);
    }
    if (status != 0) {
        return status;
    }
    serve_clients(run, polled);
    if (polled[AT_LISTEN].fd >= 0 && polled[AT_LISTEN].revents != 0) {
        accept_clients(run);
    }
    if (run->output_lost) {
        pvf__run_end(run, false);
    } else if (run->options.listen == NULL && !is_used(run)) {
        pvf__run_end(run, true);
    }
    return 0;
}

static int loop(struct pvf__run *run)
{
    pvf_error err = PVF_ERROR_INIT;
    while (run->stage == PVF__RUN_OPEN || !is_over(run)) {
        if (step(run, &err) != 0) {
            return pvf__cli_fail(
                PVF__CLI_INTERNAL, "start it again", "the service cannot go on: %s", err.text);
        }
    }
    return run->output_lost
               ? pvf__cli_fail(PVF__CLI_INTERNAL, NULL, "standard output cannot be written")
               : PVF__CLI_OK;
}

static int start(struct pvf__run *run)
{
    pvf_error err = PVF_ERROR_INIT;
    if (pvf__cli_workers_find(run->options.workers, &run->workers, &err) != 0) {
        return pvf__cli_fail(
            PVF__CLI_USAGE, "name their folder: --workers DIR, or PVF_WORKERS=DIR", "%s", err.text);
    }
    int stop = open_signals(run);
    if (stop < 0) {
        stop = open_service(run);
    }
    if (stop < 0) {
        stop = open_metrics(run);
    }
    if (stop < 0) {
        stop = open_listen(run);
    }
    return stop >= 0 ? stop : loop(run);
}

int pvf__cli_run_main(int argc, char **argv)
{
    static struct pvf__run run = {.signals = -1, .listen = PVF__CLI_LISTEN_NONE};
    int code = pvf__run_options_parse(argc, argv, &run.options);
    if (code >= 0) {
        return code;
    }
    code = pvf__run_init();
    if (code >= 0) {
        return code;
    }
    /* A reader of our output that goes away is an error of a write, not a death. */
    (void)signal(SIGPIPE, SIG_IGN);
    pvf__run_log_setup(&run.options);
    code = start(&run);
    pvf__cli_listen_done(&run.listen);
    pvf__cli_metrics_http_stop(run.metrics);
    for (size_t i = 0; i < PVF__RUN_CLIENTS_MAX; i++) {
        struct pvf__run_client *client = &run.clients[i];
        while (client->used && client->jobs != NULL) {
            pvf__run_job_end(client->jobs);
        }
        if (client->used) {
            pvf__run_client_close(client);
        }
    }
    pvf_service_free(run.service);
    pvf_log_flush();
    if (run.signals >= 0) {
        (void)close(run.signals);
    }
    return code;
}
