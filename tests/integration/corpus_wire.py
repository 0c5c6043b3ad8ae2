# SPDX-License-Identifier: Apache-2.0
"""The host's half of the workers' wire protocol, just enough to drive any pair of workers from a
test or a benchmark.  It shares no code with src/proto on purpose: a mistake there must not be
repeated here.  Python's standard library only."""
import collections
import hashlib
import json
import os
import random
import shutil
import socket
import string
import struct
import subprocess
import tempfile
import time

MAGIC = bytes.fromhex("52bc537646db8e05")  # what a compressed blob begins with
PREPARE_ERRORS = (
    "Prevalidation", "Preparation", "RuntimeConstruction", "JobError", "TimedOut", "IoErr",
    "CreateTmpFile", "RenameTmpFile", "OutOfMemory", "ClearWorkerDir", "JobDied", "Kernel",
    "CouldNotDecompressCodeBlob")
JOB_RESPONSES = ("Ok", "RuntimeConstruction", "InvalidCandidate", "PoVDecompressionFailure",
                 "CorruptedArtifact")
WORKER_ERRORS = ("JobTimedOut", "JobDied", "JobError", "InternalError")
INTERNAL_ERRORS = ("HostCommunication", "CouldNotCreateLink", "CouldNotOpenFile",
                   "CouldNotCreatePipe", "CouldNotClearWorkerDir", "Kernel",
                   "NonDeterministicPrepareError")
JOB_ERRORS = ("TimedOut", "Panic", "Kernel", "CouldNotSpawnThread", "CpuTimeMonitorThread",
              "UnexpectedExitStatus")

# `rss` is the job's largest resident set in KiB, None where the worker does not know it.
Prepared = collections.namedtuple("Prepared", "cls text artifact checksum cpu wall peak rss")
Executed = collections.namedtuple("Executed", "cls text result cpu wall pov_size")


class Reader:
    """Takes SCALE values off the front of some bytes; ValueError when they do not suffice."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, count):
        if len(self.data) - self.at < count:
            raise ValueError(f"{count} bytes wanted at offset {self.at} of {len(self.data)}")
        self.at += count
        return self.data[self.at - count:self.at]

    def compact(self):
        first = self.take(1)[0]
        mode = first & 3
        if mode == 3:
            return int.from_bytes(self.take((first >> 2) + 4), "little")
        return int.from_bytes(bytes([first]) + self.take((0, 1, 3)[mode]), "little") >> 2

    def vec(self):
        return self.take(self.compact())

    def text(self):
        return self.vec().decode(errors="replace")

    def duration(self):
        seconds, nanos = struct.unpack("<QI", self.take(12))
        return seconds + nanos / 1e9

    def rest(self):
        return self.take(len(self.data) - self.at)


def compact(value):
    if value < 1 << 6:
        return bytes([value << 2])
    if value < 1 << 14:
        return struct.pack("<H", value << 2 | 1)
    if value < 1 << 30:
        return struct.pack("<I", value << 2 | 2)
    return b"\3" + struct.pack("<I", value)


def vec(data):
    return compact(len(data)) + data


def duration(seconds):
    return struct.pack("<QI", int(seconds), round((seconds - int(seconds)) * 1e9))


def frame(body):
    return struct.pack("<Q", len(body)) + body


def zstd_raw(data):
    """A zstd frame that stores `data` uncompressed: a compressed blob without a compressor."""
    step = 1 << 17
    out = bytes.fromhex("28b52ffd") + b"\xa0" + struct.pack("<I", len(data))
    for at in range(0, max(len(data), 1), step):
        block = data[at:at + step]
        last = at + step >= len(data)
        out += struct.pack("<I", len(block) << 3 | last)[:3] + block
    return out


def zstd_zeros(count):
    """A zstd frame of `count` zero bytes, four bytes for each 128 KiB: a bomb."""
    step = 1 << 17
    out = bytes.fromhex("28b52ffd") + b"\xa0" + struct.pack("<I", count)
    for at in range(0, count, step):
        size = min(step, count - at)
        out += struct.pack("<I", size << 3 | 1 << 1 | (at + step >= count))[:3] + b"\0"
    return out


def xxh64(data, seed):
    """XXH64, from its published specification; slow, for small artifacts made by tests."""
    mask = (1 << 64) - 1
    p1, p2, p3, p4, p5 = (0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9,
                          0x85EBCA77C2B2AE63, 0x27D4EB2F165667C5)

    def rotl(value, bits):
        return (value << bits | value >> (64 - bits)) & mask

    def mix(acc, lane):
        return rotl((acc + lane * p2) & mask, 31) * p1 & mask

    at = 0
    if len(data) >= 32:
        lanes = [(seed + p1 + p2) & mask, (seed + p2) & mask, seed, (seed - p1) & mask]
        while len(data) - at >= 32:
            for i, lane in enumerate(struct.unpack_from("<4Q", data, at)):
                lanes[i] = mix(lanes[i], lane)
            at += 32
        acc = sum(rotl(lanes[i], (1, 7, 12, 18)[i]) for i in range(4)) & mask
        for lane in lanes:
            acc = ((acc ^ mix(0, lane)) * p1 + p4) & mask
    else:
        acc = (seed + p5) & mask
    acc = (acc + len(data)) & mask
    while len(data) - at >= 8:
        acc = (rotl(acc ^ mix(0, struct.unpack_from("<Q", data, at)[0]), 27) * p1 + p4) & mask
        at += 8
    if len(data) - at >= 4:
        acc = (rotl(acc ^ struct.unpack_from("<I", data, at)[0] * p1 & mask, 23) * p2 + p3) & mask
        at += 4
    for byte in data[at:]:
        acc = rotl(acc ^ byte * p5 & mask, 11) * p1 & mask
    acc = (acc ^ acc >> 33) * p2 & mask
    acc = (acc ^ acc >> 29) * p3 & mask
    return acc ^ acc >> 32


def checksum(data):
    return b"".join(struct.pack("<Q", xxh64(data, seed)) for seed in range(4))


class Params(collections.namedtuple("Params", "head block number root tail")):
    """ValidationParams, split into the fields that travel in an execute request."""

    @staticmethod
    def split(data):
        """ValueError when the bytes are not what fields on the wire could carry."""
        reader = Reader(data)
        head, block = reader.vec(), reader.vec()
        number, root, tail = struct.unpack("<I", reader.take(4))[0], reader.take(32), reader.rest()
        if tail and (len(tail) != 65 or tail[0] != 3):
            raise ValueError(f"{len(tail)} bytes after the last field, which are no V3 extension")
        return Params(head, block, number, root, tail)


class Worker:
    """A running worker.  Use as a context manager: its folder, socket and process all end."""

    def __init__(self, program, kind, security=bytes(5), env=None, timeout=60.0, options=()):
        self.kind = kind
        self.folder = tempfile.mkdtemp(prefix=f"worker-dir-{kind}-")
        name = "".join(random.choices(string.ascii_letters, k=10))
        self.path = os.path.join(tempfile.gettempdir(), f"pvf-host-{kind}-{name}")
        self.process = self.socket = None
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(self.path)
            listener.listen(1)
            listener.settimeout(15)
            self.process = subprocess.Popen(
                [program, f"{kind}-worker", "--socket-path", self.path,
                 "--worker-dir-path", self.folder, *options],
                env={"RUST_LOG": ""} if env is None else env, stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            try:
                self.socket, _ = listener.accept()
            except OSError:
                self.close()
                raise
        self.socket.settimeout(timeout)
        if security is not None:
            self.send(security)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def send_raw(self, data):
        try:
            self.socket.sendall(data)
        except BrokenPipeError:
            pass  # the worker left already; its exit code tells why

    def send(self, body):
        self.send_raw(frame(body))

    def read(self, count):
        parts = bytearray()
        while len(parts) < count:
            try:
                part = self.socket.recv(min(count - len(parts), 1 << 20))
            except ConnectionResetError:
                part = b""
            if not part:
                raise EOFError("the worker closed the connection")
            parts += part
        return bytes(parts)

    def receive(self):
        return self.read(struct.unpack("<Q", self.read(8))[0])

    def exit_code(self):
        """The exit code of a worker that is expected to end, after the host's end is closed."""
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        return self.ended()

    def ended(self):
        try:
            return self.process.wait(15)
        except subprocess.TimeoutExpired:
            return "still running"

    def close(self):
        if self.socket is not None:
            self.socket.close()
        if self.process is not None:
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)
        if os.path.exists(self.path):
            os.unlink(self.path)


def prepare_request(code, params=b"\0", limit=30 << 20, seconds=60.0, kind=0):
    return (vec(code) + struct.pack("<I", limit) + hashlib.blake2b(code, digest_size=32).digest() +
            params + duration(seconds) + bytes([kind]))


def prepared_of(body, wall, place):
    """What an answer says, with the artifact that it is about."""
    reader = Reader(body)
    if reader.take(1) == b"\0":
        digest, cpu = reader.take(32), reader.duration()
        reader.take(16 if reader.take(1) == b"\1" else 0)  # the memory tracker's figures
        rss = struct.unpack("<q", reader.take(8))[0] if reader.take(1) == b"\1" else None
        peak = struct.unpack("<Q", reader.take(8))[0]
        return Prepared("Ok", "", read_file(place), digest, cpu, wall, peak, rss)
    index = reader.take(1)[0]
    text = reader.text() if index not in (4, 8) else ""
    return Prepared(PREPARE_ERRORS[index], text, None, None, None, wall, None, None)


FIRST_TIER, ARTIFACT = "first-tier", "tmp-artifact"


def prepare_answers(worker, code, answers, **options):
    """The answers of one request, as many as are named (FIRST_TIER, ARTIFACT)."""
    places = [os.path.join(worker.folder, name) for name in (FIRST_TIER, ARTIFACT)]
    for place in places:
        with open(place, "wb"):
            pass
    begin = time.monotonic()
    worker.send(prepare_request(code, **options))
    found = []
    for name in answers:
        body = worker.receive()
        found.append(prepared_of(body, time.monotonic() - begin,
                                 os.path.join(worker.folder, name)))
    for place in places:
        os.unlink(place)
    return found


def prepare(worker, code, **options):
    return prepare_answers(worker, code, (ARTIFACT,), **options)[0]


def execute_request(params, digest, seconds=30.0, pov=None, version=None):
    tail = params.tail
    parents = tail[1:] if tail else bytes(64)
    return (vec(params.head) + struct.pack("<I", params.number) + params.root +
            struct.pack("<I", 10 << 20) + vec(params.block if pov is None else pov) +
            duration(seconds) + digest + parents +
            (version if version is not None else b"\2" if tail else b"\1"))


def answer_of(body, wall):
    reader = Reader(body)
    if reader.take(1) == b"\0":
        kind = reader.take(1)[0]
        inner = Reader(reader.take(len(body) - 18))
        text = inner.text() if kind in (1, 2) else ""
        result = inner.rest() if kind == 0 else None
        cpu = reader.duration()
        return Executed(JOB_RESPONSES[kind], text, result, cpu, wall,
                        struct.unpack("<I", reader.take(4))[0])
    kind = reader.take(1)[0]
    names = [WORKER_ERRORS[kind]]
    if kind in (2, 3):
        names.append((JOB_ERRORS if kind == 2 else INTERNAL_ERRORS)[reader.take(1)[0]])
    return Executed("/".join(names), reader.rest().hex(), None, None, wall, None)


def execute(worker, artifact, digest, params, **options):
    """`artifact`: bytes, or the path of a file to link; None leaves it missing."""
    return execute_frame(worker, artifact, frame(execute_request(params, digest, **options)))


def execute_frame(worker, artifact, request):
    """The same with a request that was made before."""
    place = os.path.join(worker.folder, "artifact")
    if isinstance(artifact, bytes):
        with open(place, "wb") as file:
            file.write(artifact)
    elif artifact is not None:
        os.link(artifact, place)
    try:
        begin = time.monotonic()
        worker.send_raw(request)
        body = worker.receive()
        return answer_of(body, time.monotonic() - begin)
    finally:
        if artifact is not None:
            os.unlink(place)


# What a host asks before the handshake, in the order of its flags behind the first; the third takes
# a folder to try on.
CHECKS = ("--check-can-enable-landlock", "--check-can-enable-seccomp",
          "--check-can-unshare-user-namespace-and-change-root", "--check-can-do-secure-clone")


def allowed_flags(program):
    """The handshake's flags as the reference's host sets them outside secure mode: what a worker's
    own checks of this machine allow."""
    flags = [0]
    for word in CHECKS:
        with tempfile.TemporaryDirectory() as folder:
            words = [word, folder] if word == CHECKS[2] else [word]
            done = subprocess.run([program, *words], env={}, timeout=60, capture_output=True,
                                  check=False)
        flags.append(int(done.returncode == 0))
    return bytes(flags)


def candidates(corpus):
    """(name, folder, path of the code) of every candidate, in either layout."""
    root = os.path.join(corpus, "candidates")
    root = root if os.path.isdir(root) else corpus
    found = []
    for name in sorted(os.listdir(root)):
        folder = os.path.join(root, name)
        meta = os.path.join(folder, "meta.json")
        if not os.path.exists(meta):
            continue
        with open(meta, encoding="utf-8") as file:
            code = json.load(file)["pvf"]
        inside = os.path.join(folder, code)
        found.append((name, folder, inside if os.path.exists(inside) else
                      os.path.join(corpus, code)))
    return found


def read_file(*parts):
    with open(os.path.join(*parts), "rb") as file:
        return file.read()
