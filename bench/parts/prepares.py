# SPDX-License-Identifier: Apache-2.0
"""Owns: what a preparation costs: ours on one thread and on all, its first tier, the reference's, and
the engine's compilation alone."""
import os
import subprocess

import corpus_wire as wire

from . import process, sample
from .setting import PREPARE_SECONDS, Wrong

ALONE, FIRST = "engine alone", "pvf, first tier"


def measure(setting, codes):
    """One row for each code: {"code", "bytes", sides: {name: figures}}."""
    threads = len(os.sched_getaffinity(0))
    rows = []
    ways = [(setting.ours, "pvf, 1 thread", ("--compile-threads", "1"))]
    if threads > 1:
        ways.append((setting.ours, f"pvf, {threads} threads", ("--compile-threads", str(threads))))
    ways.append((setting.ours, FIRST, ("--first-tier", "on")))
    if setting.theirs:
        ways.append((setting.theirs, setting.theirs.name, ()))
    for code in codes:
        seen = {name: [] for _, name, _ in ways}
        seen[ALONE] = []
        for _, (side, name, options) in sample.turns(setting.sizes.prepares,
                                                     [*ways, (None, ALONE, ())]):
            seen[name].append(_alone(setting, code) if side is None else
                              _once(setting, side, code, name, options))
        rows.append({"code": os.path.basename(code), "bytes": os.path.getsize(code),
                     "sides": {name: _figures(each) for name, each in seen.items()}})
    return rows


def _once(setting, side, code, name, options):
    """The first tier's figures are those of its own answer: when executions can begin."""
    blob = wire.read_file(code)
    answers = (wire.FIRST_TIER, wire.ARTIFACT) if name == FIRST else (wire.ARTIFACT,)
    with setting.worker(side, "prepare", options) as worker:
        before = process.faults(worker.process.pid)
        found = wire.prepare_answers(worker, blob, answers, seconds=PREPARE_SECONDS)
        setting.keep(side, code, found[-1])
        faults = process.faults(worker.process.pid) - before
    prepared = found[0]
    if prepared.cls != "Ok":
        return dict.fromkeys(("cpu_s", "wall_s", "artifact", "peak_heap", "faults", "peak_rss"))
    return {"cpu_s": prepared.cpu, "wall_s": prepared.wall, "artifact": len(prepared.artifact),
            "peak_heap": prepared.peak, "faults": faults,
            "peak_rss": None if prepared.rss is None else prepared.rss * 1024}


def _alone(setting, code):
    run = subprocess.run([setting.programs["engine"], "compile", code, "1"], capture_output=True,
                         text=True, timeout=PREPARE_SECONDS, check=False)
    if run.returncode != 0:
        raise Wrong(f"{code}: {run.stderr}")
    cpu, wall, size = (int(field) for field in run.stdout.split())
    return {"cpu_s": cpu / 1e9, "wall_s": wall / 1e9, "artifact": size}


def _figures(runs):
    """The median of each figure; None where it is not known."""
    return {key: None if any(run[key] is None for run in runs) else
            sample.median([run[key] for run in runs]) for key in runs[0]}
