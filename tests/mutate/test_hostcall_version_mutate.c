/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every truncation and every changed byte of the sample blobs: runtime_version never traps, and
 * answers with none or with a well-formed Some.
 */
#include "support/test.h"

#include "support/hex.h"
#include "support/hostcall_bench.h"
#include "support/version_rows.h"

#include <string.h>

/* Whether the answer is None, or Some of exactly the bytes that its length tells. */
static bool well_formed(const uint8_t *answer, uint64_t len)
{
    if (len == 1) {
        return answer[0] == 0;
    }
    if (len < 3 || answer[0] != 1) {
        return false;
    }
    uint64_t head = (answer[1] & 3) == 0 ? 2 : 3;
    uint64_t body =
        (answer[1] & 3) == 0 ? answer[1] >> 2 : (uint64_t)(answer[1] | answer[2] << 8) >> 2;
    return len == head + body;
}

static void check(struct bench *bench, const uint8_t *blob, size_t len)
{
    /* The blob ends where the memory does, so that a sanitizer sees the border. */
    uint32_t ptr = BENCH_SIZE - (uint32_t)len;
    pvf__allocator_init(&bench->allocator, 0);
    if (len > 0) {
        memcpy(bench->guest.memory.base + ptr, blob, len);
    }
    uint64_t ret = 0;
    const uint64_t args[5] = {fat(ptr, (uint32_t)len)};
    assert_int_equal(bench_call(bench, "misc_runtime_version_version_1", args, &ret), 0);
    assert_true(well_formed(bench->guest.memory.base + (uint32_t)ret, ret >> 32));
}

static void mutants_do_no_harm(void **state)
{
    (void)state;
    struct bench bench;
    bench_init(&bench, 2);
    for (size_t i = 0; i < VERSION_ROWS; i++) {
        struct hex_bytes blob = hex_read(version_rows[i].blob);
        for (size_t len = 0; len <= blob.len; len++) {
            check(&bench, blob.data, len);
        }
        for (size_t at = 0; at < blob.len; at++) {
            for (unsigned bit = 0; bit < 8; bit++) {
                blob.data[at] = (uint8_t)(blob.data[at] ^ 1U << bit);
                check(&bench, blob.data, blob.len);
                blob.data[at] = (uint8_t)(blob.data[at] ^ 1U << bit);
            }
            uint8_t kept = blob.data[at];
            blob.data[at] = 0xFF;
            check(&bench, blob.data, blob.len);
            blob.data[at] = kept;
        }
    }
    bench_done(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(mutants_do_no_harm)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
