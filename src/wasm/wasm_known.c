/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: the functions that are known by their bytes, and what runs before them.  Trusts nothing
 * about a module: a function is known when its type and every byte of its body are, whatever it is
 * called.
 */
#include "wasm/wasm_known.h"

#include <string.h>

/*
 * memcmp(a, b, n) of Rust's compiler_builtins: a byte at a time up to the first difference, the
 * bytes' difference as the result.  All compilers of the years 2021 to 2026 that were looked at
 * made one of two bodies, which differ in an `unreachable` that nothing reaches.
 */
/* clang-format off */
static const uint8_t memcmp_locals[] = {0x03, 0x7f};
#define MEMCMP_LOOP                                                                                \
    0x41, 0x00, 0x21, 0x03,                   /* difference := 0 */                                \
    0x02, 0x40,                               /* block: the end */                                 \
    0x20, 0x02, 0x45, 0x0d, 0x00,             /* to the end if n = 0 */                            \
    0x02, 0x40, 0x03, 0x40,                   /* block: they differ; loop */                       \
    0x20, 0x00, 0x2d, 0x00, 0x00, 0x22, 0x04, /* x := byte at a */                                 \
    0x20, 0x01, 0x2d, 0x00, 0x00, 0x22, 0x05, /* y := byte at b */                                 \
    0x47, 0x0d, 0x01,                         /* if they are not equal: they differ */             \
    0x20, 0x00, 0x41, 0x01, 0x6a, 0x21, 0x00, /* a := a + 1 */                                     \
    0x20, 0x01, 0x41, 0x01, 0x6a, 0x21, 0x01, /* b := b + 1 */                                     \
    0x20, 0x02, 0x41, 0x7f, 0x6a, 0x22, 0x02, /* n := n - 1 */                                     \
    0x45, 0x0d, 0x02, 0x0c, 0x00, 0x0b        /* to the end if n = 0, else again */
#define MEMCMP_END                                                                                 \
    0x0b,                                     /* they differ */                                    \
    0x20, 0x04, 0x20, 0x05, 0x6b, 0x21, 0x03, /* difference := x - y */                            \
    0x0b, 0x20, 0x03, 0x0b
static const uint8_t memcmp_2021[] = {MEMCMP_LOOP, MEMCMP_END};
static const uint8_t memcmp_2023[] = {MEMCMP_LOOP, 0x00, MEMCMP_END};

/*
 * While 8 bytes are left and both ranges lie inside the memory: skips 8 equal bytes at once, or the
 * equal ones before the first difference.  The body then goes on as if it had come so far itself.
 * It reads no byte outside the memory, so it cannot trap; where a range does not lie inside it,
 * which includes every one that wraps, the body does all by itself.
 */
static const uint8_t memcmp_head_locals[] = {0x01, 0x7e};
#define TO_BODY_UNLESS_IN_MEMORY(local)                                                            \
    0x20, local, 0xad, 0x20, 0x02, 0xad, 0x7c, /* local + n, in 64 bits */                         \
    0x3f, 0x00, 0xad, 0x42, 0x10, 0x86,        /* the memory's bytes */                            \
    0x56, 0x0d, 0x00                           /* to the body if above */
static const uint8_t memcmp_head[] = {
    0x02, 0x40,                                     /* block: to the body */
    0x20, 0x02, 0x41, 0x08, 0x49, 0x0d, 0x00,       /* to the body if n < 8 */
    TO_BODY_UNLESS_IN_MEMORY(0x00),
    TO_BODY_UNLESS_IN_MEMORY(0x01),
    0x03, 0x40,                                     /* loop */
    0x20, 0x00, 0x29, 0x00, 0x00,                   /* 8 bytes at a */
    0x20, 0x01, 0x29, 0x00, 0x00,                   /* 8 bytes at b */
    0x85, 0x22, 0x06,                               /* x := the bits that differ */
    0x50, 0x45, 0x04, 0x40,                         /* if x is not 0 */
    0x20, 0x06, 0x7a, 0x42, 0x03, 0x88, 0x21, 0x06, /* x := bytes before the first of them */
    0x20, 0x00, 0x20, 0x06, 0xa7, 0x6a, 0x21, 0x00, /* a := a + x */
    0x20, 0x01, 0x20, 0x06, 0xa7, 0x6a, 0x21, 0x01, /* b := b + x */
    0x0c, 0x02, 0x0b,                               /* to the body, which ends there */
    0x20, 0x00, 0x41, 0x08, 0x6a, 0x21, 0x00,       /* a := a + 8 */
    0x20, 0x01, 0x41, 0x08, 0x6a, 0x21, 0x01,       /* b := b + 8 */
    0x20, 0x02, 0x41, 0x08, 0x6b, 0x22, 0x02,       /* n := n - 8 */
    0x41, 0x08, 0x4f, 0x0d, 0x00,                   /* again if n >= 8 */
    0x0b, 0x0b};
/* clang-format on */

struct row {
    struct pvf__slice params; /* value types of one byte each */
    uint8_t result;
    struct pvf__slice locals;
    struct pvf__slice code;
    struct pvf__wasm_known known;
};

static const uint8_t three_i32[] = {0x7f, 0x7f, 0x7f};

#define BYTES(array)                                                                               \
    {                                                                                              \
        array, sizeof(array)                                                                       \
    }
#define MEMCMP(code)                                                                               \
    {                                                                                              \
        BYTES(three_i32), 0x7f, BYTES(memcmp_locals), BYTES(code),                                 \
        {                                                                                          \
            BYTES(memcmp_head_locals), BYTES(memcmp_head)                                          \
        }                                                                                          \
    }
static const struct row rows[] = {MEMCMP(memcmp_2021), MEMCMP(memcmp_2023)};

static bool equal(struct pvf__slice a, struct pvf__slice b)
{
    return a.len == b.len && memcmp(a.data, b.data, a.len) == 0;
}

const struct pvf__wasm_known *pvf__wasm_known_find(const struct pvf__wasm_type *type,
                                                   const struct pvf__wasm_body *body)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct row *row = &rows[i];
        const struct pvf__slice params = {type->params, type->count};
        if (equal(row->code, body->code) && equal(row->locals, body->locals) &&
            type->result == row->result && equal(row->params, params)) {
            return &row->known;
        }
    }
    return NULL;
}
