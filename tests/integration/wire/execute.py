# SPDX-License-Identifier: Apache-2.0
"""Cases of an execute worker's requests: what is run, and each error that can be provoked."""
import os
import resource
import struct

import corpus_wire

from . import modules
from .frames import SAID
from .prepare import rising_limit
from .suite import (HEAD, NUMBER, POV, RELAY_PARENT, ROOT, SCHEDULING_PARENT, add, case,
                    descriptors, execute_request)
from .worker import process_fields

MAGIC = corpus_wire.MAGIC
FINDING = "PoVDecompressionFailure"


def ask(t, code, params=b"\0", prepared_for=b"\0", **options):
    worker, checksum = t.executor(code, prepared_for, params=params)
    with worker:
        answer = worker.ask(execute_request(checksum, **options))
        end = worker.end()
        return answer.name if end == SAID else f"{answer.name}, {end}"


def native_stack(size):
    return b"\4\3" + struct.pack("<I", size)


def limit(value):
    return {"timeout": corpus_wire.duration(value)}


BOMB = (40 << 20) + 1
BULK = b"\4\7"
# name, module, what differs from a plain request, answer
REQUESTS = (
    ("constant result", modules.CONSTANT, {}, "Ok"),
    ("trap", modules.TRAP, {}, "InvalidCandidate"),
    ("a result that is none", modules.NO_RESULT, {}, "InvalidCandidate"),
    ("a result outside the memory", modules.RESULT_OUTSIDE, {}, "InvalidCandidate"),
    ("no exports", modules.NO_EXPORTS, {}, "InvalidCandidate"),
    ("foreign import", modules.FOREIGN_IMPORT, {}, "RuntimeConstruction"),
    ("data outside the memory", modules.DATA_OUTSIDE, {}, "RuntimeConstruction"),
    ("more memory than there is", modules.TOO_MANY_PAGES, {}, "RuntimeConstruction"),
    ("more memory, and leave for it", modules.TOO_MANY_PAGES,
     {"params": b"\4\1" + struct.pack("<I", 2049)}, "InvalidCandidate"),
    ("endless loop", modules.ENDLESS, limit(0.2), "JobTimedOut"),
    ("no CPU time", modules.CONSTANT, limit(0), "JobTimedOut"),
    ("no CPU time for a trap", modules.TRAP, limit(0), "JobTimedOut"),
    ("a nanosecond of CPU time", modules.CONSTANT, {"timeout": struct.pack("<QI", 0, 1)},
     "JobTimedOut"),
    ("a thousand years of CPU time", modules.CONSTANT, limit(10**10), "Ok"),
    ("empty PoV", modules.CONSTANT, {"pov": b""}, "Ok"),
    ("compressed PoV", modules.CONSTANT, {"pov": MAGIC + corpus_wire.zstd_raw(POV)}, "Ok"),
    ("nothing compressed", modules.CONSTANT, {"pov": MAGIC}, FINDING),
    ("no compressed PoV", modules.CONSTANT, {"pov": MAGIC + b"nothing of it"}, FINDING),
    ("half a compressed PoV", modules.CONSTANT,
     {"pov": MAGIC + corpus_wire.zstd_raw(bytes(999))[:-1]}, FINDING),
    ("a byte behind a compressed PoV", modules.CONSTANT,
     {"pov": MAGIC + corpus_wire.zstd_raw(POV) + b"x"}, FINDING),
    ("a bomb", modules.CONSTANT, {"pov": MAGIC + corpus_wire.zstd_zeros(BOMB)}, FINDING),
    # More than the guest's allocator gives, so that only the class of the refusal is of interest.
    ("a PoV of exactly the limit", modules.CONSTANT,
     {"pov": MAGIC + corpus_wire.zstd_zeros(BOMB - 1)}, "InvalidCandidate"),
    ("16 MiB of PoV", modules.CONSTANT, {"pov": bytes(16 << 20)}, "Ok"),
    ("deep recursion", modules.DEEP, {}, "Ok"),
    ("a native stack of 2 MiB less than 4 GiB", modules.DEEP,
     {"params": native_stack((1 << 32) - (2 << 20))}, None),
    ("no bulk memory, run with it", modules.CONSTANT, {"params": BULK}, None),
    ("bulk memory, run without it", modules.CONSTANT, {"prepared_for": BULK},
     "RuntimeConstruction"),
    ("bulk memory, run with it", modules.CONSTANT, {"prepared_for": BULK, "params": BULK}, "Ok"),
)

for _name, _code, _options, _want in REQUESTS:
    add(f"execute: {_name}", _want,
        lambda t, code=_code, options=_options: ask(t, code, **options))


@case("execute: the longest CPU limit")
def _(t):
    name = ask(t, modules.CONSTANT, timeout=struct.pack("<QI", 2**64 - 1, 999999999))
    # The reference's two threads race: its monitor's arithmetic overflows, or the work is done.
    may = ("Ok", "JobError/CpuTimeMonitorThread")
    return " or ".join(may) if t.reference and name in may else name


V3_TAIL = b"\3" + RELAY_PARENT + SCHEDULING_PARENT
VERSIONS = {"V1": (b"\0", b""), "V2": (b"\1", b""), "V3": (b"\2", V3_TAIL),
            "unknown 0": (b"\3\0", b""), "unknown 2": (b"\3\2", b""),
            "unknown 255": (b"\3\xff", b"")}


def _input(pov, tail, head=HEAD):
    return (corpus_wire.vec(head) + corpus_wire.vec(pov) + struct.pack("<I", NUMBER) + ROOT + tail)


def _given(t, version, tail, compressed):
    """What the guest was given, by a guest that returns it; and the rest of the answer."""
    worker, checksum = t.executor(modules.ECHO)
    pov = MAGIC + corpus_wire.zstd_raw(POV) if compressed else POV
    with worker:
        answer = worker.ask(execute_request(checksum, pov=pov, version=version))
    if answer.name != "Ok":
        return f"{answer.name} {answer.text}"
    wrong = []
    if answer.result != modules.result(_input(POV, tail)):
        wrong.append(f"result {answer.result.hex()}")
    if answer.pov_size != len(POV):
        wrong.append(f"PoV of {answer.pov_size} bytes")
    if not 0 < answer.cpu_ns < 30 * 10**9:
        wrong.append(f"{answer.cpu_ns} ns")
    return ", ".join(wrong) or "input, PoV size and CPU time are right"


for _name, (_version, _tail) in VERSIONS.items():
    for _form in ("plain", "compressed"):
        add(f"execute: descriptor version {_name}, {_form} PoV",
            "input, PoV size and CPU time are right",
            lambda t, v=_version, tail=_tail, form=_form: _given(t, v, tail, form == "compressed"))


def _body(checksum, head=None, pov=b"\x0c\1\2\3", nanos=0, version=b"\1", after=b""):
    """A request in parts, where each may be spoiled."""
    return ((corpus_wire.vec(HEAD) if head is None else head) + struct.pack("<I", NUMBER) + ROOT +
            struct.pack("<I", 10 << 20) + pov + struct.pack("<QI", 30, nanos) + checksum +
            RELAY_PARENT + SCHEDULING_PARENT + version + after)


_HEAD4 = struct.pack("<I", len(HEAD) << 2 | 2) + HEAD
UNDECODABLE = {
    "nothing": lambda c: b"",
    "three bytes": lambda c: b"\xff\xff\xff",
    "descriptor version 4": lambda c: _body(c, version=b"\4"),
    "descriptor version 255": lambda c: _body(c, version=b"\xff"),
    "an unknown version that is not named": lambda c: _body(c, version=b"\3"),
    "10^9 nanoseconds": lambda c: _body(c, nanos=10**9),
    "length of head in four bytes instead of one": lambda c: _body(c, head=_HEAD4),
    "length of head in six bytes": lambda c: _body(c, head=b"\7" + struct.pack("<IB", 1, 1)),
    "head longer than the frame": lambda c: _body(c, head=b"\2\0\1\0x"),
    "PoV longer than the frame": lambda c: _body(c, pov=b"\2\0\1\0x"),
    "PoV of 2^32 - 1 bytes": lambda c: _body(c, pov=b"\3\xff\xff\xff\xff"),
}


def _refused(t, make):
    worker, checksum = t.executor(modules.CONSTANT)
    with worker:
        worker.send(make(checksum))
        return worker.answer_or_end()


for _name, _make in UNDECODABLE.items():
    add(f"execute: undecodable: {_name}", SAID, lambda t, make=_make: _refused(t, make))


@case("execute: the request's form is as described", "Ok")
def _(t):
    return _refused(t, lambda c: _body(c, nanos=999999999))


ARTIFACTS = {  # from the good artifact and its checksum: the file, and what is asked for
    "another checksum": (lambda a, c: (a, bytes(32)), "CorruptedArtifact"),
    "a byte too many": (lambda a, c: (a + b"\0", c), "CorruptedArtifact"),
    "a byte too few": (lambda a, c: (a[:-1], c), "CorruptedArtifact"),
    "a flipped bit": (lambda a, c: (a[:-1] + bytes([a[-1] ^ 1]), c), "CorruptedArtifact"),
    "an empty file": (lambda a, c: (b"", c), "CorruptedArtifact"),
    "nothing, with its checksum": (lambda a, c: (b"", corpus_wire.checksum(b"")),
                                   "RuntimeConstruction"),
    "its first page, with the checksum of that":
        (lambda a, c: (a[:4096], corpus_wire.checksum(a[:4096])), "RuntimeConstruction"),
    "a text, with its checksum": (lambda a, c: (b"text", corpus_wire.checksum(b"text")),
                                  "RuntimeConstruction"),
}


def _artifact(t, damage):
    worker, checksum = t.executor(modules.CONSTANT)
    with worker:
        good = worker.get("artifact")
        content, asked = damage(good, checksum)
        worker.put("artifact", content)
        seen = [worker.ask(execute_request(asked)).name]
        # The same again from what the worker may remember, and the good one after both.
        seen.append(worker.ask(execute_request(asked)).name)
        worker.put("artifact", good)
        seen.append(worker.ask(execute_request(checksum)).name)
        return ", ".join([*seen, worker.end()])


for _name, (_damage, _want) in ARTIFACTS.items():
    add(f"execute: artifact: {_name}", f"{_want}, {_want}, Ok, {SAID}",
        lambda t, damage=_damage: _artifact(t, damage))

NO_FILE = "InternalError/CouldNotOpenFile, silent, exit 1"


def _no_file(t, spoil):
    worker, checksum = t.executor(modules.CONSTANT)
    with worker:
        os.rename(worker.place("artifact"), worker.place("real"))
        spoil(worker.place("artifact"))
        return f"{worker.ask(execute_request(checksum)).name}, {worker.end()}"


add("execute: artifact: missing", NO_FILE, lambda t: _no_file(t, lambda path: None))
add("execute: artifact: a folder", NO_FILE, lambda t: _no_file(t, os.mkdir))
add("execute: artifact: a dangling symbolic link", NO_FILE,
    lambda t: _no_file(t, lambda path: os.symlink("nowhere", path)))
add("execute: artifact: a symbolic link to the real one", None,
    lambda t: _no_file(t, lambda path: os.symlink("real", path)).split(",", maxsplit=1)[0])


@case("execute: artifact: missing after a good request", f"Ok, {NO_FILE}")
def _(t):
    worker, checksum = t.executor(modules.CONSTANT)
    with worker:
        first = worker.ask(execute_request(checksum)).name
        os.unlink(worker.place("artifact"))
        return f"{first}, {worker.ask(execute_request(checksum)).name}, {worker.end()}"


@case("execute: artifact: another one in place of the last", "Ok, InvalidCandidate, Ok, Ok, Ok")
def _(t):
    worker, checksum = t.executor(modules.CONSTANT)
    trap, trap_checksum = t.artifact(modules.TRAP)
    with worker:
        good, seen = worker.get("artifact"), []
        for content, asked in ((good, checksum), (trap, trap_checksum), (good, checksum)):
            # A new file each time, as a host links it.
            os.unlink(worker.place("artifact"))
            worker.put("artifact", content)
            seen.append(worker.ask(execute_request(asked)).name)
        seen += [worker.ask(execute_request(checksum)).name for _ in range(2)]
        return ", ".join(seen)


def _talk(worker, checksum):
    """The answers of a conversation in which nothing ends the worker."""
    for step in (execute_request(checksum), execute_request(bytes(32)),
                 execute_request(checksum, pov=MAGIC),
                 execute_request(checksum, timeout=corpus_wire.duration(0)),
                 execute_request(checksum, version=b"\2"), execute_request(checksum)):
        yield worker.ask(step).name


@case("execute: one worker answers all of it",
      "Ok, CorruptedArtifact, PoVDecompressionFailure, JobTimedOut, Ok, Ok, " + SAID)
def _(t):
    worker, checksum = t.executor(modules.CONSTANT)
    with worker:
        return ", ".join([*_talk(worker, checksum), worker.end()])


def _descriptors_at_rest(worker):
    """After an answer a worker may prepare for the next request; before it finds another checksum
    it has done so, and nothing follows."""
    worker.ask(execute_request(bytes(32)))
    return len(descriptors(worker.process.pid))


@case("execute: descriptors left behind by 30 PoVs that do not decompress")
def _(t):
    worker, checksum = t.executor(modules.CONSTANT)
    with worker:
        for _ in range(3):
            worker.ask(execute_request(checksum))
        before = _descriptors_at_rest(worker)
        for _ in range(30):
            worker.ask(execute_request(checksum, pov=MAGIC))
        return f"{_descriptors_at_rest(worker) - before}"


@case("execute: descriptors left behind by 30 jobs", "0")
def _(t):
    worker, checksum = t.executor(modules.CONSTANT)
    with worker:
        for _ in range(3):
            worker.ask(execute_request(checksum))
        before = _descriptors_at_rest(worker)
        for _ in range(30):
            worker.ask(execute_request(checksum))
        return f"{_descriptors_at_rest(worker) - before}"


@case("execute: a worker has one thread", "1")
def _(t):
    worker, checksum = t.executor(modules.CONSTANT)
    with worker:
        worker.ask(execute_request(checksum))
        return process_fields(worker.process.pid)[17]


@case("execute: descriptors run out")
def _(t):
    def step(limit_of_descriptors):
        worker, checksum = t.executor(modules.CONSTANT)
        with worker:
            worker.ask(execute_request(checksum))
            resource.prlimit(worker.process.pid, resource.RLIMIT_NOFILE,
                             (limit_of_descriptors, limit_of_descriptors))
            worker.send(execute_request(checksum))
            name = worker.receive().name.rpartition("/")[2]
            # Without its artifact or a pipe the worker ends; when it cannot fork it goes on.
            want = SAID if name in ("Ok", "Kernel") else "silent, exit 1"
            end = worker.end()
            return name if end == want else f"{name}, {end}"
    return rising_limit(step)


@case("execute: no room for the guest's stack", "JobError/CouldNotSpawnThread, Ok")
def _(t):
    worker, checksum = t.executor(modules.CONSTANT)
    with worker:
        worker.ask(execute_request(checksum))
        pages = int(corpus_wire.read_file("/proc", str(worker.process.pid), "statm").split()[0])
        # Room for all but the 256 MiB of the guest's native stack.
        room = pages * resource.getpagesize() + (128 << 20)
        hard = resource.prlimit(worker.process.pid, resource.RLIMIT_AS)[1]
        seen = []
        for soft in (room, hard):
            resource.prlimit(worker.process.pid, resource.RLIMIT_AS, (soft, hard))
            seen.append(worker.ask(execute_request(checksum)).name)
        return ", ".join(seen)
