/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: a job whose answer is known.  The code loads, multiplies, loops and stores, so that a
 * machine that compiles or computes wrongly gives another head.
 */
#include "host/known_good.h"

#include <stdint.h>
#include <string.h>

/* CPU time of each of the two halves; they use milliseconds, also in a sanitizer's build. */
#define TIMEOUT_MS 10000u

/*
 * The head of the next block is the FNV-1a hash (64 bits, little endian) of the whole input:
 *
 * (module
 *   (memory (export "memory") 1)
 *   (global (export "__heap_base") i32 (i32.const 2048))
 *   (data (i32.const 1024) "\20")                           ;; compact 8: the length of the head
 *   (func (export "validate_block") (param $at i32) (param $end i32) (result i64)
 *     (local $hash i64)
 *     (local.set $hash (i64.const 0xcbf29ce484222325))
 *     (local.set $end (i32.add (local.get $at) (local.get $end))) ;; it was the length
 *     (block $done
 *       (loop $next
 *         (br_if $done (i32.eq (local.get $at) (local.get $end)))
 *         (local.set $hash (i64.mul
 *           (i64.xor (local.get $hash) (i64.load8_u (local.get $at)))
 *           (i64.const 0x100000001b3)))
 *         (local.set $at (i32.add (local.get $at) (i32.const 1)))
 *         (br $next)))
 *     (i64.store align=1 (i32.const 1025) (local.get $hash))
 *     (i64.const 0x1400000400)))                            ;; 20 bytes at 1024; the rest is zero
 */
static const uint8_t code[] = {
    /* clang-format off */
    0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00,
    /* types: (i32, i32) -> i64; functions; memory; globals */
    0x01, 0x07, 0x01, 0x60, 0x02, 0x7f, 0x7f, 0x01, 0x7e,
    0x03, 0x02, 0x01, 0x00,
    0x05, 0x03, 0x01, 0x00, 0x01,
    0x06, 0x07, 0x01, 0x7f, 0x00, 0x41, 0x80, 0x10, 0x0b,
    /* exports */
    0x07, 0x29, 0x03,
    0x06, 'm', 'e', 'm', 'o', 'r', 'y', 0x02, 0x00,
    0x0b, '_', '_', 'h', 'e', 'a', 'p', '_', 'b', 'a', 's', 'e', 0x03, 0x00,
    0x0e, 'v', 'a', 'l', 'i', 'd', 'a', 't', 'e', '_', 'b', 'l', 'o', 'c', 'k', 0x00, 0x00,
    /* one body of 78 bytes with one i64 */
    0x0a, 0x50, 0x01, 0x4e, 0x01, 0x01, 0x7e,
    0x42, 0xa5, 0xc6, 0x88, 0xa1, 0xc8, 0x9c, 0xa7, 0xf9, 0x4b, 0x21, 0x02,
    0x20, 0x00, 0x20, 0x01, 0x6a, 0x21, 0x01,
    0x02, 0x40, 0x03, 0x40,
    0x20, 0x00, 0x20, 0x01, 0x46, 0x0d, 0x01,
    0x20, 0x02, 0x20, 0x00, 0x31, 0x00, 0x00, 0x85,
    0x42, 0xb3, 0x83, 0x80, 0x80, 0x80, 0x20, 0x7e, 0x21, 0x02,
    0x20, 0x00, 0x41, 0x01, 0x6a, 0x21, 0x00, 0x0c, 0x00, 0x0b, 0x0b,
    0x41, 0x81, 0x08, 0x20, 0x02, 0x37, 0x00, 0x00,
    0x42, 0x80, 0x88, 0x80, 0x80, 0xc0, 0x02, 0x0b,
    /* data */
    0x0b, 0x08, 0x01, 0x00, 0x41, 0x80, 0x08, 0x0b, 0x01, 0x20,
    /* clang-format on */
};

static const uint8_t parent_head[] = {'g', 'o', 'o', 'd'};
static const uint8_t block_data[] = {'k', 'n', 'o', 'w', 'n'};

/* head_data of 8 bytes, no code, no messages of either kind, 0 processed, watermark 0. */
static const uint8_t result[] = {0x20, 0x14, 0xbf, 0xbb, 0x7b, 0xea, 0xa3, 0x81, 0x38, 0x00,
                                 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00};

pvf_bytes pvf__known_good_code(void)
{
    return (pvf_bytes){code, sizeof(code)};
}

void pvf__known_good_candidate(pvf_execute_request *ret)
{
    *ret = (pvf_execute_request){
        .timeout_ms = TIMEOUT_MS,
        .parent_head = {parent_head, sizeof(parent_head)},
        .relay_parent_number = 1,
        .pov = {block_data, sizeof(block_data)},
        .descriptor_version = PVF_DESCRIPTOR_V2,
    };
}

pvf_bytes pvf__known_good_result(void)
{
    return (pvf_bytes){result, sizeof(result)};
}
