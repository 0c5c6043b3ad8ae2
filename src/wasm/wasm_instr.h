/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PVF_WASM_INSTR_H
#define PVF_WASM_INSTR_H

#include "base/buf.h"
#include "wasm/wasm_reader.h"

#include <stdint.h>

/* The opcodes that somebody names; all others are only numbers. */
enum pvf__wasm_op {
    PVF__WASM_UNREACHABLE = 0x00,
    PVF__WASM_BLOCK = 0x02,
    PVF__WASM_LOOP = 0x03,
    PVF__WASM_IF = 0x04,
    PVF__WASM_END = 0x0B,
    PVF__WASM_BR = 0x0C,
    PVF__WASM_BR_IF = 0x0D,
    PVF__WASM_BR_TABLE = 0x0E,
    PVF__WASM_RETURN = 0x0F,
    PVF__WASM_CALL = 0x10,
    PVF__WASM_CALL_INDIRECT = 0x11,
    PVF__WASM_SELECT = 0x1B,
    PVF__WASM_LOCAL_GET = 0x20,
    PVF__WASM_GLOBAL_GET = 0x23,
    PVF__WASM_GLOBAL_SET = 0x24,
    PVF__WASM_I32_CONST = 0x41,
    PVF__WASM_I64_CONST = 0x42,
    PVF__WASM_F32_CONST = 0x43,
    PVF__WASM_F64_CONST = 0x44,
    PVF__WASM_I32_GT_U = 0x4B,
    PVF__WASM_I32_ADD = 0x6A,
    PVF__WASM_I32_SUB = 0x6B,
};

#define PVF__WASM_NO_RESULT 0x40 /* the block type without a result */

/* What follows the opcode byte. */
enum pvf__wasm_imm {
    PVF__WASM_IMM_REFUSED = 0, /* not an opcode of the grammar */
    PVF__WASM_IMM_NONE,
    PVF__WASM_IMM_BLOCK,    /* block type */
    PVF__WASM_IMM_INDEX,    /* one u32 */
    PVF__WASM_IMM_TABLE,    /* vec(u32), u32 */
    PVF__WASM_IMM_INDIRECT, /* u32, a zero byte */
    PVF__WASM_IMM_MEMARG,   /* u32, u32 */
    PVF__WASM_IMM_ZERO,     /* a zero byte */
    PVF__WASM_IMM_I32,
    PVF__WASM_IMM_I64,
    PVF__WASM_IMM_BYTES4,
    PVF__WASM_IMM_BYTES8,
};

struct pvf__wasm_instr {
    const uint8_t *start; /* the opcode byte, in the input */
    uint8_t op;
    uint8_t imm;     /* enum pvf__wasm_imm */
    bool loose;      /* an integer of it is over-long: encode again instead of copying */
    uint8_t block;   /* IMM_BLOCK: the block type in its one-byte form */
    uint32_t index;  /* IMM_INDEX, IMM_INDIRECT, IMM_MEMARG (align), IMM_TABLE (the default) */
    uint32_t offset; /* IMM_MEMARG */
    int64_t value;   /* IMM_I32, IMM_I64 */
    struct pvf__slice raw; /* IMM_BYTES4, IMM_BYTES8; IMM_TABLE: the targets, still encoded */
    uint32_t count;        /* IMM_TABLE: number of targets */
};

/* What follows each opcode (enum pvf__wasm_imm), and the reading of it. */
extern const uint8_t pvf__wasm_instr_imms[256];
PVF__NODISCARD int pvf__wasm_instr_rest(struct pvf__wasm_reader *reader,
                                        struct pvf__wasm_instr *ret);

/*
 * Reads one instruction of the grammar; refuses all that the reference's first parser refuses.
 * Only the fields that its kind has are written: callers keep one struct for a whole sequence.
 */
static inline PVF__NODISCARD int pvf__wasm_instr_next(struct pvf__wasm_reader *reader,
                                                      struct pvf__wasm_instr *ret)
{
    const uint8_t *at;
    if (!pvf__cursor_claim(&reader->in, 1, &at)) {
        (void)pvf__wasm_reader_eof(reader);
        return PVF_ERR_MALFORMED;
    }
    ret->start = at;
    ret->op = *at;
    ret->imm = pvf__wasm_instr_imms[*at];
    ret->loose = false;
    if (ret->imm == PVF__WASM_IMM_NONE) {
        return 0;
    }
    /* Half of all instructions name a local by one byte. */
    if (ret->imm == PVF__WASM_IMM_INDEX && !pvf__wasm_reader_done(reader) &&
        *reader->in.at < 0x80) {
        return pvf__wasm_reader_u32(reader, &ret->index);
    }
    return pvf__wasm_instr_rest(reader, ret);
}

/* Whether an instruction opens a nested sequence that its own `end` closes. */
static inline bool pvf__wasm_instr_opens(const struct pvf__wasm_instr *instr)
{
    return instr->imm == PVF__WASM_IMM_BLOCK;
}

/* Appends it in the shortest form; the status is left in out->failed. */
void pvf__wasm_instr_write(const struct pvf__wasm_instr *instr, struct pvf__buf *out);

#endif
