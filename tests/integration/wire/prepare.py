# SPDX-License-Identifier: Apache-2.0
"""Cases of a prepare worker's requests: what is prepared, and each error that can be provoked."""
import os
import resource
import struct

import corpus_wire

from . import modules
from .frames import SILENT
from .suite import add, case, prepare_request
from .worker import Silent

ADDER = corpus_wire.read_file(os.path.dirname(os.path.abspath(__file__)), "..", "..", "data",
                              "adder", "code.wasm")
MAGIC = corpus_wire.MAGIC


def ask(t, code, **options):
    with t.worker("prepare") as worker:
        answer = worker.ask(prepare_request(code, **options))
        end = worker.end()
        return answer.name if end == SILENT else f"{answer.name}, {end}"


def memory(limit):
    return b"\4\4" + struct.pack("<Q", limit)


def seconds(value):
    return {"timeout": corpus_wire.duration(value)}


BOMB = {"limit": 1 << 20}
PRECHECK = {"kind": 1}
# name, code, what differs from a plain request, answer
REQUESTS = (
    ("adder", ADDER, {}, "Ok"),
    ("adder, prechecked", ADDER, PRECHECK, "Ok"),
    ("adder, compressed", MAGIC + corpus_wire.zstd_raw(ADDER), {}, "Ok"),
    ("a limit that only counts for compressed code", ADDER, {"limit": 0}, "Ok"),
    ("code of exactly the limit", MAGIC + corpus_wire.zstd_raw(ADDER), {"limit": len(ADDER)}, "Ok"),
    ("code one byte above the limit", MAGIC + corpus_wire.zstd_raw(ADDER),
     {"limit": len(ADDER) - 1}, "CouldNotDecompressCodeBlob"),
    ("no exports", modules.NO_EXPORTS, {}, "Ok"),
    ("no exports, prechecked", modules.NO_EXPORTS, PRECHECK, "Ok"),
    ("no code", b"", {}, "Prevalidation"),
    ("no Wasm", bytes(range(256)), {}, "Prevalidation"),
    ("half a module", ADDER[:len(ADDER) // 2], {}, "Prevalidation"),
    ("instruction beyond the MVP", modules.SIGN_EXTENSION, {}, "Prevalidation"),
    ("instruction without its operands", modules.STACK_UNDERFLOW, {}, "Preparation"),
    ("foreign import", modules.FOREIGN_IMPORT, {}, "Ok"),
    ("foreign import, prechecked", modules.FOREIGN_IMPORT, PRECHECK, "RuntimeConstruction"),
    ("data outside the memory", modules.DATA_OUTSIDE, {}, "Ok"),
    ("data outside the memory, prechecked", modules.DATA_OUTSIDE, PRECHECK, "Ok"),
    ("nothing compressed", MAGIC, {}, "CouldNotDecompressCodeBlob"),
    ("no compressed code", MAGIC + b"nothing of it", {}, "CouldNotDecompressCodeBlob"),
    ("half a compressed blob", MAGIC + corpus_wire.zstd_raw(ADDER)[:999], {},
     "CouldNotDecompressCodeBlob"),
    ("a byte behind compressed code", MAGIC + corpus_wire.zstd_raw(ADDER) + b"x", {},
     "CouldNotDecompressCodeBlob"),
    ("a bomb", MAGIC + corpus_wire.zstd_zeros((1 << 20) + 1), BOMB, "CouldNotDecompressCodeBlob"),
    ("zeros up to the limit", MAGIC + corpus_wire.zstd_zeros(1 << 20), BOMB, "Prevalidation"),
    ("no CPU time", ADDER, seconds(0), "TimedOut"),
    ("a nanosecond of CPU time", ADDER, {"timeout": struct.pack("<QI", 0, 1)}, "TimedOut"),
    ("too little CPU time", modules.slow_to_compile(), seconds(0.2), "TimedOut"),
    ("bad code without CPU time", b"", seconds(0), "TimedOut"),
    ("a thousand years of CPU time", ADDER, {"timeout": corpus_wire.duration(10**10)}, "Ok"),
    ("one MiB of memory", ADDER, {"params": memory(1 << 20)}, "OutOfMemory"),
    ("one MiB of memory, prechecked", ADDER, {"params": memory(1 << 20), **PRECHECK},
     "OutOfMemory"),
    ("memory of 0 is no limit", ADDER, {"params": memory(0)}, "Ok"),
    ("memory above 2^63 is no limit", ADDER, {"params": memory(1 << 63)}, "Ok"),
    ("the first memory limit counts", ADDER, {"params": b"\x08" + memory(1 << 20)[1:] +
                                              memory(1 << 30)[1:]}, "OutOfMemory"),
)

for _name, _code, _options, _want in REQUESTS:
    add(f"prepare: {_name}", _want,
        lambda t, code=_code, options=_options: ask(t, code, **options))


@case("prepare: the longest CPU limit")
def _(t):
    name = ask(t, ADDER, timeout=struct.pack("<QI", 2**64 - 1, 999999999))
    # The reference's two threads race: its monitor's arithmetic overflows, or the work is done.
    may = ("Ok", "IoErr")
    return " or ".join(may) if t.reference and name in may else name


def _body(before=b"", code=None, limit=b"\0\0\0\1", params=b"\0", nanos=0, kind=b"\0"):
    """A request in parts, where each may be spoiled."""
    return (before + (corpus_wire.vec(modules.CONSTANT) if code is None else code) + limit +
            bytes(32) + params + struct.pack("<QI", 60, nanos) + kind)


_LENGTH = len(modules.CONSTANT)
UNDECODABLE = {
    "nothing": b"",
    "kind 2": _body(kind=b"\2"),
    "kind 255": _body(kind=b"\xff"),
    "10^9 nanoseconds": _body(nanos=10**9),
    "2^32 - 1 nanoseconds": _body(nanos=2**32 - 1),
    "code longer than the frame": _body(code=b"\2\0\1\0x"),
    "code of 2^32 - 1 bytes": _body(code=b"\3\xff\xff\xff\xff"),
    "length of code in four bytes instead of two":
        _body(code=struct.pack("<I", _LENGTH << 2 | 2) + modules.CONSTANT),
    "length of code in five bytes": _body(code=b"\3" + struct.pack("<I", _LENGTH) +
                                          modules.CONSTANT),
    "length of code in six bytes": _body(code=b"\7" + struct.pack("<IB", 1, 1) + modules.CONSTANT),
}


def _refused(t, body):
    with t.worker("prepare") as worker:
        worker.send(body)
        return worker.answer_or_end()


for _name, _bytes in UNDECODABLE.items():
    add(f"prepare: undecodable: {_name}", SILENT, lambda t, body=_bytes: _refused(t, body))


@case("prepare: the request's form is as described", "Ok")
def _(t):
    return _refused(t, _body(nanos=999999999))


@case("prepare: the answer is true", "length, checksum, CPU time and folder are right")
def _(t):
    seen = []
    with t.worker("prepare") as worker:
        for code in (modules.CONSTANT, MAGIC + corpus_wire.zstd_raw(modules.CONSTANT)):
            answer = worker.ask(prepare_request(code))
            artifact = worker.get("tmp-artifact")
            seen.append({
                "length": answer.code_len == len(modules.CONSTANT),
                "checksum": answer.checksum == corpus_wire.checksum(artifact),
                "CPU time": 0 < answer.cpu_ns < 60 * 10**9,
                "folder": os.listdir(worker.folder) == ["tmp-artifact"]})
    wrong = sorted({name for one in seen for name, good in one.items() if not good})
    return f"not right: {wrong}" if wrong else "length, checksum, CPU time and folder are right"


@case("prepare: both kinds give the same artifact", "the same")
def _(t):
    made = []
    with t.worker("prepare") as worker:
        for kind in (0, 1, 0):
            answer = worker.ask(prepare_request(ADDER, kind=kind))
            made.append((answer.checksum, worker.get("tmp-artifact")))
    return "the same" if made.count(made[0]) == 3 and made[0][1] else "different ones"


@case("prepare: an older, longer tmp-artifact is overwritten", "Ok, nothing of it is left")
def _(t):
    with t.worker("prepare") as worker:
        worker.put("tmp-artifact", b"\xaa" * (8 << 20))
        answer = worker.ask(prepare_request(modules.CONSTANT))
        artifact = worker.get("tmp-artifact")
        rest = "nothing of it is left" if corpus_wire.checksum(artifact) == answer.checksum else \
            f"{len(artifact)} bytes of another checksum"
        return f"{answer.name}, {rest}"


@case("prepare: tmp-artifact is missing", "as its rights allow")
def _(t):
    with t.worker("prepare") as worker:
        os.unlink(worker.place("tmp-artifact"))
        name = worker.ask(prepare_request(modules.CONSTANT)).name
        # Under Landlock a worker may not create files.
        allowed = ("IoErr",) if t.security[1] else ("Ok",)
        return "as its rights allow" if name in allowed else name


@case("prepare: tmp-artifact cannot be written", "IoErr, IoErr, Ok, silent, exit 1")
def _(t):
    with t.worker("prepare") as worker:
        seen = []
        for make in (os.mkdir, lambda path: os.symlink("/dev/full", path)):
            os.unlink(worker.place("tmp-artifact"))
            make(worker.place("tmp-artifact"))
            seen.append(worker.ask(prepare_request(modules.CONSTANT)).name)
            if os.path.islink(worker.place("tmp-artifact")):
                os.unlink(worker.place("tmp-artifact"))
            else:
                os.rmdir(worker.place("tmp-artifact"))
            worker.put("tmp-artifact", b"")
        seen.append(worker.ask(prepare_request(modules.CONSTANT)).name)
        return ", ".join([*seen, worker.end()])


@case("prepare: the code's hash is not looked at", "Ok")
def _(t):
    with t.worker("prepare") as worker:
        worker.send(_body())
        return worker.answer_or_end()


LONG_TALK = (
    (modules.CONSTANT, {}, "Ok"), (b"", {}, "Prevalidation"), (MAGIC, {},
                                                              "CouldNotDecompressCodeBlob"),
    (modules.STACK_UNDERFLOW, {}, "Preparation"), (ADDER, seconds(0), "TimedOut"),
    (modules.FOREIGN_IMPORT, PRECHECK, "RuntimeConstruction"),
    (ADDER, {"params": memory(1 << 20)}, "OutOfMemory"), (ADDER, PRECHECK, "Ok"),
    (modules.CONSTANT, {}, "Ok"))


@case("prepare: one worker answers all of it", "as alone")
def _(t):
    with t.worker("prepare") as worker:
        seen = [worker.ask(prepare_request(code, **options)).name
                for code, options, _ in LONG_TALK]
        end = worker.end()
    wanted = [want for _, _, want in LONG_TALK]
    return "as alone" if (seen, end) == (wanted, SILENT) else f"{seen}, {end}"


def rising_limit(step):
    """What a worker does when it may have 4, 5, … descriptors, until all is well."""
    seen = []
    for limit in range(4, 40):
        word = step(limit)
        if not seen or seen[-1] != word:
            seen.append(word)
        if word == "Ok":
            return " < ".join(seen)
    return " < ".join([*seen, "still not at 40"])


@case("prepare: descriptors run out")
def _(t):
    def step(limit):
        with t.worker("prepare") as worker:
            worker.ask(prepare_request(modules.CONSTANT))
            resource.prlimit(worker.process.pid, resource.RLIMIT_NOFILE, (limit, limit))
            worker.send(prepare_request(modules.CONSTANT))
            try:
                return worker.receive().name
            except Silent:
                return worker.end()
    return rising_limit(step)
