# SPDX-License-Identifier: Apache-2.0
"""Owns: what is measured with what: the two sides, the fence that both get, the candidates, and the
artifact of each code, prepared once per side."""
import collections
import contextlib
import os
import subprocess

import corpus_wire as wire

OURS, THEIRS = "pvf", "reference"
PREPARE_SECONDS = 900.0

Artifact = collections.namedtuple("Artifact", "path checksum")


class Wrong(Exception):
    """An answer that is not the expected one: no figure of this run means anything."""


class Case:
    """A candidate, its code, and the frame that asks for it."""

    def __init__(self, name, folder, code, block=None):
        self.name, self.folder, self.code = name, folder, code
        self.params = wire.Params.split(wire.read_file(folder, "validation_params.scale"))
        self.block = self.params.block if block is None else block
        self.expected = wire.read_file(folder, "expected_result.scale")

    def frame(self, checksum):
        return wire.frame(wire.execute_request(self.params, checksum, pov=self.block))


class Side:
    """A pair of workers.  `floor`: answers at once, whatever it is asked."""

    def __init__(self, name, prepare, execute, floor=False):
        self.name, self.prepare, self.execute, self.floor = name, prepare, execute, floor
        self.artifacts = {}

    def version(self):
        return subprocess.run([self.execute, "--version"], env={}, capture_output=True, text=True,
                              timeout=60, check=True).stdout.strip()

    def check(self, case, answer):
        if not self.floor and (answer.cls, answer.result) != ("Ok", case.expected):
            raise Wrong(f"{case.name}: {self.name} says {answer.cls} {answer.text[:200]}" +
                        ("" if answer.cls != "Ok" else ", but another result"))


class Setting:
    def __init__(self, programs, theirs, host, flags, scratch, sizes):
        """`programs`: ours by name; `theirs`: by kind, or None."""
        self.programs, self.host, self.flags, self.sizes = programs, host, flags, sizes
        self.scratch = scratch
        self.ours = Side(OURS, programs["prepare"], programs["execute"])
        self.theirs = Side(THEIRS, theirs["prepare"], theirs["execute"]) if theirs else None
        self.sides = [self.ours] + ([self.theirs] if theirs else [])
        self.floor = Side("floor", None, programs["instant"], floor=True)
        self.cases = []

    def worker(self, side, kind, options=(), timeout=PREPARE_SECONDS):
        program = side.prepare if kind == "prepare" else side.execute
        return wire.Worker(program, kind, self.flags, timeout=timeout, options=options)

    def codes(self):
        """The code of each case once, in their order."""
        return list(dict.fromkeys(case.code for case in self.cases))

    def keep(self, side, code, prepared):
        """The first artifact of a code is that of all its jobs."""
        if prepared.cls != "Ok":
            raise Wrong(f"{code}: {side.name} cannot prepare it: {prepared.cls} {prepared.text}")
        if code not in side.artifacts:
            path = os.path.join(self.scratch, f"{side.name}-{len(side.artifacts)}.pvf")
            with open(path, "wb") as file:
                file.write(prepared.artifact)
            side.artifacts[code] = Artifact(path, prepared.checksum)

    def artifact(self, side, code):
        if side.floor:
            return self.artifact(self.ours, code)
        if code not in side.artifacts:
            with self.worker(side, "prepare") as worker:
                self.keep(side, code, wire.prepare(worker, wire.read_file(code),
                                                   seconds=PREPARE_SECONDS))
        return side.artifacts[code]

    @contextlib.contextmanager
    def runners(self, sides, case):
        """{side's name: a warm worker that can be told to run the case}."""
        with contextlib.ExitStack() as stack:
            yield {side.name: stack.enter_context(Runner(self, side, case)) for side in sides}


class Runner:
    """A worker with a case: each call is one job, checked."""

    def __init__(self, setting, side, case):
        self.side, self.case = side, case
        self.artifact = setting.artifact(side, case.code)
        self.request = case.frame(self.artifact.checksum)
        self.worker = setting.worker(side, "execute")
        self.worker.send(b"\0")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.worker.close()

    def __call__(self):
        answer = wire.execute_frame(self.worker, self.artifact.path, self.request)
        self.side.check(self.case, answer)
        return answer
