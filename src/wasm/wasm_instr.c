/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owns: the instruction grammar, decoding and encoding.  Trusts nothing.  Indices, alignments and
 * types are not looked at: that is for the limiter and the engine.
 */
#include "wasm/wasm_instr.h"

/* Short names, so that the table below is sixteen rows of sixteen. */
enum {
    NA = PVF__WASM_IMM_REFUSED,
    NO = PVF__WASM_IMM_NONE,
    BL = PVF__WASM_IMM_BLOCK,
    IX = PVF__WASM_IMM_INDEX,
    BT = PVF__WASM_IMM_TABLE,
    CI = PVF__WASM_IMM_INDIRECT,
    MA = PVF__WASM_IMM_MEMARG,
    ZB = PVF__WASM_IMM_ZERO,
    I3 = PVF__WASM_IMM_I32,
    I6 = PVF__WASM_IMM_I64,
    F3 = PVF__WASM_IMM_BYTES4,
    F6 = PVF__WASM_IMM_BYTES8,
};

/* clang-format off */
const uint8_t pvf__wasm_instr_imms[256] = {
    /* 00 */ NO, NO, BL, BL, BL, NO, NA, NA, NA, NA, NA, NO, IX, IX, BT, NO,
    /* 10 */ IX, CI, NA, NA, NA, NA, NA, NA, NA, NA, NO, NO, NA, NA, NA, NA,
    /* 20 */ IX, IX, IX, IX, IX, NA, NA, NA, MA, MA, MA, MA, MA, MA, MA, MA,
    /* 30 */ MA, MA, MA, MA, MA, MA, MA, MA, MA, MA, MA, MA, MA, MA, MA, ZB,
    /* 40 */ ZB, I3, I6, F3, F6, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
    /* 50 */ NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
    /* 60 */ NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
    /* 70 */ NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
    /* 80 */ NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
    /* 90 */ NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
    /* A0 */ NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
    /* B0 */ NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO, NO,
    /* C0 */ NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA,
    /* D0 */ NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA,
    /* E0 */ NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA,
    /* F0 */ NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA, NA,
};
/* clang-format on */

/* A guess for the person who built the blob; `reader` stands behind the opcode. */
static const char *feature_of(uint8_t op, struct pvf__wasm_reader reader)
{
    if (op == 0xFC) {
        uint32_t sub;
        if (pvf__wasm_leb_u32(&reader.in, &sub) > PVF__WASM_LEB_LOOSE || sub > 17) {
            return "";
        }
        return sub < 8 ? "saturating float-to-int" : sub < 15 ? "bulk memory" : "reference types";
    }
    if (op >= 0xC0 && op <= 0xC4) {
        return "sign-extension";
    }
    if ((op >= 0xD0 && op <= 0xD2) || op == 0x1C || op == 0x25 || op == 0x26) {
        return "reference types";
    }
    if ((op >= 0x06 && op <= 0x0A) || op == 0x18 || op == 0x19 || op == 0x1F) {
        return "exceptions";
    }
    switch (op) {
    case 0x12:
    case 0x13:
        return "tail calls";
    case 0xFB:
    case 0x14:
    case 0x15:
    case 0xD3:
    case 0xD4:
        return "GC";
    case 0xFD:
        return "SIMD";
    case 0xFE:
        return "threads";
    default:
        return "";
    }
}

static size_t place(const struct pvf__wasm_reader *reader, const struct pvf__wasm_instr *instr)
{
    return (size_t)(instr->start - reader->base);
}

static int
read_zero(struct pvf__wasm_reader *reader, const struct pvf__wasm_instr *instr, const char *words)
{
    uint8_t byte = 0;
    int status = pvf__wasm_reader_byte(reader, &byte);
    if (status == 0 && byte != 0) {
        const char *feature = instr->imm == PVF__WASM_IMM_INDIRECT ? "reference types" : "";
        status = pvf__wasm_fault_grammar(
            reader->fault, place(reader, instr), feature, "%s(%u)", words, byte);
    }
    return status;
}

static int read_block(struct pvf__wasm_reader *reader, struct pvf__wasm_instr *ret)
{
    int32_t type;
    int status = pvf__wasm_reader_s32(reader, &type);
    if (status != 0) {
        return status;
    }
    if (type != -64 && (type > -1 || type < -4)) {
        return pvf__wasm_fault_grammar(reader->fault,
                                       place(reader, ret),
                                       type >= 0 ? "multi-value" : "",
                                       "UnknownBlockType(%d)",
                                       type);
    }
    ret->block = (uint8_t)(0x80 + type);
    return 0;
}

static int read_table(struct pvf__wasm_reader *reader, struct pvf__wasm_instr *ret)
{
    int status = pvf__wasm_reader_u32(reader, &ret->count);
    const uint8_t *targets = reader->in.at;
    /* Every target takes a byte, so that a lying count ends at the end of the input. */
    for (uint32_t i = 0; status == 0 && i < ret->count; i++) {
        uint32_t target = 0;
        status = pvf__wasm_reader_u32(reader, &target);
    }
    if (status != 0) {
        return status;
    }
    ret->raw = (struct pvf__slice){targets, (size_t)(reader->in.at - targets)};
    return pvf__wasm_reader_u32(reader, &ret->index);
}

static int read_imm(struct pvf__wasm_reader *reader, struct pvf__wasm_instr *ret)
{
    int status = 0;
    int32_t small = 0;
    switch ((enum pvf__wasm_imm)ret->imm) {
    case PVF__WASM_IMM_NONE:
        break;
    case PVF__WASM_IMM_BLOCK:
        return read_block(reader, ret);
    case PVF__WASM_IMM_INDEX:
        return pvf__wasm_reader_u32(reader, &ret->index);
    case PVF__WASM_IMM_TABLE:
        return read_table(reader, ret);
    case PVF__WASM_IMM_INDIRECT:
        status = pvf__wasm_reader_u32(reader, &ret->index);
        return status != 0 ? status : read_zero(reader, ret, "InvalidTableReference");
    case PVF__WASM_IMM_MEMARG:
        status = pvf__wasm_reader_u32(reader, &ret->index);
        return status != 0 ? status : pvf__wasm_reader_u32(reader, &ret->offset);
    case PVF__WASM_IMM_ZERO:
        return read_zero(reader, ret, "InvalidMemoryReference");
    case PVF__WASM_IMM_I32:
        status = pvf__wasm_reader_s32(reader, &small);
        ret->value = small;
        break;
    case PVF__WASM_IMM_I64:
        return pvf__wasm_reader_s64(reader, &ret->value);
    case PVF__WASM_IMM_BYTES4:
        return pvf__wasm_reader_bytes(reader, 4, &ret->raw);
    case PVF__WASM_IMM_BYTES8:
        return pvf__wasm_reader_bytes(reader, 8, &ret->raw);
    case PVF__WASM_IMM_REFUSED:
    default:
        return pvf__wasm_fault_grammar(reader->fault,
                                       place(reader, ret),
                                       feature_of(ret->op, *reader),
                                       "UnknownOpcode(%u)",
                                       ret->op);
    }
    return status;
}

int pvf__wasm_instr_rest(struct pvf__wasm_reader *reader, struct pvf__wasm_instr *ret)
{
    /* The reader's own mark is for the caller, who may look after a whole sequence. */
    bool before = reader->loose;
    reader->loose = false;
    int status = read_imm(reader, ret);
    ret->loose = reader->loose;
    reader->loose |= before;
    return status;
}

static void write_table(const struct pvf__wasm_instr *instr, struct pvf__buf *out)
{
    (void)pvf__wasm_leb_write_u32(out, instr->count);
    struct pvf__cursor targets;
    pvf__cursor_init(&targets, instr->raw.data, instr->raw.len);
    uint32_t target = 0;
    while (pvf__wasm_leb_u32(&targets, &target) <= PVF__WASM_LEB_LOOSE) {
        (void)pvf__wasm_leb_write_u32(out, target);
    }
    (void)pvf__wasm_leb_write_u32(out, instr->index);
}

void pvf__wasm_instr_write(const struct pvf__wasm_instr *instr, struct pvf__buf *out)
{
    (void)pvf__buf_u8(out, instr->op);
    switch ((enum pvf__wasm_imm)instr->imm) {
    case PVF__WASM_IMM_BLOCK:
        (void)pvf__buf_u8(out, instr->block);
        break;
    case PVF__WASM_IMM_INDEX:
        (void)pvf__wasm_leb_write_u32(out, instr->index);
        break;
    case PVF__WASM_IMM_TABLE:
        write_table(instr, out);
        break;
    case PVF__WASM_IMM_INDIRECT:
        (void)pvf__wasm_leb_write_u32(out, instr->index);
        (void)pvf__buf_u8(out, 0);
        break;
    case PVF__WASM_IMM_MEMARG:
        (void)pvf__wasm_leb_write_u32(out, instr->index);
        (void)pvf__wasm_leb_write_u32(out, instr->offset);
        break;
    case PVF__WASM_IMM_ZERO:
        (void)pvf__buf_u8(out, 0);
        break;
    case PVF__WASM_IMM_I32:
    case PVF__WASM_IMM_I64:
        (void)pvf__wasm_leb_write_s64(out, instr->value);
        break;
    case PVF__WASM_IMM_BYTES4:
    case PVF__WASM_IMM_BYTES8:
        (void)pvf__buf_append(out, instr->raw.data, instr->raw.len);
        break;
    case PVF__WASM_IMM_NONE:
    case PVF__WASM_IMM_REFUSED:
    default:
        break;
    }
}
