/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host with real workers, end to end: the adder candidate and its mutations.  The programs are
 * the two arguments, or PVF_TEST_PREPARE_WORKER and PVF_TEST_EXECUTE_WORKER; without them, or
 * without the programs, the test is skipped.
 */
#include "support/test.h"

#include "base/fd.h"
#include "proto/validation.h"
#include "pvf/pvf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DATA PVF_TEST_DATA "/adder/"
#define FILE_MAX ((size_t)16 << 20)

static const char *prepare_worker;
static const char *execute_worker;

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
    pvf_host *host = NULL;
    pvf_error err = PVF_ERROR_INIT;
    if (pvf_host_new(&config, &host, &err) != 0) {
        fail_msg("%s", err.text);
    }
    return host;
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

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(adder_without_security),
        cmocka_unit_test(adder_with_what_the_machine_can_do),
        cmocka_unit_test(code_that_is_none),
    };
    prepare_worker = argc > 2 ? argv[1] : getenv("PVF_TEST_PREPARE_WORKER");
    execute_worker = argc > 2 ? argv[2] : getenv("PVF_TEST_EXECUTE_WORKER");
    if (prepare_worker == NULL || execute_worker == NULL || access(prepare_worker, X_OK) != 0 ||
        access(execute_worker, X_OK) != 0) {
        (void)printf("skipped: no workers\n");
        return 77;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
