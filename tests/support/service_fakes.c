/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: the set-up of tests that run a service over scripted workers. */
#include "support/test.h"

#include "support/service_fakes.h"

#include "base/fd.h"
#include "host/folder.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int service_fakes_set_up(void **state)
{
    int failed = bench_set_up(state);
    return failed != 0 ? failed : service_bench_set_up(state);
}

int service_fakes_tear_down(void **state)
{
    (void)service_bench_tear_down(state);
    return bench_tear_down(state);
}

static int make_gate(const char *program, const char *mode)
{
    char path[PATH_MAX];
    if (strcmp(mode, "gate") != 0 && strcmp(mode, "tiered") != 0) {
        return -1;
    }
    (void)snprintf(path, sizeof(path), "%s.gate", program);
    (void)unlink(path);
    assert_int_equal(mkfifo(path, 0600), 0);
    /* For both, so that opening it waits for nobody. */
    int fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
    assert_true(fd >= 0);
    return fd;
}

void service_fakes_open(int gate, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(pvf__fd_write(gate, "x", 1, NULL), 0);
    }
}

void service_fakes_make(struct service_fakes *fakes,
                        const char *prepare_mode,
                        const char *execute_mode,
                        const char *execute_answer)
{
    char path[PATH_MAX];
    *fakes = (struct service_fakes){.prepare_gate = -1, .execute_gate = -1};
    pvf__folder_remove(service_bench_cache);
    bench_make_preparer(prepare_mode, path);
    (void)snprintf(fakes->prepare, sizeof(fakes->prepare), "%s", path);
    bench_make_fake(execute_mode, execute_answer, path);
    (void)snprintf(fakes->execute, sizeof(fakes->execute), "%s", path);
    fakes->prepare_gate = make_gate(fakes->prepare, prepare_mode);
    fakes->execute_gate = make_gate(fakes->execute, execute_mode);
    fakes->config = service_bench_config(fakes->prepare, fakes->execute);
}

void service_fakes_new(struct service_fakes *fakes,
                       const char *prepare_mode,
                       const char *execute_mode,
                       const char *execute_answer)
{
    service_fakes_make(fakes, prepare_mode, execute_mode, execute_answer);
    fakes->service = service_bench_new(&fakes->config);
}

void service_fakes_free(struct service_fakes *fakes)
{
    service_bench_free(fakes->service);
    if (fakes->prepare_gate >= 0) {
        (void)close(fakes->prepare_gate);
    }
    if (fakes->execute_gate >= 0) {
        (void)close(fakes->execute_gate);
    }
}

pvf_code service_fakes_code(unsigned n)
{
    static uint8_t codes[256][4];
    assert_true(n < 256);
    memcpy(codes[n], "\0fk", 3);
    codes[n][3] = (uint8_t)n;
    return (pvf_code){.code = {codes[n], sizeof(codes[n])}};
}

pvf_candidate service_fakes_candidate(unsigned n, enum pvf_exec_kind kind)
{
    return (pvf_candidate){
        .code = service_fakes_code(n),
        .kind = (int32_t)kind,
        .execution = {.pov = {(const uint8_t *)"pov", 3},
                      .timeout_ms = 20000,
                      .descriptor_version = PVF_DESCRIPTOR_V2},
    };
}
