/* SPDX-License-Identifier: Apache-2.0 */
/* Owns: primitive reads with the reference's faults.  Trusts only the length it was given. */
#include "wasm/wasm_reader.h"

#include "base/text.h"

void pvf__wasm_reader_init(struct pvf__wasm_reader *reader,
                           const uint8_t *data,
                           size_t len,
                           struct pvf__wasm_fault *fault)
{
    pvf__cursor_init(&reader->in, data, len);
    reader->base = reader->in.start;
    reader->fault = fault;
    reader->loose = false;
}

void pvf__wasm_reader_over(struct pvf__wasm_reader *reader,
                           const struct pvf__wasm_reader *whole,
                           struct pvf__slice part)
{
    pvf__cursor_init(&reader->in, part.data, part.len);
    reader->base = whole->base;
    reader->fault = whole->fault;
    reader->loose = false;
}

int pvf__wasm_reader_eof(struct pvf__wasm_reader *reader)
{
    return pvf__wasm_fault_grammar(reader->fault,
                                   pvf__wasm_reader_offset(reader),
                                   "",
                                   "HeapOther(\\\"I/O Error: UnexpectedEof\\\")");
}

int pvf__wasm_reader_surplus(struct pvf__wasm_reader *reader)
{
    return pvf__wasm_fault_grammar(reader->fault,
                                   pvf__wasm_reader_offset(reader),
                                   "",
                                   "HeapOther(\\\"I/O Error: InvalidData\\\")");
}

/* Turns what the LEB reader said into a status. */
static int settle(struct pvf__wasm_reader *reader, enum pvf__wasm_leb got, const char *words)
{
    if (got == PVF__WASM_LEB_EOF) {
        return pvf__wasm_reader_eof(reader);
    }
    if (got == PVF__WASM_LEB_INVALID) {
        return pvf__wasm_fault_grammar(
            reader->fault, pvf__wasm_reader_offset(reader), "", "%s", words);
    }
    reader->loose |= got == PVF__WASM_LEB_LOOSE;
    return 0;
}

int pvf__wasm_reader_u32_long(struct pvf__wasm_reader *reader, uint32_t *ret)
{
    return settle(reader, pvf__wasm_leb_u32(&reader->in, ret), "InvalidVarUint32");
}

int pvf__wasm_reader_s32_long(struct pvf__wasm_reader *reader, int32_t *ret)
{
    return settle(reader, pvf__wasm_leb_s32(&reader->in, ret), "InvalidVarInt32");
}

int pvf__wasm_reader_s64(struct pvf__wasm_reader *reader, int64_t *ret)
{
    return settle(reader, pvf__wasm_leb_s64(&reader->in, ret), "InvalidVarInt64");
}

int pvf__wasm_reader_bytes(struct pvf__wasm_reader *reader, size_t len, struct pvf__slice *ret)
{
    const uint8_t *data;
    if (!pvf__cursor_claim(&reader->in, len, &data)) {
        return pvf__wasm_reader_eof(reader);
    }
    *ret = (struct pvf__slice){data, len};
    return 0;
}

int pvf__wasm_reader_block(struct pvf__wasm_reader *reader, struct pvf__slice *ret)
{
    uint32_t len;
    int status = pvf__wasm_reader_u32(reader, &len);
    return status != 0 ? status : pvf__wasm_reader_bytes(reader, len, ret);
}

int pvf__wasm_reader_name(struct pvf__wasm_reader *reader, struct pvf__slice *ret)
{
    size_t offset = pvf__wasm_reader_offset(reader);
    struct pvf__slice name = {0};
    int status = pvf__wasm_reader_block(reader, &name);
    if (status != 0) {
        return status;
    }
    if (!pvf__text_is_utf8(name.data, name.len)) {
        return pvf__wasm_fault_grammar(reader->fault, offset, "", "NonUtf8String");
    }
    *ret = name;
    return 0;
}

int pvf__wasm_reader_valtype(struct pvf__wasm_reader *reader, uint8_t *ret)
{
    size_t offset = pvf__wasm_reader_offset(reader);
    uint8_t byte = 0;
    int status = pvf__wasm_reader_byte(reader, &byte);
    if (status != 0) {
        return status;
    }
    if (byte >= 0x7C && byte <= 0x7F) {
        *ret = byte;
        return 0;
    }
    if (byte >= 0x80) {
        return pvf__wasm_fault_grammar(reader->fault, offset, "", "InvalidVarInt7(%u)", byte);
    }
    const char *feature = "";
    if (byte == 0x7B) {
        feature = "SIMD";
    } else if (byte == 0x70 || byte == 0x6F) {
        feature = "reference types";
    } else if (byte >= 0x63 && byte <= 0x74) {
        feature = "GC";
    }
    /* The byte as the reference prints it: a signed number of seven bits. */
    int shown = byte >= 0x40 ? byte - 0x80 : byte;
    return pvf__wasm_fault_grammar(reader->fault, offset, feature, "UnknownValueType(%d)", shown);
}
