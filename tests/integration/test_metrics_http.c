/* SPDX-License-Identifier: Apache-2.0 */
/* The web server for figures and health, asked byte by byte by plain sockets. */
#include "support/test.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "cli/cli_metrics_http.h"
#include "metrics/metrics.h"
#include "pvf/status.h"
#include "support/prom_text.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define ANSWER_MAX ((size_t)1 << 20)
/* Only to end a test that hangs. */
#define PATIENCE_NS ((uint64_t)120 * 1000000000u)

struct bench {
    pvf_metrics *metrics;
    struct pvf__cli_metrics_http *http;
    bool healthy;
    bool broken;
    unsigned asked;
    char answer[ANSWER_MAX + 1];
    size_t answer_len;
};

static struct bench bench;

static int fill(void *context, struct pvf__buf *text, pvf_error *err)
{
    struct bench *at = context;
    at->asked++;
    return at->broken ? PVF_ERR_INTERNAL : pvf__metrics_write(at->metrics, text, err);
}

static bool health(void *context, char *text, size_t size)
{
    const struct bench *at = context;
    (void)snprintf(text, size, "%s", at->healthy ? "fine" : "the disk is full");
    return at->healthy;
}

static const struct pvf__cli_metrics_source source = {
    .metrics = fill, .health = health, .context = &bench};

static int start_at(const char *address, pvf_error *err)
{
    return pvf__cli_metrics_http_start(address, &source, &bench.http, err);
}

static int open_bench(const char *address)
{
    const struct pvf__metrics_config config = {.version = "0.1.0"};
    pvf_error err = PVF_ERROR_INIT;
    memset(&bench, 0, sizeof(bench));
    bench.healthy = true;
    if (pvf__metrics_new(&config, &bench.metrics, &err) != 0 || start_at(address, &err) != 0) {
        print_error("%s\n", err.text);
        return -1;
    }
    return 0;
}

static void close_bench(void)
{
    pvf__cli_metrics_http_stop(bench.http);
    pvf__metrics_free(bench.metrics);
    bench.http = NULL;
    bench.metrics = NULL;
}

static int set_up(void **state)
{
    (void)state;
    return open_bench("0");
}

static int tear_down(void **state)
{
    (void)state;
    close_bench();
    return 0;
}

/* Lets the server do what it can until `fd` is ready for `events`, or for one round without. */
static void serve(int fd, short events)
{
    const uint64_t deadline = pvf__clock_monotonic_ns() + PATIENCE_NS;
    for (;;) {
        struct pollfd items[2] = {
            {.fd = pvf__cli_metrics_http_fd(bench.http), .events = POLLIN},
            {.fd = fd, .events = events},
        };
        int timeout = pvf__cli_metrics_http_timeout_ms(bench.http);
        timeout = timeout < 0 || timeout > 1000 ? 1000 : timeout;
        assert_true(poll(items, fd >= 0 ? 2 : 1, fd >= 0 ? timeout : 0) >= 0);
        pvf_error err = PVF_ERROR_INIT;
        assert_int_equal(pvf__cli_metrics_http_process(bench.http, &err), 0);
        if (fd < 0 || items[1].revents != 0) {
            return;
        }
        assert_true(pvf__clock_monotonic_ns() < deadline);
    }
}

/* A client's socket, connected to where the server says that it is. */
static int client(void)
{
    const char *address = pvf__cli_metrics_http_address(bench.http);
    int fd;
    if (strncmp(address, "unix:", 5) == 0) {
        struct sockaddr_un local = {.sun_family = AF_UNIX};
        (void)snprintf(local.sun_path, sizeof(local.sun_path), "%s", address + 5);
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_int_equal(connect(fd, (const struct sockaddr *)&local, sizeof(local)), 0);
    } else if (address[0] == '[') {
        struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_addr = in6addr_loopback};
        six.sin6_port = htons((uint16_t)strtoul(strrchr(address, ':') + 1, NULL, 10));
        fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_int_equal(connect(fd, (const struct sockaddr *)&six, sizeof(six)), 0);
    } else {
        struct sockaddr_in four = {.sin_family = AF_INET};
        four.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        four.sin_port = htons((uint16_t)strtoul(strrchr(address, ':') + 1, NULL, 10));
        assert_memory_equal(address, "127.0.0.1:", 10);
        fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_int_equal(connect(fd, (const struct sockaddr *)&four, sizeof(four)), 0);
    }
    return fd;
}

static void say(int fd, const char *words)
{
    ssize_t sent = send(fd, words, strlen(words), MSG_NOSIGNAL);
    assert_int_equal(sent, strlen(words));
}

/* Bytes of body that the head announces; 0 without. */
static size_t announced(const char *head)
{
    const char *at = strstr(head, "Content-Length: ");
    return at != NULL ? (size_t)strtoul(at + 16, NULL, 10) : 0;
}

static bool is_whole(bool head_only)
{
    const char *end = strstr(bench.answer, "\r\n\r\n");
    return end != NULL && (head_only || bench.answer_len >= (size_t)(end + 4 - bench.answer) +
                                                                announced(bench.answer));
}

/* Reads one answer, or to the end of the connection; false when it ended before. */
static bool hear(int fd, bool head_only)
{
    bench.answer_len = 0;
    bench.answer[0] = '\0';
    while (!is_whole(head_only)) {
        serve(fd, POLLIN);
        ssize_t got =
            recv(fd, bench.answer + bench.answer_len, ANSWER_MAX - bench.answer_len, MSG_DONTWAIT);
        if (got <= 0) {
            assert_true(got == 0 || errno == ECONNRESET);
            return false;
        }
        bench.answer_len += (size_t)got;
        bench.answer[bench.answer_len] = '\0';
    }
    return true;
}

static const char *body(void)
{
    const char *end = strstr(bench.answer, "\r\n\r\n");
    return end != NULL ? end + 4 : "";
}

static unsigned status(void)
{
    unsigned number = 0;
    return sscanf(bench.answer, "HTTP/1.1 %u ", &number) == 1 ? number : 0;
}

static void ask(const char *request, bool head_only)
{
    PVF__CLEANUP_FD int fd = client();
    say(fd, request);
    assert_true(hear(fd, head_only));
}

#define GET(path) "GET " path " HTTP/1.1\r\nHost: x\r\n\r\n"

static void figures_are_served_as_text(void **state)
{
    (void)state;
    pvf__metrics_add(bench.metrics, PVF__METRIC_REQUESTS_STORED, 0, 0, 42);
    ask(GET("/metrics"), false);
    assert_int_equal(status(), 200);
    assert_non_null(
        strstr(bench.answer, "Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"));
    struct prom prom;
    if (!prom_parse(body(), strlen(body()), &prom)) {
        fail_msg("%s", prom.why);
    }
    assert_string_equal(prom_find(&prom, "pvf_requests_stored_total", "")->digits, "42");
    prom_done(&prom);
    ask("GET /metrics?x=1 HTTP/1.0\r\n\r\n", false);
    assert_int_equal(bench.asked, 2);
}

static void health_has_a_status_and_a_reason(void **state)
{
    (void)state;
    ask(GET("/health"), false);
    assert_int_equal(status(), 200);
    assert_string_equal(body(), "fine\n");
    bench.healthy = false;
    ask(GET("/health"), false);
    assert_int_equal(status(), 503);
    assert_string_equal(body(), "the disk is full\n");
}

static void what_is_not_served_says_so(void **state)
{
    (void)state;
    const struct {
        const char *request;
        unsigned status;
        const char *header;
    } rows[] = {
        {GET("/"), 404, ""},
        {GET("/metrics/"), 404, ""},
        {GET("/../metrics"), 404, ""},
        {"POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc",
         405,
         "Allow: GET, HEAD"},
        {"DELETE /health HTTP/1.1\r\nHost: x\r\n\r\n", 405, "Allow: GET, HEAD"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        ask(rows[i].request, false);
        assert_int_equal(status(), rows[i].status);
        assert_non_null(strstr(bench.answer, rows[i].header));
    }
    assert_int_equal(bench.asked, 0);
    ask("HEAD /health HTTP/1.1\r\nHost: x\r\n\r\n", true);
    assert_int_equal(status(), 200);
    assert_int_equal(announced(bench.answer), 5);
    assert_string_equal(body(), "");
    bench.broken = true;
    ask(GET("/metrics"), false);
    assert_int_equal(status(), 500);
}

static void a_connection_may_ask_again(void **state)
{
    (void)state;
    PVF__CLEANUP_FD int fd = client();
    for (unsigned i = 0; i < 3; i++) {
        say(fd, GET("/health"));
        assert_true(hear(fd, false));
        assert_int_equal(status(), 200);
    }
    say(fd, "GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    assert_true(hear(fd, false));
    assert_false(hear(fd, false));
}

static void a_request_may_come_in_bytes(void **state)
{
    (void)state;
    PVF__CLEANUP_FD int fd = client();
    const char *request = GET("/health");
    for (size_t i = 0; request[i] != '\0'; i++) {
        const char byte[2] = {request[i], '\0'};
        say(fd, byte);
        serve(-1, 0);
    }
    assert_true(hear(fd, false));
    assert_int_equal(status(), 200);
}

static void nonsense_harms_nobody(void **state)
{
    (void)state;
    static char large[70000];
    memset(large, 'a', sizeof(large) - 1);
    memcpy(large, "GET /", 5);
    const struct {
        const char *request;
        bool whole; /* or more could follow, until it has waited long enough */
    } rows[] = {
        {"\r\n\r\n\r\n", false},
        {"nonsense\r\n\r\n", true},
        {"GET\r\n\r\n", true},
        {"GET /health HTTP/9.9\r\n\r\n", true},
        {"GET /health HTTP/1.1\r\nbad header\r\n\r\n", true},
        {"\x16\x03\x01\x02", false}, /* the start of TLS */
        {large, true},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        PVF__CLEANUP_FD int fd = client();
        const char *request = rows[i].request;
        /* The server may end it before all is sent. */
        (void)send(fd, request, strlen(request), MSG_NOSIGNAL | MSG_DONTWAIT);
        serve(-1, 0);
        if (rows[i].whole) {
            assert_int_equal(shutdown(fd, SHUT_WR), 0);
            while (hear(fd, false)) {
                assert_true(status() >= 400 || status() == 200);
            }
        }
    }
    assert_int_equal(bench.asked, 0);
    ask(GET("/health"), false);
    assert_int_equal(status(), 200);
}

/* So many are served at a time; the others wait until one goes. */
static void connections_are_limited(void **state)
{
    (void)state;
    int fds[24];
    for (size_t i = 0; i < COUNT(fds); i++) {
        fds[i] = client();
        say(fds[i], GET("/health"));
        serve(-1, 0);
    }
    for (size_t i = 0; i < COUNT(fds); i++) {
        if (i == 16) {
            char byte;
            for (size_t other = i; other < COUNT(fds); other++) {
                serve(-1, 0);
                assert_int_equal(recv(fds[other], &byte, 1, MSG_DONTWAIT), -1);
            }
            for (size_t other = 0; other < i; other++) {
                assert_int_equal(close(fds[other]), 0);
            }
        }
        assert_true(hear(fds[i], false));
        assert_int_equal(status(), 200);
    }
    for (size_t i = 16; i < COUNT(fds); i++) {
        assert_int_equal(close(fds[i]), 0);
    }
}

static void who_hangs_up_early_harms_nobody(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 50; i++) {
        int fd = client();
        const struct linger hard = {.l_onoff = 1, .l_linger = 0};
        assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard)), 0);
        say(fd, GET("/metrics"));
        if (i % 2 == 0) {
            serve(-1, 0);
        }
        assert_int_equal(close(fd), 0);
        serve(-1, 0);
    }
    ask(GET("/metrics"), false);
    assert_int_equal(status(), 200);
}

#define FDS_MAX 256

static void list_descriptors(bool ret[FDS_MAX])
{
    for (int fd = 0; fd < FDS_MAX; fd++) {
        ret[fd] = fcntl(fd, F_GETFD) >= 0;
    }
}

static void nothing_is_left_open(void **state)
{
    (void)state;
    bool before[FDS_MAX];
    bool after[FDS_MAX];
    list_descriptors(before);
    assert_int_equal(open_bench("0"), 0);
    int fd = client();
    say(fd, GET("/metrics"));
    serve(-1, 0);
    serve(-1, 0);
    unsigned opened = 0;
    for (int i = 0; i < FDS_MAX; i++) {
        int flags = before[i] ? -1 : fcntl(i, F_GETFD);
        opened += flags >= 0 ? 1 : 0;
        assert_true(flags < 0 || (flags & FD_CLOEXEC) != 0);
    }
    assert_true(opened >= 4); /* both ends, the listening one, and the set of them */
    close_bench();
    assert_int_equal(close(fd), 0);
    list_descriptors(after);
    assert_memory_equal(before, after, sizeof(before));
}

static void addresses_are_checked(void **state)
{
    (void)state;
    char long_path[300] = "unix:/";
    memset(long_path + 6, 'x', sizeof(long_path) - 7);
    const char *bad[] = {"",
                         "x",
                         "65536",
                         "-1",
                         "127.0.0.1",
                         "127.0.0.1:",
                         "localhost:1",
                         ":1",
                         "::1:1",
                         "[::1]",
                         "[::1:1",
                         "[]:1",
                         "1.2.3.4.5:1",
                         "127.0.0.1:0x50",
                         "unix:",
                         long_path,
                         "127.0.0.1:80 ",
                         "]:1"};
    memset(&bench, 0, sizeof(bench));
    for (size_t i = 0; i < COUNT(bad); i++) {
        pvf_error err = PVF_ERROR_INIT;
        if (start_at(bad[i], &err) != PVF_ERR_INVALID_ARG) {
            fail_msg("'%s' was taken for an address", bad[i]);
        }
        assert_null(bench.http);
        assert_true(err.text[0] != '\0');
    }
}

static void other_addresses_work_too(void **state)
{
    (void)state;
    const char *rows[] = {"127.0.0.1:0", "[::1]:0"};
    for (size_t i = 0; i < COUNT(rows); i++) {
        int six = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
        struct sockaddr_in6 own = {.sin6_family = AF_INET6, .sin6_addr = in6addr_loopback};
        bool has_six = six >= 0 && bind(six, (const struct sockaddr *)&own, sizeof(own)) == 0;
        if (six >= 0) {
            assert_int_equal(close(six), 0);
        }
        if (i == 1 && !has_six) {
            print_message("no IPv6 here\n");
            continue;
        }
        assert_int_equal(open_bench(rows[i]), 0);
        ask(GET("/health"), false);
        assert_int_equal(status(), 200);
        /* The port is taken now. */
        struct pvf__cli_metrics_http *second = NULL;
        pvf_error err = PVF_ERROR_INIT;
        assert_int_equal(pvf__cli_metrics_http_start(
                             pvf__cli_metrics_http_address(bench.http), &source, &second, &err),
                         PVF_ERR_BUSY);
        close_bench();
    }
}

static void socket_files_come_and_go(void **state)
{
    (void)state;
    char folder[] = "/tmp/pvf-http-XXXXXX";
    char path[64];
    char address[80];
    struct stat info;
    struct pvf__cli_metrics_http *second = NULL;
    pvf_error err = PVF_ERROR_INIT;
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof(path), "%s/socket", folder);
    (void)snprintf(address, sizeof(address), "unix:%s", path);

    assert_int_equal(open_bench(address), 0);
    assert_int_equal(lstat(path, &info), 0);
    assert_true(S_ISSOCK(info.st_mode));
    assert_int_equal(info.st_mode & 0777, 0600);
    ask(GET("/health"), false);
    assert_int_equal(status(), 200);
    assert_int_equal(pvf__cli_metrics_http_start(address, &source, &second, &err), PVF_ERR_BUSY);
    ask(GET("/health"), false);
    close_bench();
    assert_int_equal(lstat(path, &info), -1);

    /* One that was left behind is replaced. */
    struct sockaddr_un local = {.sun_family = AF_UNIX};
    (void)snprintf(local.sun_path, sizeof(local.sun_path), "%s", path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&local, sizeof(local)), 0);
    assert_int_equal(close(fd), 0);
    assert_int_equal(open_bench(address), 0);
    ask(GET("/health"), false);

    /* Somebody put another file in its place: it is not ours to remove. */
    assert_int_equal(unlink(path), 0);
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(close(fd), 0);
    close_bench();
    assert_int_equal(lstat(path, &info), 0);

    /* Nor is it one that may be replaced. */
    assert_int_equal(start_at(address, &err), PVF_ERR_BUSY);
    assert_int_equal(lstat(path, &info), 0);
    assert_true(S_ISREG(info.st_mode));
    assert_int_equal(unlink(path), 0);
    (void)snprintf(address, sizeof(address), "unix:%s/no/socket", folder);
    assert_int_equal(start_at(address, &err), PVF_ERR_IO);
    assert_int_equal(rmdir(folder), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_left_open),
        cmocka_unit_test_setup_teardown(figures_are_served_as_text, set_up, tear_down),
        cmocka_unit_test_setup_teardown(health_has_a_status_and_a_reason, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_not_served_says_so, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_connection_may_ask_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_request_may_come_in_bytes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nonsense_harms_nobody, set_up, tear_down),
        cmocka_unit_test_setup_teardown(connections_are_limited, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_hangs_up_early_harms_nobody, set_up, tear_down),
        cmocka_unit_test(addresses_are_checked),
        cmocka_unit_test(other_addresses_work_too),
        cmocka_unit_test(socket_files_come_and_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
