#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""prepare_threads.py PREPARE_WORKER [CODE]

Threads of a prepare job: as many as --compile-threads says, fewer where functions are large, the
artifact's bytes always the same, and no limit of memory that one thread keeps is broken by more.
Exit status 0 when all is so."""
import os
import struct
import subprocess
import sys
import threading
import time

sys.dont_write_bytecode = True
import corpus_wire as wire  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
SHELL = os.path.join(HERE, "..", "data", "shell-2021", "code.blob")
MANY = 4
faults = []


def expect(what, got, want):
    if got != want:
        faults.append(what)
        print(f"FAIL {what}: {got}, expected {want}", flush=True)


def read(path):
    try:
        with open(path, encoding="ascii", errors="replace") as file:
            return file.read()
    except OSError:
        return ""  # it has ended


def threads_of_jobs(worker, stop, seen):
    """Notes the most threads that each job of the worker had at once."""
    pid = worker.process.pid
    while not stop.is_set():
        for child in read(f"/proc/{pid}/task/{pid}/children").split():
            for line in read(f"/proc/{child}/status").splitlines():
                if line.startswith("Threads:"):
                    seen[child] = max(seen.get(child, 0), int(line.split()[1]))
        time.sleep(0.002)


class Run:
    """One preparation by a worker of its own: its answer, and the threads of each of its jobs."""

    def __init__(self, program, code, options=(), security=bytes(5), limit=None):
        params = b"\0" if limit is None else b"\4\4" + struct.pack("<Q", limit)
        seen, stop = {}, threading.Event()
        with wire.Worker(program, "prepare", security, timeout=300.0, options=options) as worker:
            watch = threading.Thread(target=threads_of_jobs, args=(worker, stop, seen))
            watch.start()
            try:
                self.answer = wire.prepare(worker, code, params=params, seconds=300.0)
            finally:
                stop.set()
                watch.join()
        self.threads = [count for _, count in sorted(seen.items(), key=lambda item: int(item[0]))]


def wide_module(functions, size):
    """`functions` functions () -> () of at most `size` bytes each, which add to a local."""
    def section(number, body):
        return bytes([number]) + leb(len(body)) + body

    def leb(value):
        out = bytearray()
        while value > 0x7f:
            out.append(value & 0x7f | 0x80)
            value >>= 7
        return bytes(out + bytes([value]))

    step = b"\x20\0\x41\7\x6a\x21\0"
    body = b"\1\1\x7f" + step * ((size - 4) // len(step)) + b"\x0b"
    return (b"\0asm\1\0\0\0" + section(1, b"\1\x60\0\0") +
            section(3, leb(functions) + bytes(functions)) +
            section(10, leb(functions) + (leb(len(body)) + body) * functions))


def threads(program, code):
    one = Run(program, code, ("--compile-threads", "1"))
    expect("one thread", (one.answer.cls, one.threads), ("Ok", [1]))
    many = Run(program, code, ("--compile-threads", str(MANY)))
    # The job's first thread waits for those that compile.
    expect("many threads", (many.answer.cls, many.threads), ("Ok", [MANY + 1]))
    for name, run in (("many threads", many), ("the default", Run(program, code)),
                      ("fenced", Run(program, code, ("--compile-threads", str(MANY)),
                                     bytes([1, 0, 0, 0, 1])))):
        expect(f"{name}: the answer", run.answer.cls, "Ok")
        expect(f"{name}: the artifact is as of one thread",
               run.answer.artifact == one.answer.artifact, True)
    return one.answer.peak, many.answer.peak


def large_functions(program):
    """More of them at once would need more memory than one ever does."""
    for functions, size, want in ((64, 9000, MANY + 1), (3, 200000, 3), (2, 400000, 1)):
        run = Run(program, wide_module(functions, size), ("--compile-threads", str(MANY)))
        expect(f"{functions} functions of {size} bytes", (run.answer.cls, run.threads),
               ("Ok", [want]))


def memory(program, code, one, many):
    """A limit that one thread keeps and many do not: the code is still accepted."""
    limit = one + one // 50
    expect(f"many threads need more than {limit}", many > limit, True)
    run = Run(program, code, ("--compile-threads", str(MANY)), limit=limit)
    expect("within the memory of one thread", run.answer.cls, "Ok")
    expect("within the memory of one thread: jobs", run.threads, [MANY + 1, 1])
    run = Run(program, code, ("--compile-threads", str(MANY)), limit=one // 2)
    expect("half the memory of one thread", run.answer.cls, "OutOfMemory")


def arguments(program):
    for value in ("0", "17", "-1", "two", "", "99999999999999999999"):
        done = subprocess.run([program, "prepare-worker", "--compile-threads", value,
                               "--socket-path", "/nowhere", "--worker-dir-path", "/nowhere"],
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
        expect(f"--compile-threads {value!r}", done.returncode, 101)


def main():
    if len(sys.argv) not in (2, 3):
        print(__doc__)
        return 2
    program = sys.argv[1]
    code = wire.read_file(sys.argv[2] if len(sys.argv) == 3 else SHELL)
    arguments(program)
    one, many = threads(program, code)
    print(f"peak memory: {one} bytes on one thread, {many} on {MANY}")
    memory(program, code, one, many)
    large_functions(program)
    print(f"{len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
