/* SPDX-License-Identifier: Apache-2.0 */
/* Arguments and results of host functions: ranges, SCALE shapes, order, the start function. */
#include "support/test.h"

#include "hostcall/marshal.h"
#include "hostcall/marshal_scale.h"
#include "support/hostcall_bench.h"

#include <stdlib.h>
#include <string.h>

static void fat_pointers_end_at_the_memory(void **state)
{
    (void)state;
    const struct {
        uint64_t arg;
        bool good;
    } rows[] = {
        {0, true},
        {(uint64_t)BENCH_SIZE << 32, true},
        {(uint64_t)BENCH_SIZE << 32 | 1, false},
        {BENCH_SIZE, true},
        {BENCH_SIZE + 1, false},
        {(uint64_t)1 << 32 | BENCH_SIZE, false},
        {(uint64_t)1 << 32 | (BENCH_SIZE - 1), true},
        {(uint64_t)0x20 << 32 | 0xFFFFFFF0, false},
        {0xFFFFFFFF, false},
        {UINT64_MAX, false},
        {(uint64_t)0xFFFFFFFF << 32, false},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct bench bench;
        bench_init(&bench, 4);
        uint64_t ret = 0;
        int status = bench_call(&bench, "hashing_twox_64_version_1", ARGS(rows[i].arg), &ret);
        assert_int_equal(status, rows[i].good ? 0 : -1);
        if (!rows[i].good) {
            assert_string_equal(
                bench.context.trap,
                "Other: memory read is out of bounds: could not marshal the 'data' argument "
                "through the WASM FFI boundary while executing 'twox_64' from interface "
                "'Hashing'");
        } else {
            assert_int_equal(ret, BENCH_HEAP + 8);
        }
        bench_done(&bench);
    }
}

/* Which of the three arguments is blamed, when several are bad. */
static void arguments_are_read_left_to_right(void **state)
{
    (void)state;
    const struct {
        uint64_t args[5];
        const char *blamed;
    } rows[] = {
        {{BENCH_SIZE - 63, UINT64_MAX, BENCH_SIZE}, "'sig'"},
        {{BENCH_SIZE - 64, UINT64_MAX, BENCH_SIZE}, "'msg'"},
        {{BENCH_SIZE - 64, BENCH_SIZE, BENCH_SIZE - 31}, "'pub_key'"},
    };
    struct bench bench;
    bench_init(&bench, 4);
    uint64_t ret = 7;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(bench_call(&bench, "crypto_ed25519_verify_version_1", rows[i].args, &ret),
                         -1);
        assert_non_null(strstr(bench.context.trap, rows[i].blamed));
        assert_non_null(strstr(bench.context.trap, "'ed25519_verify' from interface 'Crypto'"));
    }
    assert_int_equal(ret, 7);
    assert_int_equal(bench_call(&bench,
                                "crypto_ed25519_verify_version_1",
                                ARGS(BENCH_SIZE - 64, BENCH_SIZE, BENCH_SIZE - 32),
                                &ret),
                     0);
    /* The sum of the fat pointer's halves is not enough: high bits of a plain pointer are none. */
    assert_int_equal(ret, 0);
    bench_done(&bench);
}

static void small_enums_count_their_low_byte(void **state)
{
    (void)state;
    const struct {
        uint64_t value;
        bool good;
    } rows[] = {{0, true},
                {1, true},
                {2, true},
                {3, false},
                {255, false},
                {256, true},
                {258, true},
                {259, false},
                {0xFFFFFF00, true},
                {0xFFFFFFFF, false}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct bench bench;
        bench_init(&bench, 4);
        uint64_t ret = 0;
        uint64_t empty = put(&bench, 16, "\0", 1);
        int status =
            bench_call(&bench, "trie_blake2_256_root_version_2", ARGS(empty, rows[i].value), &ret);
        assert_int_equal(status, rows[i].good ? 0 : -1);
        if (!rows[i].good) {
            assert_string_equal(
                bench.context.trap,
                "failed to convert 'u8' (passed as 'u32') into 'sp_storage::StateVersion' when "
                "marshalling hostcall's arguments through the FFI boundary: could not marshal "
                "the 'version' argument through the WASM FFI boundary while executing "
                "'blake2_256_root' from interface 'Trie'");
        }
        bench_done(&bench);
    }
}

struct scale_row {
    const char *bytes;
    size_t len;
    const char *why; /* NULL: decodes */
    size_t count;
};

static const char short_input[] = "Not enough data to fill buffer";
static const char short_vector[] = "Not enough data to decode vector";
static const char bad_compact[] = "out of range decoding Compact<u32>";

static void lists_decode_as_strictly_as_scale(void **state)
{
    (void)state;
    const struct scale_row rows[] = {
        {"", 0, short_input, 0},
        {"\x00", 1, NULL, 0},
        {"\x00trailing", 9, NULL, 0},
        {"\x04\x00", 2, NULL, 1},
        {"\x04", 1, short_input, 0},
        {"\x08\x04x\x08yz", 6, NULL, 2},
        {"\x08\x04x\x08y", 5, short_vector, 0},
        {"\x04\x01", 2, short_input, 0},
        {"\x04\x01\x00", 3, bad_compact, 0},
        {"\x01\x00", 2, bad_compact, 0},
        {"\x02\x00\x00\x00", 4, bad_compact, 0},
        {"\x03\x00\x00\x00\x00", 5, bad_compact, 0},
        {"\x03\xFF\xFF\xFF\x3F", 5, bad_compact, 0},
        {"\x03\x00\x00\x00\x40", 5, short_input, 0},
        {"\x07\x00\x00\x00\x00\x01", 6, bad_compact, 0},
        {"\xFE\xFF\xFF\xFF", 4, short_input, 0},
        {"\x03\xFF\xFF\xFF\xFF", 5, short_input, 0},
        {"\x04\xFE\xFF\xFF\xFF", 5, short_vector, 0},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct pvf__slice *items = NULL;
        size_t count = 99;
        /* A copy of the exact size lets a sanitizer see the border. */
        uint8_t *copy = malloc(rows[i].len + 1);
        assert_non_null(copy);
        uint8_t *input = copy + 1;
        if (rows[i].len > 0) {
            memcpy(input, rows[i].bytes, rows[i].len);
        }
        const char *why =
            pvf__marshal_scale_list((struct pvf__slice){input, rows[i].len}, &items, &count);
        if (rows[i].why == NULL) {
            assert_null(why);
            assert_int_equal(count, rows[i].count);
        } else {
            assert_string_equal(why, rows[i].why);
            assert_null(items);
            assert_int_equal(count, 99);
        }
        free(items);
        free(copy);
    }
}

static void pairs_and_options_decode(void **state)
{
    (void)state;
    struct pvf__trie_pair *pairs = NULL;
    size_t count = 0;
    const uint8_t two[] = "\x08\x04k\x08vw\x00\x00rest";
    assert_null(
        pvf__marshal_scale_pairs((struct pvf__slice){two, sizeof(two) - 1}, &pairs, &count));
    assert_int_equal(count, 2);
    assert_int_equal(pairs[0].key.len, 1);
    assert_memory_equal(pairs[0].value.data, "vw", 2);
    assert_int_equal(pairs[1].key.len + pairs[1].value.len, 0);
    free(pairs);
    pairs = NULL;
    for (size_t len = 0; len < 8; len++) {
        assert_non_null(pvf__marshal_scale_pairs((struct pvf__slice){two, len}, &pairs, &count));
        assert_null(pairs);
    }

    bool some = false;
    struct pvf__slice seed = {NULL, 0};
    const uint8_t option[] = "\x01\x08xy";
    assert_null(pvf__marshal_scale_option((struct pvf__slice){option, 4}, &some, &seed));
    assert_true(some);
    assert_memory_equal(seed.data, "xy", 2);
    assert_null(
        pvf__marshal_scale_option((struct pvf__slice){(const uint8_t *)"\0z", 2}, &some, &seed));
    assert_false(some);
    assert_string_equal(pvf__marshal_scale_option((struct pvf__slice){option, 3}, &some, &seed),
                        short_vector);
    assert_string_equal(pvf__marshal_scale_option((struct pvf__slice){option, 1}, &some, &seed),
                        short_input);
    assert_string_equal(pvf__marshal_scale_option((struct pvf__slice){option, 0}, &some, &seed),
                        short_input);
    assert_string_equal(
        pvf__marshal_scale_option((struct pvf__slice){(const uint8_t *)"\2", 1}, &some, &seed),
        "unexpected first byte decoding Option");
}

static void a_result_may_move_the_memory(void **state)
{
    (void)state;
    struct bench bench;
    bench_init(&bench, 8);
    /* The heap is left with less than a header and a digest. */
    bench.allocator.bumper = BENCH_SIZE - 16;
    uint64_t data = put_text(&bench, 100, "abc");
    uint64_t ret = 0;
    assert_int_equal(bench_call(&bench, "hashing_keccak_256_version_1", ARGS(data), &ret), 0);
    assert_int_equal(ret, BENCH_SIZE - 8);
    assert_int_equal(bench.guest.growths, 1);
    const uint8_t digest[4] = {0x4E, 0x03, 0x65, 0x7A};
    assert_memory_equal(bench.guest.memory.base + ret, digest, sizeof(digest));
    bench_done(&bench);
}

static void a_result_without_room_traps(void **state)
{
    (void)state;
    struct bench bench;
    bench_init(&bench, 2);
    bench.allocator.bumper = BENCH_SIZE - 16;
    uint64_t ret = 7;
    assert_int_equal(bench_call(&bench, "hashing_keccak_256_version_1", ARGS(0), &ret), -1);
    assert_string_equal(bench.context.trap, "Allocator ran out of space");
    assert_int_equal(ret, 7);
    bench_done(&bench);

    /* Over the largest allocation, on the way to a fat pointer. */
    bench_init(&bench, 2);
    assert_int_equal(
        pvf__marshal_return_fat(&bench.context, "x", (size_t)PVF__ALLOCATOR_MAX + 1, &ret), -1);
    assert_string_equal(bench.context.trap, "Requested allocation size is too large");
    bench_done(&bench);
}

/* Before memory and heap exist, only what needs neither works. */
static void the_start_function_has_no_memory(void **state)
{
    (void)state;
    size_t worked = 0;
    for (size_t i = 0; i < pvf__hostcall_count(); i++) {
        const struct pvf__hostcall *call = pvf__hostcall_at(i);
        struct bench bench;
        bench_init(&bench, 4);
        bench.context.memory = NULL;
        bench.context.allocator = NULL;
        bench.context.batch_started = strstr(call->name, "finish") != NULL;
        uint64_t ret = 0;
        if (call->call(&bench.context, ARGS(0), &ret) == 0) {
            worked++;
            assert_true(strstr(call->name, "print_num") != NULL ||
                        strstr(call->name, "max_level") != NULL ||
                        strstr(call->name, "start_batch") != NULL ||
                        strstr(call->name, "finish_batch") != NULL);
        } else {
            assert_string_equal(bench.context.trap,
                                "host code panicked while being called by the runtime: "
                                "memory is always set; qed");
        }
        bench_done(&bench);
    }
    assert_int_equal(worked, 4);
}

/*
 * Every function refuses an address outside the memory for each of its pointers; what is no pointer
 * refuses the same number for a reason of its own.  A number to be printed is fine.
 */
static void no_function_reads_outside(void **state)
{
    (void)state;
    for (size_t i = 0; i < pvf__hostcall_count(); i++) {
        const struct pvf__hostcall *call = pvf__hostcall_at(i);
        for (size_t bad = 0; call->params[bad] != '\0'; bad++) {
            struct bench bench;
            bench_init(&bench, 4);
            /* Address 0 holds an empty list, an option without value and empty text. */
            uint64_t args[5] = {0};
            for (size_t k = 0; call->params[k] != '\0'; k++) {
                args[k] = call->params[k] == 'I' ? fat(0, 1) : 0;
            }
            args[bad] = call->params[bad] == 'I' ? fat(0xFFFFFFF0, 0x20) : 0xFFFFFFF0;
            uint64_t ret = 7;
            int status = call->call(&bench.context, args, &ret);
            if (strstr(call->name, "print_num") == NULL) {
                assert_int_equal(status, -1);
                assert_int_equal(ret, 7);
            }
            bench_done(&bench);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fat_pointers_end_at_the_memory),
        cmocka_unit_test(arguments_are_read_left_to_right),
        cmocka_unit_test(small_enums_count_their_low_byte),
        cmocka_unit_test(lists_decode_as_strictly_as_scale),
        cmocka_unit_test(pairs_and_options_decode),
        cmocka_unit_test(a_result_may_move_the_memory),
        cmocka_unit_test(a_result_without_room_traps),
        cmocka_unit_test(the_start_function_has_no_memory),
        cmocka_unit_test(no_function_reads_outside),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
