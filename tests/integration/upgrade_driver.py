#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""upgrade_driver.py PREPARE EXECUTE: our workers over the upgraded wire (PROTOCOL.md, "The upgrade"), spoken to by a host
that is written here: what is said, every refusal, and that nothing is left behind."""
import fcntl
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile

import corpus_wire
from wire import answers, modules
from wire.suite import execute_request, prepare_request
from wire.worker import CLEAN, DEADLINE, exit_name, run, wait_for

VERSION = b"\1"
FENCED, BARE = bytes([1] * 5), bytes(5)
SEAL_SEAL, SEAL_SHRINK, SEAL_GROW, SEAL_WRITE = 1, 2, 4, 8
SEALS = SEAL_SHRINK | SEAL_GROW | SEAL_WRITE
NO_PARAMS, FEW_PAGES = b"\0", b"\4\1" + struct.pack("<I", 1)

prepare_program, execute_program = sys.argv[1:3]
failed = 0


def check(label, have, want):
    global failed
    if have != want:
        failed += 1
        print(f"FAIL: {label}: {have!r} instead of {want!r}")


def memory(content, seals=SEALS | SEAL_SEAL):
    fd = os.memfd_create("body", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    view = memoryview(content)
    while view:
        view = view[os.write(fd, view):]
    fcntl.fcntl(fd, fcntl.F_ADD_SEALS, seals)
    return fd


def compact(number):
    if number < 64:
        return bytes([number << 2])
    return struct.pack("<H", number << 2 | 1) if number < 1 << 14 else struct.pack("<I", number << 2 | 2)


def request(length, params=b"", body=b""):
    return struct.pack("<Q", length) + compact(len(params)) + params + body


class Upgraded:
    """A worker that inherited its socket."""

    def __init__(self, program, kind):
        self.kind = kind
        self.folder = tempfile.mkdtemp(prefix=f"worker-dir-{kind}-")
        self.socket, theirs = socket.socketpair()
        self.socket.settimeout(DEADLINE)
        os.set_inheritable(theirs.fileno(), True)
        words = ["--inherited-socket", str(theirs.fileno()), "--worker-dir-path", self.folder]
        self.process = subprocess.Popen([program, f"{kind}-worker", *words], env=CLEAN, close_fds=False,
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL)
        theirs.close()

    def send(self, body, files=()):
        self.send_raw(corpus_wire.frame(body), files)

    def send_raw(self, data, files=()):
        try:
            sent = socket.send_fds(self.socket, [data], files)
            self.socket.sendall(data[sent:])
        except (BrokenPipeError, ConnectionResetError):
            pass  # it left already; how, is seen at the end

    def read(self, count):
        data = bytearray()
        while len(data) < count:
            try:
                part = self.socket.recv(count - len(data))
            except ConnectionResetError:
                part = b""
            if not part:
                return None
            data += part
        return bytes(data)

    def frame(self):
        head = self.read(8)
        return head and self.read(struct.unpack("<Q", head)[0])

    def receive(self):
        body = self.frame()
        return body and answers.DECODE[self.kind](body)

    def greet(self, security):
        self.send(VERSION + security)
        return self.frame()

    def put(self, name, content):
        with open(os.path.join(self.folder, name), "wb") as file:
            file.write(content)

    def end(self):
        """What it still says, and its exit."""
        self.socket.shutdown(socket.SHUT_WR)
        said = []
        while True:
            answer = self.receive()
            if answer is None:
                break
            said.append(answer.name)
        words = [*(said or ["silent"]), exit_name(self.process.wait(DEADLINE))]
        if self.process.stdout.read():
            words.append("wrote to stdout")
        return ", ".join(words)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def read_ready(body):
    """[(name, state, why)] of a ready message."""
    at, found = 2, []
    check("version of the ready message", body[:1], VERSION)

    def text():
        nonlocal at
        length = body[at] >> 2 if body[at] & 3 == 0 else struct.unpack("<H", body[at:at + 2])[0] >> 2
        at += 1 if body[at] & 3 == 0 else 2
        at += length
        return body[at - length:at].decode()

    for _ in range(body[1] >> 2):
        name = text()
        state = body[at]
        at += 1
        found.append((name, state, text() if state == 2 else ""))
    check("bytes of the ready message", at, len(body))
    return found


def prepared(code, params=NO_PARAMS):
    """(artifact, checksum) of code, made over the upgraded wire."""
    with Upgraded(prepare_program, "prepare") as worker:
        worker.greet(FENCED)
        worker.put("tmp-artifact", b"")
        body = prepare_request(code, params=params)
        worker.send(request(len(body), body=body))
        check("a preparation in its frame", worker.receive().name, "Ok")
        worker.put("tmp-artifact", b"")
        worker.send(request(len(body)), [memory(body)])
        check("a preparation", worker.receive().name, "Ok")
        artifact = corpus_wire.read_file(worker.folder, "tmp-artifact")
        check("its end", worker.end(), "silent, exit 1")
        return artifact, corpus_wire.checksum(artifact)


class File:
    """An artifact as a host has it."""

    def __init__(self, content):
        self.file = tempfile.NamedTemporaryFile(prefix="artifact-")
        self.file.write(content)
        self.file.flush()

    def open(self, flags=os.O_RDONLY):
        return os.open(self.file.name, flags | os.O_CLOEXEC)


def execute(worker, artifact, body, params=NO_PARAMS, sealed=True):
    files = [memory(body)] if sealed else []
    files.append(artifact.open())
    worker.send(request(len(body), params, b"" if sealed else body), files)
    for fd in files:
        os.close(fd)
    answer = worker.receive()
    return answer and answer.name


def open_files(pid):
    """How many descriptors a process has; 0 where this user may not see them."""
    try:
        return len(os.listdir(f"/proc/{pid}/fd"))
    except PermissionError:
        return 0


def versions_are_told():
    for kind, program in (("prepare", prepare_program), ("execute", execute_program)):
        check(f"{kind}: versions", run(program, "--wire-upgrades"), ("exit 0", b"1\n", b""))


def ready_says_what_is_on():
    for security, wanted in ((FENCED, {1}), (BARE, {0, 1})):
        for kind, program in (("prepare", prepare_program), ("execute", execute_program)):
            with Upgraded(program, kind) as worker:
                ready = read_ready(worker.greet(security))
                check(f"{kind}: states", {state for _, state, _ in ready}, wanted)
                states = {name: state for name, state, _ in ready}
                check(f"{kind}: seccomp", states["seccomp"], security[2])
                check(f"{kind}: root", states["change-root"], security[3])
                check(f"{kind}: its end", worker.end()[-6:], "exit 1")


def starts_are_refused():
    for kind, program in (("prepare", prepare_program), ("execute", execute_program)):
        folder = tempfile.mkdtemp(prefix="worker-dir-")
        place = ["--worker-dir-path", folder]
        for number in ("", "2", "-1", "3x", "1024", "99999999999999999999", "900"):
            code, out, _ = run(program, f"{kind}-worker", "--inherited-socket", number, *place)
            check(f"{kind}: socket {number!r}", (code, out), ("exit 1", b""))
        for words in ([], ["--inherited-socket"], ["--inherited-socket", "3", "--socket-path", "/x"]):
            code, out, _ = run(program, f"{kind}-worker", *words, *place)
            check(f"{kind}: {words}", (code, out), ("exit 101", b""))
        with tempfile.TemporaryFile() as file:
            os.set_inheritable(file.fileno(), True)
            done = subprocess.run([program, f"{kind}-worker", "--inherited-socket", str(file.fileno()), *place],
                                  env=CLEAN, close_fds=False, capture_output=True, timeout=DEADLINE, check=False)
            check(f"{kind}: a file as its socket", done.returncode, 1)
        for hello in (b"", VERSION, VERSION + FENCED[:4], b"\0" + FENCED, b"\2" + FENCED, VERSION + b"\2" * 5,
                      bytes(5000)):
            with Upgraded(program, kind) as worker:
                worker.send(hello)
                check(f"{kind}: hello {hello[:8]!r}", (worker.frame(), exit_name(worker.process.wait(DEADLINE))),
                      (None, "exit 1"))
        shutil.rmtree(folder)


def refusals(kind, body, artifact):
    """(label, frame, files) of everything that is no request."""
    length, params = len(body), NO_PARAMS if kind == "execute" else b""
    good = request(length, params)
    rest = [artifact.open()] if kind == "execute" else []

    def files(first):
        return [first, *rest]

    yield "no descriptor", good, []
    for name, part in (("a byte less in the frame", body[:-1]), ("a byte more in the frame", body + b"\0")):
        yield name, request(length, params, part), rest
    yield "nothing in the frame", good, rest
    yield "one too many", good, files(memory(body)) + [artifact.open()]
    yield "four too many", good, files(memory(body)) + [memory(b"")] * 4
    for name, seals in (("no seal", 0), ("no seal of writing", SEALS & ~SEAL_WRITE),
                        ("no seal of shrinking", SEALS & ~SEAL_SHRINK), ("no seal of growing", SEALS & ~SEAL_GROW)):
        yield name, good, files(memory(body, seals))
    yield "a byte less", good, files(memory(body[:-1]))
    yield "a byte more", good, files(memory(body + b"\0"))
    yield "empty memory", good, files(memory(b""))
    yield "no length", b"", files(memory(body))
    yield "half a length", good[:7], files(memory(body))
    yield "no parameters at all", good[:8], files(memory(body))
    yield "parameters that are not there", good[:8] + compact(5), files(memory(body))
    for huge in (1 << 40, (1 << 64) - 1):
        yield f"a length of {huge}", request(huge, params), files(memory(body))
        yield f"a length of {huge} in the frame", request(huge, params, body), rest
    yield "a file", good, files(artifact.open())
    ends = os.pipe()
    yield "a pipe", good, files(ends[0])
    for end in ends:
        os.close(end)
    yield "memory by its path only", good, files(os.open(f"/proc/self/fd/{memory(body)}", os.O_PATH))
    yield "a body that is none", request(3, params), files(memory(b"abc"))
    if kind == "execute":
        yield "no artifact", good, [memory(body)]
        yield "no artifact, and the body in the frame", request(length, params, body), []
        yield "the two in the other order", good, [artifact.open(), memory(body)]
        yield "no parameters", request(length), files(memory(body))
        yield "parameters that are none", request(length, b"\4\x63"), files(memory(body))
        for flags in (os.O_RDWR, os.O_WRONLY, os.O_PATH):
            yield f"an artifact with flags {flags:o}", good, [memory(body), artifact.open(flags)]
        yield "a folder as the artifact", good, [memory(body), os.open("/", os.O_RDONLY)]
        yield "a device as the artifact", good, [memory(body), os.open("/dev/null", os.O_RDONLY)]


def requests_are_refused(kind, program, body, artifact):
    want = "InternalError/HostCommunication, exit 1" if kind == "execute" else "silent, exit 1"
    for label, frame, files in refusals(kind, body, artifact):
        with Upgraded(program, kind) as worker:
            worker.greet(FENCED)
            worker.put("tmp-artifact", b"")
            if kind == "execute":
                # After one that was good, so that something could be left of it.
                check(f"{kind}: {label}: before", execute(worker, artifact, body), "Ok")
            worker.send(frame, files)
            check(f"{kind}: {label}", worker.end(), want)
    with Upgraded(program, kind) as worker:
        worker.greet(FENCED)
        rest = [artifact.open()] if kind == "execute" else []
        worker.send_raw(corpus_wire.frame(request(len(body)))[:12], [memory(body), *rest])
        check(f"{kind}: a frame that ends early", worker.end(), want)
    with Upgraded(program, kind) as worker:
        worker.greet(FENCED)
        worker.send_raw(struct.pack("<Q", 1 << 40))
        check(f"{kind}: a long frame", worker.end(), want)


def descriptors_stay_flat(artifact, body):
    with Upgraded(execute_program, "execute") as worker:
        worker.greet(BARE)
        # The kept copy of the artifact is one more; the rest goes soon after an answer.
        want = open_files(worker.process.pid) + 1
        for i in range(12):
            check("one of many", execute(worker, artifact, body, sealed=i % 2 == 0), "Ok")
        have = wait_for(lambda: open_files(worker.process.pid) in (0, want))
        check("descriptors of a worker after job after job", have, True)
        check("its folder", os.listdir(worker.folder), [])


def dies_with_descriptors_in_flight(artifact, body):
    """The worker is stopped, gets requests, and is killed: nobody keeps what it was sent."""
    before = open_files(os.getpid())
    for _ in range(5):
        with Upgraded(execute_program, "execute") as worker:
            worker.greet(FENCED)
            os.kill(worker.process.pid, signal.SIGSTOP)
            for _ in range(3):
                files = [memory(body), artifact.open()]
                worker.send(request(len(body), NO_PARAMS), files)
                for fd in files:
                    os.close(fd)
            worker.process.kill()
            worker.process.wait()
            check("what it says", worker.receive(), None)
    check("descriptors of the host", open_files(os.getpid()), before)


def params_vary():
    """One worker, two sets by turns; the second allows fewer pages than the module has at its start."""
    content, checksum = prepared(modules.module(modules.packed(16, len(modules.CONSTANT_RESULT)), pages=40,
                                                data=(16, modules.CONSTANT_RESULT)))
    artifact, body = File(content), execute_request(checksum)
    with Upgraded(execute_program, "execute") as worker:
        worker.greet(FENCED)
        seen = [execute(worker, artifact, body, NO_PARAMS if i % 2 == 0 else FEW_PAGES) for i in range(12)]
        check("by turns", seen, ["Ok", "RuntimeConstruction"] * 6)
        many = [execute(worker, artifact, body, b"\4\1" + struct.pack("<I", 2048 + i)) for i in range(12)]
        check("many sets", set(many), {"Ok"})
        check("at last", execute(worker, artifact, body, FEW_PAGES), "RuntimeConstruction")


def large_pov(artifact):
    body = execute_request(artifact.checksum, pov=bytes(10 << 20))
    with Upgraded(execute_program, "execute") as worker:
        worker.greet(FENCED)
        seen = [execute(worker, artifact, body, sealed=sealed) for sealed in (True, False, False, True)]
        check("10 MiB, in both ways", seen, ["Ok"] * 4)


def main():
    versions_are_told()
    ready_says_what_is_on()
    starts_are_refused()
    content, checksum = prepared(modules.CONSTANT)
    artifact = File(content)
    artifact.checksum = checksum
    body = execute_request(checksum)
    requests_are_refused("prepare", prepare_program, prepare_request(modules.CONSTANT), artifact)
    requests_are_refused("execute", execute_program, body, artifact)
    descriptors_stay_flat(artifact, body)
    dies_with_descriptors_in_flight(artifact, body)
    large_pov(artifact)
    params_vary()
    print("the upgraded wire: " + (f"{failed} checks failed" if failed else "all as it should be"))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
