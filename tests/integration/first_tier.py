#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""first_tier.py PREPARE_WORKER EXECUTE_WORKER
first_tier.py --measure REFERENCE_PREPARE_WORKER PREPARE_WORKER EXECUTE_WORKER RUNS CASE...

What a prepare worker does when it is told --first-tier on: a compilation is answered twice, the
second time as if there were no first; nothing else is.  Each CASE to measure is a folder of a
candidate in either layout of corpus_wire.  Exit status 0 when all is so."""
import os
import statistics
import struct
import subprocess
import sys

sys.dont_write_bytecode = True
import corpus_wire as wire  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
DATA = os.path.join(HERE, "..", "data")
ON = ("--first-tier", "on")
FENCES = (bytes(5), bytes([1, 1, 1, 1, 1]))
faults = []


def expect(what, got, want):
    if got != want:
        faults.append(what)
        print(f"FAIL {what}: {got}, expected {want}", flush=True)


TWO = (wire.FIRST_TIER, wire.ARTIFACT)
ONE = (wire.ARTIFACT,)


def compilations(program, code):
    """Both artifacts of a compilation, after all that could spoil them."""
    with wire.Worker(program, "prepare", timeout=300.0) as worker:
        plain = wire.prepare(worker, code)
    for security in FENCES:
        with wire.Worker(program, "prepare", security, timeout=300.0, options=ON) as worker:
            name = f"fenced by {security.hex()}"
            precheck, = wire.prepare_answers(worker, code, ONE, kind=1)
            expect(f"{name}: a precheck is answered once, and with the optimised one",
                   precheck.artifact == plain.artifact, True)
            first, second = wire.prepare_answers(worker, code, TWO)
            expect(f"{name}: classes", (first.cls, second.cls), ("Ok", "Ok"))
            expect(f"{name}: the second is as without a first",
                   (second.artifact == plain.artifact, second.checksum), (True, plain.checksum))
            expect(f"{name}: the first is another", first.artifact != second.artifact, True)
    return first, second


def none_is_made(program, code):
    """Small code, tight stacks, refused code and too little time: the second answer stands."""
    small = wire.read_file(DATA, "adder", "code.wasm")
    tight = b"\4\3" + struct.pack("<I", 64 << 20)
    tall = b"\4\2" + struct.pack("<I", 65537)
    with wire.Worker(program, "prepare", timeout=300.0, options=ON) as worker:
        for name, blob, params, words in (("small code", small, b"\0", "small"),
                                          ("a small native stack", code, tight, "native stack"),
                                          ("a large logical stack", code, tall, "native stack")):
            first, second = wire.prepare_answers(worker, blob, TWO, params=params)
            expect(f"{name}: classes", (first.cls, second.cls), ("JobError", "Ok"))
            expect(f"{name}: why", words in first.text, True)
        bad = small[:8] + b"\x0c" + bytes(200000)
        first, second = wire.prepare_answers(worker, bad, TWO)
        expect("refused code", (first.cls, second.cls), ("Prevalidation", "Prevalidation"))
        first, second = wire.prepare_answers(worker, code, TWO, seconds=0.02)
        expect("too little time", (first.cls, second.cls), ("TimedOut", "TimedOut"))
    with wire.Worker(program, "prepare", timeout=300.0, options=("--first-tier", "off")) as worker:
        only, = wire.prepare_answers(worker, code, ONE)
        expect("told not to", only.cls, "Ok")


def results(program, folder, first, second):
    """What runs on the one gives the same on the other."""
    params = wire.Params.split(wire.read_file(folder, "validation_params.scale"))
    want = wire.read_file(folder, "expected_result.scale")
    for security in FENCES:
        with wire.Worker(program, "execute", security) as worker:
            worker.send(b"\0")
            # By turns, so that a job made ahead for the one would be seen in the other.
            for answer in (first, first, second, first, second, second, first):
                done = wire.execute(worker, answer.artifact, answer.checksum, params)
                expect("a result", (done.cls, done.result == want), ("Ok", True))


def arguments(program):
    for value in ("", "yes", "ON", "1"):
        done = subprocess.run([program, "prepare-worker", "--first-tier", value,
                               "--socket-path", "/nowhere", "--worker-dir-path", "/nowhere"],
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
        expect(f"--first-tier {value!r}", done.returncode, 101)


def check(prepare_worker, execute_worker):
    folder = os.path.join(DATA, "shell-2021")
    code = wire.read_file(folder, "code.blob")
    arguments(prepare_worker)
    first, second = compilations(prepare_worker, code)
    none_is_made(prepare_worker, code)
    results(execute_worker, folder, first, second)
    print(f"{len(faults)} faults")
    return 1 if faults else 0


def job_time(worker, answer, params):
    """CPU milliseconds of a job, median of seven after two."""
    times = [wire.execute(worker, answer.artifact, answer.checksum, params).cpu for _ in range(9)]
    return 1000 * statistics.median(times[2:])


def measure_case(programs, runs, folder, code):
    reference, ours, execute_worker = programs
    rows = []
    for _ in range(runs):
        with wire.Worker(reference, "prepare", timeout=600.0) as worker:
            theirs = wire.prepare(worker, code, seconds=360.0)
        with wire.Worker(ours, "prepare", timeout=600.0, options=ON) as worker:
            first, second = wire.prepare_answers(worker, code, TWO, seconds=360.0)
        rows.append((first.wall / theirs.wall, first.cpu / theirs.cpu,
                     second.wall / theirs.wall, second.cpu / theirs.cpu))
    params = wire.Params.split(wire.read_file(folder, "validation_params.scale"))
    with wire.Worker(execute_worker, "execute") as worker:
        worker.send(b"\0")
        jobs = [job_time(worker, answer, params) for answer in (first, second)]
    middle = [statistics.median(column) for column in zip(*rows)]
    print(f"| {os.path.basename(folder)} | {middle[0]:.2f} | {middle[1]:.2f} | {middle[2]:.2f} | "
          f"{middle[3]:.2f} | {len(first.artifact) / 1e6:.1f} / {len(second.artifact) / 1e6:.1f} / "
          f"{len(theirs.artifact) / 1e6:.1f} | {jobs[0]:.1f} / {jobs[1]:.1f} "
          f"({jobs[0] / jobs[1]:.2f} ×) |", flush=True)


def measure(programs, runs, folders):
    print("| case | ready, wall | CPU | optimised ready, wall | its CPU | artifact MB: first, "
          "optimised, reference | job CPU ms: first / optimised |\n|---|---|---|---|---|---|---|")
    for folder in folders:
        folder = os.path.abspath(folder)
        found = {path: code for _, path, code in wire.candidates(
            os.path.dirname(os.path.dirname(folder)))}
        measure_case(programs, runs, folder, wire.read_file(found[folder]))
    return 0


def main():
    if len(sys.argv) > 6 and sys.argv[1] == "--measure":
        return measure(sys.argv[2:5], int(sys.argv[5]), sys.argv[6:])
    if len(sys.argv) != 3:
        print(__doc__)
        return 2
    return check(sys.argv[1], sys.argv[2])


if __name__ == "__main__":
    sys.exit(main())
