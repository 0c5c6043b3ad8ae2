# SPDX-License-Identifier: Apache-2.0
"""Owns: small Wasm modules, each made for one outcome, and the little that encodes them."""

I32, I64 = b"\x7f", b"\x7e"
END = b"\x0b"


def unsigned(value):
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(out) + bytes([value])


def signed(value):
    out = bytearray()
    while not -0x40 <= value < 0x40:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(out) + bytes([value & 0x7F])


def name(text):
    return unsigned(len(text)) + text


def items(entries):
    return unsigned(len(entries)) + b"".join(entries)


def section(number, entries):
    body = items(entries)
    return bytes([number]) + unsigned(len(body)) + body


def i32_const(value):
    return b"\x41" + signed(value)


def i64_const(value):
    return b"\x42" + signed(value)


def function(body, locals_of=()):
    code = items(list(locals_of)) + body + END
    return unsigned(len(code)) + code


HEADER = b"\0asm\1\0\0\0"
ENTRY_TYPE = b"\x60" + items([I32, I32]) + items([I64])
EXPORTS = [name(b"memory") + b"\2\0", name(b"__heap_base") + b"\3\0",
           name(b"validate_block") + b"\0\0"]
HEAP_BASE = 1 << 16


def module(body, locals_of=(), pages=2, more_functions=(), data=None):
    """A PVF whose validate_block has this body; `data` is (offset, bytes) of one segment."""
    functions = [function(body, locals_of), *more_functions]
    out = (HEADER + section(1, [ENTRY_TYPE]) + section(3, [b"\0"] * len(functions)) +
           section(5, [b"\0" + unsigned(pages)]) +
           section(6, [I32 + b"\0" + i32_const(HEAP_BASE) + END]) + section(7, EXPORTS) +
           section(10, functions))
    if data is not None:
        offset, content = data
        out += section(11, [b"\0" + i32_const(offset) + END + name(content)])
    return out


def packed(pointer, length):
    """What validate_block returns: the result's place in guest memory."""
    return i64_const(length << 32 | pointer)


def result(head):
    """A ValidationResult of this head and nothing else."""
    length = len(head) << 2 if len(head) < 64 else len(head) << 2 | 1
    return length.to_bytes(1 if len(head) < 64 else 2, "little") + head + bytes(11)


# Returns the bytes of its input as the new head, so that a test sees what the guest was given.
# The input must have 64 to 16383 bytes: the length is written in the form for those.
_AT = 1024
ECHO = module(
    i32_const(_AT) + bytes.fromhex("2001 4102 74 4101 72 3b0000") +  # store16(len << 2 | 1)
    bytes.fromhex("0240 0340"
                  "2002 2001 4f 0d01"  # leave the block when i >= len
                  "2002 2000 2002 6a 2d0000 3a00") + unsigned(_AT + 2) +  # out[i] = in[i]
    bytes.fromhex("2002 4101 6a 2102 0c00 0b 0b") +  # i += 1
    bytes.fromhex("2001 410d 6a ad 4220 86") + i64_const(_AT) + b"\x84",  # (len + 13) << 32 | at
    locals_of=[b"\1" + I32])

CONSTANT_RESULT = result(b"head")
CONSTANT = module(packed(16, len(CONSTANT_RESULT)), data=(16, CONSTANT_RESULT))
TRAP = module(b"\0" + packed(0, 0))
# Calls itself 5000 times: some hundred KiB of native stack, a third of the logical limit.
DEEP = module(i32_const(5000) + i32_const(0) + b"\x10\1", data=(16, CONSTANT_RESULT),
              more_functions=[function(bytes.fromhex("2000 45 0440") +
                                       packed(16, len(CONSTANT_RESULT)) +
                                       bytes.fromhex("0f 0b 2000 4101 6b 2001 1001"))])
ENDLESS = module(bytes.fromhex("0340 0c00 0b") + packed(0, 0))
# The same for a parent head of one byte, else a result.
ENDLESS_IF_ASKED = module(bytes.fromhex("2000 2d0000 4104 46 0440 0340 0c00 0b 0b") +
                          packed(16, len(CONSTANT_RESULT)), data=(16, CONSTANT_RESULT))
NO_RESULT = module(packed(16, 4), data=(16, b"\xff\xff\xff\xff"))  # four bytes that are none
RESULT_OUTSIDE = module(packed(0, 3 << 16))
NO_EXPORTS = HEADER
# Where each stage refuses: the parser, the limiter or compiler, the construction of the runtime.
SIGN_EXTENSION = module(i32_const(1) + b"\xc0\x1a" + packed(0, 0))
STACK_UNDERFLOW = module(b"\x6a\x1a" + packed(0, 0))
DATA_OUTSIDE = module(packed(0, 0), data=(2 << 16, b"x"))
TOO_MANY_PAGES = module(packed(0, 0), pages=2081)
FOREIGN_IMPORT = (HEADER + section(1, [ENTRY_TYPE]) +
                  section(2, [name(b"other") + name(b"function") + b"\0\0"]))


def with_start(body):
    """CONSTANT with a start function."""
    functions = [function(packed(16, len(CONSTANT_RESULT))), function(body)]
    return (HEADER + section(1, [ENTRY_TYPE, b"\x60\0\0"]) + section(3, [b"\0", b"\1"]) +
            section(5, [b"\0\2"]) + section(6, [I32 + b"\0" + i32_const(HEAP_BASE) + END]) +
            section(7, EXPORTS) + b"\x08\1\1" + section(10, functions) +
            section(11, [b"\0" + i32_const(16) + END + name(CONSTANT_RESULT)]))


START_WORKS, START_TRAP = with_start(b""), with_start(b"\0")
START_ENDLESS = with_start(bytes.fromhex("0340 0c00 0b"))


def slow_to_compile():
    """Some seconds for a compiler: functions that keep 5000 values alive at once."""
    count = 5000
    body = (b"".join(b"\x20\0" + i32_const(7919 * i + 1) + b"\x6c" for i in range(count)) +
            b"\x6a" * (count - 1) + b"\xad")  # the sum of ptr * constant
    return module(packed(0, 0), more_functions=[function(body)] * 20)
