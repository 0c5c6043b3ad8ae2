/* SPDX-License-Identifier: Apache-2.0 */
/* The text forms of executor parameters, and the cleaning of foreign texts. */
#include "base/text.h"
#include "cli/cli_params.h"
#include "cli/cli_report.h"
#include "pvf/status.h"
#include "support/test.h"

#include <string.h>

static void same(const char *text, const char *hex)
{
    struct pvf__buf scale = PVF__BUF_INIT(4096);
    struct pvf__executor_params params;
    pvf_error err = PVF_ERROR_INIT;
    uint8_t want[256];
    size_t len = 0;
    assert_int_equal(pvf__cli_params_read(text, &scale, &params, &err), PVF_OK);
    assert_true(pvf__text_from_hex(hex, want, sizeof want, &len));
    assert_int_equal(params.raw.len, len);
    assert_memory_equal(params.raw.data, want, len);
    pvf__buf_done(&scale);
}

static void test_forms(void **state)
{
    (void)state;
    same(NULL, "00");
    same("[]", "00");
    same("0x00", "00");
    same("[\"WasmExtBulkMemory\"]", "0407");
    same("[{\"wasmExtBulkMemory\": null}]", "0407");
    same("[{\"MaxMemoryPages\": 8192}]", "040100200000");
    same("[{\"StackLogicalMax\": \"65536\"}, {\"StackNativeMax\": 268435456}]",
         "0802000001000300000010");
    same("[{\"PrecheckingMaxMemory\": 2147483648}]", "04040000008000000000");
    same("[{\"PvfPrepTimeout\": [\"Prepare\", 1]}, {\"PvfExecTimeout\": [\"Backing\", 2500]}]",
         "0805010100000000000000"
         "0600c409000000000000");
    same("[{\"PvfExecTimeout\": [\"approval\", \"18446744073709551615\"]}]",
         "040601ffffffffffffffff");
    same("[{\"EnabledHostFunction\": \"EccRfc163\"}]", "040801");
}

static void refused(const char *text)
{
    struct pvf__buf scale = PVF__BUF_INIT(4096);
    struct pvf__executor_params params;
    pvf_error err = PVF_ERROR_INIT;
    assert_true(pvf__cli_params_read(text, &scale, &params, &err) < 0);
    assert_true(err.text[0] != '\0');
    pvf__buf_done(&scale);
}

static void test_refused(void **state)
{
    static const char *const texts[] = {
        "[1]",
        "[null]",
        "[{}]",
        "[{\"MaxMemoryPages\": -1}]",
        "[{\"MaxMemoryPages\": 1.5}]",
        "[{\"MaxMemoryPages\": 4294967296}]",
        "[{\"MaxMemoryPages\": 1, \"StackLogicalMax\": 2}]",
        "[{\"PrecheckingMaxMemory\": 18446744073709551615}]",
        "[{\"PrecheckingMaxMemory\": \"18446744073709551616\"}]",
        "[{\"PvfExecTimeout\": 2000}]",
        "[{\"PvfExecTimeout\": [\"Prepare\", 2000]}]",
        "[{\"PvfExecTimeout\": [\"Backing\"]}]",
        "[{\"PvfExecTimeout\": [\"Backing\", 1, 2]}]",
        "[{\"\": 1}]",
        "[\"MaxMemoryPages\"]",
        "{\"MaxMemoryPages\": 1}",
        "0x0409",
        "0x04",
        "0x000",
        "/nonexistent/params",
    };
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        refused(texts[i]);
    }
}

static void test_clean(void **state)
{
    (void)state;
    char text[] = "a\033[31m\nb\tc\x7f";
    pvf__cli_report_clean(text);
    assert_string_equal(text, "a?[31m b c?");
    char steering[] = "x\xC2\x9Bz \xC3\xA9";
    pvf__cli_report_clean(steering);
    assert_string_equal(steering, "x??z \xC3\xA9");
    char broken[] = "x\xC3z";
    pvf__cli_report_clean(broken);
    assert_string_equal(broken, "x?z");
}

static void test_numbers(void **state)
{
    (void)state;
    char text[32];
    pvf__cli_report_bytes(0, text, sizeof text);
    assert_string_equal(text, "0 B");
    pvf__cli_report_bytes(347071, text, sizeof text);
    assert_string_equal(text, "339 KiB");
    pvf__cli_report_bytes(31457280, text, sizeof text);
    assert_string_equal(text, "30.0 MiB");
    pvf__cli_report_bytes(UINT64_MAX, text, sizeof text);
    assert_string_equal(text, "17179869184 GiB");
    pvf__cli_report_time(1234, text, sizeof text);
    assert_string_equal(text, "1.2 ms");
    pvf__cli_report_time(60000000, text, sizeof text);
    assert_string_equal(text, "60.0 s");

    static struct pvf__cli_report report;
    assert_true(pvf__cli_report_init(&report));
    pvf__cli_report_number(&report, "small", INT64_MAX);
    pvf__cli_report_number(&report, "big", (uint64_t)INT64_MAX + 1);
    assert_true(json_is_integer(json_object_get(report.json, "small")));
    assert_string_equal(json_string_value(json_object_get(report.json, "big")),
                        "9223372036854775808");
    pvf__cli_report_done(&report);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forms),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_clean),
        cmocka_unit_test(test_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
