/* SPDX-License-Identifier: Apache-2.0 */
/* runtime_version: the recorded answers, containers, and blobs that the parser refuses. */
#include "support/test.h"

#include "support/hex.h"
#include "support/hostcall_bench.h"
#include "support/version_rows.h"

#include <string.h>

static const char version[] = "misc_runtime_version_version_1";

static void assert_answer(struct bench *bench, uint64_t blob, const char *hex)
{
    uint64_t ret = 0;
    assert_int_equal(bench_call(bench, version, (const uint64_t[5]){blob}, &ret), 0);
    struct hex_bytes want = hex_read(hex);
    assert_int_equal(ret >> 32, want.len);
    assert_memory_equal(bench->guest.memory.base + (uint32_t)ret, want.data, want.len);
}

static void recorded_answers_come_out(void **state)
{
    (void)state;
    for (size_t i = 0; i < VERSION_ROWS; i++) {
        struct bench bench;
        bench_init(&bench, 4);
        struct hex_bytes blob = hex_read(version_rows[i].blob);
        assert_answer(
            &bench, put(&bench, 100, blob.data, (uint32_t)blob.len), version_rows[i].answer);
        bench_done(&bench);
    }
}

static void containers_are_opened(void **state)
{
    (void)state;
    struct bench bench;
    bench_init(&bench, 4);
    struct hex_bytes blob = hex_read(version_rows[2].blob);
    bench.guest.memory.base[100] = 'Z';
    (void)put(&bench, 101, blob.data, (uint32_t)blob.len);
    assert_answer(&bench, fat(100, (uint32_t)blob.len + 1), version_rows[2].answer);
    bench.guest.memory.base[100] = 'X';
    assert_answer(&bench, fat(100, (uint32_t)blob.len + 1), "00");
    bench.guest.memory.base[100] = 'P';
    uint64_t ret;
    assert_int_equal(bench_call(&bench, version, (const uint64_t[5]){fat(100, 10)}, &ret), -1);
    assert_answer(&bench, fat(0, 0), "00");
    bench_done(&bench);
}

/* What is no module has no version, though the sections could be read. */
static void the_whole_module_must_parse(void **state)
{
    (void)state;
    struct bench bench;
    bench_init(&bench, 4);
    struct hex_bytes blob = hex_read(version_rows[2].blob);
    /* A section of a later proposal, or half of one, behind the good section. */
    const uint8_t tails[][3] = {{13, 1, 0}, {1, 2, 0}, {0, 0, 0}};
    for (size_t i = 0; i < 3; i++) {
        (void)put(&bench, 100, blob.data, (uint32_t)blob.len);
        (void)put(&bench, 100 + (uint32_t)blob.len, tails[i], 3);
        assert_answer(&bench, fat(100, (uint32_t)blob.len + 3), "00");
    }
    bench_done(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recorded_answers_come_out),
        cmocka_unit_test(containers_are_opened),
        cmocka_unit_test(the_whole_module_must_parse),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
