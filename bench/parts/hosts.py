# SPDX-License-Identifier: Apache-2.0
"""Owns: whole hosts: the reference's, which runs either pair of workers and one that answers at
once, and ours, which does the same through `pvf bench`."""
import json
import os
import subprocess
import tempfile

import corpus_wire as wire

from . import sample
from .setting import Wrong

SECONDS = 1800


def reference(setting, cases):
    """The reference's host; it has the artifacts already, so that runs can be short and many."""
    return [_reference_case(setting, case) for case in cases]


def prepare_script(setting, side, case, folder):
    """A prepare worker for the reference's host: it answers checks as the real one does."""
    artifact = setting.artifact(side, case.code)
    path = os.path.join(folder, f"{side.name}-prepare")
    with open(path, "w", encoding="ascii") as file:
        file.write("#!/bin/sh\ncase $1 in\n"
                   f"prepare-worker) exec '{setting.programs['instant']}' \"$@\" --artifact "
                   f"'{artifact.path}' --checksum {artifact.checksum.hex()} ;;\n"
                   f"*) exec '{side.prepare or setting.ours.prepare}' \"$@\" ;;\nesac\n")
    os.chmod(path, 0o700)
    return path


def reference_run(setting, side, case, prepare, count, concurrency, workers, cores=None):
    """What the reference's host prints.  It tells of a result no more than its head's length; that
    the bytes are right is seen where the same workers are asked directly."""
    with tempfile.TemporaryDirectory() as folder:
        run = subprocess.run([setting.host, prepare, side.execute, case.code, case.folder,
                              str(count), str(concurrency), str(workers)],
                             cwd=folder, capture_output=True, text=True, timeout=SECONDS,
                             check=False, preexec_fn=None if cores is None else
                             (lambda: os.sched_setaffinity(0, cores)))
    if run.returncode != 0:
        raise Wrong(f"{case.name}: the reference's host with {side.name}: {run.stderr[-300:]}")
    said = json.loads(run.stdout)
    head = 0 if side.floor else len(wire.Reader(case.expected).vec())
    if said["verdict"] != f"valid head={head} bytes":
        raise Wrong(f"{case.name}: the reference's host with {side.name} says {said['verdict']}")
    return said


def _reference_case(setting, case):
    sides = [*setting.sides, setting.floor]
    said = {side.name: [] for side in sides}
    with tempfile.TemporaryDirectory() as folder:
        prepares = {side.name: prepare_script(setting, side, case, folder) for side in sides}
        for _, side in sample.turns(setting.sizes.host_rounds, sides):
            said[side.name].append(reference_run(setting, side, case, prepares[side.name],
                                                 setting.sizes.host_jobs, 1, 1))
    figures = {name: {key: sample.median([run[f"{key}_ms"] for run in runs])
                      for key in ("p50", "p99", "min", "first")} for name, runs in said.items()}
    row = {"case": case.name, "sides": figures}
    if setting.theirs:
        row["ratio"] = {key: sample.ratio(figures[setting.theirs.name][key],
                                          figures[setting.ours.name][key])
                        for key in ("p50", "p99", "min", "first")}
    return row


def ours(setting, cases):
    """Our host, in one run over all cases."""
    words = ["--workers", os.path.dirname(setting.ours.execute), "--json", "--prepares", "1",
             "--warm-up", str(setting.sizes.warm_up), "--runs", str(setting.sizes.jobs)]
    if setting.theirs:
        words += ["--against", f"{setting.theirs.prepare},{setting.theirs.execute}"]
    if not any(setting.flags):
        words.append("--no-fence")
    run = subprocess.run([setting.programs["pvf"], "bench", *words,
                          *(case.folder for case in cases)],
                         capture_output=True, text=True, timeout=SECONDS * 4, check=False)
    if run.returncode != 0:
        raise Wrong(f"pvf bench: {run.stderr.strip()}")
    return json.loads(run.stdout)["cases"]
