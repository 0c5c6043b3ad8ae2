/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host with real workers, end to end: the adder candidate and its mutations.  The programs are
 * the two arguments, or PVF_TEST_PREPARE_WORKER and PVF_TEST_EXECUTE_WORKER; without them, or
 * without the programs, the test is skipped.
 */
#include "support/test.h"

#include "base/fd.h"
#include "hash/hash.h"
#include "host/folder.h"
#include "proto/validation.h"
#include "pvf/pvf.h"
#include "support/new_host.h"

#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DATA PVF_TEST_DATA "/adder/"
#define FILE_MAX ((size_t)16 << 20)

static const char *prepare_worker;
static const char *execute_worker;
static bool ours; /* the workers of this build, not some that the environment names */

static struct pvf__buf read_data(const char *path)
{
    struct pvf__buf buf = PVF__BUF_INIT(FILE_MAX);
    pvf_error err = PVF_ERROR_INIT;
    if (pvf__fd_read_file(path, &buf, &err) != 0) {
        fail_msg("%s", err.text);
    }
    return buf;
}

static pvf_host *new_host(int32_t security_mode)
{
    const pvf_host_config config = {
        .prepare_worker_path = prepare_worker,
        .execute_worker_path = execute_worker,
        .quiet = true,
        .security_mode = security_mode,
    };
    return new_host_of(&config);
}

/* The candidate of the file pvd.scale and the artifact made for it. */
static pvf_execute_request
adder_request(const struct pvf__buf *pvd, const struct pvf__buf *pov, const pvf_prepare_outcome *of)
{
    struct pvf__persisted_validation_data data;
    pvf_error err = PVF_ERROR_INIT;
    if (pvf__persisted_validation_data_decode(pvd->data, pvd->len, &data, &err) != 0) {
        fail_msg("%s", err.text);
    }
    pvf_execute_request request = {
        .artifact_path = of->artifact_path,
        .parent_head = {data.parent_head.data, data.parent_head.len},
        .pov = {pov->data, pov->len},
        .relay_parent_number = data.relay_parent_number,
        .max_pov_size = data.max_pov_size,
        .descriptor_version = PVF_DESCRIPTOR_V2,
    };
    memcpy(request.relay_parent_storage_root, data.relay_parent_storage_root, 32);
    memcpy(request.checksum, of->checksum, 32);
    return request;
}

static pvf_outcome execute(pvf_host *host, const pvf_execute_request *request)
{
    pvf_outcome outcome;
    pvf_error err = PVF_ERROR_INIT;
    if (pvf_host_execute(host, request, &outcome, &err) != 0) {
        fail_msg("%s", err.text);
    }
    return outcome;
}

static void run_adder(int32_t security_mode)
{
    struct pvf__buf code = read_data(DATA "code.wasm");
    struct pvf__buf pvd = read_data(DATA "pvd.scale");
    struct pvf__buf pov = read_data(DATA "block_data.bin");
    struct pvf__buf want = read_data(DATA "expected_result.scale");
    pvf_host *host = new_host(security_mode);
    const pvf_prepare_request request = {.code = {code.data, code.len},
                                         .kind = PVF_PREPARE_PRECHECKING};
    pvf_prepare_outcome prepared;
    pvf_error err = PVF_ERROR_INIT;
    if (pvf_host_prepare(host, &request, &prepared, &err) != 0) {
        fail_msg("%s", err.text);
    }
    if (!prepared.ok) {
        fail_msg("%s: %s", prepared.name, prepared.text);
    }
    assert_int_equal(prepared.code_len, code.len);

    pvf_execute_request candidate = adder_request(&pvd, &pov, &prepared);
    for (int i = 0; i < 3; i++) {
        pvf_outcome outcome = execute(host, &candidate);
        if (outcome.verdict != PVF_VERDICT_VALID) {
            fail_msg("%s", outcome.text);
        }
        assert_int_equal(outcome.result_len, want.len);
        assert_memory_equal(outcome.result, want.data, want.len);
        pvf_outcome_done(&outcome);
    }
    /* Without its block the candidate is refused, and the worker goes on. */
    candidate.pov.len = 0;
    pvf_outcome outcome = execute(host, &candidate);
    assert_int_equal(outcome.verdict, PVF_VERDICT_INVALID);
    assert_int_equal(outcome.reason, PVF_REASON_REPORTED_INVALID);
    pvf_outcome_done(&outcome);
    /* A PoV that says it is compressed, and is not. */
    candidate.pov = (pvf_bytes){(const uint8_t *)"\x52\xbc\x53\x76\x46\xdb\x8e\x05", 8};
    outcome = execute(host, &candidate);
    assert_int_equal(outcome.verdict, PVF_VERDICT_INVALID);
    assert_int_equal(outcome.reason, PVF_REASON_POV_DECOMPRESSION);
    pvf_outcome_done(&outcome);
    /* Another checksum: the artifact is not the one that was prepared. */
    candidate.checksum[0] ^= 1;
    outcome = execute(host, &candidate);
    assert_int_equal(outcome.verdict, PVF_VERDICT_POSSIBLY_INVALID);
    assert_int_equal(outcome.reason, PVF_REASON_CORRUPTED_ARTIFACT);
    assert_true(outcome.bad_artifact);
    pvf_outcome_done(&outcome);
    /* Other parameters: another worker, the same result. */
    candidate.checksum[0] ^= 1;
    candidate.pov = (pvf_bytes){pov.data, pov.len};
    candidate.executor_params = (pvf_bytes){(const uint8_t *)"\x04\x01\x00\x20\x00\x00", 6};
    outcome = execute(host, &candidate);
    assert_int_equal(outcome.verdict, PVF_VERDICT_VALID);
    assert_memory_equal(outcome.result, want.data, want.len);
    pvf_outcome_done(&outcome);

    pvf_prepare_outcome_done(&prepared);
    pvf_host_free(host);
    pvf__buf_done(&code);
    pvf__buf_done(&pvd);
    pvf__buf_done(&pov);
    pvf__buf_done(&want);
}

static void adder_without_security(void **state)
{
    (void)state;
    run_adder(PVF_SECURITY_AS_GIVEN);
}

static void adder_with_what_the_machine_can_do(void **state)
{
    (void)state;
    run_adder(PVF_SECURITY_DETECT);
}

/* One preparation of the adder with a form of metering; the artifact's bytes go to *ret. */
static pvf_prepare_outcome prepare_metered(pvf_host *host, struct pvf__buf *ret)
{
    struct pvf__buf code = read_data(DATA "code.wasm");
    const pvf_prepare_request request = {.code = {code.data, code.len}};
    pvf_prepare_outcome prepared;
    pvf_error err = PVF_ERROR_INIT;
    if (pvf_host_prepare(host, &request, &prepared, &err) != 0) {
        fail_msg("%s", err.text);
    }
    assert_true(prepared.ok);
    *ret = read_data(prepared.artifact_path);
    pvf__buf_done(&code);
    return prepared;
}

static pvf_host *new_metered_host(enum pvf_metering metering)
{
    const pvf_host_config config = {
        .prepare_worker_path = prepare_worker,
        .execute_worker_path = execute_worker,
        .quiet = true,
        .security_mode = PVF_SECURITY_AS_GIVEN,
        .metering = (int32_t)metering,
    };
    return new_host_of(&config);
}

/* The reference's form of metering: another artifact, the same result. */
static void metering_changes_the_artifact_alone(void **state)
{
    (void)state;
    struct pvf__buf pvd = read_data(DATA "pvd.scale");
    struct pvf__buf pov = read_data(DATA "block_data.bin");
    struct pvf__buf want = read_data(DATA "expected_result.scale");
    struct pvf__buf artifacts[3];
    if (!ours) {
        skip();
    }
    for (int i = 0; i < 3; i++) {
        pvf_host *host = new_metered_host((enum pvf_metering)i);
        pvf_prepare_outcome prepared = prepare_metered(host, &artifacts[i]);
        pvf_execute_request candidate = adder_request(&pvd, &pov, &prepared);
        pvf_outcome outcome = execute(host, &candidate);
        assert_int_equal(outcome.verdict, PVF_VERDICT_VALID);
        assert_int_equal(outcome.result_len, want.len);
        assert_memory_equal(outcome.result, want.data, want.len);
        pvf_outcome_done(&outcome);
        pvf_prepare_outcome_done(&prepared);
        pvf_host_free(host);
    }
    const struct pvf__buf *untold = &artifacts[PVF_METERING_DEFAULT];
    const struct pvf__buf *callee = &artifacts[PVF_METERING_CALLEE];
    assert_int_equal(untold->len, callee->len);
    assert_memory_equal(untold->data, callee->data, callee->len);
    assert_true(artifacts[PVF_METERING_CALL_SITE].len > callee->len);
    for (int i = 0; i < 3; i++) {
        pvf__buf_done(&artifacts[i]);
    }
    pvf__buf_done(&pvd);
    pvf__buf_done(&pov);
    pvf__buf_done(&want);
}

static void code_that_is_none(void **state)
{
    (void)state;
    pvf_host *host = new_host(PVF_SECURITY_AS_GIVEN);
    const pvf_prepare_request request = {.code = {(const uint8_t *)"no wasm", 7}};
    pvf_prepare_outcome outcome;
    assert_int_equal(pvf_host_prepare(host, &request, &outcome, NULL), 0);
    assert_false(outcome.ok);
    assert_string_equal(outcome.name, "Prevalidation");
    assert_true(outcome.deterministic);
    pvf_prepare_outcome_done(&outcome);
    pvf_host_free(host);
}

static void the_known_good_job_passes(void **state)
{
    (void)state;
    pvf_error err = PVF_ERROR_INIT;
    for (int mode = PVF_SECURITY_DETECT; mode <= PVF_SECURITY_AS_GIVEN; mode += 2) {
        pvf_host *host = new_host(mode);
        for (int i = 0; i < 2; i++) {
            if (pvf_host_self_test(host, &err) != 0) {
                fail_msg("%s", err.text);
            }
        }
        pvf_host_free(host);
    }
}

/* Machine code that no user program may run, in place of all that was compiled. */
static void ruin_code(uint8_t *data, size_t len)
{
    Elf64_Ehdr header;
    assert_true(len >= sizeof(header));
    memcpy(&header, data, sizeof(header));
    size_t ruined = 0;
    for (size_t i = 0; i < header.e_shnum; i++) {
        Elf64_Shdr section;
        size_t at = header.e_shoff + i * sizeof(section);
        assert_true(at + sizeof(section) <= len);
        memcpy(&section, data + at, sizeof(section));
        if ((section.sh_flags & SHF_EXECINSTR) != 0) {
            assert_true(section.sh_offset + section.sh_size <= len);
            /* x86-64: hlt. */
            memset(data + section.sh_offset, 0xf4, section.sh_size);
            ruined += section.sh_size;
        }
    }
    assert_true(ruined > 0);
}

/* A job that really dies, of an artifact with the right checksum: the machine is tested, and good.
 */
static void a_death_is_looked_into(void **state)
{
    (void)state;
    if (!ours) {
        skip();
    }
    pvf_execute_request request = {.descriptor_version = PVF_DESCRIPTOR_V2};
    struct pvf__buf code = read_data(DATA "code.wasm");
    pvf_host *host = new_host(PVF_SECURITY_AS_GIVEN);
    const pvf_prepare_request prepare = {.code = {code.data, code.len}};
    pvf_prepare_outcome prepared;
    assert_int_equal(pvf_host_prepare(host, &prepare, &prepared, NULL), 0);
    struct pvf__buf artifact = read_data(prepared.artifact_path);
    ruin_code(artifact.data, artifact.len);
    assert_int_equal(
        pvf__fd_write_file(prepared.artifact_path, 0600, artifact.data, artifact.len, NULL), 0);
    request.artifact_path = prepared.artifact_path;
    pvf__hash_twox_256(artifact.data, artifact.len, request.checksum);
    pvf_outcome outcome = execute(host, &request);
    if (outcome.verdict != PVF_VERDICT_POSSIBLY_INVALID || outcome.reason != PVF_REASON_JOB_DEATH) {
        fail_msg("%s: %s", pvf_reason_name(outcome.reason), outcome.text);
    }
    assert_non_null(strstr(outcome.text, "received signal: SIG"));
    pvf_outcome_done(&outcome);
    pvf_prepare_outcome_done(&prepared);
    pvf_host_free(host);
    pvf__buf_done(&code);
    pvf__buf_done(&artifact);
}

/* Started by descriptor, the workers still find the file beside their program. */
static void the_version_file_is_found(void **state)
{
    (void)state;
    char folder[64];
    char paths[3][128];
    static const char *const names[] = {"prepare", "execute", "pvf-node-version"};
    pvf_error err = PVF_ERROR_INIT;
    if (!ours) {
        skip();
    }
    assert_int_equal(pvf__folder_make("/tmp", "pvf-test-", folder, sizeof(folder), NULL), 0);
    for (int i = 0; i < 3; i++) {
        (void)snprintf(paths[i], sizeof(paths[i]), "%s/%s", folder, names[i]);
    }
    assert_int_equal(pvf__folder_copy_file(prepare_worker, paths[0], NULL), 0);
    assert_int_equal(pvf__folder_copy_file(execute_worker, paths[1], NULL), 0);
    assert_int_equal(chmod(paths[0], 0700), 0);
    assert_int_equal(chmod(paths[1], 0700), 0);
    assert_int_equal(pvf__fd_write_file(paths[2], 0600, "9.9.9-test\n", 11, NULL), 0);
    const pvf_host_config config = {
        .prepare_worker_path = paths[0],
        .execute_worker_path = paths[1],
        .node_version = "9.9.9-test",
        .quiet = true,
        .security_mode = PVF_SECURITY_AS_GIVEN,
    };
    pvf_host *host = NULL;
    if (pvf_host_new(&config, &host, &err) != 0 || pvf_host_self_test(host, &err) != 0) {
        fail_msg("%s", err.text);
    }
    pvf_host_free(host);
    pvf__folder_remove(folder);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_known_good_job_passes),
        cmocka_unit_test(a_death_is_looked_into),
        cmocka_unit_test(the_version_file_is_found),
        cmocka_unit_test(adder_without_security),
        cmocka_unit_test(adder_with_what_the_machine_can_do),
        cmocka_unit_test(metering_changes_the_artifact_alone),
        cmocka_unit_test(code_that_is_none),
    };
    ours = argc > 2;
    prepare_worker = argc > 2 ? argv[1] : getenv("PVF_TEST_PREPARE_WORKER");
    execute_worker = argc > 2 ? argv[2] : getenv("PVF_TEST_EXECUTE_WORKER");
    if (prepare_worker == NULL || execute_worker == NULL || access(prepare_worker, X_OK) != 0 ||
        access(execute_worker, X_OK) != 0) {
        (void)printf("skipped: no workers\n");
        return 77;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
