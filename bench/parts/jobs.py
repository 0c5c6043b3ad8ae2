# SPDX-License-Identifier: Apache-2.0
"""Owns: what a job costs a client of a worker, beside validate_block alone and beside a worker that
answers at once; all four by turns, job for job."""
import subprocess
import tempfile

import corpus_wire as wire

from . import process, sample
from .setting import Wrong

ALONE, FLOOR = "alone", "floor"


class Alone:
    """validate_block in this process tree without worker, fence or protocol; as a Runner."""

    def __init__(self, setting, case, scratch):
        files = {"params": _params(case), "expected": case.expected}
        for name, content in files.items():
            with open(f"{scratch}/{name}", "wb") as file:
                file.write(content)
        artifact = setting.artifact(setting.ours, case.code)
        self.case = case
        self.process = subprocess.Popen(
            [setting.programs["engine"], "call", artifact.path, f"{scratch}/params",
             f"{scratch}/expected"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.communicate()

    def __call__(self):
        """Seconds."""
        try:
            self.process.stdin.write("\n")
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            raise Wrong(f"{self.case.name}: validate_block alone gives no time")
        return int(line) / 1e9


def _params(case):
    """ValidationParams with the case's own block."""
    params = case.params
    return (wire.vec(params.head) + wire.vec(case.block) + params.number.to_bytes(4, "little") +
            params.root + params.tail)


def measure(setting, cases, count):
    """One row for each case: {"case", "pov", "code", sides: {name: figures}, "minus", "ratio"}."""
    return [_case(setting, case, count) for case in cases]


def _case(setting, case, count):
    sides = [*setting.sides, setting.floor]
    wall = {name: [] for name in (*(side.name for side in sides), ALONE)}
    cpu, faults = {name: [] for name in wall}, {}
    with tempfile.TemporaryDirectory() as scratch, \
            Alone(setting, case, scratch) as alone, setting.runners(sides, case) as runners:
        for _ in range(setting.sizes.warm_up):
            for run in (*runners.values(), alone):
                run()
        before = {name: process.faults(run.worker.process.pid) for name, run in runners.items()}
        for _, name in sample.turns(count, list(wall)):
            if name == ALONE:
                wall[name].append(alone())
                continue
            answer = runners[name]()
            wall[name].append(answer.wall)
            cpu[name].append(answer.cpu)
        for name, run in runners.items():
            faults[name] = (process.faults(run.worker.process.pid) - before[name]) / count
    figures = {name: sample.spread(times) for name, times in wall.items()}
    for side in setting.sides:
        figures[side.name]["cpu_p50"] = sample.median(cpu[side.name]) * 1e3
        figures[side.name]["faults"] = faults[side.name]
    return {"case": case.name, "pov": len(case.block), "sides": figures, **_compared(setting,
                                                                                     figures)}


def _compared(setting, figures):
    ours = figures[setting.ours.name]
    rows = {"minus": {key: ours[key] - figures[ALONE][key] for key in ("p50", "p99", "min")}}
    if setting.theirs:
        theirs = figures[setting.theirs.name]
        rows["ratio"] = {key: sample.ratio(theirs[key], ours[key])
                         for key in ("p50", "p99", "min", "cpu_p50")}
    return rows
