/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: the set-up of tests that run a host over scripted workers. */
#include "support/test.h"

#include "support/host_bench.h"

#include "base/fd.h"
#include "hash/hash.h"
#include "host/folder.h"
#include "support/hex.h"
#include "support/new_host.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define CONTENT "ELF"

const char *bench_fake;
char bench_cache[PATH_MAX / 2];
char bench_artifact[PATH_MAX / 2];
static char top[PATH_MAX / 4]; /* a folder for each run */

const char bench_ok_answer[] = "2800000000000000 00 00 08ccdd 00 040401 04d007000004ff 01000000 "
                               "64000000 0000000000000000 c0cf6a00 03000000";
const char bench_known_good_answer[] = "2600000000000000 00 00 20 14bfbb7beaa38138 00 00 00 "
                                       "00000000 00000000 0000000000000000 c0cf6a00 05000000";

void bench_path(const char *name, char out[PATH_MAX])
{
    (void)snprintf(out, PATH_MAX, "%s/%s", top, name);
}

int bench_set_up(void **state)
{
    (void)state;
    if (pvf__folder_make("/tmp", "pvf-test-", top, sizeof(top), NULL) != 0) {
        return -1;
    }
    (void)snprintf(bench_cache, sizeof(bench_cache), "%s/cache", top);
    (void)snprintf(bench_artifact, sizeof(bench_artifact), "%s/artifact-file", top);
    return pvf__fd_write_file(bench_artifact, 0600, CONTENT, strlen(CONTENT), NULL);
}

int bench_tear_down(void **state)
{
    (void)state;
    pvf__folder_remove(top);
    return 0;
}

void bench_set_answer(const char *program, const char *suffix, const char *frame)
{
    char path[PATH_MAX + 16];
    (void)snprintf(path, sizeof(path), "%s.%s", program, suffix);
    (void)unlink(path);
    if (frame != NULL) {
        struct hex_bytes bytes = hex_read(frame);
        assert_int_equal(pvf__fd_write_file(path, 0600, bytes.data, bytes.len, NULL), 0);
    }
}

void bench_make_fake_as(const char *role, const char *mode, const char *frame, char out[PATH_MAX])
{
    char name[64];
    (void)snprintf(name, sizeof(name), "%s.%s", role, mode);
    bench_path(name, out);
    (void)unlink(out);
    assert_int_equal(symlink(bench_fake, out), 0);
    bench_set_answer(out, "answer", frame);
}

void bench_make_fake(const char *mode, const char *frame, char out[PATH_MAX])
{
    bench_make_fake_as("fake", mode, frame, out);
}

void bench_make_preparer(const char *mode, char out[PATH_MAX])
{
    char content[PATH_MAX + 16];
    bench_make_fake_as(
        "preparer",
        mode,
        "5300000000000000 00 68af9aafb6cff52f8c60bf4008dab7a0a25864baf89c2f3d8b0795240265a4bd "
        "0300000000000000 80b2e60e 01 6745230100000000 cdab890000000000 01 40e2010000000000 "
        "80f0fa0200000000 08000000",
        out);
    (void)snprintf(content, sizeof(content), "%s.artifact", out);
    assert_int_equal(pvf__fd_write_file(content, 0600, "\xde\xad\xbe\xef", 4, NULL), 0);
}

pvf_host *bench_host(const char *prepare_program, const char *execute_program)
{
    const pvf_host_config config = {
        .prepare_worker_path = prepare_program,
        .execute_worker_path = execute_program,
        .cache_dir = bench_cache,
        .spawn_timeout_ms = 1500,
        .quiet = true,
        .security_mode = PVF_SECURITY_AS_GIVEN,
    };
    return new_host_of(&config);
}

pvf_outcome bench_execute(pvf_host *host, uint64_t timeout_ms)
{
    return bench_execute_pov(host, timeout_ms, "pov");
}

pvf_outcome bench_execute_pov(pvf_host *host, uint64_t timeout_ms, const char *pov)
{
    pvf_execute_request request = {
        .artifact_path = bench_artifact,
        .timeout_ms = timeout_ms,
        .pov = {(const uint8_t *)pov, strlen(pov)},
        .descriptor_version = PVF_DESCRIPTOR_V2,
    };
    pvf_outcome outcome;
    pvf_error err = PVF_ERROR_INIT;
    pvf__hash_twox_256((const uint8_t *)CONTENT, strlen(CONTENT), request.checksum);
    if (pvf_host_execute(host, &request, &outcome, &err) != 0) {
        fail_msg("%s", err.text);
    }
    return outcome;
}

pvf_outcome bench_execute_with(const char *mode, const char *frame, uint64_t timeout_ms)
{
    char program[PATH_MAX];
    bench_make_fake(mode, frame, program);
    /* No prepare worker, so no known-good job stands between a death and its outcome. */
    pvf_host *host = bench_host(NULL, program);
    pvf_outcome outcome = bench_execute(host, timeout_ms);
    pvf_host_free(host);
    bench_assert_nothing_left();
    return outcome;
}

pvf_prepare_outcome bench_prepare(pvf_host *host, uint64_t timeout_ms)
{
    static const uint8_t code[] = {0, 'a', 's', 'm'};
    const pvf_prepare_request request = {
        .code = {code, sizeof(code)},
        .timeout_ms = timeout_ms,
        .kind = PVF_PREPARE_PRECHECKING,
    };
    pvf_prepare_outcome outcome;
    pvf_error err = PVF_ERROR_INIT;
    if (pvf_host_prepare(host, &request, &outcome, &err) != 0) {
        fail_msg("%s", err.text);
    }
    return outcome;
}

void bench_assert_outcome(pvf_outcome outcome,
                          enum pvf_verdict verdict,
                          enum pvf_reason reason,
                          const char *said)
{
    if (outcome.verdict != (int32_t)verdict || outcome.reason != (int32_t)reason ||
        strstr(outcome.text, said) == NULL) {
        fail_msg("%s, %s: %s",
                 pvf_verdict_name(outcome.verdict),
                 pvf_reason_name(outcome.reason),
                 outcome.text);
    }
    pvf_outcome_done(&outcome);
}

void bench_assert_nothing_left(void)
{
    DIR *list = opendir(bench_cache);
    assert_non_null(list);
    for (struct dirent *entry = readdir(list); entry != NULL; entry = readdir(list)) {
        if (entry->d_name[0] != '.') {
            fail_msg("%s was left behind", entry->d_name);
        }
    }
    (void)closedir(list);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}
