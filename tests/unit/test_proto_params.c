/* SPDX-License-Identifier: Apache-2.0 */
/* Executor parameters: meaning, repeats, hashes, the runtime's rules. */
#include "support/test.h"

#include "base/text.h"
#include "hash/hash.h"
#include "proto/executor_params.h"
#include "pvf/status.h"
#include "support/hex.h"

#include <string.h>

static struct pvf__executor_params decode(const struct hex_bytes *bytes)
{
    struct pvf__executor_params params;
    pvf_error err = PVF_ERROR_INIT;
    int status = pvf__executor_params_decode(bytes->data, bytes->len, &params, &err);
    if (status != 0) {
        fail_msg("%s", err.text);
    }
    return params;
}

static void an_empty_list_is_all_defaults(void **state)
{
    (void)state;
    struct hex_bytes bytes = hex_read("00");
    struct pvf__executor_params params = decode(&bytes);
    struct pvf__executor_params defaults;
    pvf__executor_params_init(&defaults);
    assert_int_equal(params.max_memory_pages, 2080);
    assert_int_equal(params.logical_max, 65536);
    assert_int_equal(params.native_max, 268435456);
    assert_false(params.bulk_memory);
    assert_false(params.ecc_rfc163);
    assert_false(params.has_prechecking_max_memory);
    assert_int_equal(params.precheck_timeout_ms, 60000);
    assert_int_equal(params.prepare_timeout_ms, 360000);
    assert_int_equal(params.backing_timeout_ms, 2000);
    assert_int_equal(params.approval_timeout_ms, 12000);
    assert_int_equal(defaults.raw.len, 1);
    assert_int_equal(defaults.raw.data[0], 0);
    uint8_t one[32];
    uint8_t two[32];
    pvf__executor_params_hash(&params, one);
    pvf__executor_params_hash(&defaults, two);
    assert_memory_equal(one, two, 32);
}

static void every_entry_counts(void **state)
{
    (void)state;
    struct hex_bytes bytes =
        hex_read("28 01 00200000 02 00040000 03 00000010 04 0000008000000000 05 00 "
                 "0100000000000000 05 01 0200000000000000 06 00 0300000000000000 06 01 "
                 "0400000000000000 07 08 01 ffff");
    struct pvf__executor_params params = decode(&bytes);
    assert_int_equal(params.count, 10);
    assert_int_equal(params.raw.len, bytes.len - 2);
    assert_int_equal(params.max_memory_pages, 8192 + 32);
    assert_int_equal(params.logical_max, 1024);
    assert_int_equal(params.native_max, 0x10000000);
    assert_true(params.has_prechecking_max_memory);
    assert_true(params.prechecking_max_memory == 0x80000000u);
    assert_int_equal(params.precheck_timeout_ms, 1);
    assert_int_equal(params.prepare_timeout_ms, 2);
    assert_int_equal(params.backing_timeout_ms, 3);
    assert_int_equal(params.approval_timeout_ms, 4);
    assert_true(params.bulk_memory);
    assert_true(params.ecc_rfc163);
}

static void of_repeats_first_or_last_counts(void **state)
{
    (void)state;
    struct hex_bytes bytes =
        hex_read("28 01 01000000 01 ffffffff 02 01000000 02 02000000 03 01000000 03 02000000 "
                 "04 0100000000000000 04 0200000000000000 05 01 0500000000000000 "
                 "05 01 0600000000000000");
    struct pvf__executor_params params = decode(&bytes);
    assert_true(params.max_memory_pages == UINT32_MAX);
    assert_int_equal(params.logical_max, 2);
    assert_int_equal(params.native_max, 2);
    assert_int_equal(params.prechecking_max_memory, 1);
    assert_int_equal(params.prepare_timeout_ms, 5);
    assert_int_equal(params.precheck_timeout_ms, 60000);
    assert_int_equal(pvf__executor_params_check(&params, NULL), PVF_ERR_INVALID_ARG);
}

static void bad_lists_are_refused(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "",
        "04",
        "04 00",
        "04 09",
        "04 01 0000",
        "04 08 00",
        "04 08 02",
        "04 05 02 0000000000000000",
        "08 07",
        "01 00 07 07",
        "fe ff ff ff 07",
        "04 06 01 00000000000000",
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct hex_bytes bytes = hex_read(cases[i]);
        struct pvf__executor_params params;
        pvf_error err = PVF_ERROR_INIT;
        assert_int_equal(pvf__executor_params_decode(bytes.data, bytes.len, &params, &err),
                         PVF_ERR_MALFORMED);
        assert_non_null(strstr(err.text, "byte"));
    }
}

/* The prep hash is that of "prep" and the encodings of entries 2 and 7, in their order. */
static void hashes_cover_what_they_should(void **state)
{
    (void)state;
    struct hex_bytes bytes = hex_read("10 07 01 00200000 02 00000100 08 01");
    struct pvf__executor_params params = decode(&bytes);
    struct hex_bytes text = hex_read("70726570 07 02 00000100");
    uint8_t want[32];
    uint8_t got[32];
    pvf__hash_blake2b_256(text.data, text.len, want);
    assert_int_equal(pvf__executor_params_prep_hash(&params, got), 0);
    assert_memory_equal(got, want, 32);
    pvf__hash_blake2b_256(bytes.data, bytes.len, want);
    pvf__executor_params_hash(&params, got);
    assert_memory_equal(got, want, 32);
}

static void the_runtimes_rules(void **state)
{
    (void)state;
    static const struct {
        const char *hex;
        const char *said; /* NULL: consistent */
    } cases[] = {
        {"00", NULL},
        {"08 05 00 60ea000000000000 05 01 61ea000000000000", NULL},
        {"04 01 00000000", "MaxMemoryPages is 0; it must be 1 to 65536"},
        {"04 01 01000100", "MaxMemoryPages is 65537"},
        {"04 01 00000100", NULL},
        {"04 02 ff030000", "StackLogicalMax is 1023"},
        {"04 02 01000200", "StackLogicalMax is 131073"},
        {"04 02 00000200", NULL},
        {"04 03 ffff7f00", "StackNativeMax is 8388607; with StackLogicalMax 65536"},
        {"04 03 00008000", NULL},
        {"04 03 ffffffff", NULL},
        {"04 04 ffffff0f00000000", "PrecheckingMaxMemory is 268435455"},
        {"04 04 0100000004000000", "PrecheckingMaxMemory is 17179869185"},
        {"04 04 0000000004000000", NULL},
        {"04 05 01 60ea000000000000", "Precheck has 60000 ms"},
        {"04 06 00 e02e000000000000", "Backing has 12000 ms"},
        {"08 07 07", "WasmExtBulkMemory stands twice"},
        {"08 08 01 08 01", "EnabledHostFunction stands twice"},
        {"08 06 00 0100000000000000 06 00 0100000000000000", "PvfExecTimeout stands twice"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct hex_bytes bytes = hex_read(cases[i].hex);
        struct pvf__executor_params params = decode(&bytes);
        pvf_error err = PVF_ERROR_INIT;
        int status = pvf__executor_params_check(&params, &err);
        if (cases[i].said == NULL) {
            assert_int_equal(status, 0);
        } else {
            assert_int_equal(status, PVF_ERR_INVALID_ARG);
            if (strstr(err.text, cases[i].said) == NULL) {
                fail_msg("%s: %s", cases[i].hex, err.text);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_list_is_all_defaults),
        cmocka_unit_test(every_entry_counts),
        cmocka_unit_test(of_repeats_first_or_last_counts),
        cmocka_unit_test(bad_lists_are_refused),
        cmocka_unit_test(hashes_cover_what_they_should),
        cmocka_unit_test(the_runtimes_rules),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
