# SPDX-License-Identifier: Apache-2.0
"""Cases of damaged messages: one bit of a good message is flipped, and a fresh worker gets it.
Whatever comes of it (a flipped bit often makes another good message), the worker answers in the
protocol's words and ends by exit 1 when the host goes."""
import random
import struct

import corpus_wire

from . import modules
from .frames import DOORS, EVERY_PARAMETER, at_door
from .suite import add, execute_request, prepare_request
from .worker import Silent

SEED, SAMPLE = 20, 512  # the header's 64 bits are always among them


def _flipped(body, bit):
    frame = bytearray(corpus_wire.frame(body))
    frame[bit // 8] ^= 1 << bit % 8
    return bytes(frame)


def _announced(stream):
    """The lengths of a stream's complete frames, and of what follows them."""
    complete, at = [], 0
    while len(stream) - at >= 8:
        length = struct.unpack_from("<Q", stream, at)[0]
        if len(stream) - at - 8 < length:
            return complete, length
        complete.append(length)
        at += 8 + length
    return complete, 0


def _step(t, door, bit):
    """What is wrong about one flipped bit, or None."""
    kind, place = door.split(": ")
    if place == "parameters":
        artifact, checksum = t.artifact(modules.CONSTANT)
        worker, body = at_door(t, door)
        worker.put("artifact", artifact)
        after = corpus_wire.frame(execute_request(checksum))
    else:
        (worker, body), after = at_door(t, door), b""
    stream = _flipped(body, bit) + after
    needed = 2 if place == "parameters" else 1
    complete, pending = _announced(stream)
    with worker:
        worker.send_raw(stream)
        # A worker that has a whole request answers or ends; any other waits for the host.
        if place != "handshake" and len(complete) >= needed:
            try:
                worker.receive()
            except Silent as silent:
                if str(silent) != "no answer":
                    return str(silent)
        end = worker.end()
    if end.endswith(", exit 1"):
        return None
    if t.reference and pending >= 1 << 32 and end.endswith((" exit 101", " SIGABRT")):
        return None  # in the table of differences: lengths
    return end


def _all(t, door, bits):
    bad = []
    for bit in bits:
        try:
            seen = _step(t, door, bit)
        except ValueError as error:
            seen = f"no answer of the protocol: {error}"
        if seen is not None:
            bad.append(f"bit {bit}: {seen}")
    return "; ".join(bad) or "an orderly end each time"


LENGTHS = {
    "handshake": 5,
    "parameters": len(EVERY_PARAMETER),
    "prepare: request": len(prepare_request(modules.CONSTANT)),
    "execute: request": len(execute_request(bytes(32))),
}
PARTS = 4  # so that several workers have something to do


def _bits_of(length):
    bits = range(64, 8 * (length + 8))
    return [*range(64), *sorted(random.Random(SEED).sample(bits, min(SAMPLE, len(bits))))]


for _door in DOORS:
    _length = LENGTHS.get(_door) or LENGTHS[_door.split(": ")[1]]
    for _part in range(PARTS):
        add(f"{_door}: flipped bits, part {_part + 1} of {PARTS}", "an orderly end each time",
            lambda t, door=_door, bits=_bits_of(_length)[_part::PARTS]: _all(t, door, bits))
