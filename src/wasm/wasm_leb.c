/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: LEB128, reading and writing.  Trusts nothing about the bytes read. */
#include "wasm/wasm_leb.h"

/*
 * Reads at most `max_bytes`; the last of them may only be one of the values for which `last_ok`
 * holds.  Bits come out unextended; *ret_shift tells how many there are.
 */
static enum pvf__wasm_leb read_bits(struct pvf__cursor *cursor,
                                    size_t max_bytes,
                                    bool (*last_ok)(uint8_t),
                                    uint64_t *ret_bits,
                                    unsigned *ret_shift)
{
    struct pvf__cursor ahead = *cursor;
    uint64_t bits = 0;
    unsigned shift = 0;
    for (size_t i = 1;; i++) {
        const uint8_t *at;
        if (!pvf__cursor_claim(&ahead, 1, &at)) {
            return PVF__WASM_LEB_EOF;
        }
        if (i == max_bytes && !last_ok(*at)) {
            return PVF__WASM_LEB_INVALID;
        }
        bits |= (uint64_t)(*at & 0x7F) << shift;
        shift += 7;
        if ((*at & 0x80) == 0) {
            break;
        }
    }
    *cursor = ahead;
    *ret_bits = bits;
    *ret_shift = shift;
    return PVF__WASM_LEB_SHORTEST;
}

static bool last_u32(uint8_t byte)
{
    return byte <= 0x0F;
}

static bool last_s32(uint8_t byte)
{
    return byte <= 0x07 || (byte >= 0x78 && byte <= 0x7F);
}

static bool last_s64(uint8_t byte)
{
    return byte == 0x00 || byte == 0x7F;
}

enum pvf__wasm_leb pvf__wasm_leb_u32(struct pvf__cursor *cursor, uint32_t *ret)
{
    const uint8_t *start = cursor->at;
    uint64_t bits;
    unsigned shift;
    enum pvf__wasm_leb status = read_bits(cursor, PVF__WASM_LEB_MAX32, last_u32, &bits, &shift);
    if (status != PVF__WASM_LEB_SHORTEST) {
        return status;
    }
    *ret = (uint32_t)bits;
    bool loose = cursor->at - start > 1 && cursor->at[-1] == 0;
    return loose ? PVF__WASM_LEB_LOOSE : PVF__WASM_LEB_SHORTEST;
}

/* Whether the last byte of a signed number only repeats the sign of the byte before it. */
static bool repeats_sign(const uint8_t *start, const uint8_t *end)
{
    if (end - start < 2) {
        return false;
    }
    bool negative = (end[-2] & 0x40) != 0;
    return end[-1] == (negative ? 0x7F : 0x00);
}

static enum pvf__wasm_leb
read_signed(struct pvf__cursor *cursor, size_t max_bytes, bool (*last_ok)(uint8_t), int64_t *ret)
{
    const uint8_t *start = cursor->at;
    uint64_t bits;
    unsigned shift;
    enum pvf__wasm_leb status = read_bits(cursor, max_bytes, last_ok, &bits, &shift);
    if (status != PVF__WASM_LEB_SHORTEST) {
        return status;
    }
    if (shift < 64 && (cursor->at[-1] & 0x40) != 0) {
        bits |= UINT64_MAX << shift;
    }
    *ret = (int64_t)bits;
    return repeats_sign(start, cursor->at) ? PVF__WASM_LEB_LOOSE : PVF__WASM_LEB_SHORTEST;
}

enum pvf__wasm_leb pvf__wasm_leb_s32(struct pvf__cursor *cursor, int32_t *ret)
{
    int64_t value = 0;
    enum pvf__wasm_leb status = read_signed(cursor, PVF__WASM_LEB_MAX32, last_s32, &value);
    if (status <= PVF__WASM_LEB_LOOSE) {
        *ret = (int32_t)value;
    }
    return status;
}

enum pvf__wasm_leb pvf__wasm_leb_s64(struct pvf__cursor *cursor, int64_t *ret)
{
    return read_signed(cursor, 10, last_s64, ret);
}

size_t pvf__wasm_leb_put_u32(uint8_t *out, uint32_t value)
{
    size_t len = 0;
    while (value >= 0x80) {
        out[len++] = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    out[len++] = (uint8_t)value;
    return len;
}

static size_t put_s64(uint8_t *out, int64_t value)
{
    size_t len = 0;
    for (;;) {
        uint8_t byte = (uint8_t)((uint64_t)value & 0x7F);
        /* Division rounding down: right shift of a negative number is up to the compiler. */
        value = value < 0 ? ~(int64_t)((uint64_t)~value >> 7) : (int64_t)((uint64_t)value >> 7);
        bool done = (byte & 0x40) != 0 ? value == -1 : value == 0;
        out[len++] = done ? byte : byte | 0x80;
        if (done) {
            return len;
        }
    }
}

size_t pvf__wasm_leb_put_s32(uint8_t *out, int32_t value)
{
    return put_s64(out, value);
}

int pvf__wasm_leb_write_u32(struct pvf__buf *buf, uint32_t value)
{
    uint8_t bytes[PVF__WASM_LEB_MAX32];
    return pvf__buf_append(buf, bytes, pvf__wasm_leb_put_u32(bytes, value));
}

int pvf__wasm_leb_write_s64(struct pvf__buf *buf, int64_t value)
{
    uint8_t bytes[10];
    return pvf__buf_append(buf, bytes, put_s64(bytes, value));
}

size_t pvf__wasm_leb_size_u32(uint32_t value)
{
    size_t len = 1;
    while (value >= 0x80) {
        value >>= 7;
        len++;
    }
    return len;
}
