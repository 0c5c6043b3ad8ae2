#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes guests that do nothing but one host call, a million times, as folders for `pvf bench`.

    bench/host_call_guests.py FOLDER
    build/bin/pvf bench --no-fence --reference OLD_WORKERS FOLDER/*

What a job's CPU time is above that of `none`, in milliseconds, is what a call costs in nanoseconds.
"""
import pathlib
import sys

CALLS = 1_000_000
HEAP_BASE = 65536
RESULT_AT = 1024  # twelve zeros: a result without head data, messages or code
DATA_AT = 2048

I32, I64 = 0x7F, 0x7E
# Parameters and result of each import, in the order of the indices.
IMPORTS = {
    "ext_allocator_malloc_version_1": ([I32], [I32]),
    "ext_allocator_free_version_1": ([I32], []),
    "ext_logging_max_level_version_1": ([], [I32]),
    "ext_hashing_twox_64_version_1": ([I64], [I32]),
    "ext_hashing_twox_128_version_1": ([I64], [I32]),
    "ext_hashing_blake2_256_version_1": ([I64], [I32]),
}


def unsigned(value):
    """An unsigned LEB128 number."""
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes(out) + bytes([value])


def signed(value):
    """A signed LEB128 number, not below 0."""
    out = bytearray()
    while value > 63:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes(out) + bytes([value])


def vector(items):
    """Items behind their number."""
    items = list(items)
    return unsigned(len(items)) + b"".join(items)


def block(data):
    """Bytes behind their length."""
    return unsigned(len(data)) + data


def i32(value):
    """i32.const."""
    return b"\x41" + signed(value)


def fat(length):
    """i64.const: a pointer to `length` bytes of data."""
    return b"\x42" + signed(length << 32 | DATA_AT)


def call(name):
    """A call of an import, by the part of its name that tells it."""
    index = next(i for i, full in enumerate(IMPORTS) if name in full)
    return b"\x10" + unsigned(index)


GUESTS = {
    "none": b"",
    "max_level": call("max_level") + b"\x1a",
    "malloc_free": i32(40) + call("malloc") + call("free"),
    "twox_64_of_16_free": fat(16) + call("twox_64") + call("free"),
    "twox_128_of_16_free": fat(16) + call("twox_128") + call("free"),
    "blake2_256_of_32_free": fat(32) + call("blake2_256") + call("free"),
}


def function_type(params, results):
    """A function type's bytes."""
    return b"\x60" + vector(bytes([t]) for t in params) + vector(bytes([t]) for t in results)


def module(body):
    """A PVF whose entry runs `body` CALLS times."""
    def section(number, data):
        return bytes([number]) + block(data)

    def export(name, kind, index):
        return block(name.encode()) + bytes([kind]) + unsigned(index)

    loop = (i32(CALLS) + b"\x21\x02\x03\x40" + body + b"\x20\x02" + i32(1) +
            b"\x6b\x22\x02\x0d\x00\x0b")
    result = b"\x42" + signed(12 << 32 | RESULT_AT)
    code = b"\x01\x01" + bytes([I32]) + loop + result + b"\x0b"
    types = [function_type([I32, I32], [I64])] + [function_type(*t) for t in IMPORTS.values()]
    imports = [block(b"env") + block(name.encode()) + b"\x00" + unsigned(1 + i)
               for i, name in enumerate(IMPORTS)]
    return (b"\0asm\x01\0\0\0" + section(1, vector(types)) + section(2, vector(imports)) +
            section(3, vector([unsigned(0)])) + section(5, vector([b"\x00\x20"])) +
            section(6, vector([bytes([I32, 0]) + i32(HEAP_BASE) + b"\x0b"])) +
            section(7, vector([export("memory", 2, 0), export("__heap_base", 3, 0),
                               export("validate_block", 0, len(IMPORTS))])) +
            section(10, vector([block(code)])))


def main():
    """Writes a folder for each guest."""
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    for name, body in GUESTS.items():
        folder = pathlib.Path(sys.argv[1]) / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "code.wasm").write_bytes(module(body))
        (folder / "block_data.bin").write_bytes(b"")
        # Head data, relay parent's number and storage root, the largest PoV.
        (folder / "pvd.scale").write_bytes(bytes(1 + 4 + 32) + (5 << 20).to_bytes(4, "little"))
        (folder / "expected_result.scale").write_bytes(bytes(12))


if __name__ == "__main__":
    main()
