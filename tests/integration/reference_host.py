#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""reference_host.py PVF WORKERS --reference-in FOLDER [--corpus FOLDER] [--only NAME]

Both hosts run every candidate with the other's workers, behind whatever fence the machine allows:
the reference's host with ours, where each answer is looked at on its way and must be the expected
result byte for byte; and ours with the reference's.  --reference-in is that of wire_driver.py.

The corpus is that of PVF_SHARED, with tests/data's adder.  Exit status 0 when all agree, 77
(skipped) without the reference or the corpus."""
import argparse
import json
import os
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
import corpus_wire  # noqa: E402
import reference  # noqa: E402
from wire import tap  # noqa: E402

JOBS = 3
SECONDS = 900
faults = []


def expect(what, got, want):
    if got != want:
        faults.append(what)
        print(f"FAIL {what}: {got}, expected {want}", flush=True)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[1])
    parser.add_argument("pvf")
    parser.add_argument("workers")
    parser.add_argument("--reference-in", required=True)
    parser.add_argument("--corpus")
    parser.add_argument("--only", help="run only this candidate of the corpus")
    return parser.parse_args()


def answers_in(folder):
    """(handshake, answers) of every execute worker that ran."""
    for name in sorted(os.listdir(folder)):
        if name.startswith("execute-worker-"):
            bodies = tap.frames(corpus_wire.read_file(folder, name))
            if bodies:
                yield bodies[0], [corpus_wire.answer_of(body, 0.0) for body in bodies[1:]]


def their_host(host, programs, flags, name, folder, code):
    """Our workers under the reference's host."""
    expected = corpus_wire.read_file(folder, "expected_result.scale")
    with tempfile.TemporaryDirectory(prefix="pvf-tap-") as scratch:
        path = os.path.join(scratch, "execute")
        with open(path, "w", encoding="utf-8") as file:
            file.write(tap.script(programs["execute"], scratch))
        os.chmod(path, 0o700)
        run = subprocess.run([host, programs["prepare"], path, code, folder, str(JOBS), "1"],
                             cwd=scratch, capture_output=True, text=True, timeout=SECONDS,
                             check=False)
        if run.returncode != 0:
            expect(f"{name}: the reference's host", f"{run.returncode}: {run.stderr[-500:]}", 0)
            return
        verdict = json.loads(run.stdout)["verdict"]
        head = corpus_wire.Reader(expected).vec()
        expect(f"{name}: verdict", verdict, f"valid head={len(head)} bytes")
        seen = list(answers_in(scratch))
        expect(f"{name}: flags of the handshake", {shake for shake, _ in seen}, {flags})
        answers = [answer for _, each in seen for answer in each]
        expect(f"{name}: answers", len(answers) >= JOBS, True)
        expect(f"{name}: results", {(a.cls, a.result) for a in answers}, {("Ok", expected)})


def our_host(pvf, theirs, cases):
    """The reference's workers under our host, which compares each result with the expected one."""
    run = subprocess.run([pvf, "bench", "--json", "--workers", os.path.dirname(theirs["execute"]),
                          "--runs", str(JOBS), "--prepares", "1", "--warm-up", "1",
                          *(folder for _, folder, _ in cases)],
                         capture_output=True, text=True, timeout=SECONDS * 4, check=False)
    if run.returncode != 0:
        expect("our host with the reference's workers", f"{run.returncode}: {run.stderr}", 0)
        return
    report = json.loads(run.stdout)
    expect("our host: cases", [case["case"] for case in report["cases"]],
           [name for name, _, _ in cases])
    expect("our host: fence", report["fenced"], True)


def main():
    args = arguments()
    theirs, why = reference.find(os.path.abspath(args.reference_in))
    host = reference.host_of(theirs) if theirs else None
    corpus = args.corpus or os.path.join(
        os.environ.get("PVF_SHARED") or os.environ.get("PVF_SHARED_DEFAULT", ""), "corpus")
    if theirs is None or host is None or not os.path.isdir(corpus):
        print(f"skipped: {why or f'there is no peer-bench, or no {corpus}'}")
        return 77
    ours = {kind: os.path.join(os.path.abspath(args.workers), f"pvf-{kind}-worker")
            for kind in ("prepare", "execute")}
    cases = [case for case in corpus_wire.candidates(corpus) if args.only in (None, case[0])]
    expect("there are candidates", bool(cases), True)
    flags = corpus_wire.allowed_flags(ours["prepare"])
    for name, folder, code in cases:
        before = len(faults)
        their_host(host, ours, flags, name, folder, code)
        print(f"{name}: {'as expected' if len(faults) == before else 'NOT as expected'} under the "
              "reference's host", flush=True)
    our_host(args.pvf, theirs, cases)
    print(f"{len(cases)} candidates, flags {flags.hex()}, {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
