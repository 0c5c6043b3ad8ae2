# SPDX-License-Identifier: Apache-2.0
"""Cases about frames, the same at every door: each place where a worker waits for one."""
import struct

import corpus_wire

from . import modules
from .suite import add, case, collapse, execute_request, prepare_request

SILENT = "silent, exit 1"
SAID = "InternalError/HostCommunication, exit 1"
# Each executor parameter once, in both of its kinds where it has two.
EVERY_PARAMETER = bytes.fromhex(
    "28 0100200000 0200000100 0300000010 040000008000000000 0500 60ea000000000000"
    "0501 80ee360000000000 0600 d007000000000000 0601 e02e000000000000 07 0801")

# Door: the worker's kind, our limit for a frame there, and how a worker ends that gets none.
DOORS = {
    "prepare: handshake": ("prepare", 4096, SILENT),
    "execute: handshake": ("execute", 4096, SILENT),
    "execute: parameters": ("execute", 1 << 20, SAID),
    "prepare: request": ("prepare", 256 << 20, SILENT),
    "execute: request": ("execute", 512 << 20, SAID),
}


def at_door(t, door):
    """A worker that waits at a door, and the body of a good message there."""
    kind, place = door.split(": ")
    if place == "request":
        return t.ready(kind, modules.CONSTANT)
    worker = t.connect(kind)
    if place == "handshake":
        return worker, t.security
    worker.send(t.security)
    return worker, EVERY_PARAMETER


def end_at(t, door, data):
    """How a worker ends after these raw bytes at a door, when the host then closes its side."""
    worker, _ = at_door(t, door)
    with worker:
        worker.send_raw(data)
        return worker.end()


def good_body(t, door):
    worker, body = at_door(t, door)
    with worker:
        worker.end()
    return body


def _each_cut(t, door, form):
    """What is not DOORS' end, of all cuts of a good message."""
    body = good_body(t, door)
    want, bad = DOORS[door][2], {}
    frame = corpus_wire.frame(body)
    cuts = [frame[:n] for n in range(len(frame))] if form == "stream" else \
        [corpus_wire.frame(body[:n]) for n in range(len(body))]
    for cut in cuts:
        seen = end_at(t, door, cut)
        if seen != want:
            bad[f"{len(cut)} bytes"] = seen
    return "; ".join(f"{k}: {v}" for k, v in bad.items()) or "all refused"


for _door in DOORS:
    add(f"{_door}: end of the stream before each byte", "all refused",
        lambda t, door=_door: _each_cut(t, door, "stream"))
    add(f"{_door}: frame without its last bytes, each number of them", "all refused",
        lambda t, door=_door: _each_cut(t, door, "body"))


def _length_case(t, length, doors=None):
    """How workers exit when a frame of this length is announced and the host then closes."""
    header = struct.pack("<Q", length)
    return collapse({door: end_at(t, door, header).rpartition(", ")[2] for door in doors or DOORS})


# How long a worker is looked at: to the deadline for ours, which must end; for a moment where it
# should wait.
PATIENCE = {False: 30.0, True: 0.3}


def _waits(t, length_of):
    """Whether a worker goes on waiting for a frame of which nothing but the length comes."""
    seen = {}
    for door in DOORS:
        worker, _ = at_door(t, door)
        with worker:
            worker.send_raw(struct.pack("<Q", length_of(door)))
            seen[door] = "waits" if worker.waits(PATIENCE[t.reference]) else "ends"
    return collapse(seen)


@case("length 2^63")
def _(t):
    return _length_case(t, 1 << 63)


@case("length 2^64 - 1")
def _(t):
    return _length_case(t, (1 << 64) - 1)


@case("length 2^47")
def _(t):
    return _length_case(t, 1 << 47)


@case("length 2^40")
def _(t):
    seen = {}
    for door in DOORS:
        worker, _ = at_door(t, door)
        with worker:
            worker.send_raw(struct.pack("<Q", 1 << 40))
            waited = worker.waits(PATIENCE[t.reference])
            code = worker.end().rpartition(", ")[2]
            seen[door] = f"{'waits' if waited else 'ends'}, {code}"
    # An allocator that gives memory which is not there makes it wait, any other makes it abort.
    if t.reference and set(seen.values()) <= {"waits, exit 1", "ends, SIGABRT"}:
        return "waits, exit 1, or ends, SIGABRT"
    return collapse(seen)


@case("length one above our limit")
def _(t):
    return _waits(t, lambda door: DOORS[door][1] + 1)


@case("length at our limit", "waits")
def _(t):
    seen = {}
    for door, (_, limit, _) in DOORS.items():
        worker, _ = at_door(t, door)
        with worker:
            worker.send_raw(struct.pack("<Q", limit))
            seen[door] = "waits" if worker.waits() else "ends"
    return collapse(seen)


def _answers(worker, count):
    seen = [worker.receive().name for _ in range(count)]
    return ", ".join([*seen, worker.end()])


GOOD = {"prepare": f"Ok, {SILENT}", "execute": f"Ok, {SAID}"}
GOOD_TWICE = {"prepare": f"Ok, Ok, {SILENT}", "execute": f"Ok, Ok, {SAID}"}


def _add_for(kind, name, want, run):
    add(f"{kind}: {name}", want, lambda t: run(t, kind))


def _conversation(t, kind):
    """A connected worker with its files in place, and the bodies of a whole conversation."""
    artifact, checksum = t.artifact(modules.CONSTANT)
    worker = t.connect(kind)
    if kind == "prepare":
        worker.put("tmp-artifact", b"")
        return worker, [t.security, prepare_request(modules.CONSTANT)]
    worker.put("artifact", artifact)
    return worker, [t.security, b"\0", execute_request(checksum)]


def _bytewise(t, kind):
    worker, bodies = _conversation(t, kind)
    with worker:
        worker.send_bytewise(b"".join(corpus_wire.frame(body) for body in bodies))
        return _answers(worker, 1)


def _at_once(t, kind):
    worker, bodies = _conversation(t, kind)
    with worker:
        worker.send(*bodies)
        return _answers(worker, 1)


def _two_requests(t, kind):
    worker, bodies = _conversation(t, kind)
    with worker:
        worker.send(*bodies, bodies[-1])
        return _answers(worker, 2)


def _leftover(t, kind):
    worker, bodies = _conversation(t, kind)
    with worker:
        worker.send(*(body + b"\xff\0more" for body in bodies), bodies[-1])
        return _answers(worker, 2)


def _no_unasked_byte(t, kind):
    worker, bodies = _conversation(t, kind)
    with worker:
        worker.send(*bodies[:-1])
        quiet = worker.waits()
        worker.send(bodies[-1])
        answer = worker.receive().name
        quiet = quiet and worker.waits()
        return ", ".join(["quiet" if quiet else "unasked bytes", answer, worker.end()])


for _kind in ("prepare", "execute"):
    _add_for(_kind, "every byte of a conversation alone", GOOD[_kind], _bytewise)
    _add_for(_kind, "a conversation in one piece", GOOD[_kind], _at_once)
    _add_for(_kind, "two requests in one piece", GOOD_TWICE[_kind], _two_requests)
    _add_for(_kind, "more bytes behind each value", GOOD_TWICE[_kind], _leftover)
    _add_for(_kind, "no unasked byte", f"quiet, {GOOD[_kind]}", _no_unasked_byte)


def _no_bool(t, kind):
    seen = {}
    for at in range(5):
        for value in (2, 0x80, 0xFF):
            flags = bytearray(5)
            flags[at] = value
            seen[f"{value} at {at}"] = end_at(t, f"{kind}: handshake", corpus_wire.frame(flags))
    return collapse(seen)


def _longest_handshake(t, kind):
    """Our limit itself is still a handshake."""
    with t.connect(kind) as worker:
        worker.send(t.security + bytes(4096 - 5), *([b"\0"] if kind == "execute" else []))
        return worker.end()


for _kind, _want in (("prepare", SILENT), ("execute", SAID)):
    _add_for(_kind, "handshake: no bool", SILENT, _no_bool)
    _add_for(_kind, "handshake: with all that fits our limit", _want, _longest_handshake)


# Executor parameters, at both doors where they are read.  True: a good list.
PARAMETERS = {
    "none": (b"\0", True),
    "every one": (EVERY_PARAMETER, True),
    "one twice": (b"\x08\7\7", True),
    "all extremes": (b"\x10\1\1\0\0\0\4" + b"\xff" * 8 + b"\5\1" + b"\xff" * 8 + b"\6\0" + bytes(8),
                     True),
    "index 0": (b"\4\0", False),
    "index 9": (b"\4\x09" + bytes(8), False),
    "no such kind of preparation": (b"\4\5\2" + bytes(8), False),
    "no such kind of execution": (b"\4\6\2" + bytes(8), False),
    "no such host function": (b"\4\x08\0", False),
    "no such host function either": (b"\4\x08\2", False),
    "more announced than there are": (b"\x08\7", False),
    "2^30 announced": (b"\3\0\0\0\x40", False),
    "2^32 - 1 announced": (b"\3\xff\xff\xff\xff", False),
    "a count in two bytes instead of one": (b"\5\0\7", False),
    "a count in four bytes instead of one": (b"\6\0\0\0\7", False),
    "a count in five bytes instead of one": (b"\3\1\0\0\0\7", False),
    "a count of nine bytes": (b"\x17\1\0\0\0\0\0\0\0\0\7", False),
}


def _parameters(t, kind, encoded, good):
    artifact, checksum = t.artifact(modules.CONSTANT, encoded if good else b"\0")
    with t.connect(kind) as worker:
        if kind == "prepare":
            worker.put("tmp-artifact", b"")
            worker.send(t.security, prepare_request(modules.CONSTANT, params=encoded))
            return worker.answer_or_end()
        worker.put("artifact", artifact)
        worker.send(t.security, encoded)
        worker.send(execute_request(checksum))
        return worker.answer_or_end()


for _name, (_encoded, _good) in PARAMETERS.items():
    for _kind, _refused in (("prepare", SILENT), ("execute", SAID)):
        _add_for(_kind, f"executor parameters: {_name}", "Ok" if _good else _refused,
                 lambda t, kind, e=_encoded, g=_good: _parameters(t, kind, e, g))
