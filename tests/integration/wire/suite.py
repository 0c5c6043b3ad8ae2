# SPDX-License-Identifier: Apache-2.0
"""Owns: the list of cases, what a case is given, and the run.  A case has a name, a function that
gives back what it saw, and what it should see: here, or in the table of differences."""
import concurrent.futures
import hashlib
import os
import struct
import threading
import traceback

import corpus_wire

from . import differences
from .worker import Worker

CASES = []


class Skip(Exception):
    """The case does not apply; the text says why."""


def add(name, want, run):
    """`want` is None for a name in the table of differences, and only for those."""
    if (want is None) != (name in differences.TABLE):
        raise ValueError(f"{name}: expected in two places, or in none")
    if any(name == known for known, _, _ in CASES):
        raise ValueError(f"{name}: there are two such cases")
    CASES.append((name, want, run))


def case(name, want=None):
    def register(run):
        add(name, want, run)
        return run
    return register


def each_kind(name, want=None):
    """The same case for both workers."""
    def register(run):
        for kind in ("prepare", "execute"):
            add(f"{kind}: {name}", want, lambda t, kind=kind: run(t, kind))
        return run
    return register


def descriptors(pid):
    """What a process has open, by the kernel's names."""
    folder = f"/proc/{pid}/fd"
    try:
        return {int(fd): os.readlink(f"{folder}/{fd}") for fd in os.listdir(folder)}
    except PermissionError as error:
        raise Skip("the descriptors of workers are not shown to this user") from error


def collapse(outcomes):
    """One word when all outcomes are the same, else each with its name."""
    words = set(outcomes.values())
    return words.pop() if len(words) == 1 else "; ".join(f"{k}: {v}" for k, v in outcomes.items())


def prepare_request(code, params=b"\0", limit=30 << 20, timeout=corpus_wire.duration(60), kind=0):
    digest = hashlib.blake2b(code, digest_size=32).digest()
    return (corpus_wire.vec(code) + struct.pack("<I", limit) + digest + params + timeout +
            bytes([kind]))


HEAD, POV, NUMBER = bytes(range(40)), b"\1\2\3", 100
ROOT, RELAY_PARENT, SCHEDULING_PARENT = b"\x11" * 32, b"\x22" * 32, b"\x33" * 32


def execute_request(checksum, pov=POV, timeout=corpus_wire.duration(30), version=b"\1", head=HEAD):
    return (corpus_wire.vec(head) + struct.pack("<I", NUMBER) + ROOT +
            struct.pack("<I", 10 << 20) + corpus_wire.vec(pov) + timeout + checksum +
            RELAY_PARENT + SCHEDULING_PARENT + version)


class Target:
    """The pair of workers that is looked at, and how."""

    def __init__(self, programs, security, reference, scratch):
        self.programs, self.security, self.reference = programs, security, reference
        self.scratch = scratch
        self.lock, self.artifacts = threading.Lock(), {}

    @property
    def secure_clone(self):
        return self.security[4] == 1

    def connect(self, kind, **options):
        """A worker that waits for its handshake."""
        return Worker(self.programs[kind], kind, **options)

    def worker(self, kind, params=b"\0", **options):
        """A worker that waits for a request."""
        worker = self.connect(kind, **options)
        worker.send(self.security, *([params] if kind == "execute" else []))
        if kind == "prepare":
            worker.put("tmp-artifact", b"")
        return worker

    def artifact(self, code, params=b"\0"):
        """(artifact, checksum) of a module, prepared once for these executor parameters."""
        with self.lock:
            if (code, params) not in self.artifacts:
                with self.worker("prepare") as worker:
                    answer = worker.ask(prepare_request(code, params=params))
                    if answer.name != "Ok":
                        raise ValueError(f"cannot prepare: {answer.name} {answer.text}")
                    self.artifacts[code, params] = worker.get("tmp-artifact"), answer.checksum
            return self.artifacts[code, params]

    def executor(self, code, prepared_for=b"\0", **options):
        """An execute worker with the artifact of a module in place, and its checksum."""
        artifact, checksum = self.artifact(code, prepared_for)
        worker = self.worker("execute", **options)
        worker.put("artifact", artifact)
        return worker, checksum

    def ready(self, kind, code):
        """A worker that waits for a request, and a good one."""
        if kind == "prepare":
            return self.worker(kind), prepare_request(code)
        worker, checksum = self.executor(code)
        return worker, execute_request(checksum)


class Tally:
    def __init__(self):
        self.good, self.faults, self.skipped = 0, [], []

    def check(self, name, got, want):
        if got == want:
            self.good += 1
        else:
            self.faults.append(name)
            print(f"FAIL {name}\n  seen:     {got}\n  expected: {want}", flush=True)

    def skip(self, name, why):
        self.skipped.append(name)
        print(f"skip {name}: {why}", flush=True)


def run_case(target, run):
    try:
        return run(target)
    except Skip as skip:
        return skip
    except Exception:  # whatever a case met is its result: the others must run
        return traceback.format_exc(limit=-3)


def run_all(target, tally, only, parallel):
    chosen = [c for c in CASES if only is None or only in c[0]]
    with concurrent.futures.ThreadPoolExecutor(parallel) as pool:
        runs = [(name, want, pool.submit(run_case, target, run)) for name, want, run in chosen]
        for name, want, future in runs:
            got = future.result()
            if isinstance(got, Skip):
                tally.skip(name, got)
                continue
            if want is None:
                want = differences.TABLE[name][1 if target.reference else 0]
            tally.check(name, got, want)
